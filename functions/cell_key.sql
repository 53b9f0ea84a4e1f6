-- With as many digits as the bounds of the perturbation table.
select
    round(
        (
            'x'
            || left(
                encode(
                    sha256(
                        secret
                        || convert_to(figure || ' of ' || record_keys::text, 'UTF8')
                    ),
                    'hex'
                ),
                8
            )
        )::bit(32)::bigint
        / 4294967296.0,
        10
    )
