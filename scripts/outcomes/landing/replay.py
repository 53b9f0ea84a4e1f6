"""Rebuilds an empty database from the archive alone."""

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
    """Land every archived file in the order in which they came, and repeat the releases.

    It is one transaction: a replay that is interrupted leaves the database empty. `follow`
    is called after every file with the files done, the files in all, and the file.

    Raises:
        OutcomesError: the database or the archive does not fit, see the message.
    """
    entries = archive.files()
    if not entries:
        raise OutcomesError(
            f"{archive.folder} holds no delivered file. Set OUTCOMES_ARCHIVE_DIR to the archive."
        )
    strangers = {entry.parent.parent.name for entry in entries} - contracts.keys()
    if strangers:
        raise OutcomesError(
            f"The archive holds files of {', '.join(sorted(strangers))}, for which there is no "
            "contract. Put the contract back, or delete the partner's folder in the archive."
        )
    # The clear text of children's records: in a known place, so that the next replay
    # clears away what a killed one left.
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
