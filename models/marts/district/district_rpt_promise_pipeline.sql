-- Explicit columns, so that a new column of the report does not reach districts
-- unnoticed. Neither person_id nor human-services data may.
with

as_of as (

    select * from {{ ref('stg_as_of') }}

),

partners as (

    select * from {{ ref('stg_partners') }}

),

promise_pipeline as (

    select * from {{ ref('rpt_promise_pipeline') }}

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

own_promise_pipeline as (

    select
        promise_pipeline.student_key,
        promise_pipeline.district_id,
        promise_pipeline.district_student_id,
        promise_pipeline.school_year,
        promise_pipeline.known_through,
        promise_pipeline.is_complete_year,
        promise_pipeline.school_code,
        promise_pipeline.grade,
        promise_pipeline.grade_label,
        promise_pipeline.class_year,
        promise_pipeline.promise_status,
        promise_pipeline.promise_history_is_complete,
        promise_pipeline.is_gpa_missing,
        promise_pipeline.gpa,
        promise_pipeline.gpa_school_year,
        promise_pipeline.gpa_marking_period,
        promise_pipeline.gpa_min,
        promise_pipeline.gpa_points_short,
        promise_pipeline.extension_gpa_min,
        promise_pipeline.extension_gpa_points_short,
        promise_pipeline.is_attendance_missing,
        promise_pipeline.days_enrolled,
        promise_pipeline.days_counted_absent,
        promise_pipeline.attendance_min,
        promise_pipeline.attendance_share_short,
        promise_pipeline.is_continuity_broken,
        promise_pipeline.days_absent_allowed,
        promise_pipeline.gpa_needed,
        promise_pipeline.extension_gpa_needed,
        promise_pipeline.is_promise_within_reach,
        promise_pipeline.is_extension_within_reach
    from promise_pipeline
    inner join agreeing_districts
        on promise_pipeline.district_id = agreeing_districts.district_id

)

select * from own_promise_pipeline
