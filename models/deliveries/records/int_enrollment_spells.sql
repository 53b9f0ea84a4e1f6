with

enrollments as (

    select * from {{ ref('int_enrollments_accepted') }}

),

enrollment_codes as (

    select * from {{ ref('enrollment_codes') }}

),

-- A spell sent twice counts once: the last row, as for students. Rows of two files may
-- have the same line number; then code and grade decide.
reported_spells as (

    select distinct on (
        district_id,
        district_student_id,
        school_year,
        school_code,
        entry_date,
        exit_date
    )
        district_id,
        district_student_id,
        school_year,
        school_code,
        grade,
        entry_date,
        exit_date,
        exit_code,
        line_number
    from enrollments
    where entry_date is not null
    order by
        district_id,
        district_student_id,
        school_year,
        school_code,
        entry_date,
        exit_date,
        line_number desc,
        exit_code,
        grade

),

-- The same event sent twice counts once.
events as (

    select
        enrollments.district_id,
        enrollments.district_student_id,
        enrollments.school_year,
        enrollments.school_code,
        enrollments.activity_date,
        enrollments.activity_code,
        enrollments.activity_kind as kind,
        coalesce(enrollment_codes.is_reentry, false) as is_reentry,
        coalesce(enrollment_codes.is_no_show, false) as is_no_show,
        min(enrollments.grade) as grade,
        min(enrollments.line_number) as line_number
    from enrollments
    left join enrollment_codes on enrollments.activity_code = enrollment_codes.code
    where
        enrollments.activity_date is not null
        and enrollments.activity_kind is not null
    group by
        enrollments.district_id,
        enrollments.district_student_id,
        enrollments.school_year,
        enrollments.school_code,
        enrollments.activity_date,
        enrollments.activity_code,
        enrollments.activity_kind,
        enrollment_codes.is_reentry,
        enrollment_codes.is_no_show

),

events_with_their_day as (

    select
        *,
        bool_or(is_reentry) over same_day as has_reentry,
        bool_or(is_no_show) over same_day as has_no_show,
        max(activity_date) filter (where kind = 'entry') over days_before
            as last_entry,
        max(activity_date) filter (where kind = 'exit') over days_before as last_exit,
        count(*) filter (where kind = 'entry') over days_before as entries,
        count(*) filter (where kind = 'exit') over days_before as exits
    from events
    window
        same_day as (
            partition by
                district_id,
                district_student_id,
                school_year,
                school_code,
                activity_date
        ),
        days_before as (
            partition by district_id, district_student_id, school_year, school_code
            order by activity_date
            range between unbounded preceding and interval '1 day' preceding
        )

),

-- The last event decides, for an earlier one may be missing or sent twice. After an
-- entry and an exit on one day, it is their number.
enrolled_before as (

    select
        *,
        case
            when last_entry = last_exit then entries > exits
            else coalesce(last_entry > last_exit, last_entry is not null)
        end as was_enrolled
    from events_with_their_day

),

-- Of one day, a student who was enrolled leaves before entering again. Any other enters
-- first: who never came, left in the summer or stayed one day. The order of the file
-- tells nothing.
ordered_events as (

    select
        *,
        (kind = 'entry') = (
            has_reentry or (was_enrolled and not has_no_show)
        ) as is_second
    from enrolled_before

),

-- The number of later exits identifies a stay at a school: an entry and the next exit
-- from that school have the same number. It is 0 for an open stay.
numbered_events as (

    select
        *,
        count(*) filter (where kind = 'exit') over (
            partition by district_id, district_student_id, school_year, school_code
            order by activity_date desc, is_second desc, line_number desc
        ) as exits_to_come
    from ordered_events

),

paired_spells as (

    select
        entries.district_id,
        entries.district_student_id,
        entries.school_year,
        entries.school_code,
        entries.grade,
        entries.activity_date as entry_date,
        exits.activity_date as exit_date,
        exits.activity_code as exit_code,
        entries.line_number
    from numbered_events as entries
    left join numbered_events as exits
        on
            entries.district_id = exits.district_id
            and entries.district_student_id = exits.district_student_id
            and entries.school_year = exits.school_year
            and entries.school_code = exits.school_code
            and entries.exits_to_come = exits.exits_to_come
            and exits.kind = 'exit'
    where entries.kind = 'entry'

),

all_spells as (

    select * from reported_spells
    union all
    select * from paired_spells

),

-- A spell that ended before the school year is dropped: it belongs to an earlier year.
-- An open spell with an earlier entry is kept: the entry date is wrong, but the student
-- is enrolled.
spells_of_the_year as (

    select * from all_spells
    where coalesce(exit_date, 'infinity') >= make_date(school_year - 1, 7, 1)

),

spells as (

    select
        spells_of_the_year.district_id,
        spells_of_the_year.district_student_id,
        spells_of_the_year.school_year,
        spells_of_the_year.school_code,
        spells_of_the_year.grade,
        spells_of_the_year.entry_date,
        spells_of_the_year.exit_date,
        spells_of_the_year.exit_code,
        -- Who left in the summer has both on July 1.
        coalesce(
            spells_of_the_year.exit_date = spells_of_the_year.entry_date
            and (
                exit_codes.is_no_show
                or spells_of_the_year.exit_date
                = make_date(spells_of_the_year.school_year - 1, 7, 1)
            ),
            false
        ) as is_no_show,
        row_number() over (
            partition by
                spells_of_the_year.district_id,
                spells_of_the_year.district_student_id,
                spells_of_the_year.school_year
            order by
                spells_of_the_year.entry_date,
                spells_of_the_year.exit_date nulls last,
                spells_of_the_year.line_number
        ) as spell_number
    from spells_of_the_year
    left join enrollment_codes as exit_codes
        on spells_of_the_year.exit_code = exit_codes.code

)

select * from spells
