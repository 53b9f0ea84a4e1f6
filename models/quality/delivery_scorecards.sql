with

-- A day that has not come is no delivery's yet.
files as (

    select * from {{ ref('int_file_statuses') }}
    where reason_code is distinct from 'date_in_the_future'

),

contract_objects as (

    select * from {{ ref('stg_contract_objects') }}

),

objects_out_of_use as (

    select * from {{ ref('int_objects_out_of_use') }}

),

partners as (

    select * from {{ ref('stg_partners') }}

),

file_faults as (

    select * from {{ ref('stg_file_faults') }}

),

-- Not `unmapped_codes`: a failing test on it would skip this model, which reports them.
codes_used as (

    select * from {{ ref('int_codes_used') }}

),

incomplete_records as (

    select * from {{ ref('incomplete_records') }}

),

missing_feeds as (

    select * from {{ ref('int_missing_feeds') }}

),

file_feeds as (

    select * from {{ ref('int_file_feeds') }}

),

feed_growth_limits as (

    select * from {{ ref('feed_growth_limits') }}

),

delivery_grades as (

    select * from {{ ref('delivery_grades') }}

),

nulled_values as (

    select
        file_id,
        count(*) as values_nulled
    from file_faults
    where fault = 'value'
    group by file_id

),

-- A header alone, of a kind of file that always has rows.
files_without_rows as (

    select distinct files.file_id
    from files
    inner join file_feeds using (file_id)
    inner join feed_growth_limits using (feed)
    where
        files.status = 'loaded'
        and files.rows_loaded = 0
        and not feed_growth_limits.may_be_empty

),

deliveries as (

    select
        files.partner_id,
        files.as_of_date,
        extract(year from files.as_of_date + interval '6 months') as school_year,
        count(*) as files_delivered,
        count(*) filter (where files.status = 'loaded') as files_loaded,
        count(*) filter (where files.status = 'quarantined') as files_quarantined,
        count(*) filter (where files.status = 'held') as files_held,
        count(files_without_rows.file_id) as files_without_rows,
        string_agg(
            files.contract_object, ', ' order by files.contract_object
        ) filter (where files_without_rows.file_id is not null) as names_without_rows,
        sum(
            case when files.status <> 'quarantined' then files.rows_loaded else 0 end
        ) as rows_loaded,
        sum(
            case when files.status <> 'quarantined' then files.rows_rejected else 0 end
        ) as rows_rejected,
        coalesce(sum(nulled_values.values_nulled), 0) as values_nulled
    from files
    left join nulled_values using (file_id)
    left join files_without_rows using (file_id)
    group by files.partner_id, files.as_of_date

),

-- Test results have no schedule. All other kinds of file belong to every delivery,
-- unless another took their place.
expected as (

    select
        deliveries.partner_id,
        deliveries.as_of_date,
        count(distinct contract_objects.contract_object) as files_expected,
        count(*) filter (where files.file_id is null) as files_missing,
        string_agg(
            contract_objects.contract_object, ', '
            order by contract_objects.contract_object
        ) filter (where files.file_id is null) as missing_files
    from deliveries
    inner join contract_objects using (partner_id)
    left join files using (partner_id, as_of_date, contract_object)
    left join objects_out_of_use as unused
        using (partner_id, as_of_date, contract_object)
    where
        contract_objects.snapshot not in ('exempt', 'reference')
        and unused.contract_object is null
    group by deliveries.partner_id, deliveries.as_of_date

),

codes as (

    select
        deliveries.partner_id,
        deliveries.as_of_date,
        count(*) as unmapped_codes
    from deliveries
    inner join codes_used
        on
            deliveries.partner_id = codes_used.partner_id
            and deliveries.as_of_date
            between codes_used.first_as_of_date and codes_used.last_as_of_date
    where codes_used.code is null
    group by deliveries.partner_id, deliveries.as_of_date

),

-- Known for the newest snapshots only.
incomplete as (

    select
        partner_id,
        as_of_date,
        count(distinct record_id) as incomplete_records
    from incomplete_records
    group by partner_id, as_of_date

),

