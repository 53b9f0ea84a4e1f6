"""A county of invented students, as far as the gaps need it, made by the database."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

PROGRAM_GROUPS = {
    "child_welfare": 0.17,
    "mental_health": 0.17,
    "substance_use": 0.02,
    "intellectual_disability": 0.007,
    "homelessness": 0.02,
    "juvenile_justice": 0.03,
    "income_support": 0.44,
    "housing": 0.07,
    "early_childhood": 0.07,
}


@dataclass(frozen=True)
class County:
    """How many students and schools each district has, and how many school years."""

    districts: dict[str, tuple[int, int]]
    years: int
    seed: float


def make_county(connection: psycopg.Connection, county: County) -> None:
    """Fill the tables that the gaps are computed from, in an empty database."""
    first = 2014 - county.years
    connection.execute("select setseed(%s)", [county.seed])
    connection.execute("create schema if not exists marts")
    connection.execute("create schema if not exists intermediate")
    connection.execute("create schema if not exists staging")
    connection.execute("create table staging.stg_as_of as select date '2013-06-26' as as_of_date")
    connection.execute(
        """
        create table intermediate.int_involvement_coverage as
        select
            school_year,
            program_group,
            true as is_ever_covered,
            true as is_prior_year_covered,
            true as is_concurrent_covered
        from generate_series(%s::int, 2013) as school_year
        cross join unnest(%s::text []) as program_group
        """,
        [first, list(PROGRAM_GROUPS)],
    )
    connection.execute(
        """
        create table students as
        select
            district_id || ':' || number as student_key,
            district_id,
            lpad((1 + floor(random() ^ 1.5 * schools))::int::text, 4, '0') as school_code,
            floor(random() * 13)::smallint as first_grade,
            case when random() < 0.01 then null when random() < 0.5 then 'female' else 'male' end
                as gender,
            case
                when random() < 0.01 then null
                when random() < 0.5 then 5
                when random() < 0.8 then 3
                when random() < 0.5 then 6
                when random() < 0.6 then 4
                when random() < 0.8 then 2
                else 1
            end::smallint as race,
            random() < 0.03 as is_english_learner,
            case
                when random() < 0.15 then 'current' when random() < 0.02 then 'exited' else 'none'
            end as special_education,
            case
                when random() < 0.5 then 'free' when random() < 0.1 then 'reduced' else 'none'
            end as economic_status,
            random() as hardship
        from unnest(%s::text [], %s::int [], %s::int []) as d (district_id, students, schools)
        cross join lateral generate_series(1, students) as number
        """,
        [
            list(county.districts),
            [students for students, _ in county.districts.values()],
            [schools for _, schools in county.districts.values()],
        ],
    )
    connection.execute(
        """
        create table marts.fct_student_year_involvements as
        with involved as (
            select
                students.student_key,
                school_year,
                program_group,
                hardship * 2 * share > random() as ever
            from students
            cross join generate_series(%s::int, 2013) as school_year
            cross join unnest(%s::text [], %s::float8 []) as p (program_group, share)
        )

        select
            student_key,
            school_year,
            program_group,
            ever as involved_ever,
            ever and random() < 0.5 as involved_prior_year,
            ever and random() < 0.5 as involved_concurrent
        from involved
        """,
        [first, list(PROGRAM_GROUPS), list(PROGRAM_GROUPS.values())],
    )
    connection.execute(
        """
        create table marts.fct_student_years as
        with years as (
            select
                students.*,
                school_year,
                (first_grade + school_year - %s)::smallint as grade,
                least(1, 0.25 * random() ^ 2 + 0.1 * hardship * random()) as absence,
                random() < 0.03 as is_short,
                round((4 - 2 * hardship - random())::numeric, 2) as gpa,
                random() as luck
            from students
            cross join generate_series(%s::int, 2013) as school_year
        )

        select
            years.student_key,
            years.district_id,
            years.school_year,
            school_code,
            grade,
            gender,
            race,
            is_english_learner,
            special_education,
            economic_status,
            round((1 - absence)::numeric, 20) as attendance_rate,
            case when not is_short then absence > 0.1 end as is_chronically_absent_pde,
            absence >= 0.1 as is_chronically_absent_federal,
            case when grade >= 6 then gpa end as gpa,
            case when grade between 3 and 8 then luck > hardship end as is_proficient_math,
            case when grade between 3 and 8 then 1 - luck > hardship / 2 end
                as is_proficient_reading,
            case
                when grade < 9 then 'not_applicable'
                when gpa >= 2.5 and absence < 0.1 then 'on_track'
                else 'off_track'
            end as promise_status,
            flags.involved_ever,
            flags.involved_prior_year,
            flags.involved_concurrent
        from years
        inner join (
            select
                student_key,
                school_year,
                bool_or(involved_ever) as involved_ever,
                bool_or(involved_prior_year) as involved_prior_year,
                bool_or(involved_concurrent) as involved_concurrent
            from marts.fct_student_year_involvements
            group by student_key, school_year
        ) as flags using (student_key, school_year)
        where grade <= 12
        """,
        [first, first],
    )
    connection.execute("analyze")
