with

intervention_spells as (

    select * from {{ ref('fct_intervention_spells') }}

),

student_years as (

    select * from {{ ref('fct_student_years') }}

),

bands as (

    select * from {{ ref('attendance_bands') }}

),

-- Students are matched on the time before the first day of participation. Six months
-- after that day lies in the calendar year that names its school year.
first_participations as (

    select
        intervention_code,
        student_key,
        district_id,
        cast(
            extract(year from min(started_on) + interval '6 months') as integer
        ) as school_year
    from intervention_spells
    group by intervention_code, student_key, district_id

),

districts as (

    select distinct
        intervention_code,
        school_year,
        district_id
    from first_participations

),

-- A child on the intervention's roster at any time, also under another id or in another
-- district, is never a comparison student.
participants as (

    select distinct
        intervention_code,
        person_id
    from intervention_spells

),

comparisons as (

    select
        districts.intervention_code,
        districts.school_year,
        districts.district_id,
        student_years.student_key
    from districts
    inner join student_years using (district_id, school_year)
    left join participants using (intervention_code, person_id)
    where participants.person_id is null

),

roles as (

    select
        intervention_code,
        school_year,
        district_id,
        student_key,
        true as is_participant
    from first_participations
    union all
    select
        intervention_code,
        school_year,
        district_id,
        student_key,
        false as is_participant
    from comparisons

),

described as (

    select
        roles.*,
        {{ school_key('after_years') }} as school_key,
        after_years.student_key is not null as has_student_year,
        after_years.grade,
        after_years.economic_status,
        after_years.involved_prior_year,
        before_years.attendance_rate as prior_attendance_rate,
        bands.band as prior_attendance_band
    from roles
    left join student_years as after_years using (student_key, school_year)
    left join student_years as before_years
        on
            roles.student_key = before_years.student_key
            and roles.school_year - 1 = before_years.school_year
    left join bands
        on
            coalesce(bands.rate_above, -1) < before_years.attendance_rate
            and coalesce(bands.rate_up_to, 1) >= before_years.attendance_rate
            and {{ in_force('bands', 'roles.school_year') }}

),

-- The cell of coarsened exact matching; null without a year before.
candidates as (

    select
        intervention_code,
        school_year,
        student_key,
        is_participant,
        district_id,
        school_key,
        has_student_year,
        case
            when has_student_year and prior_attendance_band is not null
                then
                    concat_ws(
                        ' / ',
                        district_id,
                        'grade ' || coalesce(cast(grade as text), 'unknown'),
                        'attendance ' || prior_attendance_band,
                        case involved_prior_year
                            when true then 'involved'
                            when false then 'not involved'
                            else 'involvement unknown'
                        end,
                        'lunch ' || coalesce(economic_status, 'unknown')
                    )
        end as stratum
    from described

)

select * from candidates
