with

runs as (

    select * from {{ source('landing', 'runs') }}

),

as_of as (

    select * from {{ ref('stg_as_of') }}

),

-- The current run and all runs that were ever public. Targets that do not publish have
-- no run of their own.
published_runs as (

    select
        runs.run_id,
        runs.run_number,
        runs.started_at,
        -- The ledger learns the as-of date of a run only when the run ends.
        coalesce(runs.as_of_date, as_of.as_of_date) as as_of_date,
        runs.code_digest,
        runs.policy_version,
        runs.model_version,
        runs.contract_versions,
        runs.status = 'withdrawn' as is_withdrawn,
        runs.run_id = '{{ invocation_id }}' as is_this_run
    from runs
    cross join as_of
    where
        runs.status in ('published', 'withdrawn')
        or runs.run_id = '{{ invocation_id }}'

)

select * from published_runs
