"""Lands logical files: each in one transaction, each at most once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial

import polars as pl
import psycopg

from outcomes.contracts.model import Contract, ContractObject
from outcomes.contracts.reader import Contracts
from outcomes.errors import OutcomesError
from outcomes.feeds import raw_feeds
from outcomes.landing import ledger, snapshots
from outcomes.landing.copy import copy_rows
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.interruption import fault_of
from outcomes.landing.joins import Joined, is_delta, join
from outcomes.landing.ledger import FileKey, KnownFile
from outcomes.landing.reading import Counts, FileReading
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.snapshots import Judged, Release
from outcomes.landing.unpack import LogicalFile, logical_files, whole_file
from outcomes.landing.validate import ValidBlock

ALREADY_LANDED = "already landed"
NOT_LANDED = "not landed"

# The faults that may be gone at the next landing: the day has come, the reader was corrected.
_PASSING = (Reason.DATE_IN_THE_FUTURE.value, Reason.READER_FAILED.value)


@dataclass
class Outcome:
    """The outcome of one file, for the terminal.

    `status` is the ledger's, or `already landed` if there was nothing to do, or `not landed` if
    the file could not be archived, restored or read: it has no row in the ledger, and the next
    landing tries it again. `error` is the exception of a reader and its place.
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
    error: str | None = None

    @classmethod
    def not_landed(cls, delivered: DeliveredFile, name: str, fault: FileError) -> Outcome:
        """The outcome of a file that could not even be recorded."""
        return cls(
            delivered.partner_id,
            name,
            NOT_LANDED,
            delivered.as_of_date,
            fault.reason.value,
            fault.detail,
            error=fault.error,
        )

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to act: decide, or ask the partner."""
        return self.status in ("quarantined", "held", NOT_LANDED)


def land_deliveries(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    delivered_files: Iterable[DeliveredFile],
) -> Iterator[tuple[DeliveredFile, list[Outcome]]]:
    """Land delivered files one after the other.

    Whatever happens to one file is its own outcome, and does not stop the others.

    Within a delivery, and within an archive, files that fit no object come last, so that a
    copy under another name is recognized as a duplicate.
    """
    unusable = contracts.unusable if isinstance(contracts, Contracts) else ()
    ledger.record_partners(connection, contracts.values(), unusable)
    for _, group in itertools.groupby(
        delivered_files, key=lambda file: (file.partner_id, file.as_of_date)
    ):
        unpacked = [
            (delivered, _unpacked(contracts[delivered.partner_id], delivered))
            for delivered in group
        ]
        unpacked.sort(key=lambda entry: all(map(_is_unknown, entry[1])))
        joined: list[LogicalFile] = []
        for delivered, files in unpacked:
            contract = contracts[delivered.partner_id]
            outcomes: list[Outcome] = []
            if delivered.fault:
                outcomes.append(Outcome.not_landed(delivered, delivered.name, delivered.fault))
            for file in sorted(files, key=_is_unknown):
                if file.item and file.item.name in contract.joined:
                    joined.append(file)
                else:
                    outcomes += land_file(connection, contract, file)
            if delivered is unpacked[-1][0] and joined:
                outcomes += land_joined(connection, contract, joined)
            yield delivered, outcomes
    # The following build needs statistics of the new rows.
    for feed in raw_feeds():
        connection.execute(f"analyze raw.{feed}".encode())


def _unpacked(contract: Contract, delivered: DeliveredFile) -> list[LogicalFile]:
    if delivered.fault:
        return []
    try:
        return logical_files(contract, delivered)
    except BaseException as error:
        return [whole_file(delivered, fault_of(error))]


def _is_unknown(file: LogicalFile) -> bool:
    return file.item is None


def land_file(
    connection: psycopg.Connection, contract: Contract, file: LogicalFile
) -> list[Outcome]:
    """Land one logical file: all of its raw rows, rejects, value issues and ledger row, or none.

    The first outcome is the file's own; others are of snapshots that are now held, or no
    longer held, because of it.
    """
    try:
        with connection.transaction():
            landed = _take(connection, contract, file)
            judged = _judge(connection, contract, landed)
    except BaseException as error:
        return [Outcome.not_landed(file.delivered, file.file_name, fault_of(error))]
    return _outcomes(contract, [landed], judged)


def land_joined(
    connection: psycopg.Connection, contract: Contract, files: list[LogicalFile]
) -> list[Outcome]:
    """Land the joined files of a delivery: all of them, or none."""
    places = {name: place for place, name in enumerate(contract.joined)}
    files = sorted(
        files,
        key=lambda file: (
            places[file.item.name if file.item else ""],
            file.sent_at or datetime.min,
        ),
    )
    as_of_date = files[0].delivered.as_of_date
    rows: dict[str, pl.DataFrame] = {}
    try:
        with connection.transaction():
            landed = [_take(connection, contract, file, rows) for file in files]
            judged: list[Judged] = []
            if any(entry.is_new for entry in landed):
                days = ledger.later_joined_deliveries(connection, contract.partner_id, as_of_date)
                for day in [as_of_date, *days]:
                    for joined in join(connection, contract, day):
                        _note(connection, joined, landed)
                for entry in landed:
                    judged += _judge(connection, contract, entry)
    except BaseException as error:
        fault = fault_of(error)
        return [Outcome.not_landed(file.delivered, file.file_name, fault) for file in files]
    return _outcomes(contract, landed, judged)


@dataclass
class _Landed:
    """A file's outcome within its transaction; `is_new` if it changed the ledger."""

    file: LogicalFile
    key: FileKey
    outcome: Outcome
    is_new: bool


