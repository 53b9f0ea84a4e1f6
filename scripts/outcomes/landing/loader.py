"""Lands logical files: each in one transaction, each at most once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date

import psycopg

from outcomes.contracts.model import Contract
from outcomes.errors import OutcomesError
from outcomes.landing import ledger
from outcomes.landing.copy import copy_rows
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.ledger import FileKey, Judged, KnownFile, Release
from outcomes.landing.reading import Counts, FileReading
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.unpack import LogicalFile, logical_files
from outcomes.landing.validate import ValidBlock
from outcomes.warehouse.tables import raw_feeds

ALREADY_LANDED = "already landed"


@dataclass
class Outcome:
    """What became of one file, for the person at the terminal.

    `status` is the ledger's, or `already landed` when there was nothing to do.
    """

    partner_id: str
    file_name: str
    status: str
    as_of_date: date | None = None
    reason: str | None = None
    detail: str | None = None
    file_id: int | None = None
    counts: Counts = field(default_factory=Counts)
    issues: int = 0

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to decide or to write to the partner."""
        return self.status in ("quarantined", "held")


def land_deliveries(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    delivered_files: Iterable[DeliveredFile],
) -> Iterator[tuple[DeliveredFile, list[Outcome]]]:
    """Land delivered files one after the other; one file's fault does not stop the others.

    Within a delivery, and within an archive, files that fit no object come last: a copy under
    another name is then known as the copy.
    """
    ledger.record_partners(connection, contracts.values())
    for _, group in itertools.groupby(
        delivered_files, key=lambda file: (file.partner_id, file.as_of_date)
    ):
        unpacked = [
            (delivered, logical_files(contracts[delivered.partner_id], delivered))
            for delivered in group
        ]
        unpacked.sort(key=lambda entry: all(map(_is_unknown, entry[1])))
        for delivered, files in unpacked:
            outcomes: list[Outcome] = []
            for file in sorted(files, key=_is_unknown):
                outcomes += land_file(connection, contracts[delivered.partner_id], file)
            yield delivered, outcomes
    # New rows have no statistics yet, and the build that follows plans by them.
    for feed in raw_feeds():
        connection.execute(f"analyze raw.{feed}".encode())


def _is_unknown(file: LogicalFile) -> bool:
    return file.item is None


def land_file(
    connection: psycopg.Connection, contract: Contract, file: LogicalFile
) -> list[Outcome]:
    """Land one logical file: raw rows, rejects, value issues and ledger row, or none.

    The first outcome is the file's own; others are of snapshots that are now held, or
    free again, because of it.
    """
    reading = FileReading(contract, file)
    key = FileKey.of(file, reading.sha256)
    with connection.transaction():
        ledger.lock(connection, key)
        known = ledger.find_same_content(connection, key)
        if stale := _stale_quarantine(known, key, contract):
            ledger.forget_quarantined(connection, stale)
            known = [k for k in known if k.file_id != stale.file_id]
        outcome = _repeated(connection, contract, file, key, known)
        if outcome and not ledger.receive_again(connection, key, file.delivered.received_at):
            return [outcome]
        outcome = outcome or _load(connection, contract, file, key, reading)
        group = ledger.SnapshotGroup.of(file, key)
        judged = (
            ledger.judge_snapshots(connection, group, contract.max_shrink_share) if group else []
        )

    others = []
    for verdict in judged:
        if verdict.file_id == outcome.file_id:
            outcome.status, outcome.detail = verdict.status, verdict.detail
            outcome.reason = Reason.SHRUNKEN_SNAPSHOT.code
        else:
            others.append(_verdict_on_another(contract, verdict))
    return [outcome, *others]


def release_file(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    file_name: str,
    as_of_date: date | None,
    reason: str,
) -> list[Outcome]:
    """Accept a held snapshot; outcomes of it and of snapshots after it that change with it.

    Raises:
        OutcomesError: no held file has this name, or several have, or its partner has no
            contract any more.
    """
    with connection.transaction():
        group = ledger.release(connection, file_name, as_of_date, reason)
        contract = contracts.get(group.partner_id)
        if contract is None:
            raise OutcomesError(
                f"{file_name} is of {group.partner_id}, for which there is no contract any "
                "more. Put the contract back, and release the file then."
            )
        judged = ledger.judge_snapshots(connection, group, contract.max_shrink_share)
    return [_verdict_on_another(contract, verdict) for verdict in judged]


