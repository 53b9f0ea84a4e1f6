"""Labels of measures that YAML has to repeat, because it cannot read the seed."""

from __future__ import annotations

import csv
import re

import yaml

from outcomes.config import PROJECT_DIR

with (PROJECT_DIR / "seeds/policy/outcome_measures.csv").open(encoding="utf-8") as _file:
    MEASURES = list(csv.DictReader(_file))


def test_one_measure_leads_the_public_report_and_the_dashboard() -> None:
    (lead,) = (row for row in MEASURES if row["finding"])
    assert lead["quoted_in"]
    assert lead["unit"] == "%"
    gaps = yaml.safe_load((PROJECT_DIR / "charts/gaps.yml").read_text("utf-8"))
    assert gaps["variables"]["measure"]["default"] == lead["measure_label"]


def test_columns_of_dashboards_have_the_labels_of_their_measures() -> None:
    found = []
    for file in sorted((PROJECT_DIR / "charts").rglob("*.yml")):
        text = file.read_text("utf-8")
        for row in MEASURES:
            column = rf"\b(?:share_|is_)?{row['measure'].removeprefix('is_')}\b"
            labels = re.findall(rf'{column}[^"\n]*(?:"%"[^"\n]*)? as "([^"]+)"', text)
            found += labels
            assert set(labels) <= {row["measure_label"]}, (file.name, row["measure"])
    assert len(found) >= 3