def _take(
    connection: psycopg.Connection,
    contract: Contract,
    file: LogicalFile,
    rows: dict[str, pl.DataFrame] | None = None,
) -> _Landed:
    """Read a file into the tables, unless it has landed; `rows` collects those to be joined."""
    reading = FileReading(contract, file)
    key = FileKey.of(file, reading.sha256)
    ledger.lock(connection, key)
    known = ledger.find_same_content(connection, key)
    if stale := _stale_quarantine(known, key, contract):
        others = [k for k in known if k.file_id != stale.file_id]
        with connection.transaction() as attempt:
            ledger.forget_quarantined(connection, stale)
            landed = _enter(connection, contract, file, key, reading, rows, others)
            is_unchanged = stale.contract_version == contract.version
            if is_unchanged and landed.outcome.reason == stale.reason_code:
                raise psycopg.Rollback(attempt)
            return landed
    return _enter(connection, contract, file, key, reading, rows, known)


def _enter(
    connection: psycopg.Connection,
    contract: Contract,
    file: LogicalFile,
    key: FileKey,
    reading: FileReading,
    rows: dict[str, pl.DataFrame] | None,
    known: list[KnownFile],
) -> _Landed:
    outcome = _repeated(connection, contract, file, key, known)
    if outcome and not ledger.receive_again(connection, key, file.delivered.received_at):
        return _Landed(file, key, outcome, is_new=False)
    ledger.forget_failed(connection, file, key)
    outcome = outcome or _load(connection, contract, file, key, reading, rows)
    return _Landed(file, key, outcome, is_new=True)


def _judge(connection: psycopg.Connection, contract: Contract, landed: _Landed) -> list[Judged]:
    group = snapshots.SnapshotGroup.of(landed.file, landed.key) if landed.is_new else None
    return snapshots.judge_snapshots(connection, group, contract.max_shrink_share) if group else []


def _outcomes(contract: Contract, landed: list[_Landed], judged: list[Judged]) -> list[Outcome]:
    """The outcomes of the files, and of other snapshots that changed because of them."""
    outcomes = [entry.outcome for entry in landed]
    own = {outcome.file_id: outcome for outcome in outcomes if outcome.file_id is not None}
    for verdict in judged:
        if outcome := own.get(verdict.file_id):
            outcome.status, outcome.detail = verdict.status, verdict.detail
            outcome.reason = Reason.SHRUNKEN_SNAPSHOT.value
        else:
            outcomes.append(_verdict_on_another(contract, verdict))
    return outcomes


