with

facts as (

    select * from {{ ref('fct_attendance_months') }}

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
        facts.district_id,
        facts.school_year,
        facts.month,
        facts.days_enrolled,
        facts.days_absent,
        facts.days_absent_excused,
        facts.days_absent_unexcused
    from facts
    inner join pseudonyms as students
        on facts.student_key = students.key
    inner join pseudonyms as persons
        on facts.person_id = persons.key
    inner join people
        on
            facts.person_id = people.person_id
            and facts.district_id = people.district_id
            and facts.school_year = people.school_year

)

select * from pseudonymized
