"""The audit: are the small counts safe in what is about to be published?"""

from __future__ import annotations

import psycopg
from psycopg.rows import class_row

from outcomes.errors import OutcomesError
from outcomes.suppression.attack import Derivable, derive
from outcomes.suppression.published import PublishedGap, Rules, Unit, read_published_gaps

SHOWN = 10

# A row of the gaps: school year, unit, program group, involvement, measure.
RowKey = tuple[int, Unit, str, str, str]


def audit(connection: psycopg.Connection, schema: str) -> list[Derivable]:
    """Attack the published gaps; the small counts that are known better than allowed.

    The attack knows nothing but the two public relations of the schema. The true counts
    only tell afterwards which of its findings are about a small count.
    """
    rules = _read_rules(connection)
    gaps = read_published_gaps(connection, schema)
    counts = _read_counts(connection)
    return [
        found
        for found in derive(gaps, rules)
        # An interval beside the true count has misled whoever believes it: the attack
        # assumes that every student has a group wherever that can be.
        if 0 < counts[_key(found.gap)][found.count] < rules.smallest_published_count
        and found.low <= counts[_key(found.gap)][found.count] <= found.high
    ]


def require_safe(connection: psycopg.Connection, schema: str) -> None:
    """Audit a schema.

    Raises:
        OutcomesError: a small count can be worked out; the rows are named, not the counts.
    """
    with connection.transaction():
        # The relations and the counts of one publication, whatever else goes on.
        connection.execute("set transaction isolation level repeatable read, read only")
        found = audit(connection, schema)
    if not found:
        return
    rows = dict.fromkeys(str(derivable.gap) for derivable in found)
    raise OutcomesError(
        f"The audit could work out {len(found)} small counts in {len(rows)} hidden rows of "
        f"{schema}, too closely. Nothing may be published before they are safe: "
        "docs/suppression.md says what to do. The rows:\n  "
        + "\n  ".join(list(rows)[:SHOWN])
        + (f"\n  and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
    )


def _read_rules(connection: psycopg.Connection) -> Rules:
    with connection.cursor(row_factory=class_row(Rules)) as cursor:
        cursor.execute(
            "select smallest_published_count, narrowest_interval from policy.suppression"
        )
        return cursor.fetchall()[0]


def _read_counts(connection: psycopg.Connection) -> dict[RowKey, dict[str, int]]:
    counts = {}
    rows = connection.execute(
        """
        select
            school_year, district_id, group_type, group_value, program_group, involvement,
            measure, n, x, n_involved, x_involved
        from intermediate.int_gap_counts
        where is_published
        """
    )
    for year, *unit, program_group, involvement, measure, n, x, n_involved, x_involved in rows:
        counts[year, Unit(*unit), program_group, involvement, measure] = {
            "n_everybody": n,
            "true_of_everybody": x,
            "not_true_of_everybody": n - x,
            "n_involved": n_involved,
            "true_of_involved": x_involved,
            "not_true_of_involved": n_involved - x_involved,
            "n_not_involved": n - n_involved,
            "true_of_not_involved": x - x_involved,
            "not_true_of_not_involved": n - n_involved - x + x_involved,
        }
    return counts


def _key(gap: PublishedGap) -> RowKey:
    return (gap.school_year, gap.unit, gap.program_group, gap.involvement, gap.measure)
