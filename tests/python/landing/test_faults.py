"""After any interruption of a loader, running it again gives the complete result."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.python.pipeline.content import ledger_hashes

from outcomes.config import CONTRACTS_DIR, Settings
from outcomes.contracts.model import Contract
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.feeds import raw_feeds
from outcomes.landing.archive import Archive
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import UNPRIVILEGED_USER, EmbeddedServer

from .commands import run
from .deliveries import (
    CLAIRTON,
    DIRECTORY,
    EVENT,
    WOODLAND_DAY,
    clairton,
    deliver,
    dhs,
    directory,
    events,
    ledger,
    pittsburgh,
    pittsburgh_csv,
    woodland,
)
from .killed import Point, Work
from .test_new_district import CONTRACT

RUN_AGAIN = "run the same command again"

# In the order of a load.
POINTS = [
    Point("before", "outcomes.landing.ledger.record_partners"),
    Point("before", "psycopg.Transaction.__exit__"),
    Point("before", "outcomes.landing.archive.Archive.keep"),
    Point("before", "outcomes.landing.archive.make_key"),
    Point("before", "os.fsync"),
    Point("before", "pathlib.Path.replace"),
    Point("after", "pathlib.Path.replace"),
    Point("after", "outcomes.landing.archive.make_key"),
    Point("before", "pyrage.encrypt_io"),
    Point("after", "pyrage.encrypt_io"),
    Point("before", "pathlib.Path.replace", nth=2),
    Point("after", "pathlib.Path.replace", nth=2),
    Point("after", "outcomes.landing.archive.Archive.keep"),
    Point("after", "outcomes.landing.loader.logical_files"),
    Point("after", "outcomes.landing.loader.FileReading"),
    Point("after", "outcomes.landing.ledger.lock"),
    Point("before", "outcomes.landing.ledger.add_file"),
    Point("after", "outcomes.landing.ledger.add_file"),
    Point("before", "psycopg.Copy.write"),
    Point("after", "psycopg.Copy.write"),
    Point("after", "outcomes.landing.loader.copy_rows"),
    Point("after", "outcomes.landing.ledger.close_file"),
    Point("before", "psycopg.Transaction.__exit__", nth=3),  # the commit of the file
    Point("after", "outcomes.landing.loader.land_file"),
]


def zipped_csv(drops: Path) -> None:
    pittsburgh(
        drops,
        {
            "ATTENDANCE_EVENTS.csv": pittsburgh_csv([EVENT, EVENT | {"EventDate": "x"}]),
            "STUDENT_DIRECTORY.csv": pittsburgh_csv([DIRECTORY, DIRECTORY | {"SSN": "1"}]),
            "SCHOOL_CALENDAR.csv": "no header",
        },
    )


def workbook(drops: Path) -> None:
    clairton(drops, CLAIRTON | {"Notes": [{"Note": "of an unknown sheet"}]})


def pipe(drops: Path) -> None:
    woodland(drops, "ATTENDANCE", [WOODLAND_DAY, WOODLAND_DAY.replace("|A|", "|?|"), "short|row"])


def gzip_delta(drops: Path) -> None:
    dhs(drops, "clients", "homelessness", [{}, {"source_client_id": ""}, {"ssn": "1"}])


def fixed_width(drops: Path) -> None:
    lines = "0000709/2012Math    0,25\n0000909/2012Math    1,01\nshort\n"
    deliver(drops, "steel_valley/2012-12-04/marks.txt", lines.encode())


# One per run: they differ in reading, not in landing.
FORMATS = [
    zipped_csv,
    *(pytest.param(f, marks=pytest.mark.slow) for f in (workbook, pipe, gzip_delta, fixed_width)),
]


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Contract]:
    """The project's contracts, and one for a fixed-width file; read once for all loaders."""
    folder = tmp_path_factory.mktemp("contracts")
    for contract in CONTRACTS_DIR.glob("*.yaml"):
        shutil.copy(contract, folder)
    (folder / "steel_valley.odcs.yaml").write_text(CONTRACT, "utf-8")
    return load_contracts(folder)


