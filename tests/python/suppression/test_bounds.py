"""The bounds of the linear programs against all tables there are, counted one by one."""

from __future__ import annotations

import itertools
import random

import pytest

from outcomes.suppression.attack import derive
from outcomes.suppression.published import ALL, PublishedGap, Rules, Unit

# Every interval is too narrow, so each hidden count is a finding.
EVERY_COUNT = Rules(smallest_published_count=10**6, narrowest_interval=10**6)
DISTRICTS = ("a", "b", "c")
DEFINITIONS = ("ever", "concurrent")
MOST = 4

# district, definition → how many are involved
Table = dict[tuple[str, str], int]


def rows_of(
    table: Table, everybody: dict[str, int], hidden: set[tuple[str, str]]
) -> list[PublishedGap]:
    """Publish numbers of students: a mean discloses no more."""
    rows = []
    for district, definition in itertools.product((*DISTRICTS, ALL), DEFINITIONS):
        parts = DISTRICTS if district == ALL else (district,)
        involved = sum(table[part, definition] for part in parts)
        others = sum(everybody[part] for part in parts) - involved
        is_hidden = (district, definition) in hidden
        rows.append(
            PublishedGap(
                school_year=2013,
                unit=Unit(district, ALL, ALL),
                program_group="any",
                involvement=definition,
                measure="gpa",
                n_involved=None if is_hidden else involved,
                n_not_involved=None if is_hidden else others,
                value_involved=None,
                value_not_involved=None,
                is_suppressed=is_hidden,
                is_coded=False,
            )
        )
    return rows


def counted_out(
    table: Table, everybody: dict[str, int], hidden: set[tuple[str, str]]
) -> dict[tuple[str, str], tuple[int, int]]:
    """The least and the most of each hidden number, over all tables that fit."""
    cells = list(itertools.product(DISTRICTS, DEFINITIONS))
    rows = list(itertools.product((*DISTRICTS, ALL), DEFINITIONS))

    def numbers(candidate: Table) -> dict[tuple[str, str], int]:
        return candidate | {
            (ALL, definition): sum(candidate[part, definition] for part in DISTRICTS)
            for definition in DEFINITIONS
        }

    truth = numbers(table)
    fitting = []
    ranges = [range(everybody[district] + 1) for district, _ in cells]
    for values in itertools.product(*ranges):
        candidate = dict(zip(cells, values, strict=True))
        sums = numbers(candidate)
        nested = all(candidate[d, "concurrent"] <= candidate[d, "ever"] for d in DISTRICTS)
        if nested and all(sums[row] == truth[row] for row in rows if row not in hidden):
            fitting.append(sums)
    return {
        row: (min(fit[row] for fit in fitting), max(fit[row] for fit in fitting)) for row in hidden
    }


@pytest.mark.parametrize("seed", range(12))
def test_bounds_are_those_of_all_tables(seed: int) -> None:
    draw = random.Random(seed)
    everybody = {district: draw.randint(1, MOST) for district in DISTRICTS}
    table: Table = {}
    for district in DISTRICTS:
        table[district, "ever"] = draw.randint(0, everybody[district] - 1)
        table[district, "concurrent"] = draw.randint(0, table[district, "ever"])
    hidden = {(draw.choice(DISTRICTS), draw.choice(DEFINITIONS)) for _ in range(3)}
    # One definition is shown of each district: it tells how many students there are.
    hidden -= {(district, "ever") for district, _ in hidden if (district, "concurrent") in hidden}
    hidden |= {(ALL, "concurrent")} if draw.random() < 0.3 else set()
    rows = rows_of(table, everybody, hidden)

    found = {
        (derivable.gap.unit.district_id, derivable.gap.involvement): (derivable.low, derivable.high)
        for derivable in derive(rows, EVERY_COUNT)
        if derivable.count == "n_involved"
    }

    # That nobody at all is involved is no finding.
    assert found == {
        row: bounds for row, bounds in counted_out(table, everybody, hidden).items() if bounds[1]
    }
