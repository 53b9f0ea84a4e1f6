"""`outcomes link explain`: the waterfall of a student's candidates."""

from __future__ import annotations

from dataclasses import astuple
from math import log2

import psycopg
import pytest
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.explain import find_candidates, find_steps
from outcomes.linkage.review_queue import read_queue
from outcomes.warehouse.connection import connect


@pytest.fixture(scope="module")
def student(built_demo: Settings) -> str:
    """A student with a linked client, one in review, and a runner-up."""
    with connect(built_demo) as connection:
        return _one(
            connection,
            """
            select student_key
            from identity.int_identity_client_decisions
            group by student_key
            order by
                count(*) filter (where decision = 'link') > 0 desc,
                count(*) filter (where decision = 'review') > 0 desc,
                count(runner_up_person_id) desc
            limit 1
            """,
        )


def _one(connection: psycopg.Connection, query: str, *parameters: object) -> str:
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return str(row[0])


def test_the_steps_add_up_to_the_weight(built_demo: Settings, student: str) -> None:
    with connect(built_demo) as connection:
        prior = {
            round(
                candidate.match_weight - sum(s.weight for s in find_steps(connection, candidate)), 6
            )
            for candidate in find_candidates(connection, student)
            if candidate.match_weight is not None
        }
        known = connection.execute(
            "select probability_two_random_records_match from identity.match_model"
        ).fetchone()
    assert known is not None
    # The demo has fewer clients than the training.
    assert prior == {round(log2(known[0] / (1 - known[0])), 6)}


def test_candidates_agree_with_the_crosswalk(built_demo: Settings, student: str) -> None:
    with connect(built_demo) as connection:
        candidates = find_candidates(connection, student)
        person = _one(
            connection,
            "select person_id from identity.int_identity_persons where student_key = %s",
            student,
        )
        linked = {
            c.record for c in candidates if c.record_type == "client" and c.decision == "link"
        }
        assert linked
        assert {
            _one(
                connection,
                "select person_id from identity.person_crosswalk "
                "where record_type = 'client' and record_id = %s",
                record,
            )
            for record in linked
        } == {person}


def test_a_queued_pair_is_a_candidate_with_the_same_share(built_demo: Settings) -> None:
    with connect(built_demo) as connection:
        queue = read_queue(connection)
        assert queue
        for queued in queue:
            (candidate,) = (
                candidate
                for candidate in find_candidates(connection, queued.student_key)
                if (candidate.record_type, candidate.record) == astuple(queued.pair)[1:]
            )
            assert candidate.decision == "review"
            assert candidate.share == queued.share


def test_the_waterfall_shows_no_names(
    built_demo: Settings, student: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", built_demo.database)
    result = CliRunner().invoke(
        cli, ["link", "explain", student, "--limit", "100"], env={"COLUMNS": "120"}
    )
    assert result.exit_code == 0, result.output
    for words in ("prior", "same birth date", "total", "link (by ", "Runner-up"):
        assert words in result.output
    assert "in 100 such pairs are the same person" in result.output
    assert "birth_date" not in result.output, "comparisons are shown in words"
    with connect(built_demo) as connection:
        names = connection.execute(
            "select last_name, first_name from marts.dim_students where student_key = %s", [student]
        ).fetchone()
    assert names is not None
    assert not any(name.lower() in result.output.lower().split() for name in names)


def test_an_unknown_student_is_an_error(built_demo: Settings) -> None:
    with connect(built_demo) as connection, pytest.raises(OutcomesError, match="No such student"):
        find_candidates(connection, "pittsburgh:0")
