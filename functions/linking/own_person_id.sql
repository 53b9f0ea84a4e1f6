select
    'P' || upper(
        left(
            md5(
                coalesce(
                    'mci|' || {{ function('valid_mci') }}(mci_id),
                    'client|' || record_id
                )
            ),
            15
        )
    )
