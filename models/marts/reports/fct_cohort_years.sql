with

codes as (

    select * from {{ ref('codes') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

members as (

    select * from {{ ref('int_cohort_members') }}

),

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

-- In a year that nobody has delivered yet, nobody is known to have left.
school_years as (

    select distinct school_year from person_years

),

follow_up_years as (

    select
        members.*,
        school_years.school_year as follow_up_year,
        least(make_date(school_years.school_year, 6, 30), as_of.as_of_date) as ends_on
    from members
    cross join as_of
    inner join school_years on members.base_year <= school_years.school_year

),

involved_years as (

    select distinct
        follow_up_years.person_id,
        follow_up_years.follow_up_year
    from follow_up_years
    inner join involvements
        on
            follow_up_years.person_id = involvements.person_id
            and follow_up_years.ends_on >= involvements.started_on
            and make_date(follow_up_years.follow_up_year - 1, 7, 1)
            <= coalesce(involvements.ended_on, 'infinity')

),

cohort_years as (

    select
        follow_up_years.person_id,
        follow_up_years.base_year,
        follow_up_years.follow_up_year,
        district_years.known_through,
        district_years.is_complete_year,
        follow_up_years.district_id as base_district_id,
        follow_up_years.grade as base_grade,
        base_grades.label as base_grade_label,
        follow_up_years.gender,
        follow_up_years.race,
        races.label as race_label,
        follow_up_years.economic_status as base_economic_status,
        follow_up_years.was_involved as base_involved,
        case
            when follow_up_years.graduated_on <= follow_up_years.ends_on
                then 'graduated'
            when person_years.person_id is not null then 'enrolled'
            else 'not_enrolled'
        end as status,
        person_years.student_key,
        person_years.district_id,
        person_years.grade,
        grades.label as grade_label,
        person_years.attendance_rate,
        person_years.is_chronically_absent_federal,
        person_years.gpa,
        person_years.is_proficient_math,
        person_years.is_proficient_reading,
        case
            when involved_years.person_id is not null then true
            when coverage.is_concurrent_covered then false
        end as is_involved
    from follow_up_years
    left join person_years
        on
            follow_up_years.person_id = person_years.person_id
            and follow_up_years.follow_up_year = person_years.school_year
    left join involved_years
        on
            follow_up_years.person_id = involved_years.person_id
            and follow_up_years.follow_up_year = involved_years.follow_up_year
    left join coverage on follow_up_years.follow_up_year = coverage.school_year
    left join district_years
        on
            district_years.district_id = 'all'
            and follow_up_years.follow_up_year = district_years.school_year
    left join codes as grades
        on grades.domain = 'grade' and cast(person_years.grade as text) = grades.code
    left join codes as races
        on races.domain = 'race' and cast(follow_up_years.race as text) = races.code
    left join codes as base_grades
        on
            base_grades.domain = 'grade'
            and cast(follow_up_years.grade as text) = base_grades.code

)

select * from cohort_years
