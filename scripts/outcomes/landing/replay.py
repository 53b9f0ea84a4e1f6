"""Fills an empty database from the archive."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import psycopg

from outcomes.contracts.model import Contract
from outcomes.errors import OutcomesError
from outcomes.landing import ledger
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.interruption import fault_of
from outcomes.landing.loader import Outcome, land_deliveries, restore_release
from outcomes.landing.reasons import FileError
from outcomes.progress import Progress, no_progress


def replay(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    archive: Archive,
    progress: Progress = no_progress,
) -> list[Outcome]:
    """Land the archived deliveries, each in the order of its receipt, and repeat releases.

    It is one transaction: an interrupted replay leaves the database empty. An entry that cannot
    be restored is an outcome, `not landed`.

    Raises:
        OutcomesError: the database is not empty, or the archive is empty or lacks a contract.
    """
    # A delivery lands as a whole, so that files that are joined find each other.
    entries = sorted(archive.files(), key=lambda entry: entry.parent)
    if not entries:
        raise OutcomesError(
            f"{archive.folder} has no delivered file. Set OUTCOMES_ARCHIVE_DIR to the archive."
        )
    unknown = {entry.parent.parent.name for entry in entries} - contracts.keys()
    if unknown:
        raise OutcomesError(
            f"The archive has files of {', '.join(sorted(unknown))} without a contract. Restore "
            "the contract, or delete the partner's folder in the archive."
        )
    # Decrypted records are written to a fixed folder, so that the next replay deletes the files
    # that a killed one left.
    folder = archive.folder / "replaying"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)

    def restored() -> Iterator[DeliveredFile]:
        for entry in entries:
            try:
                delivered = archive.restore(entry, folder)
            except OSError:  # of the folder
                raise
            except BaseException as error:
                delivered = _lost(entry, folder, fault_of(error))
            yield delivered

    outcomes: list[Outcome] = []
    try:
        with connection.transaction():
            ledger.require_empty(connection)
            landing = land_deliveries(connection, contracts, restored())
            where, landed_files = "", list[Path]()
            for done, (delivered, landed) in enumerate(landing, start=1):
                outcomes += landed
                delivery = f"{delivered.partner_id} {delivered.as_of_date}"
                # Files that are joined are read once more at the end of their delivery.
                if delivery != where:
                    for file in landed_files:
                        file.unlink(missing_ok=True)
                    where, landed_files = delivery, []
                landed_files.append(delivered.path)
                progress(done, len(entries), where)
            for entry in archive.releases():
                try:
                    release = archive.restore_release(entry)
                except BaseException as error:
                    fault = fault_of(error)
                    lost = _lost(entry, folder, fault)
                    outcomes.append(Outcome.not_landed(lost, lost.name, fault))
                else:
                    restore_release(connection, contracts, release)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcomes


def _lost(entry: Path, folder: Path, fault: FileError) -> DeliveredFile:
    """An entry that cannot be restored, by what its place in the archive says."""
    day = date.fromisoformat(entry.parent.name)
    partner_id = entry.parent.parent.name
    return DeliveredFile(partner_id, day, entry.name, folder / entry.stem, fault=fault)
