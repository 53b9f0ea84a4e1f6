with

enrollments as (

    select * from {{ ref('fct_enrollments') }}

),

involvements as (

    select * from {{ ref('fct_involvements') }}

),

move_triggers as (

    select * from {{ ref('move_triggers') }}

),

source_coverage as (

    select * from {{ ref('int_source_coverage') }}

),

-- A person's stays in a school year, across districts.
stays as (

    select
        person_id,
        school_year,
        student_key,
        district_id,
        school_key,
        entry_date,
        exit_date,
        lag(student_key) over stay_order as from_student_key,
        lag(district_id) over stay_order as from_district_id,
        lag(school_key) over stay_order as from_school_key,
        lag(entry_date) over stay_order as from_entry_date,
        lag(exit_date) over stay_order as from_exit_date
    from enrollments
    window stay_order as (
        partition by person_id, school_year
        order by entry_date, exit_date nulls last, school_key, student_key
    )

),

-- Two schools from the same day on are a double listing, not a move.
moves as (

    select * from stays
    where school_key <> from_school_key and entry_date > from_entry_date

),

-- A service means that it began. Without one, it did not begin only where the source
-- covers all days of the window.
began as (

    select
        moves.person_id,
        moves.school_year,
        moves.entry_date,
        moves.school_key,
        move_triggers.trigger,
        case
            when bool_or(involvements.person_id is not null) then true
            when
                bool_and(
                    source_coverage.available_since
                    <= moves.entry_date - move_triggers.window_days
                    and source_coverage.available_until >= moves.entry_date
                )
                then false
        end as has_begun
    from moves
    cross join move_triggers
    inner join source_coverage using (source_id)
    left join involvements
        on
            moves.person_id = involvements.person_id
            and move_triggers.source_id = involvements.source_id
            and move_triggers.program_code = involvements.program_code
            and involvements.started_on
            between moves.entry_date - move_triggers.window_days and moves.entry_date
    group by
        moves.person_id,
        moves.school_year,
        moves.entry_date,
        moves.school_key,
        move_triggers.trigger

),

triggers as (

    select
        person_id,
        school_year,
        entry_date,
        school_key,
        bool_or(has_begun) filter (where trigger = 'placement') as placement_began,
        bool_or(has_begun) filter (where trigger = 'shelter') as shelter_stay_began
    from began
    group by person_id, school_year, entry_date, school_key

),

school_moves as (

    select
        moves.person_id,
        moves.school_year,
        moves.from_student_key,
        moves.from_district_id,
        moves.from_school_key,
        moves.from_exit_date as left_on,
        moves.student_key,
        moves.district_id,
        moves.school_key,
        moves.entry_date as entered_on,
        triggers.placement_began,
        triggers.shelter_stay_began
    from moves
    left join triggers using (person_id, school_year, entry_date, school_key)

)

select * from school_moves
