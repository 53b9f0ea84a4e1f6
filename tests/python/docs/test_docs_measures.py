"""The seed of outcome measures, where reports depend on it."""

from __future__ import annotations

import csv

from outcomes.config import PROJECT_DIR


def test_one_measure_leads_the_public_report_and_the_dashboard() -> None:
    with (PROJECT_DIR / "seeds/policy/outcome_measures.csv").open(encoding="utf-8") as file:
        (lead,) = (row for row in csv.DictReader(file) if row["finding"])
    assert lead["quoted_in"]
    assert lead["unit"] == "%"