def _note(connection: psycopg.Connection, joined: Joined, landed: list[_Landed]) -> None:
    """Update the file's outcome with the result of the join."""
    if joined.fault:
        ledger.quarantine_joined(connection, joined.file, joined.fault)
    for entry in landed:
        outcome = entry.outcome
        if outcome.file_id == joined.file.file_id:
            outcome.counts, outcome.issues = joined.counts, outcome.issues + joined.issues
            if joined.fault:
                outcome.status, outcome.reason = "quarantined", joined.fault.reason.value
                outcome.detail = joined.fault.detail


def release_file(
    connection: psycopg.Connection,
    contracts: Mapping[str, Contract],
    file_name: str,
    as_of_date: date | None,
    reason: str,
) -> list[Outcome]:
    """Accept a held snapshot; outcomes of it and of later snapshots that change with it.

    Raises:
        OutcomesError: no held file has this name, or several have, or its partner no longer
            has a contract.
    """
    with connection.transaction():
        group = snapshots.release(connection, file_name, as_of_date, reason)
        contract = contracts.get(group.partner_id)
        if contract is None:
            raise OutcomesError(
                f"{file_name} is of {group.partner_id}, which no longer has a contract. Restore "
                "the contract, then release the file."
            )
        judged = _judge_again(connection, contract, group)
    return [_verdict_on_another(contract, verdict) for verdict in judged]


def restore_release(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], release: Release
) -> None:
    """Accept a snapshot again that a person released in another database."""
    with connection.transaction():
        group = snapshots.restore_release(connection, release)
        if group:
            _judge_again(connection, contracts[group.partner_id], group)


def _judge_again(
    connection: psycopg.Connection, contract: Contract, group: snapshots.SnapshotGroup
) -> list[Judged]:
    """Judge the snapshots after one was released, and join later deliveries again."""
    judged = snapshots.judge_snapshots(connection, group, contract.max_shrink_share)
    if group.contract_object in contract.joined and judged:
        first = min(verdict.as_of_date for verdict in judged)
        for day in ledger.later_joined_deliveries(connection, contract.partner_id, first):
            join(connection, contract, day)
    return judged


def _verdict_on_another(contract: Contract, verdict: Judged) -> Outcome:
    is_held = verdict.status == "held"
    return Outcome(
        contract.partner_id,
        verdict.file_name,
        verdict.status,
        verdict.as_of_date,
        Reason.SHRUNKEN_SNAPSHOT.value if is_held else None,
        verdict.detail if is_held else "accepted again",
        verdict.file_id,
    )


