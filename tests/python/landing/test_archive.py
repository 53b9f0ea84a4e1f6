"""The archive: its content, and the replay into an empty database."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

import psycopg
import pytest
from tests.python.pipeline.content import ledger_hashes

from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import DeliveredFile

from .commands import run
from .deliveries import clairton, deliver, dhs, directory, events, ledger, pittsburgh, woodland

NewDatabase = Callable[[], psycopg.Connection]


@pytest.fixture
def drops(tmp_path: Path) -> Path:
    """The folder of a test's deliveries."""
    return tmp_path / "drops"


def land_one_of_each(drops: Path) -> None:
    """Every format, with rows rejected and values nulled, in three runs."""
    directory(drops, {}, {"Grade": "x"}, {"SSN": "1"})
    clairton(drops)
    woodland(drops, "ATTENDANCE", ["103029902|0103|1000000003|2012-09-04|A|N"])
    dhs(drops, "clients", "homelessness", [{}, {"source_client_id": "2"}])
    run("land", drops)
    # A correction under the same name, a copy, an unknown file.
    directory(drops, {"LegalLastName": "Corrected"})
    deliver(drops, "clairton/2012-10-03/notes.txt", b"a note")
    deliver(drops, "clairton/2012-10-03/notes-copy.txt", b"a note")
    run("land", drops)
    # Fewer than half of the rows: held.
    directory(drops, *({"StudentID": f"{n:09}"} for n in range(20)), day="2012-10-08")
    directory(drops, {}, day="2012-10-15")
    run("land", drops)


def entries(archive: Archive) -> list[str]:
    """Every file below the archive and its keys."""
    return sorted(
        str(path.relative_to(folder))
        for folder in (archive.folder, archive.keys_folder)
        for path in folder.rglob("*")
        if path.is_file()
    )


def test_an_empty_database_is_rebuilt_from_the_archive_alone(
    archive: Archive, drops: Path, connection: psycopg.Connection, another_database: NewDatabase
) -> None:
    land_one_of_each(drops)
    held = "PPS_DHS_20121015.zip/STUDENT_DIRECTORY.csv"
    assert run("release", held, "--reason", "asked")[0] == 0
    expected = ledger_hashes(connection)
    for path in drops.rglob("*"):
        if path.is_file():
            path.unlink()

    rebuilt = another_database()
    assert run("replay")[0] == 0
    assert ledger_hashes(rebuilt) == expected
    received = "file_name, received_at, released_at, release_reason"
    assert sorted(ledger(rebuilt, received)) == sorted(ledger(connection, received))
    assert ("asked",) in ledger(rebuilt, "release_reason")
    assert not (archive.folder / "replaying").exists()


def test_landing_again_adds_nothing_to_the_archive(
    archive: Archive, drops: Path, connection: psycopg.Connection
) -> None:
    land_one_of_each(drops)
    before = entries(archive)
    assert len(archive.files()) == 9
    run("land", drops)
    assert entries(archive) == before


