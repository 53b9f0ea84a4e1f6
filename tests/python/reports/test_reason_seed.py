"""The reason codes that dbt reads are those of the loader."""

from __future__ import annotations

import csv

from outcomes.config import PROJECT_DIR
from outcomes.landing.reasons import Reason

SEED = PROJECT_DIR / "seeds" / "policy" / "reason_codes.csv"


def test_the_seed_of_reason_codes_is_the_loaders_list() -> None:
    with SEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert [
        (row["reason_code"], row["meaning"], row["fixed_by"], row["what_happens"]) for row in rows
    ] == [(reason.code, reason.meaning, reason.fixed_by, reason.scope.value) for reason in Reason]
    assert [row["reason_code"] for row in rows if not row["what_to_do"].strip()] == []
