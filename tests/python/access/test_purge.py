"""A purge leaves no data of a partner in tables, files, logs or artifacts."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from tests.python.access.test_roles import relations_of
from tests.python.conftest import TESTED, run_dbt
from tests.python.landing.commands import run
from tests.python.publishing.warehouse import pretend_build, publish

from outcomes.access import commands
from outcomes.access.purge import begin, delete_rows, rows_of
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import Decision, Pair, record_decisions
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer

PARTNER = "clairton"
# Given to every student of the partner, because students share the demo's names.
PLANTED = {"last_name": "Zyqvanter", "street": "77 Qwyxolm Lane"}


def places_in_tables(connection: psycopg.Connection, canaries: set[str]) -> set[str]:
    """Relations, of every schema and the catalog's statistics, that hold a canary."""
    found = set()
    for relation in [*relations_of(connection), "pg_catalog.pg_statistic"]:
        with connection.cursor().copy(f"copy (select * from {relation}) to stdout".encode()) as out:
            if _any_of(canaries).search(b"".join(bytes(part) for part in out)):
                found.add(relation)
    return found


def places_in_files(folders: Iterable[Path], canaries: set[str]) -> set[Path]:
    return {
        file
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and _any_of(canaries).search(file.read_bytes())
    }


def _any_of(canaries: set[str]) -> re.Pattern[bytes]:
    words = "|".join(re.escape(canary) for canary in sorted(canaries))
    return re.compile(words.encode(), re.IGNORECASE)


HOLDING = {
    "raw.students", "staging.stg_students", "dbt_test__audit.failed",
    "identity.int_identity_records", "identity.int_identities", "identity.pseudonyms",
    f"district_{PARTNER}.dim_students",
    *(f"{schema}marts.dim_students" for schema in ("", "next_", "previous_")),
    *(f"{schema}marts_district.dim_students" for schema in ("", "next_", "previous_")),
    *(f"{schema}marts_pseudonymized.fct_student_years" for schema in ("", "next_", "previous_")),
}  # fmt: skip
# The history of a district's headline figures.
REMEMBERING = "landing.measure_history"


def count(connection: psycopg.Connection, table: str) -> int:
    """Rows of the partner."""
    row = connection.execute(
        f"select count(*) from {table} where district_id = %s".encode(), [PARTNER]
    ).fetchone()
    return int(row[0]) if row else 0


