"""The upgrade of a warehouse of an earlier release with data."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from tests.python.landing.commands import run
from tests.python.pipeline.content import landed_counts

from outcomes.errors import OutcomesError

# Differences of an earlier release.
EARLIER = """
    alter table raw.students drop column suffix, alter line_number type integer;
    alter table raw.gpas alter gpa type numeric(5, 2);
    alter table raw.clients alter updated_at type date;
    alter table raw.enrollments add column counselor text;
    drop table raw.schools;
    alter table landing.runs drop column failed_nodes, drop column key_fingerprint;
    drop table landing.upgrades;
"""
CHANGES = {
    "landing.runs.failed_nodes is new: text[]",
    "landing.runs.key_fingerprint is new: text",
    "landing.upgrades is new",
    "raw.clients.updated_at was date, is timestamp without time zone",
    "raw.gpas.gpa was numeric(5,2), is numeric",
    "raw.schools is new",
    "raw.students.line_number was integer, is bigint",
    "raw.students.suffix is new: text",
}


def definitions(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select table_schema, table_name, column_name, data_type, numeric_precision "
        "from information_schema.columns where table_schema in ('raw', 'landing') order by 1, 2, 3"
    ).fetchall()


@pytest.fixture
def deliveries(demo_drops: Path) -> list[Path]:
    return sorted((demo_drops / "clairton").iterdir())


@pytest.fixture
def earlier(connection: psycopg.Connection, deliveries: list[Path]) -> psycopg.Connection:
    """A warehouse of an earlier release with a landed delivery."""
    run("land", deliveries[0])
    connection.execute(EARLIER.encode())
    connection.execute("update raw.enrollments set counselor = 'someone'")
    return connection


def lines(output: str) -> set[str]:
    return {line.strip() for line in output.splitlines() if re.match(r"\s+\w+\.", line)}


def test_an_earlier_warehouse_keeps_its_rows_and_takes_the_next_delivery(
    earlier: psycopg.Connection, deliveries: list[Path]
) -> None:
    rows, before = landed_counts(earlier), definitions(earlier)
    code, output = run("warehouse", "upgrade", "--dry-run")
    assert code == 0
    assert lines(output) == CHANGES | {"raw.enrollments.counselor"}
    assert definitions(earlier) == before

    assert lines(run("warehouse", "upgrade")[1]) == CHANGES | {"raw.enrollments.counselor"}
    assert landed_counts(earlier) == rows | {"raw.schools": 0, "landing.upgrades": len(CHANGES)}
    recorded = earlier.execute("select change from landing.upgrades").fetchall()
    assert {change for (change,) in recorded} == CHANGES
    assert earlier.execute(
        "select bool_and(counselor = 'someone') from raw.enrollments"
    ).fetchone() == (True,)

    assert "Nothing to change." in run("warehouse", "upgrade")[1]
    assert run("land", deliveries[1])[0] in (0, 3)
    assert landed_counts(earlier)["raw.students"] > rows["raw.students"]


def test_an_upgraded_warehouse_has_the_definitions_of_a_new_one(
    connection: psycopg.Connection,
) -> None:
    new = definitions(connection)
    connection.execute(
        EARLIER.replace("add column counselor text", "alter line_number type int4").encode()
    )
    assert definitions(connection) != new
    run("warehouse", "upgrade")
    assert definitions(connection) == new


def test_landing_and_building_upgrade_the_warehouse(
    earlier: psycopg.Connection, deliveries: list[Path]
) -> None:
    run("land", deliveries[1])
    assert "Nothing to change." in run("warehouse", "upgrade")[1]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_column_that_would_become_narrower_stops_the_upgrade(
    options: tuple[str, ...], earlier: psycopg.Connection, deliveries: list[Path]
) -> None:
    earlier.execute("alter table raw.students alter birth_date type text")
    before = definitions(earlier)
    message = r"raw\.students\.birth_date is text, and raw\.yml says date.*Nothing was changed"
    for words in (("warehouse", "upgrade", *options), ("land", deliveries[1])):
        with pytest.raises(OutcomesError, match=message):
            run(*words)
    assert definitions(earlier) == before


def test_a_view_in_the_way_is_named(earlier: psycopg.Connection) -> None:
    earlier.execute(
        "create schema ana; create view ana.lines as select line_number from raw.students"
    )
    before = definitions(earlier)
    with pytest.raises(OutcomesError, match=r"Nothing was changed: .*ana\.lines"):
        run("warehouse", "upgrade")
    assert definitions(earlier) == before


def test_a_backup_of_an_earlier_release_is_upgraded(
    earlier: psycopg.Connection, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if earlier.info.server_version < 170000:
        pytest.skip("a backup is restored into PostgreSQL 17 or newer")
    run("warehouse", "backup", tmp_path / "backup", tmp_path / "safe")
    restored = request.getfixturevalue("another_database")()
    run("warehouse", "restore", tmp_path / "backup", tmp_path / "safe")
    assert "Nothing to change." in run("warehouse", "upgrade")[1]
    # Two of the changes are tables that the empty database had before.
    assert restored.execute("select count(*) from landing.upgrades").fetchone() == (6,)
