with

files as (

    select * from {{ ref('int_file_statuses') }}

),

-- Content sent again under another name is a delivery of its own on another day. On the
-- same day it is one delivery, at the time when it was last sent.
accepted as (

    select distinct on (contents.file_id, files.as_of_date)
        files.partner_id,
        contents.contract_object,
        contents.source_id,
        contents.school_year,
        files.as_of_date,
        files.sent_at,
        files.received_at,
        contents.file_id as load_id
    from files
    inner join files as contents
        on coalesce(files.duplicate_of, files.file_id) = contents.file_id
    where contents.status = 'loaded'
    order by
        contents.file_id,
        files.as_of_date,
        files.sent_at desc nulls last,
        files.received_at desc

),

deliveries as (

    select
        partner_id,
        contract_object,
        source_id,
        school_year,
        as_of_date,
        load_id,
        row_number() over (
            partition by partner_id, contract_object, source_id
            order by as_of_date, sent_at nulls first, received_at, load_id
        ) as delivery_number,
        as_of_date = max(as_of_date) over (partition by load_id) as is_newest
    from accepted

)

select * from deliveries
