with

student_years as (

    select * from {{ ref('int_student_years') }}

),

attendance as (

    select * from {{ ref('int_attendance_years') }}

),

days_known as (

    select * from {{ ref('int_days_known') }}

),

year_totals as (

    select * from {{ ref('int_attendance_year_totals') }}
    where is_possible

),

gpas as (

    select * from {{ ref('int_gpas_accepted') }}

),

assessments as (

    select * from {{ ref('int_assessments_accepted') }}

),

performance_levels as (

    select * from {{ ref('performance_levels') }}

),

discipline as (

    select * from {{ ref('int_discipline_actions_accepted') }}

),

discipline_actions as (

    select * from {{ ref('discipline_actions') }}

),

-- A discipline file without suspensions means that there were none.
discipline_years as (

    select
        partner_id as district_id,
        school_year
    from {{ ref('int_feeds_delivered') }}
    where feed = 'discipline_actions'

),

absence_definitions as (

    select * from {{ ref('absence_definitions') }}

),

latest_gpas as (

    select distinct on (district_id, district_student_id, school_year)
        district_id,
        district_student_id,
        school_year,
        gpa
    from gpas
    order by district_id, district_student_id, school_year, marking_period desc

),

pssa_levels as (

    select
        assessments.district_id,
        assessments.district_student_id,
        assessments.test_year as school_year,
        max(assessments.level) filter (where assessments.subject = 'math')
            as math_level,
        max(assessments.level) filter (where assessments.subject = 'reading')
            as reading_level,
        bool_or(performance_levels.is_proficient)
        filter (where assessments.subject = 'math') as is_proficient_math,
        bool_or(performance_levels.is_proficient)
        filter (where assessments.subject = 'reading') as is_proficient_reading
    from assessments
    left join performance_levels using (level)
    where assessments.test = 'PSSA'
    group by
        assessments.district_id, assessments.district_student_id, assessments.test_year

),

suspensions as (

    select
        discipline.district_id,
        discipline.district_student_id,
        discipline.school_year,
        sum(discipline.days) as suspension_days
    from discipline
    inner join discipline_actions using (action)
    where discipline_actions.is_suspension
    group by
        discipline.district_id,
        discipline.district_student_id,
        discipline.school_year

),

-- Absences that were reported by day or by month, with an excuse or without, win over
-- totals of the year.
combined as (

    select
        student_years.*,
        case
            when days_known.has_absences then coalesce(attendance.days_enrolled, 0)
            when year_totals.days_enrolled is not null then year_totals.days_enrolled
            when days_known.has_days then coalesce(attendance.days_enrolled, 0)
        end as days_enrolled,
        {% for kind in ['_excused', '_unexcused'] %}
        case
            when days_known.has_absences
                then coalesce(attendance.days_absent{{ kind }}, 0)
        end as days_absent{{ kind }},
        {% endfor %}
        case
            when days_known.has_absences then coalesce(attendance.days_absent, 0)
            else year_totals.days_absent
        end as days_absent,
        latest_gpas.gpa,
        pssa_levels.math_level as pssa_math_level,
        pssa_levels.reading_level as pssa_reading_level,
        pssa_levels.is_proficient_math,
        pssa_levels.is_proficient_reading,
        -- Suspensions of unknown length are not 0 days.
        case
            when suspensions.district_id is not null then suspensions.suspension_days
            when discipline_years.district_id is not null then 0
        end as suspension_days
    from student_years
    left join days_known using (district_id, district_student_id, school_year)
    left join attendance using (district_id, district_student_id, school_year)
    left join year_totals using (district_id, district_student_id, school_year)
    left join latest_gpas using (district_id, district_student_id, school_year)
    left join pssa_levels using (district_id, district_student_id, school_year)
    left join suspensions using (district_id, district_student_id, school_year)
    left join discipline_years using (district_id, school_year)

),

-- Products instead of quotients, so that exactly 10 % is exactly 10 %.
measured as (

    select
        combined.*,
        cast(
            (combined.days_enrolled - combined.days_absent)
            / nullif(combined.days_enrolled, 0) as numeric(21, 20)
        ) as attendance_rate,
        case
            when combined.days_enrolled >= pde.days_enrolled_min
                then combined.days_absent > pde.threshold * combined.days_enrolled
        end as is_chronically_absent_pde,
        case
            when combined.days_enrolled >= federal.days_enrolled_min
                then combined.days_absent >= federal.threshold * combined.days_enrolled
        end as is_chronically_absent_federal,
        case
            when combined.days_enrolled >= regular_attender.days_enrolled_min
                then
                    combined.days_enrolled - combined.days_absent
                    >= regular_attender.threshold * combined.days_enrolled
        end as is_regular_attender
    from combined
    {% for definition in ['pde', 'federal', 'regular_attender'] %}
    left join absence_definitions as {{ definition }}
        on
            {{ definition }}.definition = '{{ definition }}'
            and {{ in_force(definition, 'combined.school_year') }}
    {% endfor %}

)

select * from measured
