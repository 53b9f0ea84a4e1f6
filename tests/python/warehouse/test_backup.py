"""Backup and restore: the restored data, their protection, and refused restores."""

from __future__ import annotations

import io
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.python.conftest import WITH_SEEDS, copied, run_dbt
from tests.python.landing.commands import run
from tests.python.pipeline.content import content_hashes, landed_counts, ledger_hashes

from outcomes.config import Settings, load_settings
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.encryption import read_key, write_encrypted
from outcomes.operations import backup
from outcomes.publishing.runs import is_up_to_date
from outcomes.warehouse.connection import connect

NewDatabase = Callable[[], psycopg.Connection]


@pytest.fixture(autouse=True)
def folders(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archive and keys for one test."""
    with connect(warehouse) as connection:
        if connection.info.server_version < 170000:
            pytest.skip("a backup is restored into PostgreSQL 17 or newer")
    use_archive(tmp_path / "first", monkeypatch)


def use_archive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCOMES_ARCHIVE_DIR", str(folder / "archive"))
    monkeypatch.setenv("OUTCOMES_ARCHIVE_KEYS_DIR", str(folder / "keys"))


@pytest.fixture
def backed_up(built_demo: Settings, demo_drops: Path) -> Iterator[Settings]:
    """The built demo, with an archive, a former person and a reviewer's decision."""
    with copied(built_demo, "backed_up") as settings:
        delivery = find_deliveries(demo_drops / "clairton", load_contracts())
        for _ in Archive.of(load_settings()).keep_all(load_contracts(), delivery.files):
            pass
        with connect(settings) as connection:
            connection.execute(
                "insert into identity.int_identity_assignments "
                "select student_key, 'former', reason, assigned_at - interval '1 day' "
                "from identity.int_identity_assignments order by student_key limit 1"
            )
            connection.execute(
                "insert into linking.decisions (student_key, other_record_type, "
                "other_record_key, decision, decided_by, reason) "
                "values ('clairton:1', 'client', 'x:1', 'withdrawn', 'a', 'b')"
            )
        yield settings


def pseudonyms(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute("select * from identity.pseudonyms order by 1").fetchall()


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_restore_on_an_empty_server_gives_the_same_persons_and_figures(
    backed_up: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    archived = contents(tmp_path / "first")
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", backed_up.database)
    assert run("warehouse", "backup", tmp_path / "backup", tmp_path / "safe")[0] == 0
    with connect(backed_up) as connection:
        landed, built = landed_counts(connection), content_hashes(connection)
        keys = pseudonyms(connection)

    new: Settings = request.getfixturevalue("new_server")
    use_archive(tmp_path / "second", monkeypatch)
    assert run("warehouse", "restore", tmp_path / "backup", tmp_path / "safe")[0] == 0
    code, output = run("access", "apply")
    assert (code, len(output.splitlines())) == (0, 2), "numbers, not each change"
    assert output.startswith("Changes: ")
    run_dbt(new, *WITH_SEEDS)
    assert contents(tmp_path / "second") == archived
    with connect(new) as connection:
        assert landed_counts(connection) == landed
        assert content_hashes(connection) == built
        assert pseudonyms(connection) == keys
        moved = connection.execute(
            "select count(*) from identity.person_events where from_person_id = 'former'"
        )
        assert moved.fetchone() == (1,)
        # Runs and files that come next get new numbers.
        row = connection.execute(
            "select nextval(pg_get_serial_sequence('publishing.runs', 'run_number')) "
            "> coalesce(max(run_number), 0) from publishing.runs"
        )
        assert row.fetchone() == (True,)
        row = connection.execute(
            "select nextval(pg_get_serial_sequence('landing.files', 'file_id')) > max(file_id) "
            "from landing.files"
        )
        assert row.fetchone() == (True,)


@pytest.fixture
def landed(database: Settings, demo_drops: Path, tmp_path: Path) -> dict[str, str]:
    """The content of a warehouse with a delivery that was backed up before its first build."""
    run("land", min((demo_drops / "clairton").iterdir()))
    with connect(database) as connection:
        connection.execute("select publishing.begin_run('old', 'build', '', '', '', '')")
        connection.execute("update publishing.runs set status = 'published', published_at = now()")
        hashes = ledger_hashes(connection)
    run("warehouse", "backup", tmp_path / "backup", tmp_path / "safe")
    return hashes


def test_a_backup_cannot_be_read_without_its_keys(
    landed: dict[str, str], database: Settings, tmp_path: Path
) -> None:
    with connect(database) as connection:
        names = connection.execute("select last_name from raw.students").fetchall()
        (key,) = connection.execute("select key from privacy.pseudonym_key").fetchone() or (b"",)
    backup = b"".join(contents(tmp_path / "backup").values())
    assert names
    assert not any(name.encode() in backup for (name,) in names if len(name) > 5)
    assert key not in backup
    assert key.hex().encode() not in backup
    assert sorted(contents(tmp_path / "safe")) == ["archive/clairton.key", "warehouse.dump.key"]
    for folder in ("backup", "safe"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_a_restored_database_has_no_publication(
    landed: dict[str, str],
    another_database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    restored = another_database()
    use_archive(tmp_path / "second", monkeypatch)
    run("warehouse", "restore", tmp_path / "backup", tmp_path / "safe")
    assert ledger_hashes(restored) == landed
    assert not is_up_to_date(restored)
    code, output = run("status")
    assert code == 3
    assert "Nothing is published here: run" in output


def test_a_failed_restore_changes_nothing_and_can_be_repeated(
    landed: dict[str, str], another_database: NewDatabase, tmp_path: Path
) -> None:
    backup, safe = tmp_path / "backup", tmp_path / "safe"
    with pytest.raises(OutcomesError, match=r"is not empty\. Restore into a new one"):
        run("warehouse", "restore", backup, safe)
    restored = another_database()
    with pytest.raises(OutcomesError, match=r"warehouse\.dump\.age is missing"):
        run("warehouse", "restore", safe, backup)

    run("warehouse", "backup", tmp_path / "other", tmp_path / "other_safe")
    shutil.copy(safe / "archive" / "clairton.key", tmp_path / "other_safe" / "archive")
    with pytest.raises(OutcomesError, match=r"2 files .*decrypted: .*warehouse\.dump\.age"):
        run("warehouse", "restore", backup, tmp_path / "other_safe")

    damaged = tmp_path / "damaged"
    shutil.copytree(backup, damaged)
    dump = damaged / "warehouse.dump.age"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
    with pytest.raises(OutcomesError, match=r"warehouse\.dump\.age\. Nothing was restored"):
        run("warehouse", "restore", damaged, safe)
    shutil.copy(backup / "warehouse.dump.age", dump)
    entry = min((damaged / "archive").rglob("*.age"))
    entry.write_bytes(entry.read_bytes()[:50])
    before = contents(tmp_path / "first")
    with pytest.raises(OutcomesError, match="Restore another backup") as raised:
        run("warehouse", "restore", damaged, safe)
    assert str(entry.relative_to(damaged)) in str(raised.value)
    assert "from a backup" not in str(raised.value)
    assert contents(tmp_path / "first") == before
    assert restored.execute("select count(*) from landing.files").fetchone() == (0,)

    # Sound files of an archive with a dump that PostgreSQL does not take.
    write_encrypted(dump, read_key(safe / "warehouse.dump.key"), {}, io.BytesIO(b"no dump"))
    shutil.copytree(backup / "archive", damaged / "archive", dirs_exist_ok=True)
    with pytest.raises(OutcomesError, match="pg_restore"):
        run("warehouse", "restore", damaged, safe)
    assert restored.execute("select count(*) from landing.files").fetchone() == (0,)

    stray = tmp_path / "first" / "archive" / "clairton" / "stray.age"
    stray.write_bytes(b"of another warehouse")
    with pytest.raises(OutcomesError, match="files that are not in the backup"):
        run("warehouse", "restore", backup, safe)
    stray.unlink()

    run("warehouse", "restore", backup, safe)
    assert ledger_hashes(restored) == landed


@pytest.mark.parametrize(
    ("folder", "keys", "message"),
    [
        ("backup", "backup/keys", "two separate folders"),
        ("backup", "backup", "two separate folders"),
        ("first", "safe", "is not empty"),
    ],
)
def test_a_backup_needs_two_new_folders(
    folder: str, keys: str, message: str, database: Settings, tmp_path: Path
) -> None:
    (tmp_path / "first" / "archive").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutcomesError, match=message):
        run("warehouse", "backup", tmp_path / folder, tmp_path / keys)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("keys", r"Nothing was backed up: 1 files .* decrypted, .*: archive/clairton/.*\.age\. "),
        ("archive", r"first/archive is empty, but \d files have landed"),
    ],
)
def test_a_backup_that_could_not_be_restored_is_refused(
    missing: str, message: str, landed: dict[str, str], tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "first" / missing)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutcomesError, match=message):
        run("warehouse", "backup", tmp_path / "second", tmp_path / "second_safe")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failed_backup_leaves_no_folder(
    database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "TABLES", ("nowhere.*",))
    with pytest.raises(OutcomesError, match="pg_dump: error: no matching tables"):
        run("warehouse", "backup", tmp_path / "backup", tmp_path / "safe")
    assert list(tmp_path.iterdir()) == []
