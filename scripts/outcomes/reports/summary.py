"""The summary at the end of a run: landing, linking, the gaps, next steps."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from outcomes.publishing.runs import reading_built

# The measures that the department publishes, with its labels, and whether a higher value is
# better for the student.
MEASURES = {
    "attendance_rate": ("Attendance", True),
    "is_chronically_absent_federal": ("Absent 10 % or more", False),
    "gpa": ("Grade-point average", True),
    "is_proficient_math": ("Proficient in math (PSSA)", True),
    "is_proficient_reading": ("Proficient in reading (PSSA)", True),
    "promise_on_track_or_eligible": ("On track for the Promise", True),
}


@dataclass(frozen=True)
class _Landed:
    partner_id: str
    deliveries: int
    files: int
    set_aside: int
    rows: int
    rejected: int


@dataclass(frozen=True)
class _Gap:
    school_year: int
    measure: str
    n_involved: int
    n_not_involved: int
    value_involved: float
    value_not_involved: float
    gap: float
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class Summary:
    """The summary of a built warehouse: only counts and means, nobody's data."""

    landed: Table
    linked: Panel
    gaps: Table | None


def read_summary(connection: psycopg.Connection) -> Summary:
    """Summarize landing, linking and the gaps.

    Raises:
        OutcomesError: the warehouse is not built.
    """
    with reading_built(connection, "marts_public.rpt_outcome_gaps"):
        return Summary(_landed(connection), _linked(connection), _gaps(connection))


def _landed(connection: psycopg.Connection) -> Table:
    table = Table(title="What landed", title_justify="left", title_style="bold", min_width=76)
    for column in ("partner", "deliveries", "files", "set aside", "rows", "rows rejected"):
        table.add_column(column, justify="left" if column == "partner" else "right")
    with connection.cursor(row_factory=class_row(_Landed)) as cursor:
        cursor.execute(
            """
            select
                partner_id,
                count(distinct as_of_date) as deliveries,
                count(*) as files,
                count(*) filter (where status in ('quarantined', 'held')) as set_aside,
                sum(rows_loaded)::bigint as rows,
                sum(rows_rejected)::bigint as rejected
            from landing.files
            group by partner_id
            order by partner_id
            """
        )
        for partner in cursor:
            table.add_row(
                partner.partner_id,
                f"{partner.deliveries:,}",
                f"{partner.files:,}",
                f"{partner.set_aside:,}" if partner.set_aside else "–",
                f"{partner.rows:,}",
                f"{partner.rejected:,}" if partner.rejected else "–",
            )
    return table


def _linked(connection: psycopg.Connection) -> Panel:
    students, people = _numbers(
        connection, "select count(*), count(distinct person_id) from marts.dim_students"
    )
    records, linked, review = _numbers(
        connection,
        """
        select
            count(*),
            count(*) filter (where decision = 'link'),
            count(*) filter (where decision = 'review')
        from identity.person_crosswalk
        where record_type = 'client'
        """,
    )
    (involved,) = _numbers(
        connection,
        """
        select count(distinct student_key)
        from marts.fct_student_years
        where involved_ever
        """,
    )
    share = involved / students if students else 0
    text = Text.assemble(
        (f"{students:,}", "bold"), " district students are ", (f"{people:,}", "bold"), " people.\n",
        (f"{linked:,}", "bold"), f" of {records:,} client records belong to them; ",
        (f"{review:,}", "bold"), " wait for a data steward.\n",
        (f"{share:.0%}", "bold"), " of the students have received human services at some point.",
    )  # fmt: skip
    return Panel(text, title="What was linked", title_align="left", width=76)


def _gaps(connection: psycopg.Connection) -> Table | None:
    """The gaps of the newest school year with the most measures."""
    with connection.cursor(row_factory=class_row(_Gap)) as cursor:
        rows = cursor.execute(
            """
            with shown as (
                select *, count(*) over (partition by school_year) as measures
                from marts_public.rpt_outcome_gaps
                where
                    district_id = 'all'
                    and program_group = 'any'
                    and involvement = 'ever'
                    and measure = any(%s)
                    and gap is not null
            )

            select
                school_year, measure, n_involved, n_not_involved,
                value_involved, value_not_involved, gap, ci_low, ci_high
            from shown
            order by measures desc, school_year desc
            """,
            [list(MEASURES)],
        ).fetchall()
    if not rows:
        return None
    year = rows[0].school_year
    by_measure = {row.measure: row for row in rows if row.school_year == year}
    table = Table(
        title=f"The gap, school year {year - 1}-{year % 100:02d}, all districts",
        title_justify="left",
        title_style="bold",
        min_width=76,
        caption="Students who ever received human services against all others. A gap is not "
        "an effect.",
        caption_justify="left",
    )
    table.add_column("measure")
    for column in ("involved", "others", "gap", "95 % interval"):
        table.add_column(column, justify="right")
    for measure, (label, higher_is_better) in MEASURES.items():
        row = by_measure.get(measure)
        if row is None:
            continue
        worse = row.gap < 0 if higher_is_better else row.gap > 0
        table.add_row(
            label,
            _shown(measure, row.value_involved),
            _shown(measure, row.value_not_involved),
            Text(_shown(measure, row.gap, signed=True), style="red" if worse else "green"),
            "–"
            if row.ci_low is None or row.ci_high is None
            else f"{_shown(measure, row.ci_low, signed=True, unit=False)} to "
            f"{_shown(measure, row.ci_high, signed=True, unit=False)}",
        )
    return table


def _shown(measure: str, value: float, *, signed: bool = False, unit: bool = True) -> str:
    sign = "+" if signed else ""
    if measure == "gpa":
        return f"{value:{sign}.2f}"
    return f"{value * 100:{sign}.1f}" + (" pts" if signed else " %") * unit


def _numbers(connection: psycopg.Connection, query: str) -> tuple[int, ...]:
    row = connection.execute(query.encode()).fetchone()
    return tuple(int(value or 0) for value in row or ())
