with

gaps as (

    select * from {{ ref('rpt_outcome_gaps') }}

),

headline_measures as (

    select * from {{ ref('outcome_measures') }}
    where quoted_in is not null

),

measure_history as (

    select * from {{ ref('stg_measure_history') }}

),

runs as (

    select * from {{ ref('stg_runs') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- The figures of this run, together with those published by earlier runs.
figures as (

    select * from measure_history
    union all
    select
        runs.run_id,
        gaps.school_year,
        gaps.district_id,
        gaps.program_group,
        gaps.involvement,
        gaps.measure,
        gaps.n_involved,
        gaps.n_not_involved,
        gaps.value_involved,
        gaps.value_not_involved,
        gaps.gap,
        gaps.is_suppressed
    from gaps
    inner join headline_measures using (measure)
    inner join runs on runs.is_this_run
    where gaps.program_group = 'any' and gaps.involvement = 'ever'

),

dated as (

    select
        figures.*,
        jsonb_build_array(
            figures.n_involved,
            figures.n_not_involved,
            figures.value_involved,
            figures.value_not_involved,
            figures.is_suppressed
        ) as shown,
        runs.run_number,
        runs.started_at,
        -- The ledger learns the as-of date of a run only when the run ends.
        coalesce(runs.as_of_date, as_of.as_of_date) as as_of_date,
        runs.code_digest,
        runs.policy_version,
        runs.model_version,
        runs.contract_versions,
        runs.is_withdrawn
    from figures
    inner join runs using (run_id)
    cross join as_of

),

-- A run that was rolled back is not the previous run of a later one.
compared as (

    select
        dated.*,
        earlier.run_id as previous_run_id,
        dated.value_involved - earlier.value_involved as change_involved,
        dated.value_not_involved - earlier.value_not_involved as change_not_involved,
        dated.gap - earlier.gap as change_gap,
        dated.shown <> earlier.shown as is_changed,
        concat_ws(
            ', ',
            case
                when dated.as_of_date <> earlier.as_of_date then 'other deliveries'
            end,
            case
                when dated.contract_versions <> earlier.contract_versions
                    then 'contracts'
            end,
            case when dated.policy_version <> earlier.policy_version then 'policy' end,
            case
                when dated.model_version <> earlier.model_version then 'match model'
            end,
            case when dated.code_digest <> earlier.code_digest then 'code' end
        ) as differences
    from dated
    left join lateral (
        select * from dated as others
        where
            not others.is_withdrawn
            and others.run_number < dated.run_number
            and others.school_year = dated.school_year
            and others.district_id = dated.district_id
            and others.program_group = dated.program_group
            and others.involvement = dated.involvement
            and others.measure = dated.measure
        order by others.run_number desc
        limit 1
    ) as earlier on true

),

history as (

    select
        run_id,
        started_at,
        as_of_date,
        school_year,
        district_id,
        program_group,
        involvement,
        measure,
        n_involved,
        n_not_involved,
        value_involved,
        value_not_involved,
        gap,
        is_suppressed,
        is_withdrawn,
        previous_run_id,
        change_involved,
        change_not_involved,
        change_gap,
        is_changed,
        case
            when is_changed
                then coalesce(nullif(differences, ''), 'late or decided since')
        end as changed_with
    from compared

)

select * from history
