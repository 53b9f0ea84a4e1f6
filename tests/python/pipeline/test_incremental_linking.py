"""A pass that takes up only what changed ends where a full one ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from tests.python.conftest import UNTESTED, copied, run_dbt
from tests.python.pipeline.content import content_hashes

from outcomes.config import PROJECT_DIR, Settings
from outcomes.contracts.reader import load_contracts
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.linkage.decisions import (
    Decision,
    Pair,
    record_decisions,
    standing_decisions,
)
from outcomes.warehouse.connection import connect

LINK = ("run", "--select", "+person_crosswalk", "+person_events", "int_identity_linked_deliveries")
FIRST = (*UNTESTED, "--select", *LINK[2:])
APPENDED = (
    "int_identity_records",
    "int_identities",
    "int_identity_key_hashes",
    "int_identity_keys",
    "int_identity_comparisons",
    "int_identity_weights",
    "person_crosswalk",
)
COMPARED_WITH_THE_LAST = (
    "int_identity_client_decisions",
    "int_identity_client_outcomes",
    "int_identity_client_links",
)
# What links are made of, and a word in it.
MADE_OF = {
    "seeds/identity/match_weights.csv": "ssn",
    "seeds/identity/match_rules.csv": "twins",
    "seeds/identity/blocking_keys.csv": "ssn",
    "macros/match_level.sql": "ssn",
    "macros/match_rule.sql": "ssn",
    "macros/keys.sql": "ssn",
    "functions/valid_ssn.sql": "ssn",
    "models/staging/stg_clients.sql": "ssn",
    "models/identity/linking/int_identity_features.sql": "ssn",
    "models/identity/linking/int_identity_weights.sql": "ssn",
    "models/identity/linking/int_identity_scores.sql": "prior",
    "models/identity/linking/int_identity_client_decisions.sql": "persons",
    "models/identity/person_crosswalk.sql": "clients",
}
# What reviewers decide without waiting for the week's pass.
REVIEWED = ("run", "--select", "stg_link_decisions+,+person_crosswalk")
EARLIER = ("--vars", "{as_of: 2012-09-07}")
BEFORE_MANY_STUDENTS = ("--vars", "{as_of: 2012-08-28}")


def test_a_pass_over_what_changed_equals_a_full_one(
    demo_drops: Path,
    make_own_warehouse: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nothing is published here, so every model is built where people read it.
    monkeypatch.setenv("OUTCOMES_TARGET", "dev")
    early = [path for path in sorted(demo_drops.glob("*/*")) if path.name <= "2012-09-07"]
    grown = make_own_warehouse(demo_drops, *FIRST, files=early)
    with connect(grown) as connection:
        at_first = _linking(connection)
        assert _is_full(connection)
        for _ in land_deliveries(
            connection, load_contracts(), find_deliveries(demo_drops, load_contracts()).files
        ):
            pass
        # Clients were added, changed and deleted; students came and changed.
        run_dbt(grown, *LINK)
        assert not _is_full(connection)
        whole = _linking(connection)
        assert whole != at_first
        # What is made twice in a pass holds nothing twice.
        run_dbt(grown, "run", "--select", *APPENDED)
        assert _linking(connection) == whole

        # Back to the earlier day.
        run_dbt(grown, *LINK, *EARLIER)
        assert not _is_full(connection)
        assert _linking(connection) == at_first

        # Further back, where clients stay whose students have not come yet.
        run_dbt(grown, *LINK, *BEFORE_MANY_STUDENTS)
        assert not _is_full(connection)
        without_students = _linking(connection)
        run_dbt(grown, *LINK, *BEFORE_MANY_STUDENTS, "--full-refresh")
        assert _linking(connection) == without_students

        # Forward again, with what reviewers decided meanwhile: links apart and together.
        record_decisions(connection, _decisions(connection), "somebody")
        run_dbt(grown, *LINK)
        assert not _is_full(connection)
        decided = _linking(connection)
        run_dbt(grown, *LINK)
        assert _linking(connection) == decided
        run_dbt(grown, *LINK, "--full-refresh")
        assert _is_full(connection)
        assert _linking(connection) == decided
        # Decisions taken back in between, over the tables that a week's pass has left.
        run_dbt(grown, *LINK)
        assert not _is_full(connection)
        record_decisions(connection, _withdrawn(connection), "somebody")
        run_dbt(grown, *REVIEWED)
        assert not _is_full(connection)
        reviewed = _linking(connection)
        assert reviewed != decided
        run_dbt(grown, *LINK)
        decided = _linking(connection)
        assert _is_full(connection)
        assert reviewed == decided

        # A part of the tables is no pass: the next is full, and ends where it should.
        run_dbt(grown, "run", "--select", "int_identity_keys", "int_identity_linked_deliveries")
        run_dbt(grown, *LINK)
        assert _is_full(connection)
        run_dbt(grown, "run", "--select", *COMPARED_WITH_THE_LAST)
        assert _linking(connection) == decided
        run_dbt(grown, *LINK)
        assert _is_full(connection)
        assert _linking(connection) == decided
        events = connection.execute(
            "select kind, reason from identity.person_events order by 1"
        ).fetchall()
        assert ("split", "reviewer") in events and ("merge", "reviewer") in events

        # So is a pass after a crash, which empties all that is not logged, and no more.
        _crash(connection)
        run_dbt(grown, *LINK)
        assert _is_full(connection)
        assert _linking(connection) == decided

        # A pass that did not end is followed by a full one.
        run_dbt(grown, "run", "--select", "stg_superseded_clients")
        run_dbt(grown, "run", "--select", "int_identity_pass")
        assert _is_full(connection)


def test_what_links_are_made_of_makes_them_anew(built_demo: Settings, tmp_path: Path) -> None:
    """Else pairs of the last pass would keep the weights of another model."""
    for folder in ("models", "macros", "functions", "seeds", "tests"):
        shutil.copytree(PROJECT_DIR / folder, tmp_path / folder)
    shutil.copyfile(PROJECT_DIR / "dbt_project.yml", tmp_path / "dbt_project.yml")
    begin = ("run", "--select", "int_identity_pass")
    with copied(built_demo, "demo_linked_otherwise") as settings, connect(settings) as connection:
        run_dbt(settings, *begin, project=tmp_path)
        assert not _is_full(connection)
        for name, word in MADE_OF.items():
            file = tmp_path / name
            content = file.read_text()
            file.write_text(content.replace(word, word.upper(), 1))
            assert file.read_text() != content
            run_dbt(settings, *begin, project=tmp_path)
            assert _is_full(connection), name
            file.write_text(content)


def _linking(connection: psycopg.Connection) -> dict[str, str]:
    return {t: c for t, c in content_hashes(connection).items() if t.startswith("identity.")}


def _crash(connection: psycopg.Connection) -> None:
    """Do to the tables what PostgreSQL does when it starts after a crash."""
    connection.execute(
        """
        do $$
        begin
            execute (
                select 'truncate ' || string_agg(cast(oid as regclass)::text, ', ')
                from pg_class
                where relkind = 'r' and relpersistence = 'u'
            );
        end $$
        """
    )


def _is_full(connection: psycopg.Connection) -> bool:
    row = connection.execute("select is_full from identity.int_identity_pass").fetchone()
    assert row is not None
    return bool(row[0])


def _withdrawn(connection: psycopg.Connection) -> list[Decision]:
    return [Decision(pair, "withdrawn", "error") for pair in standing_decisions(connection)]


def _decisions(connection: psycopg.Connection) -> list[Decision]:
    """Two students linked and parted; a client linked, refused, and too old but linked."""
    pairs = connection.execute(
        """
        (
            select student_key, 'student', other_student_key, 'no_link'
            from identity.int_identity_student_decisions
            where decision = 'link' order by 1, 3 limit 1
        )
        union all
        (
            select ones.student_key, 'student', others.student_key, 'link'
            from identity.int_identity_persons as ones, identity.int_identity_persons as others
            where ones.student_key < others.student_key and ones.person_id <> others.person_id
                and ones.student_key = ones.eldest_student_key
                and others.student_key = others.eldest_student_key
            order by 1 desc, 3 desc limit 1
        )
        union all
        (
            select persons.student_key, 'client', crosswalk.record_id, 'no_link'
            from identity.person_crosswalk as crosswalk
            inner join identity.int_identity_persons as persons using (person_id)
            where crosswalk.decision = 'link' and crosswalk.record_type = 'client'
            order by 1, 3 limit 1
        )
        union all
        (
            select
                persons.student_key, 'client',
                clients.source_id || ':' || clients.source_client_id, 'link'
            from identity.int_identity_persons as persons, staging.stg_clients as clients
            where clients.birth_date < date '1960-01-01'
            order by 1, 3 limit 1
        )
        """
    ).fetchall()
    assert len(pairs) == 4
    return [
        Decision(Pair(student, kind, other), decision, "as a test")
        for student, kind, other, decision in pairs
    ]
