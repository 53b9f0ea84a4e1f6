with

runs as (

    select * from {{ source('publishing', 'runs') }}

),

-- The current run and all runs that were ever public. Targets that do not publish have
-- no run of their own.
published_runs as (

    select
        run_id,
        run_number,
        started_at,
        as_of_date,
        code_digest,
        policy_version,
        model_version,
        contract_versions,
        status = 'withdrawn' as is_withdrawn,
        run_id = '{{ invocation_id }}' as is_this_run
    from runs
    where
        status in ('published', 'withdrawn')
        or run_id = '{{ invocation_id }}'

)

select * from published_runs
