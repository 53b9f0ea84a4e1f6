"""Backup and restore of the data that a build cannot remake, with the keys in another folder.

A backup is two new folders. The first has an encrypted dump (raw, the ledger, the released
figures, and the history of persons) and a copy of the encrypted archive. The second has the keys
of both, without which nobody can read the first. A build remakes everything else.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import psycopg

from outcomes.access.logins import connect_as
from outcomes.access.roles import BUILDER
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.landing.archive import Archive, require_own_archive
from outcomes.landing.encryption import make_key, read_encrypted, read_key, write_encrypted
from outcomes.landing.private_folders import close_all, make_private
from outcomes.warehouse.connection import connect
from outcomes.warehouse.migrations import LEDGER_SCHEMAS
from outcomes.warehouse.server import program_path
from outcomes.warehouse.tables import create_tables, drop_tables, upgrade

TABLES = [f"{schema}.*" for schema in ("raw", *LEDGER_SCHEMAS)]
DUMP, DUMP_KEY = "warehouse.dump.age", "warehouse.dump.key"
# The history of persons is copied as rows alone: it belongs to the builder, who could have given
# it a constraint that would run with the rights of whoever restores it.
HISTORY = "identity.int_identity_assignments"
HISTORY_COLUMNS = "student_key text, person_id text, reason text, assigned_at timestamptz"
HISTORY_FILE = "persons.csv.age"
ARCHIVE, ARCHIVE_KEYS = "archive", "archive"


def back_up(settings: Settings, folder: Path, keys_folder: Path) -> None:
    """Back up into two new folders, which get their names when they are complete.

    What was written is read once more, because a restore would refuse it: a key may be missing.

    Raises:
        OutcomesError: a folder is not new or is inside the other, files have landed but the
            archive is empty, pg_dump failed, or a file cannot be decrypted.
    """
    folder, keys_folder = folder.resolve(), keys_folder.resolve()
    if folder.is_relative_to(keys_folder) or keys_folder.is_relative_to(folder):
        raise OutcomesError("The keys must be apart from the backup: give two separate folders.")
    with connect(settings) as connection:
        require_own_archive(connection, settings)
        _require_archive(connection, settings)
    with _appearing(keys_folder) as keys, _appearing(folder) as backup:
        make_key(keys / DUMP_KEY)
        tables = [f"--table={table}" for table in TABLES]
        with _program(settings, "pg_dump", "--format=custom", *tables) as dump:
            content = cast(BinaryIO, dump.stdout)
            write_encrypted(backup / DUMP, read_key(keys / DUMP_KEY), {}, content)
        history = _read_history(settings)
        write_encrypted(backup / HISTORY_FILE, read_key(keys / DUMP_KEY), {}, history)
        # After the dump, because a file is archived before it is in the ledger.
        _copy(settings.archive_dir, backup / ARCHIVE)
        _copy(settings.archive_keys_dir, keys / ARCHIVE_KEYS)
        if damaged := _damaged(backup, keys):
            raise OutcomesError(
                f"Nothing was backed up: {len(damaged)} files could not be decrypted, so a restore "
                f"would refuse them: {', '.join(damaged)}. Look whether {settings.archive_dir} and "
                f"its keys, {settings.archive_keys_dir}, are complete. If only files of the "
                "archive are damaged, you may delete them: their rows are in the database, but "
                "they cannot be replayed."
            )


def restore(settings: Settings, folder: Path, keys_folder: Path) -> None:
    """Restore a backup into an empty database, and the archive with its keys into their folders.

    The whole backup is decrypted first, because age finds every changed or missing byte. The
    database is last, in one transaction, so that an interrupted restore can be repeated.

    Raises:
        OutcomesError: a file is missing or damaged, the targets are not empty, or pg_restore
            failed.
    """
    for file in (folder / DUMP, keys_folder / DUMP_KEY):
        if not file.exists():
            raise OutcomesError(
                f"{file} is missing. Give the two folders of `outcomes warehouse backup`: the "
                "backup, then its keys."
            )
    with connect(settings) as connection:
        # pg_restore sets a timeout that older servers do not know.
        if connection.info.server_version < 170000:
            raise OutcomesError(
                "A backup is restored into PostgreSQL 17 or newer; this is "
                f"{connection.info.parameter_status('server_version')}."
            )
        create_tables(connection)
        known = connection.execute(
            """
            select
                exists(select from landing.files)
                or exists(select from publishing.runs)
                or exists(select from linking.decisions)
                or exists(select from privacy.disclosures)
            """
        ).fetchone()
        if known == (True,):
            raise OutcomesError(
                f"The database {settings.database} is not empty. Restore into a new one: set "
                "OUTCOMES_PG_DATABASE to a new name; on the embedded server `outcomes warehouse "
                "start` creates it."
            )
        connection.execute("create schema if not exists identity")
    if damaged := _damaged(folder, keys_folder):
        raise OutcomesError(
            f"{len(damaged)} files of the backup {folder} cannot be decrypted: they are damaged, "
            f"or the keys in {keys_folder} are others: {', '.join(damaged)}. Nothing was "
            "restored. Restore another backup. If only files of the archive are damaged, you may "
            "delete them from this one: their rows are in the dump, but they cannot be replayed."
        )
    _require_no_others(settings.archive_dir, folder / ARCHIVE)
    _require_no_others(settings.archive_keys_dir, keys_folder / ARCHIVE_KEYS)
    history = BytesIO()
    # Backups of earlier releases have it in the dump.
    if (folder / HISTORY_FILE).exists():
        read_encrypted(folder / HISTORY_FILE, read_key(keys_folder / DUMP_KEY), history)
    if history.getvalue():
        with connect(settings) as connection:
            _write_history(connection, history.getvalue())
    _copy(folder / ARCHIVE, settings.archive_dir)
    _copy(keys_folder / ARCHIVE_KEYS, settings.archive_keys_dir)
    with connect(settings) as connection:
        # The backup brings those of its release.
        drop_tables(connection)
    options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
    try:
        with _program(settings, "pg_restore", "--exit-on-error", *options) as process:
            content = cast(BinaryIO, process.stdin)
            read_encrypted(folder / DUMP, read_key(keys_folder / DUMP_KEY), content)
    finally:
        with connect(settings) as connection:
            # The backup may be of an earlier release; after a failure all tables are missing.
            upgrade(connection)


def _require_archive(connection: psycopg.Connection, settings: Settings) -> None:
    """Refuse a backup without the archive, for example if its folder is not set."""
    if next(settings.archive_dir.glob("*/*/*.age"), None) is None:
        [(landed,)] = connection.execute(
            "select count(*) from landing.files where status in ('loaded', 'held')"
        ).fetchall()
        if landed:
            raise OutcomesError(
                f"The archive {settings.archive_dir} is empty, but {landed:,} files have landed. "
                "Set OUTCOMES_ARCHIVE_DIR and OUTCOMES_ARCHIVE_KEYS_DIR as for `outcomes land`."
            )


def _damaged(folder: Path, keys_folder: Path) -> list[str]:
    """The files of a backup that cannot be decrypted."""
    archive = Archive(folder / ARCHIVE, keys_folder / ARCHIVE_KEYS)
    keys = {folder / DUMP: keys_folder / DUMP_KEY} | {
        entry: archive.key_file(entry.parent.parent.name)
        for entry in sorted(archive.folder.glob("*/*/*.age"))
    }
    if (folder / HISTORY_FILE).exists():
        keys[folder / HISTORY_FILE] = keys_folder / DUMP_KEY
    damaged = []
    with Path(os.devnull).open("wb") as nowhere:
        for file, key in keys.items():
            try:
                read_encrypted(file, read_key(key), nowhere)
            except (OutcomesError, OSError):
                damaged.append(str(file.relative_to(folder)))
    return damaged


def _read_history(settings: Settings) -> BytesIO:
    """The rows of the history, empty before the first build."""
    rows = BytesIO()
    with connect_as(BUILDER, settings) as connection:
        if connection.execute("select to_regclass(%s)", [HISTORY]).fetchone() != (None,):
            names = ", ".join(column.split()[0] for column in HISTORY_COLUMNS.split(", "))
            query = f"copy (select {names} from {HISTORY}) to stdout (format csv)"  # noqa: S608 - HISTORY_COLUMNS is a constant
            with connection.cursor().copy(query.encode()) as copy:
                for part in copy:
                    rows.write(part)
    rows.seek(0)
    return rows


def _write_history(connection: psycopg.Connection, rows: bytes) -> None:
    with connection.transaction():
        connection.execute(f"drop table if exists {HISTORY}".encode())
        connection.execute(f"create table {HISTORY} ({HISTORY_COLUMNS})".encode())
        with connection.cursor().copy(f"copy {HISTORY} from stdin (format csv)".encode()) as copy:
            copy.write(rows)


@contextmanager
def _program(settings: Settings, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of PostgreSQL's programs on the warehouse; it must succeed."""
    login = {
        "host": settings.host, "port": settings.port, "username": settings.user,
        "dbname": settings.database,
    }  # fmt: skip
    command = [str(program_path(name)), "--no-password", *arguments]
    command += [f"--{option}={value}" for option, value in login.items()]
    password = {"PGPASSWORD": settings.password} if settings.password else {}
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile("w+") as messages,
        subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=messages, env=os.environ | password
        ) as process,
    ):
        try:
            yield process
            cast(BinaryIO, process.stdin).close()
        except BrokenPipeError:
            pass  # the program ended early; its error follows
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            messages.seek(0)
            # Later lines can quote a row.
            why = next((line for line in messages if "error:" in line), f"{name} failed")
            raise OutcomesError(f"{why.strip()}. The warehouse was not changed.")


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A new folder that gets its name when it is complete."""
    if folder.exists() and any(folder.iterdir()):
        raise OutcomesError(f"{folder} is not empty. Give a new folder for every backup.")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    try:
        yield part
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    part.rename(folder)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder, if it exists, without unfinished and replayed files."""
    if source.exists():
        ignored = shutil.ignore_patterns("*.part", "replaying")
        make_private(target)
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
        close_all(target)


def _require_no_others(target: Path, source: Path) -> None:
    """Refuse to mix two archives."""
    for file in target.rglob("*"):
        twin = source / file.relative_to(target)
        if file.is_file() and not (twin.exists() and filecmp.cmp(file, twin, shallow=False)):
            raise OutcomesError(
                f"{target} has files that are not in the backup. Restore into an empty folder: "
                "set OUTCOMES_ARCHIVE_DIR and OUTCOMES_ARCHIVE_KEYS_DIR."
            )
