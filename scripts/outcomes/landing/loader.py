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
from outcomes.landing.snapshots import ChangedSnapshot, Release
from outcomes.landing.unpack import LogicalFile, logical_files, whole_file
from outcomes.landing.validate import ValidBlock

ALREADY_LANDED = "already landed"
NOT_LANDED = "not landed"

# The faults that may be gone at the next landing: the day has come, the reader was corrected.
_PASSING = (Reason.DATE_IN_THE_FUTURE.value, Reason.READER_FAILED.value)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one file.

    `status` is the ledger's, or `already landed` if there was nothing to do, or `not landed` if
    the file could not be archived, restored or read: it has no row in the ledger, and the next
    landing tries it again. `error` is the exception of a reader and its place. What an earlier
    landing has quarantined or held `is_known`.
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
    is_known: bool = False

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

    @property
    def is_unread(self) -> bool:
        """Whether the file could not be restored or read."""
        return self.status == NOT_LANDED or self.error is not None


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


def without_replaced(connection: psycopg.Connection, outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes, where nobody has to act any more on a known file that has been replaced."""
    waiting = {file.file_id for file in ledger.waiting_files(connection)}
    return [
        replace(outcome, status=ALREADY_LANDED, reason=None, detail=None)
        if outcome.is_known and outcome.file_id not in waiting
        else outcome
        for outcome in outcomes
    ]


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
            landed = _land_once(connection, contract, file)
            changed = _hold_shrunken_snapshots(connection, contract, landed)
    except BaseException as error:
        return [Outcome.not_landed(file.delivered, file.file_name, fault_of(error))]
    return _with_changed_snapshots(contract, [landed.outcome], changed)


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
            landed = [_land_once(connection, contract, file, rows) for file in files]
            if any(entry.is_new for entry in landed):
                # What lacked the rows of another file may have them now.
                landed = [
                    _land_once(connection, contract, entry.file, rows, is_tried_again=True)
                    if entry.outcome.status == "quarantined" and not entry.is_new
                    else entry
                    for entry in landed
                ]
            outcomes = [entry.outcome for entry in landed]
            changed: list[ChangedSnapshot] = []
            if any(entry.is_new for entry in landed):
                days = ledger.later_joined_deliveries(connection, contract.partner_id, as_of_date)
                for day in [as_of_date, *days]:
                    for joined in join(connection, contract, day):
                        if joined.fault:
                            ledger.quarantine_joined(connection, joined.file, joined.fault)
                        outcomes = [_after_join(outcome, joined) for outcome in outcomes]
                for entry in landed:
                    changed += _hold_shrunken_snapshots(connection, contract, entry)
    except BaseException as error:
        fault = fault_of(error)
        return [Outcome.not_landed(file.delivered, file.file_name, fault) for file in files]
    return _with_changed_snapshots(contract, outcomes, changed)


@dataclass(frozen=True)
class _Landed:
    """A file's outcome within its transaction; `is_new` if it changed the ledger."""

    file: LogicalFile
    key: FileKey
    outcome: Outcome
    is_new: bool


def _land_once(
    connection: psycopg.Connection,
    contract: Contract,
    file: LogicalFile,
    rows: dict[str, pl.DataFrame] | None = None,
    *,
    is_tried_again: bool = False,
) -> _Landed:
    """Read a file into the tables, unless it has landed; `rows` collects those to be joined.

    A file that an earlier version of the contract quarantined is read again, and any quarantined
    file if it `is_tried_again`.
    """
    reading = FileReading(contract, file)
    key = FileKey.of(file, reading.sha256)
    ledger.lock(connection, key)
    known = ledger.find_same_content(connection, key)
    if stale := _stale_quarantine(known, key, contract, is_tried_again):
        others = [k for k in known if k.file_id != stale.file_id]
        with connection.transaction() as attempt:
            ledger.forget_quarantined(connection, stale)
            landed = _load_unless_known(connection, contract, file, key, reading, rows, others)
            is_unchanged = stale.contract_version == contract.version
            if is_unchanged and landed.outcome.reason == stale.reason_code:
                raise psycopg.Rollback(attempt)
            return landed
    return _load_unless_known(connection, contract, file, key, reading, rows, known)


def _load_unless_known(
    connection: psycopg.Connection,
    contract: Contract,
    file: LogicalFile,
    key: FileKey,
    reading: FileReading,
    rows: dict[str, pl.DataFrame] | None,
    known: list[KnownFile],
) -> _Landed:
    outcome = _outcome_of_known(connection, contract, file, key, known)
    if outcome and not ledger.receive_again(connection, key, file.delivered.received_at):
        return _Landed(file, key, outcome, is_new=False)
    ledger.forget_failed(connection, file, key)
    outcome = outcome or _load(connection, contract, file, key, reading, rows)
    return _Landed(file, key, outcome, is_new=True)


def _hold_shrunken_snapshots(
    connection: psycopg.Connection, contract: Contract, landed: _Landed
) -> list[ChangedSnapshot]:
    group = snapshots.SnapshotGroup.of(landed.file, landed.key) if landed.is_new else None
    if group is None:
        return []
    return snapshots.hold_shrunken_snapshots(connection, group, contract.max_shrink_share)


def _with_changed_snapshots(
    contract: Contract, outcomes: list[Outcome], changed: list[ChangedSnapshot]
) -> list[Outcome]:
    """The outcomes of the files, and of other snapshots that changed because of them."""
    own = {outcome.file_id for outcome in outcomes if outcome.file_id is not None}
    last = {snapshot.file_id: snapshot for snapshot in changed}
    return [
        replace(
            outcome,
            status=last[outcome.file_id].status,
            detail=last[outcome.file_id].detail,
            reason=Reason.SHRUNKEN_SNAPSHOT.value,
        )
        if outcome.file_id in last
        else outcome
        for outcome in outcomes
    ] + [_outcome_of(contract, snapshot) for snapshot in changed if snapshot.file_id not in own]


def _after_join(outcome: Outcome, joined: Joined) -> Outcome:
    """The outcome of a file after a join; that of any other file is unchanged."""
    if outcome.file_id != joined.file.file_id:
        return outcome
    outcome = replace(outcome, counts=joined.counts, issues=outcome.issues + joined.issues)
    if joined.fault is None:
        return outcome
    return replace(
        outcome,
        status="quarantined",
        reason=joined.fault.reason.value,
        detail=joined.fault.detail,
    )


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
        changed = _hold_again(connection, contract, group)
    return [_outcome_of(contract, snapshot) for snapshot in changed]


def restore_release(
    connection: psycopg.Connection, contracts: Mapping[str, Contract], release: Release
) -> None:
    """Accept a snapshot again that a person released in another database."""
    with connection.transaction():
        group = snapshots.restore_release(connection, release)
        if group:
            _hold_again(connection, contracts[group.partner_id], group)


def _hold_again(
    connection: psycopg.Connection, contract: Contract, group: snapshots.SnapshotGroup
) -> list[ChangedSnapshot]:
    """Compare the snapshots after one was released, and join later deliveries again."""
    changed = snapshots.hold_shrunken_snapshots(connection, group, contract.max_shrink_share)
    if group.contract_object in contract.joined and changed:
        first = min(snapshot.as_of_date for snapshot in changed)
        for day in ledger.later_joined_deliveries(connection, contract.partner_id, first):
            join(connection, contract, day)
    return changed


def _outcome_of(contract: Contract, snapshot: ChangedSnapshot) -> Outcome:
    is_held = snapshot.status == "held"
    return Outcome(
        contract.partner_id,
        snapshot.file_name,
        snapshot.status,
        snapshot.as_of_date,
        Reason.SHRUNKEN_SNAPSHOT.value if is_held else None,
        snapshot.detail if is_held else "accepted again",
        snapshot.file_id,
    )


def _stale_quarantine(
    known: list[KnownFile], key: FileKey, contract: Contract, is_tried_again: bool
) -> KnownFile | None:
    """The same file, if it is to be tried again.

    Another version of the contract quarantined it, or it has a fault that may have passed.
    """
    for other in known:
        if (
            other.file_name == key.file_name
            and other.status == "quarantined"
            and (
                is_tried_again
                or other.contract_version != contract.version
                or other.reason_code in _PASSING
            )
        ):
            return other
    return None


def _outcome_of_known(
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
                # Somebody still has to act, unless another file has taken its place.
                return replace(
                    outcome,
                    status=other.status,
                    reason=other.reason_code,
                    detail=f"still: {other.detail}",
                    file_id=other.file_id,
                    is_known=True,
                )
            return outcome
    originals = [other for other in known if other.status != "duplicate"]
    if not originals:
        return None
    ledger.add_duplicate(connection, file, key, contract.version, originals[0])
    return replace(
        outcome,
        status="duplicate",
        reason=Reason.DUPLICATE_CONTENT.value,
        detail=f"the same content as {originals[0].file_name}",
    )


def _load(
    connection: psycopg.Connection,
    contract: Contract,
    file: LogicalFile,
    key: FileKey,
    reading: FileReading,
    rows: dict[str, pl.DataFrame] | None,
) -> Outcome:
    try:
        with connection.transaction():  # a savepoint: a fault rolls back the copied rows
            file_id = ledger.add_file(connection, file, key, contract.version)
            store = partial(_copy_to_raw, connection, file_id, key)
            if rows is not None and file.item:
                store = partial(_keep_for_join, connection, file_id, rows, file.item)
            issues = _store_blocks(reading, store)
            if again := ledger.find_same_content_before(connection, key):
                # Only a warning: a calendar may be unchanged, though a roster hardly is.
                reading.warnings.append(f"the same content as {again[0]} of {again[1]}")
            if elsewhere := _copy_elsewhere(connection, key, reading.counts):
                reading.warnings.append(elsewhere)
            ledger.close_file(connection, file_id, reading.counts, reading.warnings)
            if rows is not None and file.item and not file.item.is_reference:
                changes = is_delta(file.item, rows, contract, key.as_of_date)
                ledger.close_before_join(connection, file_id, reading.counts, is_delta=changes)
        return Outcome(
            key.partner_id,
            key.file_name,
            "loaded",
            key.as_of_date,
            detail="; ".join(reading.warnings) or None,
            file_id=file_id,
            counts=reading.counts,
            issues=issues,
        )
    except BaseException as error:
        fault = fault_of(error)
        if fault.reason is Reason.UNREADABLE_FILE:
            raise fault from None  # its content is unknown
        if rows and file.item:
            rows.pop(file.item.name, None)
        if elsewhere := _copy_elsewhere(connection, key, Counts()):
            fault = replace(fault, detail=f"{fault.detail}; {elsewhere}")
        ledger.add_quarantined(connection, file, key, contract.version, reading.counts, fault)
        return Outcome(
            key.partner_id,
            key.file_name,
            "quarantined",
            key.as_of_date,
            fault.reason.value,
            fault.detail,
            counts=reading.counts.without_loaded_rows(),
            error=fault.error,
        )


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


def _keep_for_join(
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
    _record_faults(connection, file_id, block)


def _record_faults(connection: psycopg.Connection, file_id: int, block: ValidBlock) -> None:
    copy_rows(connection, ("landing", "rejected_rows"), block.rejected, {"file_id": file_id})
    copy_rows(connection, ("landing", "value_issues"), block.issues, {"file_id": file_id})


def _copy_to_raw(
    connection: psycopg.Connection, file_id: int, key: FileKey, block: ValidBlock
) -> None:
    load: dict[str, str | int | date] = {
        "partner_id": key.partner_id,
        "load_id": file_id,
        "as_of_date": key.as_of_date,
    }
    for feed, rows in block.feeds.items():
        copy_rows(connection, ("raw", feed), rows, load)
    _record_faults(connection, file_id, block)
