"""FEBRL 3 and 4, linked by the warehouse's own models with a model of its own training.

The weights are measured, without the rules of `match_rule`: those keep twins apart, of whom
FEBRL has none, while it replaces whole first names, which no clerk does.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import psycopg
import pytest
from tests.python.linkage.febrl import load_febrl_3, load_febrl_4

from outcomes.config import PROJECT_DIR
from outcomes.linkage.adopt import TRAINING_FILE
from outcomes.linkage.train import train

# What dbt needs of the project, copied so that the model in force stays what it is.
PROJECT_PARTS = ("models", "seeds", "macros", "functions", "tests")
# FEBRL's people have neither sex nor middle name, and no brothers or sisters.
RECIPE = Path(__file__).with_name("febrl_training.json")


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


def _linked(connection: psycopg.Connection, pair_type: str) -> list[tuple[str, str]]:
    """Pairs at the link weight: the student's key, and the other record or key."""
    return connection.execute(
        """
        select distinct
            scores.student_key,
            coalesce(scores.other_student_key, records.record_id) as other
        from identity.int_identity_scores as scores
        inner join identity.int_identity_records as records
            on scores.other_identity_id = records.identity_id
        where
            scores.pair_type = %s
            and scores.match_weight >= (
                select value from identity.match_thresholds where setting = 'link_weight'
            )
        """,
        [pair_type],
    ).fetchall()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, to be trained by FEBRL's recipe."""
    for part in PROJECT_PARTS:
        shutil.copytree(PROJECT_DIR / part, tmp_path / part)
    shutil.copyfile(PROJECT_DIR / "dbt_project.yml", tmp_path / "dbt_project.yml")
    shutil.copyfile(PROJECT_DIR / "profiles.example.yml", tmp_path / "profiles.yml")
    shutil.copyfile(RECIPE, tmp_path / TRAINING_FILE)
    return tmp_path


@pytest.mark.training
def test_febrl_is_linked_by_weight(
    connection: psycopg.Connection,
    another_database: Callable[[], psycopg.Connection],
    project: Path,
) -> None:
    true_student = load_febrl_4(connection)
    _dbt(project, connection, "+int_identity_features")
    train(connection, project, project / "charts")
    _dbt(project, connection, "+int_identity_scores", "int_identity_records", "match_thresholds")
    links = _linked(connection, "student_client")
    right = sum(true_student[client] == student for student, client in links)
    assert 2 * right / (len(links) + len(true_student)) >= 0.999

    # The same generator made FEBRL 3, whose records repeat one another: as students.
    students = another_database()
    true_pairs = load_febrl_3(students)
    _dbt(project, students, "+int_identity_scores", "int_identity_records", "match_thresholds")
    clusters = nx.connected_components(nx.Graph(_linked(students, "student_student")))
    found = {pair for cluster in clusters for pair in itertools.combinations(sorted(cluster), 2)}
    assert 2 * len(found & true_pairs) / (len(found) + len(true_pairs)) >= 0.998