def _stale_quarantine(known: list[KnownFile], key: FileKey, contract: Contract) -> KnownFile | None:
    """The same file, if it is to be tried again.

    Another version of the contract quarantined it, or it has a fault that may have passed.
    """
    for other in known:
        if (
            other.file_name == key.file_name
            and other.status == "quarantined"
            and (other.contract_version != contract.version or other.reason_code in _PASSING)
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
    """The outcome for content that is in the ledger already; adds a row for a duplicate."""
    outcome = Outcome(key.partner_id, key.file_name, ALREADY_LANDED, key.as_of_date)
    for other in known:
        if other.file_name == key.file_name:
            if other.status in ("quarantined", "held"):
                # Somebody still has to act.
                outcome.status, outcome.reason = other.status, other.reason_code
                outcome.detail = f"still: {other.detail}"
            return outcome
    originals = [other for other in known if other.status != "duplicate"]
    if not originals:
        return None
    ledger.add_duplicate(connection, file, key, contract.version, originals[0])
    outcome.status = "duplicate"
    outcome.reason = Reason.DUPLICATE_CONTENT.value
    outcome.detail = f"the same content as {originals[0].file_name}"
    return outcome


def _load(
    connection: psycopg.Connection,
    contract: Contract,
    file: LogicalFile,
    key: FileKey,
    reading: FileReading,
    rows: dict[str, pl.DataFrame] | None,
) -> Outcome:
    outcome = Outcome(key.partner_id, key.file_name, "loaded", key.as_of_date)
    try:
        with connection.transaction():  # a savepoint: a fault rolls back the copied rows
            outcome.file_id = ledger.add_file(connection, file, key, contract.version)
            store = partial(_store, connection, outcome.file_id, key)
            if rows is not None and file.item:
                store = partial(_keep, connection, outcome.file_id, rows, file.item)
            outcome.issues = _store_blocks(reading, store)
            if again := ledger.find_same_content_before(connection, key):
                # Only a warning: a calendar may be unchanged, though a roster hardly is.
                reading.warnings.append(f"the same content as {again[0]} of {again[1]}")
            if elsewhere := _copy_elsewhere(connection, key, reading.counts):
                reading.warnings.append(elsewhere)
            ledger.close_file(connection, outcome.file_id, reading.counts, reading.warnings)
            if rows is not None and file.item and not file.item.is_reference:
                changes = is_delta(file.item, rows, contract, key.as_of_date)
                ledger.close_before_join(
                    connection, outcome.file_id, reading.counts, is_delta=changes
                )
        outcome.counts = reading.counts
        outcome.detail = "; ".join(reading.warnings) or None
    except BaseException as error:
        fault = fault_of(error)
        if fault.reason is Reason.UNREADABLE_FILE:
            raise fault from None  # its content is unknown
        if rows and file.item:
            rows.pop(file.item.name, None)
        if elsewhere := _copy_elsewhere(connection, key, Counts()):
            fault = replace(fault, detail=f"{fault.detail}; {elsewhere}")
        ledger.add_quarantined(connection, file, key, contract.version, reading.counts, fault)
        outcome.status, outcome.reason = "quarantined", fault.reason.value
        outcome.detail, outcome.issues, outcome.file_id = fault.detail, 0, None
        outcome.error = fault.error
        outcome.counts = reading.counts.set_aside()
    return outcome


def _copy_elsewhere(connection: psycopg.Connection, key: FileKey, counts: Counts) -> str | None:
    """A note that the same file came under another partner: a person finds out whose it is."""
    found = ledger.find_same_content_elsewhere(connection, key, counts.rows_loaded)
    return f"the same content as a file of {found[0]} of {found[1]}" if found else None


def _store_blocks(reading: FileReading, store: Callable[[ValidBlock], None]) -> int:
    """Store each block of a file while the next is read; returns the number of value issues."""
    issues = 0
    with ThreadPoolExecutor(max_workers=1) as writer:
        writing: Future[None] | None = None
        for block in reading.blocks():
            if writing:
                writing.result()
            writing = writer.submit(store, block)
            issues += block.issues.height
        if writing:
            writing.result()
    return issues


def _keep(
    connection: psycopg.Connection,
    file_id: int,
    rows: dict[str, pl.DataFrame],
    item: ContractObject,
    block: ValidBlock,
) -> None:
    """Keep the rows of a file that is joined, and record its faults."""
    values = block.values
    before = [rows[item.name]] if item.name in rows else []
    rows[item.name] = pl.concat([*before, values.with_columns(pl.lit(file_id).alias("file_id"))])
    content = pl.struct(pl.exclude("line_number", "line_end")).struct.json_encode()
    kept = values.select("line_number", "line_end", content.alias("content"))
    copy_rows(connection, ("landing", "joined_rows"), kept, {"file_id": file_id})
    _note_faults(connection, file_id, block)


def _note_faults(connection: psycopg.Connection, file_id: int, block: ValidBlock) -> None:
    copy_rows(connection, ("landing", "rejected_rows"), block.rejected, {"file_id": file_id})
    copy_rows(connection, ("landing", "value_issues"), block.issues, {"file_id": file_id})


def _store(connection: psycopg.Connection, file_id: int, key: FileKey, block: ValidBlock) -> None:
    load: dict[str, str | int | date] = {
        "partner_id": key.partner_id,
        "load_id": file_id,
        "as_of_date": key.as_of_date,
    }
    for feed, rows in block.feeds.items():
        copy_rows(connection, ("raw", feed), rows, load)
    _note_faults(connection, file_id, block)
