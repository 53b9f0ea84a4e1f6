"""The archive: every delivered file as it was sent, encrypted with a key per partner.

`outcomes replay` rebuilds a database from it. docs/security.md says why it is encrypted, what
it holds and how it is destroyed.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path, PurePosixPath

import psycopg
from pyrage.x25519 import Identity

from outcomes.config import Settings
from outcomes.contracts.model import Contract, require_partner_id
from outcomes.errors import OutcomesError
from outcomes.landing.deliveries import DeliveredFile, file_changed, reading_errors, state_of
from outcomes.landing.encryption import make_key, read_encrypted, read_key, write_encrypted
from outcomes.landing.interruption import fault_of
from outcomes.landing.private_folders import close_all, make_private
from outcomes.landing.snapshots import Release
from outcomes.landing.unpack import sha256_of

_TIME = "%Y%m%dT%H%M%S.%fZ"


def require_own_archive(connection: psycopg.Connection, settings: Settings) -> None:
    """Check that an archive of an earlier release is in the folder of its database.

    Earlier releases kept the archives of all databases in the warehouse folder.

    Raises:
        OutcomesError: the database has landed files, but no archive of its own.
    """
    shared = settings.warehouse_dir
    if settings.archive_dir.exists() or not (shared / "archive").exists():
        return
    exists = connection.execute("select to_regclass('landing.files') is not null").fetchone()
    if exists == (True,) and connection.execute("select 1 from landing.files limit 1").fetchone():
        raise OutcomesError(
            f"{settings.archive_dir} is missing. Up to release 0.1, all databases shared one "
            f"archive in {shared}. If it is of the database {settings.database}, run `mkdir -p "
            f"{settings.files_dir}` and move the folders archive, keys, reports and certificates "
            "there. If it is of another, make the missing folder."
        )


@dataclass(frozen=True)
class Archive:
    """Entries `<partner>/<as-of date>/<time>-<kind>-<hash>.age`, and the folder of the keys.

    The kind is `file` for a delivered file, or `release` for the decision to accept a held
    one. The times give the order of the entries.
    """

    folder: Path
    keys_folder: Path

    @classmethod
    def of(cls, settings: Settings) -> Archive:
        """The archive of a warehouse."""
        return cls(settings.archive_dir, settings.archive_keys_dir)

    def keep_all(
        self, contracts: Mapping[str, Contract], delivered_files: Iterable[DeliveredFile]
    ) -> Iterator[DeliveredFile]:
        """Archive each file when the iterator reaches it, just before it lands.

        A file that the partner's agreement does not cover is passed on without archiving, one
        that cannot be archived with its fault.
        """
        for folder in (self.folder, self.keys_folder):
            if folder.exists():
                close_all(folder)
        for delivered in delivered_files:
            agreement = contracts[delivered.partner_id].agreement
            is_covered = agreement is None or agreement.is_in_force(delivered.as_of_date)
            yield self._kept(delivered) if is_covered else delivered

    def _kept(self, delivered: DeliveredFile) -> DeliveredFile:
        try:
            return self.keep(delivered)
        except OSError:  # of the archive, so no file can be kept
            raise
        except BaseException as error:
            return replace(delivered, fault=fault_of(error))

    def keep(self, delivered: DeliveredFile) -> DeliveredFile:
        """Archive a file once; returns it with its state and the time of its receipt.

        A file is archived again if another content arrived under its name in between: it is
        then the newest version, and the new time gives the same order in every replay.

        Raises:
            FileError: the file cannot be read, or changed while it was read.
            OutcomesError: the partner's key is missing.
            OSError: the archive cannot be written.
        """
        state = state_of(delivered.path)
        with reading_errors():
            content = sha256_of(delivered.path)

        def accept(found: str) -> None:
            if found != content:
                raise file_changed()

        # The same content under another name is a file of its own.
        name = _hash(delivered.name)[:16]
        identity = f"{content}-{name}"
        with self._locked(delivered.partner_id, delivered.as_of_date) as folder:
            newest = max(folder.glob(f"*-file-*-{name}.age"), default=None)
            if newest and newest.stem.endswith(identity):
                return replace(delivered, received_at=_time_of(newest), state=state)
            received_at = datetime.now(UTC)
            # What comes later is newer, also after a clock that was ahead.
            if (last := max(folder.glob("*.age"), default=None)) is not None:
                received_at = max(received_at, _time_of(last) + timedelta(microseconds=1))
            header = {
                "partner_id": delivered.partner_id,
                "as_of_date": str(delivered.as_of_date),
                "name": delivered.name,
                "received_at": received_at.isoformat(),
            }
            path = folder / f"{received_at:{_TIME}}-file-{identity}.age"
            key = self._key_to_write(delivered.partner_id)
            with reading_errors():
                body = delivered.path.open("rb")
            with body:
                write_encrypted(path, key, header, body, accept)
        return replace(delivered, received_at=received_at, state=state)

    def keep_release(self, release: Release) -> None:
        """Archive the decision to accept a held file, once."""
        header = asdict(release) | {
            "as_of_date": str(release.as_of_date),
            "released_at": release.released_at.astimezone(UTC).isoformat(),
        }
        identity = _hash(json.dumps(header, sort_keys=True))
        with self._locked(release.partner_id, release.as_of_date) as folder:
            time = release.released_at.astimezone(UTC)
            path = folder / f"{time:{_TIME}}-release-{identity}.age"
            if not path.exists():
                key = self._key_to_write(release.partner_id)
                write_encrypted(path, key, header, io.BytesIO())

    def files(self) -> list[Path]:
        """The entries of delivered files, in the order in which they were received."""
        return self._entries("file")

    def restore(self, entry: Path, folder: Path) -> DeliveredFile:
        """Decrypt a delivered file into a folder.

        Raises:
            OutcomesError: the key is missing, or the entry is damaged.
            OSError: the folder cannot be written.
        """
        path = folder / entry.stem
        with path.open("wb") as body:
            header = read_encrypted(entry, self._key_to_read(entry), body)
        # Some readers recognize a format by the name's extension.
        path = path.rename(path.with_name(path.name + PurePosixPath(header["name"]).suffix))
        return DeliveredFile(
            header["partner_id"],
            date.fromisoformat(header["as_of_date"]),
            header["name"],
            path,
            datetime.fromisoformat(header["received_at"]),
        )

    def releases(self) -> list[Path]:
        """The entries of decisions to accept held files, in the order in which they were made."""
        return self._entries("release")

    def restore_release(self, entry: Path) -> Release:
        """Decrypt the decision to accept a held file.

        Raises:
            OutcomesError: the key is missing, or the entry is damaged.
        """
        header = read_encrypted(entry, self._key_to_read(entry), io.BytesIO())
        header["as_of_date"] = date.fromisoformat(header["as_of_date"])
        header["released_at"] = datetime.fromisoformat(header["released_at"])
        return Release(**header)

    def destroy(self, partner_id: str) -> int:
        """Destroy a partner's key and entries; returns the number of entries."""
        folder = self._folder_of(partner_id)
        entries = list(folder.glob("*/*.age"))
        # The key first: if this is interrupted, nobody can read the entries that are left.
        self.key_file(partner_id).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        return len(entries)

    def destroy_files(self, partner_id: str, files: Collection[tuple[str, str]]) -> int:
        """Destroy some of a partner's entries, given by as-of date and name as in the ledger.

        Raises:
            OutcomesError: the key is missing, so the entries cannot be identified.
        """
        found = []
        for entry in self._folder_of(partner_id).glob("*/*-file-*.age"):
            with Path(os.devnull).open("wb") as nowhere:
                header = read_encrypted(entry, self._key_to_read(entry), nowhere)
            if any(
                day == header["as_of_date"] and f"{name}/".startswith(f"{header['name']}/")
                for day, name in files
            ):
                found.append(entry)
        for entry in found:
            entry.unlink()
        return len(found)

    def _entries(self, kind: str) -> list[Path]:
        return sorted(self.folder.glob(f"*/*/*-{kind}-*.age"), key=lambda entry: entry.name)

    def key_file(self, partner_id: str) -> Path:
        """The file of a partner's key."""
        return self.keys_folder / f"{require_partner_id(partner_id)}.key"

    def holds(self, partner_id: str) -> bool:
        """Whether the archive has a key or an entry of the partner."""
        return self.key_file(partner_id).exists() or self._folder_of(partner_id).exists()

    def _folder_of(self, partner_id: str) -> Path:
        """The folder of the partner's entries, which is always below the archive."""
        return self.folder / require_partner_id(partner_id)

    def _key_to_write(self, partner_id: str) -> Identity:
        """The partner's key, created before the first entry; call it with the lock held."""
        file, folder = self.key_file(partner_id), self._folder_of(partner_id)
        if not file.exists():
            if next(folder.glob("*/*.age"), None):
                raise _key_is_missing(file, folder)
            make_key(file)
        return read_key(file)

    def _key_to_read(self, entry: Path) -> Identity:
        folder = entry.parent.parent
        file = self.key_file(folder.name)
        if not file.exists():
            raise _key_is_missing(file, folder)
        return read_key(file)

    @contextmanager
    def _locked(self, partner_id: str, as_of_date: date) -> Iterator[Path]:
        """The folder of a delivery, for one writer per partner; a killed process frees it."""
        folder = self._folder_of(partner_id) / str(as_of_date)
        make_private(folder, self.folder)
        descriptor = os.open(folder.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(descriptor)


def _key_is_missing(file: Path, folder: Path) -> OutcomesError:
    return OutcomesError(
        f"{file}, the key of the archive {folder}, is missing. Restore it from its backup and "
        f"run the same command again. If it was destroyed on purpose, delete {folder}, too."
    )


def _time_of(entry: Path) -> datetime:
    return datetime.strptime(entry.name.split("-")[0], _TIME).replace(tzinfo=UTC)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
