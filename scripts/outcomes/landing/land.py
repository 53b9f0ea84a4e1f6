"""Lands, releases and replays in the warehouse of the settings, with its archive."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg

from outcomes.config import load_settings
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.event_log import log_event
from outcomes.landing.archive import Archive, require_own_archive
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.interruption import explain_failures
from outcomes.landing.ledger import without_usable_contract
from outcomes.landing.loader import (
    NOT_LANDED,
    Outcome,
    land_deliveries,
    release_file,
    without_replaced,
)
from outcomes.landing.replaced import without_ambiguous_contracts
from outcomes.landing.replay import replay
from outcomes.landing.sftp import SCHEME, fetched
from outcomes.landing.snapshots import releases
from outcomes.progress import Progress, no_progress
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables, require_release


@dataclass(frozen=True)
class Landing:
    """What a landing came to: the files' outcomes, and what could not be placed or archived."""

    outcomes: list[Outcome]
    # In words.
    problems: list[str]
    # Known partners whose contract cannot be used or is gone.
    without_usable_contract: list[str] = field(default_factory=list)

    @property
    def not_landed(self) -> int:
        """How many files were not even recorded, and decisions not archived."""
        return len(self.problems) + sum(file.status == NOT_LANDED for file in self.outcomes)

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to act: decide, or ask a partner."""
        is_complete = not self.problems and not self.without_usable_contract
        return not is_complete or any(outcome.needs_a_person for outcome in self.outcomes)


def land(path: str, *, dry_run: bool = False, progress: Progress = no_progress) -> Landing:
    """Land the delivered files at or below a path or SFTP address; a dry run stores nothing.

    Raises:
        OutcomesError: there is no file, or something other than a delivered file failed.
    """
    # An empty path is an unset variable of a script, not the current folder.
    if not path:
        raise OutcomesError("The path is empty. Give a drops folder or a file.")
    with fetched(path) if path.startswith(SCHEME) else nullcontext(Path(path)) as local:
        return _land(local, dry_run=dry_run, progress=progress)


def _land(path: Path, *, dry_run: bool, progress: Progress) -> Landing:
    contracts = load_contracts()
    deliveries = find_deliveries(path, contracts)
    archive = Archive.of(load_settings())
    outcomes: list[Outcome] = []
    with explain_failures(), connect() as connection:
        require_own_archive(connection, load_settings())
        undo = connection.transaction(force_rollback=True) if dry_run else nullcontext()
        with undo:
            create_tables(connection)
            not_in_force = without_usable_contract(connection, contracts)
            contracts, deliveries = without_ambiguous_contracts(connection, contracts, deliveries)
            files = deliveries.files if dry_run else archive.keep_all(contracts, deliveries.files)
            landing = land_deliveries(connection, contracts, files)
            for done, (file, landed) in enumerate(landing, start=1):
                outcomes += landed
                for outcome in landed if not dry_run else ():
                    _log(outcome)
                progress(done, len(deliveries.files), f"{file.partner_id} {file.as_of_date}")
            outcomes = without_replaced(connection, outcomes)
        unkept = [] if dry_run else _keep_releases(connection, archive)
    return Landing(outcomes, [*deliveries.unplaced, *unkept], not_in_force)


def release_held_file(file_name: str, as_of_date: date | None, reason: str) -> Landing:
    """Accept a held snapshot, and archive that.

    Raises:
        OutcomesError: no held file has this name, or several have, or its partner no longer
            has a contract.
    """
    archive = Archive.of(load_settings())
    with explain_failures(), connect() as connection:
        require_release(connection)
        outcomes = release_file(connection, load_contracts(), file_name, as_of_date, reason)
        unkept = _keep_releases(connection, archive)
    return Landing(outcomes, unkept)


def replay_archive(progress: Progress = no_progress) -> Landing:
    """Fill an empty database from the archive: all of it, or nothing.

    Raises:
        OutcomesError: the database is not empty, or the archive is empty or lacks a contract.
    """
    contracts, archive = load_contracts(), Archive.of(load_settings())
    with explain_failures(), connect() as connection:
        create_tables(connection)
        outcomes = replay(connection, contracts, archive, progress)
    for outcome in outcomes:
        if outcome.is_unread:
            _log(outcome)
    return Landing(outcomes, [])


def _log(outcome: Outcome) -> None:
    log_event(
        "file",
        # No name: a district may write a child's into it.
        file_id=outcome.file_id,
        partner_id=outcome.partner_id,
        as_of_date=outcome.as_of_date,
        status=outcome.status,
        reason=outcome.reason,
        error=outcome.error,
        rows_loaded=outcome.counts.rows_loaded,
        rows_rejected=outcome.counts.rows_rejected,
    )


def _keep_releases(connection: psycopg.Connection, archive: Archive) -> list[str]:
    """Archive all releases: an interrupted one is in the ledger, but not yet in the archive.

    Returns:
        Messages about those that could not be archived.
    """
    unkept = []
    for known in releases(connection):
        try:
            archive.keep_release(known)
        except OutcomesError as error:
            unkept.append(f"the release of {known.file_name} is not archived: {error}")
    return unkept
