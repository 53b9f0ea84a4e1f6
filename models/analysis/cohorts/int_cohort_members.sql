with

person_years as (

    select * from {{ ref('int_person_years') }}

),

involvements as (

    select * from {{ ref('fct_involvements') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

coverage as (

    select * from {{ ref('int_involvement_coverage') }}
    where program_group = 'any'

),

started_services as (

    select
        involvements.person_id,
        involvements.program_group,
        involvements.started_on
    from involvements
    cross join as_of
    where involvements.started_on <= as_of.as_of_date

),

first_services as (

    select
        person_id,
        min(started_on) as first_service_on,
        min(started_on) filter (
            where program_group = 'juvenile_justice'
        ) as first_juvenile_justice_on
    from started_services
    group by person_id

),

-- The last day of membership in this year or any later one. Gaps in between count as
-- follow-up: the return shows that nothing was missed.
follow_ups as (

    select
        person_years.*,
        make_date(school_year - 1, 7, 1) as starts_on,
        max(last_day) over later_years as last_member_on,
        min(graduated_on) over later_years as first_graduated_on
    from person_years
    window later_years as (
        partition by person_id
        order by school_year
        rows between current row and unbounded following
    )

),

ended_follow_ups as (

    select
        follow_ups.*,
        least(follow_ups.last_member_on, follow_ups.first_graduated_on) as ends_on,
        first_services.first_service_on,
        first_services.first_juvenile_justice_on,
        coverage.is_ever_covered
    from follow_ups
    left join first_services using (person_id)
    left join coverage using (school_year)

),

cohort_members as (

    select
        person_id,
        school_year as base_year,
        district_id,
        grade,
        gender,
        race,
        economic_status,
        case
            when first_service_on <= make_date(school_year, 6, 30) then true
            when is_ever_covered then false
        end as was_involved,
        first_graduated_on as graduated_on,
        coalesce(first_juvenile_justice_on < starts_on, false)
            as had_juvenile_justice_before,
        case
            when first_juvenile_justice_on < starts_on then null
            when first_juvenile_justice_on <= ends_on then 'juvenile_justice'
            when first_graduated_on = ends_on then 'graduated'
            else 'censored'
        end as outcome,
        case
            when coalesce(first_juvenile_justice_on >= starts_on, true)
                then least(first_juvenile_justice_on, ends_on) - starts_on + 1
        end as days_observed
    from ended_follow_ups

)

select * from cohort_members
