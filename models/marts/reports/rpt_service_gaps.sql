with

program_groups as (

    select * from {{ ref('program_groups') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

student_years as (

    select * from {{ ref('int_student_years') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

involvements as (

    select * from {{ ref('int_student_year_involvements') }}

),

rules as (

    select * from {{ ref('service_gap_rules') }}

),

-- The school's data about a student, one row per fact, named as in the rules.
school_facts as (

    select
        student_years.district_id,
        student_years.district_student_id,
        student_years.school_year,
        facts.school_domain,
        facts.school_code
    from student_years
    cross join
        lateral (
            values
            ('disability', student_years.primary_disability),
            (
                'homeless',
                case student_years.is_homeless
                    when true then 'yes' when false then 'no'
                end
            ),
            ('special_education', student_years.special_education),
            (
                'english_learner',
                case student_years.is_english_learner
                    when true then 'yes' when false then 'no'
                end
            ),
            ('economic_status', student_years.economic_status)
        ) as facts (school_domain, school_code)
    where facts.school_code is not null

),

-- Only districts that send a fact are compared. A district that sends it for no student
-- reports, for example, that none is homeless.
domains_sent as (

    select distinct
        district_id,
        school_year,
        school_domain
    from school_facts

),

compared as (

    select
        involvements.district_id,
        involvements.district_student_id,
        involvements.school_year,
        rules.rule_id,
        rules.program_group,
        rules.missing,
        rules.question,
        school_facts.school_code is not null as school_says,
        case rules.involvement
            when 'ever' then involvements.involved_ever
            when 'prior_year' then involvements.involved_prior_year
            when 'concurrent' then involvements.involved_concurrent
        end as services_say
    from involvements
    inner join rules using (program_group)
    inner join domains_sent using (district_id, school_year, school_domain)
    left join school_facts
        using (
            district_id, district_student_id, school_year, school_domain, school_code
        )

),

service_gaps as (

    select
        {{ student_key('compared') }} as student_key,
        student_persons.person_id,
        compared.district_id,
        compared.district_student_id,
        compared.school_year,
        district_years.known_through,
        district_years.is_complete_year,
        compared.rule_id,
        compared.program_group,
        program_groups.program_group_label,
        compared.missing,
        compared.question
    from compared
    left join student_persons using (district_id, district_student_id)
    left join district_years using (district_id, school_year)
    left join program_groups using (program_group)
    where
        (
            compared.missing = 'service'
            and compared.school_says
            and not compared.services_say
        )
        or (
            compared.missing = 'school'
            and compared.services_say
            and not compared.school_says
        )

)

select * from service_gaps