def restore_release(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], release: Release
) -> None:
    """Accept a snapshot again that a person let through in another database."""
    with connection.transaction():
        group = ledger.restore_release(connection, release)
        if group:
            share = contracts[group.partner_id].max_shrink_share
            ledger.judge_snapshots(connection, group, share)


def _verdict_on_another(contract: Contract, verdict: Judged) -> Outcome:
    is_held = verdict.status == "held"
    return Outcome(
        contract.partner_id,
        verdict.file_name,
        verdict.status,
        verdict.as_of_date,
        Reason.SHRUNKEN_SNAPSHOT.code if is_held else None,
        verdict.detail if is_held else "accepted again",
        verdict.file_id,
    )


def _stale_quarantine(known: list[KnownFile], key: FileKey, contract: Contract) -> KnownFile | None:
    """The same file, quarantined by another version of the contract: worth another try."""
    for other in known:
        if (
            other.file_name == key.file_name
            and other.status == "quarantined"
            and other.contract_version != contract.version
        ):
            return other
    return None


def _repeated(
    connection: psycopg.Connection,
    contract: Contract,
    file: LogicalFile,
    key: FileKey,
    known: list[KnownFile],
) -> Outcome | None:
    """The outcome for content that is in the ledger: nothing, or a duplicate's row."""
    outcome = Outcome(key.partner_id, key.file_name, ALREADY_LANDED, key.as_of_date)
    if any(other.file_name == key.file_name for other in known):
        return outcome
    originals = [other for other in known if other.status != "duplicate"]
    if not originals:
        return None
    ledger.add_duplicate(connection, file, key, contract.version, originals[0])
    outcome.status = "duplicate"
    outcome.reason = Reason.DUPLICATE_CONTENT.code
    outcome.detail = f"the same content as {originals[0].file_name}"
    return outcome


def _load(
    connection: psycopg.Connection,
    contract: Contract,
    file: LogicalFile,
    key: FileKey,
    reading: FileReading,
) -> Outcome:
    outcome = Outcome(key.partner_id, key.file_name, "loaded", key.as_of_date)
    try:
        with connection.transaction():  # a savepoint: a fault takes back what was copied
            outcome.file_id = ledger.add_file(connection, file, key, contract.version)
            outcome.issues = _store_blocks(connection, outcome.file_id, key, reading)
            ledger.close_file(connection, outcome.file_id, reading.counts, reading.warnings)
        outcome.counts = reading.counts
        outcome.detail = "; ".join(reading.warnings) or None
    except FileError as fault:
        ledger.add_quarantined(connection, file, key, contract.version, reading.counts, fault)
        outcome.status, outcome.reason = "quarantined", fault.reason.code
        outcome.detail, outcome.issues, outcome.file_id = fault.detail, 0, None
        outcome.counts = reading.counts.set_aside()
    return outcome


def _store_blocks(
    connection: psycopg.Connection, file_id: int, key: FileKey, reading: FileReading
) -> int:
    """Store a file's blocks, each while the next is being read; the number of value issues."""
    issues = 0
    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[None] | None = None
        for block in reading.blocks():
            if writing:
                writing.result()
            writing = writer.submit(_store, connection, file_id, key, block)
            issues += block.issues.height
        if writing:
            writing.result()
    return issues


def _store(connection: psycopg.Connection, file_id: int, key: FileKey, block: ValidBlock) -> None:
    load: dict[str, str | int | date] = {
        "partner_id": key.partner_id,
        "load_id": file_id,
        "as_of_date": key.as_of_date,
    }
    for feed, rows in block.feeds.items():
        copy_rows(connection, ("raw", feed), rows, load)
    ledger_key = {"file_id": file_id}
    copy_rows(connection, ("landing", "rejected_rows"), block.rejected, ledger_key)
    copy_rows(connection, ("landing", "value_issues"), block.issues, ledger_key)
