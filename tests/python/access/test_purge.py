"""A purge leaves nothing of a partner: in no table, file, log or artifact."""

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
from tests.python.conftest import UNTESTED, run_dbt
from tests.python.landing.commands import run

from outcomes.access import commands
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import Decision, Pair, record_decisions
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer

PARTNER = "clairton"


def places_in_tables(connection: psycopg.Connection, canaries: set[str]) -> set[str]:
    """Relations, of every schema and the catalog's statistics, that hold a canary."""
    found = set()
    for relation in [*relations_of(connection), "pg_catalog.pg_statistic"]:
        with connection.cursor().copy(f"copy (table {relation}) to stdout".encode()) as copy:
            text = b"".join(bytes(part) for part in copy).decode()
        if canaries & set(re.split(r"[^\w]+", text)):
            found.add(relation)
    return found


def places_in_files(folders: Iterable[Path], canaries: set[str]) -> set[Path]:
    pattern = re.compile(b"|".join(canary.encode() for canary in sorted(canaries)))
    return {
        file
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and pattern.search(file.read_bytes())
    }


def unlisted_phones(drops: Path) -> set[str]:
    phones = set()
    for archive in drops.glob("pittsburgh/*/*.zip"):
        with zipfile.ZipFile(archive) as opened:
            text = opened.read("STUDENT_DIRECTORY.csv").decode("cp1252")
        phones |= {row["Phone"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert len(phones) > 100
    return {phone for phone in phones if phone}


def test_nothing_of_a_purged_partner_is_left(
    new_server: Settings, demo_drops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = [tmp_path / "target", tmp_path / "logs"]
    monkeypatch.setenv("DBT_TARGET_PATH", str(artifacts[0]))
    monkeypatch.setenv("DBT_LOG_PATH", str(artifacts[1]))
    run("land", demo_drops)
    run("access", "apply")
    run_dbt(new_server, *UNTESTED)
    run("report", "district", PARTNER)
    server = EmbeddedServer(new_server)
    folders = [server.data_dir, new_server.warehouse_dir, *artifacts]
    somebody_elses = [folder / "notes.txt" for folder in artifacts]
    for file in somebody_elses:
        file.parent.mkdir(exist_ok=True)
        file.write_text("not dbt's")

    with connect(new_server) as connection:
        own, others = (
            {
                value
                for row in connection.execute(
                    "select state_student_id, street, last_name from raw.students "
                    f"where state_student_id is not null and partner_id {sign} %s".encode(),
                    [PARTNER],
                )
                for value in row
                if value and re.fullmatch(r"[0-9]{10}", value)
            }
            for sign in ("=", "<>")
        )
        canaries = own - others
        assert len(canaries) > 20
        (student,) = connection.execute(
            "select min(student_key) from marts.dim_students where district_id = %s", [PARTNER]
        ).fetchone() or ("",)
        decided = Decision(Pair(student, "client", "mental_health:1"), "no_link", "asked")
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
        assert "raw.students" in places_in_tables(connection, canaries)
    assert places_in_files(folders, canaries)
    # Nor has anything that the contract does not list got anywhere until here.
    assert places_in_files(folders, unlisted_phones(demo_drops)) == set()

    # Interrupted once: everything that landed is gone, and nothing is built anew.
    with monkeypatch.context() as interrupted:
        interrupted.setattr(commands, "build", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        code, _ = run("purge", "--partner", PARTNER, "--yes")
        assert code != 0
    code, output = run("purge", "--partner", PARTNER, "--yes")

    assert code == 0, output
    with connect(new_server) as connection:
        assert places_in_tables(connection, canaries) == set()
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
        assert connection.execute(
            "select count(*) from landing.disclosures where partner_id = %s", [PARTNER]
        ).fetchone() == (1,)
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

    with pytest.raises(OutcomesError, match="There is nothing of a partner 'clairton'"):
        run("purge", "--partner", PARTNER, "--yes")


def test_a_purge_asks_first(database: Settings, demo_drops: Path) -> None:
    delivery = min((demo_drops / PARTNER).iterdir())
    run("land", delivery)
    code, output = run("purge", "--partner", PARTNER)
    assert code == 1
    assert "Nothing brings them back" in output
    with connect(database) as connection:
        assert connection.execute("select count(*) > 0 from raw.students").fetchone() == (True,)
        assert connection.execute("select count(*) from landing.purges").fetchone() == (0,)