def content(connection: psycopg.Connection, archive: Archive, scratch: Path) -> Any:
    """The result of a loader: raw, the ledger, and the decrypted archive."""
    scratch.mkdir(exist_ok=True)
    kept = [archive.restore(entry, scratch) for entry in archive.files()]
    texts = sorted((file, file.path.read_bytes()) for file in kept)
    return ledger_hashes(connection), [(file.name, text) for file, text in texts]


@pytest.mark.parametrize("deliver_files", FORMATS, ids=lambda deliver_files: deliver_files.__name__)
def test_running_again_completes_a_loader_killed_at_any_point(
    database: Settings,
    connection: psycopg.Connection,
    contracts: dict[str, Contract],
    tmp_path: Path,
    deliver_files: Any,
) -> None:
    deliver_files(tmp_path / "drops")

    def afresh(name: str) -> Work:
        for table in (
            "landing.files",
            "landing.partners",
            *(f"raw.{feed}" for feed in raw_feeds()),
        ):
            connection.execute(f"delete from {table}".encode())
        archive = Archive(tmp_path / name / "archive", tmp_path / name / "keys")
        return Work(database, archive, contracts, tmp_path / "drops")

    whole = afresh("whole")
    statuses = whole.land()
    assert "loaded" in statuses
    expected = content(connection, whole.archive, tmp_path / "scratch")
    for number, point in enumerate(POINTS):
        work = afresh(str(number))
        assert work.land_and_be_killed(point), f"the loader never reached {point}"
        work.land()
        assert content(connection, work.archive, tmp_path / "scratch") == expected, str(point)
        assert not list(work.archive.folder.rglob("*.part")), str(point)


def test_eight_loaders_at_once_load_and_archive_once(
    database: Settings,
    connection: psycopg.Connection,
    contracts: dict[str, Contract],
    tmp_path: Path,
) -> None:
    events(tmp_path / "drops", *({"StudentID": f"{n:09}"} for n in range(200)))
    archive = Archive(tmp_path / "archive", tmp_path / "keys")
    work = Work(database, archive, contracts, tmp_path / "drops")
    assert work.land_at_once(8) == ["already landed"] * 7 + ["loaded"]
    assert connection.execute("select count(*) from raw.attendance_events").fetchone() == (200,)
    assert len(archive.files()) == 1


def test_a_terminated_connection_in_the_middle_of_a_copy(
    archive: Archive,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory(tmp_path / "drops", {}, {"Grade": "x"})
    write = psycopg.Copy.write

    def terminate(copy: psycopg.Copy, rows: Any) -> None:
        backend = copy.connection.info.backend_pid
        connection.execute("select pg_terminate_backend(%s, 5000)", [backend])
        write(copy, rows)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Copy, "write", terminate)
        with pytest.raises(OutcomesError, match=f"connection to PostgreSQL broke.*\n.*{RUN_AGAIN}"):
            run("land", tmp_path / "drops")
    assert ledger(connection) == []
    assert run("land", tmp_path / "drops")[0] == 0
    assert ledger(connection, "status, rows_loaded, rows_rejected") == [("loaded", 1, 1)]


def test_a_worker_of_a_cluster_that_is_lost_in_the_middle_of_a_copy(
    archive: Archive, connection: psycopg.Connection, tmp_path: Path
) -> None:
    directory(tmp_path / "drops", {"LegalLastName": "Quillfeather"})
    # Citus reports it like this, with the row in the context.
    connection.execute(
        """
        create function raw.lose() returns trigger language plpgsql as $$
        begin
            raise 'server closed the connection unexpectedly' using errcode = 'internal_error';
        end
        $$;
        create trigger lose before insert on raw.students
        for each row execute function raw.lose();
        """
    )
    with pytest.raises(
        OutcomesError, match=f"connection to PostgreSQL broke.*\n.*{RUN_AGAIN}"
    ) as error:
        run("land", tmp_path / "drops")
    assert "Quillfeather" not in str(error.value)
    assert ledger(connection) == []


