"""Somebody with a spreadsheet: what follows from published numbers by subtraction.

Written without the audit's equations: it fills in what is missing from sums, over and
over, until nothing new follows.
"""

from __future__ import annotations

from collections import defaultdict

import psycopg

Key = tuple[str, ...]


def recovered(connection: psycopg.Connection, schema: str) -> dict[Key, tuple[int, int]]:
    """Hidden rows whose numerator and number of involved students follow from the others."""
    shown: dict[Key, tuple[float, float]] = {}
    hidden: set[Key] = set()
    rows = connection.execute(
        f"""
        select
            school_year, measure, involvement, program_group, district_id, 'all', 'all',
            is_suppressed, n_involved, n_involved * coalesce(value_involved, 0)
        from {schema}.rpt_outcome_gaps
        union all
        select
            school_year, measure, involvement, program_group, district_id, group_type,
            group_value, is_suppressed, n_involved, n_involved * coalesce(value_involved, 0)
        from {schema}.rpt_outcome_gaps_by_group
        """.encode()
    )
    for *texts, is_suppressed, n, total in rows:
        key = tuple(str(text) for text in texts)
        if is_suppressed:
            hidden.add(key)
        else:
            shown[key] = (n, round(total) if key[1] not in ("gpa", "attendance_rate") else n)
    sums: dict[Key, list[Key]] = defaultdict(list)
    for key in (*shown, *hidden):
        *definition, district, group_type, group_value = key
        if district != "all":
            sums[*definition, "all", group_type, group_value].append(key)
            if group_type != "all":
                # One sum for each way of grouping the district's students.
                sums[*definition, district, "all", "all", group_type].append(key)
    known = dict(shown)
    found: dict[Key, tuple[int, int]] = {}
    while True:
        new: dict[Key, tuple[float, float]] = {}
        for total_key, parts in sums.items():
            family = [total_key[:7], *parts]
            missing = [key for key in family if key not in known]
            if len(missing) != 1 or missing[0] not in hidden:
                continue
            total = known.get(total_key[:7])
            others = [known[part] for part in parts if part in known]
            n, x = (sum(values) for values in zip((0, 0), *others, strict=True))
            new[missing[0]] = (n, x) if total is None else (total[0] - n, total[1] - x)
        if not new:
            return found
        known |= new
        found |= {key: (round(n), round(x)) for key, (n, x) in new.items()}
