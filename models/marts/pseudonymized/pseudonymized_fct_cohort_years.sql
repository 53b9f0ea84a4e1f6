with

facts as (

    select * from {{ ref('fct_cohort_years') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

people as (

    select * from {{ ref('int_deidentified_person_years') }}

),

pseudonymized as (

    select
        students.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.base_year,
        facts.follow_up_year,
        facts.base_district_id,
        base_people.grade as base_grade,
        base_people.gender,
        base_people.race,
        base_people.economic_status as base_economic_status,
        facts.base_involved,
        facts.status,
        facts.district_id,
        people.grade,
        facts.attendance_rate,
        facts.is_chronically_absent_federal,
        facts.gpa,
        facts.is_proficient_math,
        facts.is_proficient_reading,
        facts.is_involved
    from facts
    left join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key
    inner join people as base_people
        on
            facts.person_id = base_people.person_id
            and facts.base_district_id = base_people.district_id
            and facts.base_year = base_people.school_year
    left join people
        on
            facts.person_id = people.person_id
            and facts.district_id = people.district_id
            and facts.follow_up_year = people.school_year

)

select * from pseudonymized
