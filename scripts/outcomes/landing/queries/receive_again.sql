update landing.files as again
set received_at = %(received_at)s
where
    partner_id = %(partner_id)s
    and as_of_date = %(as_of_date)s
    and file_name = %(file_name)s
    and sha256 = %(sha256)s
    and exists (
        select from landing.files as other
        where
            other.partner_id = again.partner_id
            and other.as_of_date = again.as_of_date
            and other.file_name = again.file_name
            and other.sha256 <> again.sha256
            and other.received_at between again.received_at and %(received_at)s
    )
