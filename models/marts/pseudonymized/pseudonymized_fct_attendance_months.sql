with

facts as (

    select * from {{ ref('fct_attendance_months') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

pseudonymized as (

    select
        students.pseudonym as student_key,
        persons.pseudonym as person_id,
        facts.district_id,
        facts.school_year,
        facts.known_through,
        facts.is_complete_year,
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

)

select * from pseudonymized
