"""The bounds of the linear programs against all tables there are, counted out one by one."""

from __future__ import annotations

import itertools
import random

import pytest

from outcomes.suppression.attack import derive
from outcomes.suppression.published import ALL, PublishedGap, Rules, Unit

# Everything is known too well, so every hidden count is a finding with its interval.
EVERY_COUNT = Rules(smallest_published_count=10**6, narrowest_interval=10**6)
DISTRICTS = ("a", "b", "c")
MOST = 4


def gap(district: str, involved: int, others: int, involvement: str, *, hidden: bool) -> PublishedGap:
    """A row about a mean, which discloses numbers of students and no more."""
    return PublishedGap(
        school_year=2013,
        unit=Unit(district, ALL, ALL),
        program_group="any",
        involvement=involvement,
        measure="gpa",
        n_involved=None if hidden else involved,
        n_not_involved=None if hidden else others,
        value_involved=None,
        value_not_involved=None,
        is_suppressed=hidden,
        is_coded=False,
    )