@pytest.fixture
def own_server(new_server: Settings) -> EmbeddedServer:
    """A server that the test may stop."""
    return EmbeddedServer(new_server)


def test_a_server_that_restarts_in_the_middle_of_a_copy(
    own_server: EmbeddedServer, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory(tmp_path / "drops", {}, {"Grade": "x"})
    write = psycopg.Copy.write

    def restart(copy: psycopg.Copy, rows: Any) -> None:
        write(copy, rows)
        own_server.stop()
        own_server.start()

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Copy, "write", restart)
        with pytest.raises(OutcomesError, match=f"connection to PostgreSQL broke.*\n.*{RUN_AGAIN}"):
            run("land", tmp_path / "drops")
    assert run("land", tmp_path / "drops")[0] == 0
    with connect(own_server.settings_with_password()) as connection:
        found = ledger(connection, "status, rows_loaded, rows_rejected")
    assert found == [("loaded", 1, 1)]


NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("function", "fault", "what"),
    [
        ("psycopg.Copy.write", psycopg.errors.DiskFull("no space left"), "PostgreSQL has no space"),
        ("os.fsync", NO_SPACE, "A file could not be read or written"),
    ],
)
def test_no_space_left(
    archive: Archive,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    fault: Exception,
    what: str,
) -> None:
    directory(tmp_path / "drops", {}, {"Grade": "x"})

    def fail(*_: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(function, fail)
        with pytest.raises(OutcomesError, match=f"{what}.*\n.*free some space and {RUN_AGAIN}"):
            run("land", tmp_path / "drops")
    assert ledger(connection) == []
    assert not list(archive.folder.rglob("*.part"))
    assert run("land", tmp_path / "drops")[0] == 0
    assert ledger(connection, "status, rows_loaded, rows_rejected") == [("loaded", 1, 1)]
    assert len(archive.files()) == 1


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 16 MB in memory, if this machine allows to mount one."""
    folder = Path(tempfile.mkdtemp(prefix="outcomes-small-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("a disk can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def test_a_full_disk_under_the_archive(
    database: Settings,
    connection: psycopg.Connection,
    small_disk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OUTCOMES_ARCHIVE_DIR", str(small_disk / "archive"))
    monkeypatch.setenv("OUTCOMES_ARCHIVE_KEYS_DIR", str(tmp_path / "keys"))
    rest = deliver(small_disk, "rest", b"\0" * (15 << 20))
    notes = deliver(tmp_path / "drops", "clairton/2012-10-03/notes.txt", b"")
    notes.write_bytes(os.urandom(2 << 20))
    with pytest.raises(OutcomesError, match=f"No space left.*\n.*free some space and {RUN_AGAIN}"):
        run("land", tmp_path / "drops")
    assert ledger(connection) == []
    rest.unlink()
    assert run("land", tmp_path / "drops")[0] == 3
    assert ledger(connection, "status") == [("quarantined",)]


def test_a_full_disk_under_the_database(
    own_server: EmbeddedServer, archive: Archive, small_disk: Path, tmp_path: Path
) -> None:
    space = small_disk / "tablespace"
    space.mkdir(mode=0o700)
    shutil.chown(space, UNPRIVILEGED_USER)
    rest = deliver(small_disk, "rest", b"")
    settings = own_server.settings_with_password()
    with connect(settings) as connection:
        connection.execute(f"create tablespace small location '{space}'".encode())
        connection.execute("alter table raw.attendance_events set tablespace small")
        events(tmp_path / "drops", *({"StudentID": f"{n:09}"} for n in range(20_000)))
        rest.write_bytes(b"\0" * (15 << 20))
        with pytest.raises(
            OutcomesError, match=f"no space left.*\n.*free some space and {RUN_AGAIN}"
        ):
            run("land", tmp_path / "drops")
        assert ledger(connection) == []
        rest.unlink()
        assert run("land", tmp_path / "drops")[0] == 0
        assert ledger(connection, "status, rows_loaded") == [("loaded", 20_000)]
