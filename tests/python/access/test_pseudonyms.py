"""The pseudonyms depend on a key in the environment, which is stored nowhere."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.python.access.canaries import places_in_files, places_in_tables
from tests.python.conftest import run_dbt, try_dbt

from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.publishing import build
from outcomes.warehouse.connection import connect

KEYS = ("a1b2c3d4" * 5, "0f9e8d7c" * 9)


def pseudonyms(connection: psycopg.Connection) -> dict[str, str]:
    return dict(connection.execute("select key, pseudonym from identity.pseudonyms").fetchall())


def expected(key: bytes, names: dict[str, str]) -> dict[str, str]:
    return {name: hmac.new(key, name.encode(), hashlib.sha256).hexdigest() for name in names}


def test_a_key_in_the_environment_comes_before_the_warehouses_own_key(
    demo: Settings, tmp_path: Path
) -> None:
    # The canaries are also searched in debug logs, compiled SQL and artifacts.
    written = ("--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs"))
    narrow = (
        "run",
        "--select",
        "pseudonyms",
        "--log-level-file",
        "debug",
        "--write-json",
        *written,
    )
    with connect(demo) as connection:
        (own,) = connection.execute("select key from privacy.pseudonym_key").fetchone() or (b"",)
        assert len(own) == 32
        first = pseudonyms(connection)
        assert first == expected(own, first)

        seen = [first]
        for key in KEYS:
            run_dbt(demo, *narrow, options=f"-c outcomes.pseudonym_key={key}")
            seen.append(pseudonyms(connection))
            assert seen[-1] == expected(key.encode(), first)
        assert len({value for one in seen for value in one.values()}) == 3 * len(first)
        # The own key stays until a publication, so that nothing is lost.
        assert connection.execute("table privacy.pseudonym_key").fetchall() == [(own, False)]
        run_dbt(demo, *narrow)
        assert pseudonyms(connection) == first

        names = {path.name for path in tmp_path.rglob("*")}
        assert {"pseudonyms.sql", "dbt.log", "manifest.json", "run_results.json"} <= names
        assert places_in_files([tmp_path], set(KEYS)) == set()
        assert places_in_tables(connection, set(KEYS)) == set()

        # Once published with a key, a build without it must not give other pseudonyms.
        connection.execute("update privacy.pseudonym_key set key = null, is_in_environment = true")
        refused = try_dbt(demo, *narrow)
        assert not refused.success
        assert "Set OUTCOMES_PSEUDONYM_KEY" in refused.output
        short = try_dbt(demo, *narrow, options=f"-c outcomes.pseudonym_key={'k' * 31}")
        assert not short.success
        assert "has 31 characters" in short.output
        assert pseudonyms(connection) == first


def test_a_run_records_a_hash_of_its_key(demo: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCOMES_TARGET", "prod")
    # The model fails without the others; the key is recorded before.
    try_dbt(demo, "run", "--select", "pseudonyms", options=f"-c outcomes.pseudonym_key={KEYS[0]}")
    with connect(demo) as connection:
        recorded = connection.execute("select key_fingerprint from publishing.runs").fetchall()
    expected_hash = hashlib.sha256(b"fingerprint" + KEYS[0].encode()).hexdigest()
    assert recorded == [(expected_hash,)]


def test_outcomes_build_passes_the_key_to_dbts_sessions(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = r"with a blank, a \backslash and 'quotes' in it"
    monkeypatch.setenv("OUTCOMES_PSEUDONYM_KEY", key)
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=54321")
    asked = "select current_setting('outcomes.pseudonym_key'), current_setting('statement_timeout')"

    class Dbt:
        def __init__(self, **_: Any) -> None: ...

        def invoke(self, _: list[str]) -> None:
            with connect(database) as connection:
                assert connection.execute(asked).fetchone() == (key, "54321ms")
            raise OutcomesError("as far as this")

    monkeypatch.setattr("dbt.cli.main.dbtRunner", Dbt)
    with pytest.raises(OutcomesError, match="as far as this"):
        build.build()
