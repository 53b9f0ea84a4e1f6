with

as_of as (

    select * from {{ ref('int_as_of') }}

),

agreed_purposes as (

    select * from {{ ref('int_agreed_purposes') }}

),

involvements as (

    select * from {{ ref('int_involvements') }}

),

responsible_programs as (

    select * from {{ ref('responsible_programs') }}

),

students as (

    select * from {{ ref('dim_students') }}

),

student_years as (

    select * from {{ ref('fct_student_years') }}

),

schools as (

    select * from {{ ref('dim_schools') }}

),

enrollments as (

    select * from {{ ref('fct_enrollments') }}

),

school_moves as (

    select * from {{ ref('rpt_school_moves') }}

),

early_warnings as (

    select * from {{ ref('rpt_early_warnings') }}
    where is_latest_week

),

-- Only a service that is open on the as-of date, under a rule that applies then, gives
-- the agency a right to the record.
responsibilities as (

    select
        involvements.person_id,
        min(involvements.started_on) as responsible_since,
        string_agg(distinct responsible_programs.legal_basis, '; ') as legal_basis
    from involvements
    inner join responsible_programs
        on
            involvements.source_id = responsible_programs.source_id
            and involvements.program_code = responsible_programs.program_code
    cross join as_of
    where
        responsible_programs.valid_from <= as_of.as_of_date
        and coalesce(responsible_programs.valid_to, 'infinity') >= as_of.as_of_date
        and involvements.started_on <= as_of.as_of_date
        and coalesce(involvements.ended_on, 'infinity') >= as_of.as_of_date
    group by involvements.person_id

),

newest_years as (

    select distinct on (student_key) *
    from student_years
    order by student_key, school_year desc

),

-- An open spell of an earlier school year has ended with the year, once its district
-- has sent a newer one.
newest_spells as (

    select distinct on (enrollments.student_key)
        enrollments.student_key,
        enrollments.entry_date,
        enrollments.exit_date,
        coalesce(enrollments.exit_date, 'infinity') >= as_of.as_of_date
        and enrollments.school_year
        = max(enrollments.school_year) over (partition by enrollments.district_id)
            as is_enrolled
    from enrollments
    cross join as_of
    order by
        enrollments.student_key,
        enrollments.school_year desc,
        enrollments.spell_number desc

),

moves as (

    select
        student_key,
        school_year,
        cast(count(*) as integer) as n_moves,
        max(entered_on) as last_moved_on
    from school_moves
    group by student_key, school_year

),

caseworker_students as (

    select
        students.student_key,
        students.district_id,
        students.district_student_id,
        students.last_name,
        students.first_name,
        students.middle_name,
        students.suffix,
        students.birth_date,
        responsibilities.responsible_since,
        responsibilities.legal_basis,
        newest_years.school_year,
        newest_years.known_through,
        newest_years.is_complete_year,
        newest_years.school_code,
        schools.school_name,
        newest_years.grade,
        newest_years.grade_label,
        newest_years.special_education,
        newest_years.is_english_learner,
        newest_years.days_enrolled,
        newest_years.days_absent,
        newest_years.days_absent_unexcused,
        newest_years.attendance_rate,
        newest_years.is_chronically_absent_federal,
        newest_years.gpa,
        newest_years.pssa_math_level,
        newest_years.pssa_reading_level,
        newest_years.suspension_days,
        newest_years.promise_status,
        coalesce(newest_spells.is_enrolled, false) as is_enrolled,
        newest_spells.entry_date as entered_on,
        newest_spells.exit_date as left_on,
        case
            when newest_years.student_key is not null then coalesce(moves.n_moves, 0)
        end as n_moves,
        moves.last_moved_on,
        early_warnings.week_ends_on as warnings_on,
        early_warnings.absence_share_change,
        early_warnings.has_attendance_flag,
        early_warnings.has_behavior_flag,
        early_warnings.has_course_flag,
        early_warnings.has_gpa_flag,
        early_warnings.new_flags,
        early_warnings.flags_without_threshold
    from students
    inner join responsibilities on students.person_id = responsibilities.person_id
    -- An agreement for audit and evaluation alone does not let caseworkers see records.
    inner join agreed_purposes
        on
            students.district_id = agreed_purposes.partner_id
            and agreed_purposes.purpose = 'service_coordination'
    left join newest_years on students.student_key = newest_years.student_key
    left join newest_spells on students.student_key = newest_spells.student_key
    left join moves
        on
            newest_years.student_key = moves.student_key
            and newest_years.school_year = moves.school_year
    left join early_warnings on students.student_key = early_warnings.student_key
    left join schools
        on
            newest_years.district_id = schools.district_id
            and newest_years.school_code = schools.school_code

)

select * from caseworker_students
