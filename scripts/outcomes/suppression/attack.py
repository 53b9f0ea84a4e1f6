"""What somebody can work out about hidden counts from everything that is published.

Every count is an unknown: of a unit of students, those of whom the measure is true (x)
and those of whom it is not (y), all of them and the involved ones. A published row fixes
its counts; what everybody knows about the tables are equations and inequalities between
them. The least and the most of each hidden count are then two linear programs.
docs/suppression.md lists what is assumed to be known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from outcomes.suppression.published import ALL, MEANS, PublishedGap, Rules, Unit
from outcomes.suppression.system import TOLERANCE, Part, System, Terms

# Measures of the same students, whose counts bound each other, stand in one system.
RELATED = (
    ("attendance_rate", "is_chronically_absent_federal", "is_chronically_absent_pde"),
    ("gpa", "promise_on_track_or_eligible"),
)
ANY = "any"
# More than there are students.
ENDLESS = 10**9

# measure, unit, program group, involvement
Key = tuple[str, Unit, str, str]


@dataclass(frozen=True)
class Derivable:
    """The interval in which everything published together leaves one hidden count."""

    gap: PublishedGap
    count: str
    low: int
    high: int


def derive(gaps: Iterable[PublishedGap], rules: Rules) -> Iterator[Derivable]:
    """Find the hidden counts that may be small and are known too well.

    Args:
        gaps: everything that is published.
        rules: what may be known.
    """
    related = {measure: group for group in RELATED for measure in group}
    systems: dict[Hashable, list[PublishedGap]] = defaultdict(list)
    for gap in gaps:
        systems[gap.school_year, related.get(gap.measure, gap.measure)].append(gap)
    for rows in systems.values():
        yield from _derive(rows, rules)


@dataclass(frozen=True)
class _Question:
    """One hidden count: what is known of it, and sums in the parts that hold the rest."""

    gap: PublishedGap
    count: str
    given: float
    sums: tuple[tuple[Part, int], ...]

    def seen(self) -> tuple[int, int]:
        low = self.given + sum(part.seen(number)[0] for part, number in self.sums)
        high = self.given + sum(part.seen(number)[1] for part, number in self.sums)
        return (
            -ENDLESS if math.isinf(low) else math.ceil(low - TOLERANCE),
            ENDLESS if math.isinf(high) else math.floor(high + TOLERANCE),
        )

    def is_safe(self, rules: Rules) -> bool:
        """Whether what was seen so far leaves room, or a count that may be published."""
        low, high = self.seen()
        return high - low >= rules.narrowest_interval

    def is_given_away(self, rules: Rules) -> bool:
        low, high = self.seen()
        return low < rules.smallest_published_count and high > 0


def _derive(gaps: Sequence[PublishedGap], rules: Rules) -> Iterator[Derivable]:
    tables = _Tables(gaps)
    parts = list(tables.system.parts())
    part_of = {unknown: part for part in parts for unknown in part.position}
    questions = [
        _question(gap, count, terms, tables.system.known, part_of)
        for gap in gaps
        if gap.is_suppressed
        for count, terms in tables.counts(gap).items()
    ]
    for part in parts:
        part.start()
    for question in questions:
        for part, number in question.sums:
            if not question.is_safe(rules):
                part.solve(number)
        if not question.is_safe(rules) and question.is_given_away(rules):
            yield Derivable(question.gap, question.count, *question.seen())


def _question(
    gap: PublishedGap,
    count: str,
    terms: Terms,
    known: dict[Hashable, float],
    part_of: dict[Hashable, Part],
) -> _Question:
    given = 0.0
    by_part: dict[Part, Terms] = defaultdict(dict)
    for unknown, factor in terms.items():
        if unknown in known:
            given += factor * known[unknown]
        else:
            by_part[part_of[unknown]][unknown] = factor
    sums = tuple((part, part.ask(rest)) for part, rest in by_part.items())
    return _Question(gap, count, given, sums)


class _Tables:
    """The published rows of related measures in one school year, as a system."""

    def __init__(self, gaps: Sequence[PublishedGap]) -> None:
        self.system = System()
        self._rows = {
            (gap.measure, gap.unit, gap.program_group, gap.involvement): gap for gap in gaps
        }
        for gap in gaps:
            self._fix(gap)
            self._bound_by_everybody(gap)
            self._nest(gap)
            self._relate_measures(gap)
        self._unite_programs()
        self._add_up()

    def counts(self, gap: PublishedGap) -> dict[str, Terms]:
        """The counts that a row discloses: of the involved, the others, and everybody."""
        sides = {
            "involved": self._involved(gap),
            "not_involved": self._others(gap),
            "everybody": self._everybody(gap),
        }
        counts = {}
        for side, (x, y) in sides.items():
            counts[f"n_{side}"] = _sum(x, y)
            if gap.measure not in MEANS:
                counts[f"true_of_{side}"] = x
                counts[f"not_true_of_{side}"] = y
        return counts

    def _involved(self, gap: PublishedGap) -> tuple[Terms, Terms]:
        key = (gap.measure, gap.unit, gap.program_group, gap.involvement)
        return {("x", *key): 1.0}, ({} if gap.measure in MEANS else {("y", *key): 1.0})

    def _everybody(self, gap: PublishedGap) -> tuple[Terms, Terms]:
        key = (gap.measure, gap.unit)
        return {("x", *key): 1.0}, ({} if gap.measure in MEANS else {("y", *key): 1.0})

    def _others(self, gap: PublishedGap) -> tuple[Terms, Terms]:
        x, y = self._involved(gap)
        all_x, all_y = self._everybody(gap)
        return _sum(all_x, _minus(x)), _sum(all_y, _minus(y))

    def _fix(self, gap: PublishedGap) -> None:
        if gap.is_suppressed or gap.n_involved is None or gap.n_not_involved is None:
            return
        involved = self._involved(gap)
        everybody = self._everybody(gap)
        sides = [
            (involved, gap.n_involved, gap.value_involved),
            (self._others(gap), gap.n_not_involved, gap.value_not_involved),
        ]
        if gap.is_coded:
            for (x, y), n, value in sides:
                self.system.equal(_sum(x, y), n)
                if value is not None and value < 0.5:
                    self.system.at_least(_minus(x), -value * n)
                elif value is not None:
                    self.system.at_least(x, value * n)
            return
        known = []
        for _, n, value in sides:
            true = n if gap.measure in MEANS else round(n * (value or 0))
            known.append((true, n - true))
        for terms, value in zip(involved, known[0], strict=True):
            for unknown in terms:
                self.system.know(unknown, value)
        # Nobody at all is not involved where no source covers the dates.
        if gap.n_not_involved > 0:
            for terms, one, other in zip(everybody, *known, strict=True):
                for unknown in terms:
                    self.system.know(unknown, one + other)

    def _bound_by_everybody(self, gap: PublishedGap) -> None:
        for terms in self._others(gap):
            if terms:
                self.system.at_least(terms)

    def _nest(self, gap: PublishedGap) -> None:
        """Who is involved by a definition or in a program is so by the wider one."""
        for wider in (
            (gap.measure, gap.unit, ANY, gap.involvement),
            (gap.measure, gap.unit, gap.program_group, "ever"),
        ):
            if wider in self._rows and self._rows[wider] is not gap:
                for inner, outer in zip(
                    self._involved(gap), self._involved(self._rows[wider]), strict=True
                ):
                    if inner:
                        self.system.at_least(_sum(outer, _minus(inner)))

    def _add_up(self) -> None:
        across: dict[Key, list[PublishedGap]] = defaultdict(list)
        within: dict[tuple[str, Key], list[PublishedGap]] = defaultdict(list)
        for (measure, unit, program_group, involvement), gap in self._rows.items():
            if unit.district_id == ALL:
                continue
            everywhere = Unit(ALL, unit.group_type, unit.group_value)
            across[measure, everywhere, program_group, involvement].append(gap)
            if unit.group_type != ALL:
                district = Unit(unit.district_id, ALL, ALL)
                key = (measure, district, program_group, involvement)
                within[unit.group_type, key].append(gap)
        for key, parts in across.items():
            if key in self._rows:
                for whole, terms in self._sums(self._rows[key], parts):
                    self.system.equal(_sum(whole, _minus(terms)))
        # Students of no known group are in their district and in none of its groups.
        for (_, key), parts in within.items():
            if key in self._rows:
                for whole, terms in self._sums(self._rows[key], parts):
                    self.system.assume_none_left(_sum(whole, _minus(terms)))

    def _sums(
        self, whole: PublishedGap, parts: Sequence[PublishedGap]
    ) -> Iterator[tuple[Terms, Terms]]:
        for side in (self._involved, self._everybody):
            for i in range(1 if whole.measure in MEANS else 2):
                yield side(whole)[i], _sum(*(side(part)[i] for part in parts))

    def _unite_programs(self) -> None:
        """Who is involved in any program is involved in one of the groups."""
        groups: dict[Key, list[PublishedGap]] = defaultdict(list)
        for (measure, unit, program_group, involvement), gap in self._rows.items():
            if program_group != ANY:
                groups[measure, unit, ANY, involvement].append(gap)
        for key, gaps in groups.items():
            if key in self._rows:
                anyone = self._involved(self._rows[key])
                for i in range(1 if key[0] in MEANS else 2):
                    united = _sum(*(self._involved(gap)[i] for gap in gaps))
                    self.system.at_least(_sum(united, _minus(anyone[i])))

    def _relate_measures(self, gap: PublishedGap) -> None:
        """Chronic absence is a matter of attendance; the Promise asks for grades."""
        definition = (gap.unit, gap.program_group, gap.involvement)
        federal = self._rows.get(("is_chronically_absent_federal", *definition))
        if gap.measure == "attendance_rate" and federal is not None:
            self._relate_attendance(gap, federal)
        if gap.measure == "is_chronically_absent_pde" and federal is not None:
            for pde, fed in self._sides(gap, federal):
                self.system.at_least(_sum(*fed, _minus(_sum(*pde))))
                self.system.at_least(_sum(fed[0], _minus(pde[0])))
        gpa = self._rows.get(("gpa", *definition))
        if gap.measure == "promise_on_track_or_eligible" and gpa is not None:
            for promise, graded in self._sides(gap, gpa):
                self.system.at_least(_sum(*graded, _minus(_sum(*promise))))

    def _relate_attendance(self, attendance: PublishedGap, federal: PublishedGap) -> None:
        for (days, _), absent in self._sides(attendance, federal):
            self.system.equal(_sum(days, _minus(_sum(*absent))))
        shown = [
            (attendance.n_involved, attendance.value_involved),
            (attendance.n_not_involved, attendance.value_not_involved),
        ]
        sides = list(self._sides(attendance, federal))[:2]
        for (_, (x, y)), (n, rate) in zip(sides, shown, strict=True):
            if n and rate is not None:
                # Whoever is chronically absent misses from a tenth of the days to all,
                # everybody else from none to a tenth.
                missed = n * (1 - rate)
                self.system.at_least(_minus(x), -10 * missed - TOLERANCE)
                tenth = {unknown: factor / 10 for unknown, factor in y.items()}
                self.system.at_least(_sum(x, tenth), missed - TOLERANCE)

    def _sides(
        self, one: PublishedGap, other: PublishedGap
    ) -> Iterator[tuple[tuple[Terms, Terms], tuple[Terms, Terms]]]:
        for side in (self._involved, self._others, self._everybody):
            yield side(one), side(other)


def _sum(*all_terms: Terms) -> Terms:
    total: Terms = {}
    for terms in all_terms:
        for unknown, factor in terms.items():
            total[unknown] = total.get(unknown, 0.0) + factor
    return total


def _minus(terms: Terms) -> Terms:
    return {unknown: -factor for unknown, factor in terms.items()}
