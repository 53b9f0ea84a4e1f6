with

codes as (

    select * from {{ ref('codes') }}

),

district_years as (

    select * from {{ ref('int_district_years') }}

),

promise_statuses as (

    select * from {{ ref('int_promise_statuses') }}

),

outcomes as (

    select * from {{ ref('int_student_year_outcomes') }}

),

expected_days as (

    select * from {{ ref('int_expected_days') }}

),

gpas as (

    select * from {{ ref('int_gpas_accepted') }}

),

promise_districts as (

    select * from {{ ref('promise_districts') }}

),

students as (

    select * from {{ ref('dim_students') }}

),

as_of as (

    select * from {{ ref('int_as_of') }}

),

-- The newest known GPA since grade 9. An ended year uses its own GPA.
known_gpas as (

    select distinct on (
        outcomes.district_id, outcomes.district_student_id, outcomes.school_year
    )
        outcomes.district_id,
        outcomes.district_student_id,
        outcomes.school_year,
        gpas.gpa,
        gpas.school_year as gpa_school_year,
        gpas.marking_period as gpa_marking_period
    from outcomes
    inner join gpas using (district_id, district_student_id)
    cross join as_of
    where
        outcomes.school_year = gpas.school_year
        or (
            outcomes.school_year = as_of.school_year
            and gpas.school_year
            between outcomes.school_year - outcomes.grade + 9 and outcomes.school_year
        )
    order by
        outcomes.district_id,
        outcomes.district_student_id,
        outcomes.school_year,
        gpas.school_year desc,
        gpas.marking_period desc

),

-- The known GPA has the weight of the years since grade 9; the current year counts for
-- the part that has been graded.
candidates as (

    select
        promise_statuses.*,
        students.student_key,
        students.person_id,
        outcomes.school_code,
        outcomes.grade,
        codes.label as grade_label,
        district_years.known_through,
        district_years.is_complete_year,
        known_gpas.gpa,
        known_gpas.gpa_school_year,
        known_gpas.gpa_marking_period,
        outcomes.days_enrolled,
        promise_districts.gpa_max,
        promise_statuses.school_year < as_of.school_year as is_finished,
        expected_days.days_enrolled_expected,
        -- Absences are counted in half days.
        floor(
            2 * (
                (1 - promise_statuses.attendance_min)
                * expected_days.days_enrolled_expected
                - promise_statuses.days_counted_absent
            )
        ) / 2 as days_absent_left,
        case
            when promise_statuses.school_year < as_of.school_year
                then outcomes.grade - 8.0
            when known_gpas.gpa is null and outcomes.grade = 9 then 0
            when known_gpas.gpa_school_year < promise_statuses.school_year
                then
                    outcomes.grade
                    - promise_statuses.school_year
                    + known_gpas.gpa_school_year
                    - 8.0
            else
                outcomes.grade - 9.0
                + least(
                    known_gpas.gpa_marking_period
                    / cast(promise_districts.marking_periods as numeric),
                    1
                )
        end as years_marked
    from promise_statuses
    inner join outcomes using (district_id, district_student_id, school_year)
    inner join promise_districts using (district_id)
    inner join students using (district_id, district_student_id)
    left join expected_days using (district_id, district_student_id, school_year)
    left join known_gpas using (district_id, district_student_id, school_year)
    left join district_years using (district_id, school_year)
    left join codes
        on codes.domain = 'grade' and cast(outcomes.grade as text) = codes.code
    cross join as_of

),

-- Attendance starts anew each year, so only in grade 12 can it be lost for good.
needs as (

    select
        candidates.*,
        {% for award in ['', 'extension_'] %}
        case
            when years_marked = 0 then {{ award }}gpa_min
            when
                gpa is not null
                and {{ award }}gpa_min is not null
                and years_marked < 4
                and not is_graduate
                then
                    greatest(4 * {{ award }}gpa_min - years_marked * gpa, 0)
                    / (4 - years_marked)
        end as {{ award }}gpa_needed,
        {% endfor %}
        case
            when grade < 12 then true
            when is_finished or days_enrolled_expected is null
                then case when days_enrolled > 0 then attended end
            else days_absent_left >= 0
        end as is_attendance_within_reach
    from candidates

),

-- With no marking period left, the known GPA decides.
pipeline as (

    select
        student_key,
        person_id,
        district_id,
        district_student_id,
        school_year,
        known_through,
        is_complete_year,
        school_code,
        grade,
        grade_label,
        class_year,
        promise_status,
        history_is_complete as promise_history_is_complete,
        gpa is null as is_gpa_missing,
        cast(gpa as numeric(5, 4)) as gpa,
        gpa_school_year,
        cast(gpa_marking_period as integer) as gpa_marking_period,
        {% for award in ['', 'extension_'] %}
        {{ award }}gpa_min,
        case
            when gpa is not null and {{ award }}gpa_min is not null
                then cast(greatest({{ award }}gpa_min - gpa, 0) as numeric(5, 4))
        end as {{ award }}gpa_points_short,
        {% endfor %}
        coalesce(days_enrolled, 0) = 0
        or days_counted_absent is null as is_attendance_missing,
        cast(days_enrolled as integer) as days_enrolled,
        cast(days_counted_absent as numeric(6, 2)) as days_counted_absent,
        attendance_min,
        case
            when days_enrolled > 0
                then
                    cast(
                        greatest(
                            attendance_min - 1 + days_counted_absent / days_enrolled, 0
                        ) as numeric(21, 20)
                    )
        end as attendance_share_short,
        not stayed as is_continuity_broken,
        cast(gpa_needed as numeric(6, 4)) as gpa_needed,
        cast(extension_gpa_needed as numeric(6, 4)) as extension_gpa_needed,
        {% for goal, award in [('promise', ''), ('extension', 'extension_')] %}
        case
            when not is_graduate
                then
                    stayed
                    and is_attendance_within_reach
                    and {{ award }}gpa_min is not null
                    and coalesce(
                        {{ award }}gpa_needed <= gpa_max, gpa >= {{ award }}gpa_min
                    )
        end as is_{{ goal }}_within_reach,
        {% endfor %}
        case
            when days_absent_left is not null
                then cast(greatest(days_absent_left, 0) as numeric(6, 2))
        end as days_absent_allowed
    from needs

)

select * from pipeline
