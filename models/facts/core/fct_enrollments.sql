with

codes as (

    select * from {{ ref('codes') }}

),

spells as (

    select * from {{ ref('int_enrollment_spells') }}

),

student_persons as (

    select * from {{ ref('int_student_persons') }}

),

enrollments as (

    select
        {{ student_key('spells') }} as student_key,
        student_persons.person_id,
        spells.district_id,
        spells.district_student_id,
        {{ school_key('spells') }} as school_key,
        spells.school_year,
        cast(spells.spell_number as integer) as spell_number,
        spells.grade,
        grades.label as grade_label,
        spells.entry_date,
        spells.exit_date,
        spells.exit_code
    from spells
    left join student_persons using (district_id, district_student_id)
    left join codes as grades
        on grades.domain = 'grade' and cast(spells.grade as text) = grades.code
    where not spells.is_no_show

)

select * from enrollments
