with

public_school_years as (

    select * from {{ ref('int_public_school_years') }}

),

released_gaps as (

    select * from {{ ref('stg_released_outcome_gaps') }}

),

perturbed_gaps as (

    select * from {{ ref('int_outcome_gaps_perturbed') }}

),

outcome_gaps as (

    select
        released_gaps.*,
        public_school_years.released_on,
        public_school_years.revision_reason
    from released_gaps
    inner join public_school_years using (school_year, revision)
    where public_school_years.is_released
    union all
    select
        perturbed_gaps.*,
        public_school_years.revision,
        public_school_years.released_on,
        public_school_years.revision_reason
    from perturbed_gaps
    inner join public_school_years using (school_year)

)

select * from outcome_gaps