def unlisted_phones(drops: Path) -> set[str]:
    phones = set()
    for archive in drops.glob("pittsburgh/*/*.zip"):
        with zipfile.ZipFile(archive) as opened:
            text = opened.read("STUDENT_DIRECTORY.csv").decode("cp1252")
        phones |= {row["Phone"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert len(phones) > 100
    return {phone for phone in phones if phone}


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_nothing_of_a_purged_partner_is_left(
    new_server: Settings, demo_drops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_TARGET", "prod")
    artifacts = [tmp_path / "target", tmp_path / "logs"]
    monkeypatch.setenv("DBT_TARGET_PATH", str(artifacts[0]))
    monkeypatch.setenv("DBT_LOG_PATH", str(artifacts[1]))
    run("land", demo_drops)
    run("access", "apply")
    with connect(new_server) as connection:
        for column, value in PLANTED.items():
            connection.execute(
                f"update raw.students set {column} = %s where partner_id = %s".encode(),
                [value, PARTNER],
            )
    run_dbt(new_server, *TESTED)
    with connect(new_server) as connection:
        # Built twice, so that there is a copy for a rollback.
        made = "update next_marts.rpt_measure_history set run_id = '{run_id}'"
        for _ in range(2):
            publish(connection, pretend_build(connection, made))
    run("report", "district", PARTNER)
    server = EmbeddedServer(new_server)
    folders = [server.data_dir, new_server.warehouse_dir, *artifacts]
    somebody_elses = [folder / "notes.txt" for folder in artifacts]
    for file in somebody_elses:
        file.parent.mkdir(exist_ok=True)
        file.write_text("not dbt's")
    (artifacts[0] / "compiled").mkdir()
    for file in (artifacts[0] / "compiled" / "failed.sql", artifacts[1] / "dbt.log"):
        file.write_text(PLANTED["last_name"])

    with connect(new_server) as connection:
        own, others = (
            {
                value
                for (value,) in connection.execute(
                    "select state_student_id from raw.students "
                    f"where state_student_id is not null and partner_id {sign} %s".encode(),
                    [PARTNER],
                )
            }
            for sign in ("=", "<>")
        )
        (pseudonym,) = connection.execute(
            "select min(pseudonym) from identity.pseudonyms where starts_with(key, %s)",
            [f"{PARTNER}:"],
        ).fetchone() or ("",)
        canaries = {"zyqvanter", "qwyxolm", pseudonym, *sorted(own - others)[:10]}
        assert len(canaries) == 13
        (student,) = connection.execute(
            "select min(student_key) from marts.dim_students where district_id = %s", [PARTNER]
        ).fetchone() or ("",)
        decided = Decision(
            Pair(student, "client", "mental_health:1"), "no_link", PLANTED["last_name"]
        )
        record_decisions(connection, [decided], "ana")
        connection.execute("create schema dbt_test__audit")
        connection.execute("create table dbt_test__audit.failed as table staging.stg_students")
        connection.execute("checkpoint")
        before = {
            row[0]: row[1]
            for row in connection.execute(
                "select district_id, count(*) from marts.fct_student_years group by 1"
            )
        }
        assert places_in_tables(connection, canaries) >= HOLDING
        assert count(connection, REMEMBERING) > 0
        disclosed = "select count(*) from landing.disclosures where partner_id = %s"
        disclosures = connection.execute(disclosed, [PARTNER]).fetchone()
        assert disclosures is not None and disclosures[0] > 1
    assert {file.name for file in places_in_files(folders, canaries)} >= {"failed.sql", "dbt.log"}
    # Values of unlisted columns are stored nowhere, either.
    assert places_in_files(folders, unlisted_phones(demo_drops)) == set()

    # The interrupted purge has deleted all landed rows and rebuilt nothing.
    with monkeypatch.context() as interrupted:
        interrupted.setattr(commands, "build", interrupt)
        code, _ = run("purge", "--partner", PARTNER, "--yes")
        assert code != 0
    code, output = run("purge", "--partner", PARTNER, "--yes")

    assert code == 0, output
    with connect(new_server) as connection:
        assert places_in_tables(connection, {*canaries, f"{PARTNER}:"}) == set()
        assert count(connection, REMEMBERING) == 0
        assert (
            connection.execute(
                "select from pg_namespace where nspname like 'previous\\_%'"
            ).fetchall()
            == []
        )
        assert connection.execute("select count(*) from landing.link_decisions").fetchone() == (0,)
        assert connection.execute(
            "select count(*) from raw.intervention_rosters where district_id = %s", [PARTNER]
        ).fetchone() == (0,)
        after = {
            row[0]: row[1]
            for row in connection.execute(
                "select district_id, count(*) from marts.fct_student_years group by 1"
            )
        }
        del before[PARTNER]
        assert after == before
        assert connection.execute(disclosed, [PARTNER]).fetchone() == disclosures
    assert places_in_files(folders, canaries) == set()
    assert all(file.exists() for file in somebody_elses)
    assert not list(new_server.archive_dir.glob(f"{PARTNER}*"))
    assert not list(new_server.archive_keys_dir.glob(f"{PARTNER}*"))
    assert not list((new_server.warehouse_dir / "reports").glob(f"*/{PARTNER}.xlsx"))

    (certificate,) = (new_server.warehouse_dir / "certificates").glob("*.md")
    text, seal = certificate.read_text().split("\nSHA-256 of the text above: ")
    assert sha256(text.encode()).hexdigest() in seal
    assert re.search(r"`raw\.students`: [1-9]", text)
    assert re.search(r"`archive`: [1-9]\d* entries", text)
    assert not any(canary in text for canary in canaries)

    with pytest.raises(OutcomesError, match="There are no data of a partner 'clairton'"):
        run("purge", "--partner", PARTNER, "--yes")


def test_purged_clients_have_no_links(demo: Settings) -> None:
    with connect(demo) as connection:
        clients = "select from identity.int_identities where record_type = 'client' limit 1"
        assert connection.execute(clients.encode()).fetchall() != []
        delete_rows(begin(connection, demo, "dhs"))
        run_dbt(demo, "run", "--select", "+int_identities")
        assert connection.execute(clients.encode()).fetchall() == []
        assert "identity.int_identity_records" not in rows_of(connection, "dhs")


def test_a_purge_asks_for_confirmation(database: Settings, demo_drops: Path) -> None:
    delivery = min((demo_drops / PARTNER).iterdir())
    run("land", delivery)
    code, output = run("purge", "--partner", PARTNER)
    assert code == 1
    assert "They cannot be restored" in output
    with connect(database) as connection:
        assert connection.execute("select count(*) > 0 from raw.students").fetchone() == (True,)
        assert connection.execute("select count(*) from landing.purges").fetchone() == (0,)