def test_the_archive_holds_nothing_that_can_be_read_without_the_key(
    archive: Archive, drops: Path, connection: psycopg.Connection
) -> None:
    events(drops, {})
    woodland(drops, "ATTENDANCE", ["103029902|0103|1000000003|2012-09-04|A|N"] * 3)
    run("land", drops)
    stored = [path for path in archive.folder.rglob("*") if path.is_file()]
    assert len(stored) == 2
    for path in stored:
        assert b"1000000003" not in path.read_bytes()
        assert "ATTENDANCE" not in str(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = list(archive.keys_folder.iterdir())
    assert [key.name for key in sorted(keys)] == ["pittsburgh.key", "woodland_hills.key"]
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert len({key.read_text() for key in keys}) == 2


@pytest.mark.parametrize("existed", [False, True])
def test_only_the_owner_can_enter_the_folders(
    existed: bool, drops: Path, tmp_path: Path, connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tops = [tmp_path / "above" / name for name in ("archive", "keys")]
    for variable, top in zip(("ARCHIVE_DIR", "ARCHIVE_KEYS_DIR"), tops, strict=True):
        monkeypatch.setenv(f"OUTCOMES_{variable}", str(top))
    before = os.umask(0)
    try:
        if existed:
            (tops[0] / "pittsburgh" / "2012-09-05").mkdir(parents=True)
            tops[1].mkdir()
        directory(drops, {})
        run("land", drops)
    finally:
        os.umask(before)
    folders = {path for top in tops for path in (top, *top.rglob("*")) if path.is_dir()}
    assert len(folders) == 4 + existed
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    # What is above may hold other things.
    assert stat.S_IMODE((tmp_path / "above").stat().st_mode) == 0o777


def test_a_destroyed_key_destroys_the_archive_of_its_partner_only(
    archive: Archive, drops: Path, connection: psycopg.Connection, another_database: NewDatabase
) -> None:
    events(drops, {})
    clairton(drops)
    run("land", drops)
    (archive.keys_folder / "pittsburgh.key").unlink()
    rebuilt = another_database()
    events(drops, {}, day="2012-10-08")
    for command in (("replay",), ("land", drops / "pittsburgh" / "2012-10-08")):
        code, output = run(*command)
        assert code == 3
        assert re.search(r"archive_failed – .*pittsburgh\.key.* is missing", output)
        assert {partner for (partner,) in ledger(rebuilt, "partner_id")} == {"clairton"}

    for path in sorted((archive.folder / "pittsburgh").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    rebuilt = another_database()
    assert run("replay")[0] == 0
    assert {partner for (partner,) in ledger(rebuilt, "partner_id")} == {"clairton"}


@pytest.mark.parametrize("partner_id", ["", ".", "..", "../kept", "*", "A", "a/b", "clairton\n"])
def test_only_a_partners_archive_can_be_destroyed(
    archive: Archive, drops: Path, database: Settings, tmp_path: Path, partner_id: str
) -> None:
    land_one_of_each(drops)
    (tmp_path / "kept").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for destroy in (archive.destroy, lambda name: archive.destroy_files(name, [("", "")])):
        with pytest.raises(OutcomesError, match="is not a partner"):
            destroy(partner_id)
    # An absolute path would replace the archive's: Path("archive") / "/x" is /x.
    with pytest.raises(OutcomesError, match="is not a partner"):
        archive.destroy(str(tmp_path / "kept"))
    assert sorted(tmp_path.rglob("*")) == before


def test_files_outside_the_agreement_are_not_archived(
    archive: Archive, drops: Path, connection: psycopg.Connection
) -> None:
    events(drops, {}, day="2014-07-07")
    assert run("land", drops)[0] == 3
    assert ledger(connection, "reason_code") == [("agreement_not_in_force",)]
    assert entries(archive) == []


def test_a_dry_run_archives_nothing(
    archive: Archive, drops: Path, connection: psycopg.Connection
) -> None:
    events(drops, {})
    run("land", drops, "--dry-run")
    assert not archive.folder.exists()


def test_the_same_content_is_archived_under_both_names(
    archive: Archive, drops: Path, connection: psycopg.Connection
) -> None:
    file = events(drops, {})
    file.with_name("A copy.zip").write_bytes(file.read_bytes())
    run("land", drops)
    assert len(archive.files()) == 2


def test_what_comes_later_is_newer_after_a_clock_that_was_ahead(
    drops: Path, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=400)

    with monkeypatch.context() as clock:
        clock.setattr("outcomes.landing.archive.datetime", Ahead)
        directory(drops, {"LegalLastName": "Wrong"})
        run("land", drops)
    directory(drops, {"LegalLastName": "Corrected"})
    run("land", drops)
    received = connection.execute(
        "select received_at from landing.files where status = 'loaded' order by file_id"
    ).fetchall()
    assert len(received) == 2
    assert received == sorted(received)


def test_replay_needs_an_empty_database(
    archive: Archive, drops: Path, connection: psycopg.Connection
) -> None:
    events(drops, {})
    run("land", drops)
    with pytest.raises(OutcomesError, match="is not empty: its ledger has 1 files"):
        run("replay")


def test_replay_needs_an_archive(archive: Archive, database: Settings) -> None:
    with pytest.raises(OutcomesError, match="has no delivered file"):
        run("replay")


def test_replay_needs_the_contract_of_every_partner(
    archive: Archive, drops: Path, database: Settings
) -> None:
    file = deliver(drops, "x.csv", b"x")
    archive.keep(DeliveredFile("atlantis", date(2012, 10, 1), "x.csv", file))
    with pytest.raises(OutcomesError, match="files of atlantis without a contract"):
        run("replay")


@pytest.mark.parametrize("damage", ["cut", "changed", "another key"])
def test_a_damaged_entry_is_named_and_the_others_are_restored(
    archive: Archive,
    drops: Path,
    connection: psycopg.Connection,
    another_database: NewDatabase,
    damage: str,
) -> None:
    clairton(drops)
    pittsburgh(drops, {"LARGE.csv": bytes(range(256)) * 4000})
    run("land", drops)
    entry = archive.files()[-1]
    content = entry.read_bytes()
    if damage == "cut":
        entry.write_bytes(content[:-1])
    elif damage == "changed":
        entry.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    else:
        key = archive.keys_folder / "pittsburgh.key"
        key.write_text((archive.keys_folder / "clairton.key").read_text())
    rebuilt = another_database()
    code, output = run("replay")
    assert code == 3
    assert "not landed pittsburgh 2012-10-01" in output
    assert "cannot be decrypted" in output
    assert {row[0] for row in ledger(rebuilt, "partner_id")} == {"clairton"}
    assert rebuilt.execute("select count(*) from raw.students").fetchone() == (1,)
    assert not (archive.folder / "replaying").exists()


def test_a_file_that_changes_while_it_is_read_is_not_archived(
    archive: Archive, drops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = load_contracts()
    file = events(drops, {})
    delivered = DeliveredFile("pittsburgh", date(2012, 10, 1), file.name, file)
    with monkeypatch.context() as patch:
        patch.setattr("outcomes.landing.archive.sha256_of", lambda _: "0" * 64)
        (changed,) = archive.keep_all(contracts, [delivered])
    assert changed.fault
    assert "changed while it was read" in changed.fault.detail
    assert archive.files() == []
    (kept,) = archive.keep_all(contracts, [delivered])
    assert kept.fault is None
    assert kept == replace(delivered, received_at=kept.received_at)


def test_the_next_landing_archives_a_missing_release(
    archive: Archive,
    drops: Path,
    connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory(drops, *({"StudentID": f"{n:09}"} for n in range(20)), day="2012-10-08")
    directory(drops, {}, day="2012-10-15")
    run("land", drops)
    held = "PPS_DHS_20121015.zip/STUDENT_DIRECTORY.csv"

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "keep_release", fail)
        run("release", held, "--reason", "asked")
    assert ledger(connection, "release_reason")[-1] == ("asked",)
    assert archive.releases() == []
    run("land", drops)
    (entry,) = archive.releases()
    assert archive.restore_release(entry).release_reason == "asked"


def test_an_archive_that_all_databases_shared_is_moved_first(
    connection: psycopg.Connection, drops: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Earlier releases kept the files of all databases in one folder."""
    monkeypatch.setenv("OUTCOMES_WAREHOUSE_DIR", str(tmp_path))
    directory(drops, {})
    run("land", drops)
    own = tmp_path / "databases" / connection.info.dbname
    for folder in ("archive", "keys"):
        (own / folder).rename(tmp_path / folder)
    for command in (
        ("land", drops),
        ("purge", "--partner", "pittsburgh", "--yes"),
        ("warehouse", "backup", tmp_path / "backup", tmp_path / "safe"),
    ):
        with pytest.raises(OutcomesError, match=f"run `mkdir -p {own}` and move the folders"):
            run(*command)
    with pytest.raises(OutcomesError, match="has no delivered file"):
        run("replay")
    for folder in ("archive", "keys"):
        (tmp_path / folder).rename(own / folder)
    assert run("land", drops)[0] == 0
