"""Fills an empty database from the archive."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping

import psycopg

from outcomes.contracts.model import Contract
from outcomes.errors import OutcomesError
from outcomes.landing import ledger
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.loader import Outcome, land_deliveries, restore_release

Follow = Callable[[int, int, DeliveredFile], None]


def replay(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    archive: Archive,
    follow: Follow = lambda _done, _total, _file: None,
) -> list[Outcome]:
    """Land the archived files in the order in which they were received, and repeat releases.

    It is one transaction: an interrupted replay leaves the database empty. `follow` is called
    after every file with its number, the number of all files, and the file.

    Raises:
        OutcomesError: the database is not empty, or the archive is empty or lacks a contract.
    """
    entries = archive.files()
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
            yield archive.restore(entry, folder)

    outcomes: list[Outcome] = []
    try:
        with connection.transaction():
            ledger.require_empty(connection)
            landing = land_deliveries(connection, contracts, restored())
            for done, (delivered, landed) in enumerate(landing, start=1):
                outcomes += landed
                delivered.path.unlink()
                follow(done, len(entries), delivered)
            for release in archive.releases():
                restore_release(connection, contracts, release)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcomes
