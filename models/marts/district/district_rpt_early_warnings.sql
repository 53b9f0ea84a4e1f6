-- Explicit columns, so that a new column of the report does not reach districts
-- unnoticed. Neither person_id nor human-services data may.
with

as_of as (

    select * from {{ ref('stg_as_of') }}

),

partners as (

    select * from {{ ref('stg_partners') }}

),

early_warnings as (

    select * from {{ ref('rpt_early_warnings') }}

),

agreeing_districts as (

    select partners.partner_id as district_id
    from partners
    cross join as_of
    where
        'audit_and_evaluation' = any(partners.purposes)
        and as_of.as_of_date between
        partners.agreement_starts_on and partners.agreement_ends_on

),

own_early_warnings as (

    select
        early_warnings.student_key,
        early_warnings.district_id,
        early_warnings.district_student_id,
        early_warnings.school_year,
        early_warnings.week_starts_on,
        early_warnings.week_ends_on,
        early_warnings.is_latest_week,
        early_warnings.school_code,
        early_warnings.grade,
        early_warnings.grade_label,
        early_warnings.grade_band,
        early_warnings.days_enrolled,
        early_warnings.days_absent,
        early_warnings.days_absent_unexcused,
        early_warnings.absence_share,
        early_warnings.absence_share_change,
        early_warnings.has_attendance_flag,
        early_warnings.attendance_flag_since,
        early_warnings.suspension_days,
        early_warnings.suspension_days_change,
        early_warnings.has_behavior_flag,
        early_warnings.behavior_flag_since,
        early_warnings.courses_failed,
        early_warnings.courses_failed_change,
        early_warnings.has_course_flag,
        early_warnings.course_flag_since,
        early_warnings.gpa,
        early_warnings.gpa_change,
        early_warnings.has_gpa_flag,
        early_warnings.gpa_flag_since,
        early_warnings.is_of_compulsory_age,
        early_warnings.is_truant,
        early_warnings.is_habitually_truant
    from early_warnings
    inner join agreeing_districts
        on early_warnings.district_id = agreeing_districts.district_id

)

select * from own_early_warnings
