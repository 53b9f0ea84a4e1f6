with

contract_objects as (

    select * from {{ ref('stg_contract_objects') }}

),

objects_out_of_use as (

    select * from {{ ref('int_objects_out_of_use') }}

),

partners as (

    select * from {{ ref('stg_partners') }}

),

deliveries as (

    select * from {{ ref('int_deliveries') }}

),

files as (

    select * from {{ ref('int_file_statuses') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- By the newest delivery.
objects_in_use as (

    select contract_objects.*
    from contract_objects
    left join objects_out_of_use as unused
        on
            contract_objects.partner_id = unused.partner_id
            and contract_objects.contract_object = unused.contract_object
            and unused.as_of_date = (
                select max(files.as_of_date) from files
                where files.partner_id = contract_objects.partner_id
            )
    where unused.contract_object is null

),

accepted as (

    select
        partner_id,
        contract_object,
        source_id,
        max(as_of_date) as last_accepted_on
    from deliveries
    group by partner_id, contract_object, source_id

),

not_loaded as (

    select
        partner_id,
        contract_object,
        source_id,
        count(*) filter (where status = 'quarantined') as files_quarantined,
        count(*) filter (where status = 'held') as files_held
    from files
    where
        status in ('quarantined', 'held')
        and not is_superseded
        and contract_object is not null
    group by partner_id, contract_object, source_id

),

-- Only delivered files tell which source systems share an object.
sources as (

    select
        partner_id,
        contract_object,
        source_id
    from accepted
    union
    select
        partner_id,
        contract_object,
        source_id
    from not_loaded

),

expected as (

    select
        objects_in_use.partner_id,
        objects_in_use.contract_object,
        sources.source_id,
        accepted.last_accepted_on,
        case
            when objects_in_use.snapshot not in ('exempt', 'reference')
                then {{ function('next_delivery_on') }}(
                    accepted.last_accepted_on,
                    partners.delivery_interval,
                    cast(partners.delivery_weekday as integer)
                )
        end as expected_on,
        partners.latency_days,
        coalesce(not_loaded.files_quarantined, 0) as files_quarantined,
        coalesce(not_loaded.files_held, 0) as files_held,
        as_of.as_of_date
    from objects_in_use
    inner join partners using (partner_id)
    cross join as_of
    left join sources using (partner_id, contract_object)
    left join accepted
        on
            objects_in_use.partner_id = accepted.partner_id
            and objects_in_use.contract_object = accepted.contract_object
            and sources.source_id is not distinct from accepted.source_id
    left join not_loaded
        on
            objects_in_use.partner_id = not_loaded.partner_id
            and objects_in_use.contract_object = not_loaded.contract_object
            and sources.source_id is not distinct from not_loaded.source_id

),

feed_freshness as (

    select
        partner_id,
        contract_object,
        source_id,
        last_accepted_on,
        expected_on,
        as_of_date,
        -- `greatest` ignores nulls; without an agreed day nothing is late.
        case
            when expected_on is not null
                then greatest(as_of_date - (expected_on + latency_days), 0)
        end as days_late,
        case
            when last_accepted_on is null then 'never_delivered'
            when expected_on is null then 'unscheduled'
            when as_of_date < expected_on then 'on_time'
            when as_of_date <= expected_on + latency_days then 'due'
            else 'late'
        end as status,
        files_quarantined,
        files_held
    from expected

)

select * from feed_freshness
