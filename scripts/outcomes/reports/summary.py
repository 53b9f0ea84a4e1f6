"""The summary at the end of a run: landing, linking, the gaps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row, dict_row

from outcomes.linkage.review_queue import count_queue
from outcomes.publishing.runs import reading_built
from outcomes.reports.measures import Measure, headline_measures


@dataclass(frozen=True)
class Landed:
    """What landed of a partner."""

    partner_id: str
    deliveries: int
    files: int
    not_loaded: int
    rows: int
    rejected: int


@dataclass(frozen=True)
class Gap:
    """The gap of a measure, in the school year that the summary shows."""

    school_year: int
    measure: Measure
    value_involved: float
    value_not_involved: float
    gap: float
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class Linked:
    """How many students are how many people, and what became of client records."""

    students: int
    people: int
    linked: int
    queued_pairs: int
    # Unknown while no agency has delivered services.
    involved_students: int | None


@dataclass(frozen=True)
class Summary:
    """The summary of a built warehouse: only counts and means, nobody's data."""

    landed: list[Landed]
    linked: Linked
    # Of the newest school year with the most measures.
    gaps: list[Gap]


def read_summary(connection: psycopg.Connection) -> Summary:
    """Summarize landing, linking and the gaps.

    Raises:
        OutcomesError: the warehouse is not built.
    """
    with reading_built(connection, "marts_public.rpt_outcome_gaps"):
        return Summary(_landed(connection), _linked(connection), _gaps(connection))


def _landed(connection: psycopg.Connection) -> list[Landed]:
    with connection.cursor(row_factory=class_row(Landed)) as cursor:
        return cursor.execute(
            """
            select partner_id, count(distinct as_of_date) as deliveries, count(*) as files,
                count(*) filter (where status in ('quarantined', 'held')) as not_loaded,
                sum(rows_loaded)::bigint as rows, sum(rows_rejected)::bigint as rejected
            from landing.files
            group by partner_id order by partner_id
            """
        ).fetchall()


def _linked(connection: psycopg.Connection) -> Linked:
    students, people = _numbers(
        connection, "select count(*), count(distinct person_id) from marts.dim_students"
    )
    (linked,) = _numbers(
        connection,
        """
        select count(*)
        from identity.person_crosswalk
        where record_type = 'client' and decision = 'link'
        """,
    )
    known, involved = _numbers(
        connection,
        """
        select count(involved_ever), count(distinct student_key) filter (where involved_ever)
        from marts.fct_student_years
        """,
    )
    waiting = count_queue(connection).waiting
    return Linked(students, people, linked, waiting, involved if known else None)


def _gaps(connection: psycopg.Connection) -> list[Gap]:
    """The gaps of the newest school year with the most measures."""
    measures = headline_measures(connection)
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            select school_year, measure, value_involved, value_not_involved, gap, ci_low, ci_high
            from marts_public.rpt_outcome_gaps
            where district_id = 'all' and program_group = 'any' and involvement = 'ever'
            and measure = any(%s) and gap is not null
            """,
            [list(measures)],
        ).fetchall()
    if not rows:
        return []
    known = Counter(row["school_year"] for row in rows)
    newest = max(known, key=lambda year: (known[year], year))
    by_measure = {row["measure"]: row for row in rows if row["school_year"] == newest}
    return [
        Gap(**by_measure[name] | {"measure": measure})
        for name, measure in measures.items()
        if name in by_measure
    ]


def _numbers(connection: psycopg.Connection, query: str) -> tuple[int, ...]:
    row = connection.execute(query.encode()).fetchone()
    return tuple(int(value or 0) for value in row or ())