-- Late is measured from the delivery before, within a school year: none are due in
-- summer.
measured as (

    select
        deliveries.partner_id,
        deliveries.as_of_date,
        coalesce(expected.files_expected, 0) as files_expected,
        deliveries.files_delivered,
        deliveries.files_loaded,
        deliveries.files_quarantined,
        deliveries.files_held,
        coalesce(expected.files_missing, 0) as files_missing,
        expected.missing_files,
        deliveries.files_without_rows,
        deliveries.names_without_rows,
        missing_feeds.missing_feeds,
        cast(deliveries.rows_loaded as bigint) as rows_loaded,
        cast(deliveries.rows_rejected as bigint) as rows_rejected,
        cast(
            coalesce(
                deliveries.rows_rejected
                / nullif(deliveries.rows_loaded + deliveries.rows_rejected, 0), 0
            ) as numeric(7, 6)
        ) as rejected_share,
        cast(deliveries.values_nulled as bigint) as values_nulled,
        coalesce(codes.unmapped_codes, 0) as unmapped_codes,
        coalesce(incomplete.incomplete_records, 0) as incomplete_records,
        greatest(
            deliveries.as_of_date - partners.latency_days
            - {{ function('next_delivery_on') }}(
                lag(deliveries.as_of_date) over (
                    partition by deliveries.partner_id, deliveries.school_year
                    order by deliveries.as_of_date
                ),
                partners.delivery_interval,
                cast(partners.delivery_weekday as integer)
            ),
            0
        ) as days_late
    from deliveries
    inner join partners using (partner_id)
    left join missing_feeds using (partner_id, school_year)
    left join expected using (partner_id, as_of_date)
    left join codes using (partner_id, as_of_date)
    left join incomplete using (partner_id, as_of_date)

),

-- The best grade of which no limit is exceeded. An empty limit is none.
graded as (

    select distinct on (measured.partner_id, measured.as_of_date)
        measured.*,
        grades.grade
    from measured
    left join delivery_grades as grades
        on (
            measured.rows_rejected
            > grades.max_rejected_share
            * (measured.rows_loaded + measured.rows_rejected)
            or measured.files_quarantined + measured.files_held
            > grades.max_files_not_loaded
            or measured.files_missing > grades.max_files_missing
            or measured.files_without_rows > grades.max_files_without_rows
            or measured.days_late > grades.max_days_late
            or measured.unmapped_codes > grades.max_unmapped_codes
            or measured.incomplete_records > grades.max_incomplete_records
        ) is not true
    order by measured.partner_id, measured.as_of_date, grades.rank

),

delivery_scorecards as (

    select
        partner_id,
        as_of_date,
        grade,
        files_expected,
        files_delivered,
        files_loaded,
        files_quarantined,
        files_held,
        files_missing,
        missing_files,
        files_without_rows,
        missing_feeds,
        rows_loaded,
        rows_rejected,
        rejected_share,
        values_nulled,
        unmapped_codes,
        incomplete_records,
        days_late,
        case
            when files_quarantined > 0
                then format(
                    'Files that broke their contract: %s of %s.',
                    files_quarantined, files_delivered
                )
            when files_held > 0
                then format(
                    'Snapshots that lost too many rows and wait for a decision: %s.',
                    files_held
                )
            when files_missing > 0
                then format('Missing files: %s.', missing_files)
            when files_without_rows > 0
                then format('Files without a single row: %s.', names_without_rows)
            when missing_feeds is not null
                then format(
                    'Days enrolled or absent are not known: no file fills %s.',
                    missing_feeds
                )
            when days_late > 0
                then format('The delivery was late, by days: %s.', days_late)
            when rows_rejected > 0
                then format(
                    'Rejected rows: %s of %s.',
                    rows_rejected, rows_loaded + rows_rejected
                )
            when unmapped_codes > 0
                then format('Unknown codes: %s.', unmapped_codes)
            when incomplete_records > 0
                then format(
                    'Students and clients whose rows lack their counterpart: %s.',
                    incomplete_records
                )
            when values_nulled > 0
                then format(
                    'Values that could not be read and were left empty: %s.',
                    values_nulled
                )
            else 'Nothing is wrong.'
        end as worst
    from graded

)

select * from delivery_scorecards
