with

rosters as (

    select * from {{ ref('int_intervention_rosters_accepted') }}
    where is_partner_district

),

students as (

    select * from {{ ref('dim_students') }}

),

intervention_spells as (

    select
        {{ student_key('rosters') }} as student_key,
        students.person_id,
        rosters.district_id,
        rosters.district_student_id,
        rosters.intervention_code,
        rosters.intervention_name,
        rosters.started_on,
        rosters.ended_on,
        students.student_key is not null as is_known_student
    from rosters
    left join students using (district_id, district_student_id)

)

select * from intervention_spells
