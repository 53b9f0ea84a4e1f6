"""The repair: hide more rows until the audit finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psycopg

from outcomes.suppression.attack import RELATED, Derivable
from outcomes.suppression.audit import audit, require_safe
from outcomes.suppression.published import PublishedGap, read_published_gaps

# How near to a finding the rows are that are withheld: those of its own sums, those of all
# programs and definitions too, and at last everything that the attack put together.
OWN_SUMS, SAME_STUDENTS, EVERYTHING = range(3)
# The last of several rounds leave nothing shown beside a finding; more would be an error.
ROUNDS = 6


def make_safe(connection: psycopg.Connection, schema: str, rebuild: Callable[[], None]) -> int:
    """Withhold what gives hidden counts away, build again and audit until nothing does.

    Each round reaches farther than the last. Where nothing is shown any more nothing can
    be worked out, so it ends.

    Args:
        connection: to the warehouse that was built.
        schema: where the gaps are that were built.
        rebuild: builds whatever depends on stg_withheld_gaps.

    Returns:
        How many rows were withheld.

    Raises:
        OutcomesError: small counts can be worked out even so.
    """
    withheld = 0
    for round_number in range(ROUNDS):
        found = audit(connection, schema)
        if not found:
            return withheld
        rows = _shown_beside(found, read_published_gaps(connection, schema), round_number)
        _withhold(connection, rows)
        withheld += len(rows)
        rebuild()
    require_safe(connection, schema)
    return withheld


def _shown_beside(
    found: Iterable[Derivable], gaps: Iterable[PublishedGap], round_number: int
) -> set[PublishedGap]:
    shown = [gap for gap in gaps if not gap.is_suppressed]
    rows = set()
    for hidden in {derivable.gap for derivable in found}:
        for reach in range(min(round_number, EVERYTHING), EVERYTHING + 1):
            beside = {gap for gap in shown if _is_within(reach, hidden, gap)}
            if beside:
                rows |= beside
                break
    return rows


def _is_within(reach: int, hidden: PublishedGap, shown: PublishedGap) -> bool:
    if hidden.school_year != shown.school_year or not any(
        {hidden.measure, shown.measure} <= {*related} for related in (*RELATED, (hidden.measure,))
    ):
        return False
    if reach == EVERYTHING:
        return True
    one, other = hidden.unit, shown.unit
    if one.group_type != other.group_type or (
        one.district_id != other.district_id and one.group_value != other.group_value
    ):
        return False
    return reach == SAME_STUDENTS or (
        hidden.program_group == shown.program_group and hidden.involvement == shown.involvement
    )


def _withhold(connection: psycopg.Connection, gaps: Iterable[PublishedGap]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into landing.withheld_gaps (
                as_of_date, school_year, district_id, group_type, group_value,
                program_group, involvement, measure
            )
            select as_of_date, %s, %s, %s, %s, %s, %s, %s
            from staging.stg_as_of
            on conflict do nothing
            """,
            [
                (gap.school_year, *gap.unit, gap.program_group, gap.involvement, gap.measure)
                for gap in gaps
            ],
        )
