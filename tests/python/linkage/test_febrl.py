"""FEBRL 3 and 4, linked by the warehouse's whole pipeline with a model of its own training.

What counts is what people read: the links and persons of `identity.person_crosswalk`.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from tests.python.linkage.febrl import load_febrl_3, load_febrl_4
from tests.python.linkage.test_splink_parity import assert_same_weights

from outcomes.config import PROJECT_DIR
from outcomes.linkage.adopt import TRAINING_FILE
from outcomes.linkage.train import train

# What dbt needs of the project, copied so that the model in force stays what it is.
PROJECT_PARTS = ("models", "seeds", "macros", "functions", "tests")
# FEBRL's people have neither sex nor middle name, and no brothers or sisters.
RECIPE = Path(__file__).with_name("febrl_training.json")
RULES_FILE = Path("seeds", "identity", "match_rules.csv")
# The rules that adults without twins need not: FEBRL replaces whole first names, which no
# clerk does, and loses or replaces birth dates; and its third set is one list of people
# who repeat themselves.
CHILDRENS_RULES = {
    "side_by_side",
    "different_first_name",
    "contradicted_first_name",
    "different_birth_date",
    "unknown_name_or_birth_date",
    "namesake_elsewhere",
}


def _dbt(project: Path, connection: psycopg.Connection, *select: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "build", "--project-dir", str(project),
         "--profiles-dir", str(project), "--exclude-resource-type", "test",
         "--exclude-resource-type", "unit_test", "--select", *select],
        env={**os.environ, "OUTCOMES_PG_DATABASE": connection.info.dbname},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def _client_links(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Student and client, of every link in the crosswalk."""
    return connection.execute(
        """
        select students.partner_id || ':' || students.record_id, clients.record_id
        from identity.person_crosswalk as students
        inner join identity.person_crosswalk as clients using (person_id)
        where
            students.record_type = 'student'
            and clients.record_type = 'client'
            and clients.decision = 'link'
        """
    ).fetchall()


def _student_pairs(connection: psycopg.Connection) -> set[tuple[str, str]]:
    """Pairs of two students of one person, each in order."""
    rows = connection.execute(
        """
        select students.partner_id || ':' || students.record_id,
            others.partner_id || ':' || others.record_id
        from identity.person_crosswalk as students
        inner join identity.person_crosswalk as others using (person_id)
        where students.record_type = 'student' and others.record_type = 'student'
        """
    ).fetchall()
    return {(one, other) for one, other in rows if one < other}


def _switch_off(rules: set[str], project: Path) -> None:
    with (project / RULES_FILE).open() as opened:
        rows = list(csv.DictReader(opened))
    assert rules <= {row["rule"] for row in rows}
    with (project / RULES_FILE).open("w") as opened:
        written = csv.DictWriter(opened, list(rows[0]))
        written.writeheader()
        written.writerows(row for row in rows if row["rule"] not in rules)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with FEBRL's recipe, and without the rules for children."""
    for part in PROJECT_PARTS:
        shutil.copytree(PROJECT_DIR / part, tmp_path / part)
    shutil.copyfile(PROJECT_DIR / "dbt_project.yml", tmp_path / "dbt_project.yml")
    shutil.copyfile(PROJECT_DIR / "profiles.example.yml", tmp_path / "profiles.yml")
    shutil.copyfile(RECIPE, tmp_path / TRAINING_FILE)
    _switch_off(CHILDRENS_RULES, tmp_path)
    return tmp_path


@pytest.mark.slow
def test_febrl_is_linked(
    connection: psycopg.Connection,
    another_database: Callable[[], psycopg.Connection],
    project: Path,
) -> None:
    true_student = load_febrl_4(connection)
    _dbt(project, connection, "+int_identities")
    train(connection, project, project / "charts")
    _dbt(project, connection, "+person_crosswalk")
    assert_same_weights(connection, project)
    links = _client_links(connection)
    right = sum(true_student[client] == student for student, client in links)
    assert 2 * right / (len(links) + len(true_student)) >= 0.999

    # The same generator made FEBRL 3, whose records repeat one another: as students.
    students = another_database()
    true_pairs = load_febrl_3(students)
    _dbt(project, students, "+person_crosswalk")
    found = _student_pairs(students)
    assert 2 * len(found & true_pairs) / (len(found) + len(true_pairs)) >= 0.998
