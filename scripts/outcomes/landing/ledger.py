"""The ledger, `landing.*`: one row per logical file, whatever its outcome."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from outcomes.contracts.model import Contract
from outcomes.contracts.reader import Contracts
from outcomes.errors import OutcomesError
from outcomes.landing.reading import Counts
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.replaced import objects_in_succession, record_replaced_objects
from outcomes.landing.unpack import LogicalFile
from outcomes.queries import query


@dataclass(frozen=True)
class FileKey:
    """The identity of a file: its content, delivery and object."""

    partner_id: str
    contract_object: str | None
    source_id: str | None
    as_of_date: date
    sha256: str
    file_name: str

    @classmethod
    def of(cls, file: LogicalFile, sha256: str) -> FileKey:
        """The key of a logical file with this content."""
        item = file.item
        sources = [file.name_values[prop.name] for prop in item.named_by_file] if item else []
        return cls(
            partner_id=file.delivered.partner_id,
            contract_object=item.name if item else None,
            source_id="/".join(sources) or None,
            as_of_date=file.delivered.as_of_date,
            sha256=sha256,
            file_name=file.file_name,
        )


@dataclass(frozen=True)
class WaitingFile:
    """A file that was quarantined or is held, with no accepted file after it."""

    file_id: int
    partner_id: str
    contract_object: str | None
    as_of_date: date
    status: str
    reason_code: str


@dataclass(frozen=True)
class KnownFile:
    """A row of `landing.files` with the same content."""

    file_id: int
    file_name: str
    status: str
    contract_version: str | None
    reason_code: str | None
    detail: str | None


def record_partners(
    connection: psycopg.Connection,
    contracts: Iterable[Contract],
    unusable: Collection[str] = (),
) -> None:
    """Update `landing.partners` and its detail tables from the contracts.

    Partners with an unusable contract keep their earlier entries.
    """
    with connection.transaction():
        connection.execute("lock table landing.partners in share row exclusive mode")
        for table in ("partners", "contract_objects", "contract_calendars"):
            connection.execute(
                sql.SQL("delete from landing.{} where partner_id <> all(%s)").format(
                    sql.Identifier(table)
                ),
                [list(unusable)],
            )
        for contract in contracts:
            _record_partner(connection, contract)


def without_usable_contract(connection: psycopg.Connection, contracts: Contracts) -> list[str]:
    """Known partners whose contract cannot be used or is gone, though there are data of theirs."""
    rows = connection.execute(
        """
        select partner_id from landing.partners where partner_id = any(%s)
        union
        select partner_id from landing.files
        where partner_id <> all(%s) and status in ('loaded', 'held')
        order by partner_id
        """,
        [[*contracts.unusable], [*contracts]],
    )
    return [partner_id for (partner_id,) in rows]


def _record_partner(connection: psycopg.Connection, contract: Contract) -> None:
    record_replaced_objects(connection, contract)
    agreement, promised = contract.agreement, contract.sla_properties
    _insert(
        connection,
        "partners",
        partner_id=contract.partner_id,
        partner_kind=contract.partner_kind,
        partner_name=contract.name,
        aun=contract.aun,
        agreement_starts_on=agreement and agreement.starts_on,
        agreement_ends_on=agreement and agreement.ends_on,
        purposes=agreement.purposes if agreement else [],
        contract_version=contract.version,
        delivery_interval=promised and promised.frequency.interval,
        delivery_weekday=promised and promised.iso_weekday,
        latency_days=promised and promised.latency.value,
        max_shrink_share=contract.max_shrink_share,
    )
    for item in contract.objects:
        _insert(
            connection,
            "contract_objects",
            partner_id=contract.partner_id,
            contract_object=item.name,
            snapshot=item.snapshot,
            feeds=item.feeds,
        )
    for calendar in contract.calendars:
        schools: list[str | None] = [*calendar.schools] or [None]
        for school_code in schools:
            _insert(
                connection,
                "contract_calendars",
                partner_id=contract.partner_id,
                school_year=calendar.school_year,
                school_code=school_code,
                session_days=calendar.session_days,
            )


def lock(connection: psycopg.Connection, key: FileKey) -> None:
    """Keep other loaders from an object, and those it replaces, until the transaction ends."""
    objects, _ = objects_in_succession(connection, key.partner_id, key.contract_object or "")
    connection.execute(
        "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
        [f"outcomes.land {key.partner_id} {objects[0]}"],
    )


def waiting_files(connection: psycopg.Connection) -> list[WaitingFile]:
    """The waiting files by the rule of int_file_statuses, with those landed since the build."""
    with connection.cursor(row_factory=class_row(WaitingFile)) as cursor:
        return cursor.execute(query("outcomes.landing", "waiting_files")).fetchall()


def find_same_content(connection: psycopg.Connection, key: FileKey) -> list[KnownFile]:
    """Files with this content in the same delivery, read as the same object.

    A file that fits no object is compared with files of all objects: it may be a copy.
    """
    with connection.cursor(row_factory=class_row(KnownFile)) as cursor:
        return cursor.execute(
            query("outcomes.landing", "same_content"),
            asdict(key),
        ).fetchall()


def find_same_content_before(
    connection: psycopg.Connection, key: FileKey
) -> tuple[str, date] | None:
    """Name and delivery of the newest earlier file of the object with the same content."""
    row = connection.execute(
        query("outcomes.landing", "same_content_before"),
        asdict(key),
    ).fetchone()
    return (str(row[0]), row[1]) if row else None


def find_same_content_elsewhere(
    connection: psycopg.Connection, key: FileKey, rows_loaded: int
) -> tuple[str, date] | None:
    """Partner and delivery of another partner's file with the same content, if it has rows."""
    row = connection.execute(
        query("outcomes.landing", "same_content_elsewhere"),
        {**asdict(key), "rows_loaded": rows_loaded},
    ).fetchone()
    return (str(row[0]), row[1]) if row else None


def add_file(
    connection: psycopg.Connection, file: LogicalFile, key: FileKey, version: str, **more: Any
) -> int:
    """Add a ledger row, as loaded unless `more` says otherwise; `close_file` adds counts."""
    snapshot = file.item.snapshot if file.item else None
    values: dict[str, Any] = {
        **asdict(key),
        "contract_version": version,
        "snapshot": snapshot,
        "feeds": file.item.feeds if file.item else [],
        "school_year": (
            file.item.school_year_of(key.as_of_date)
            if file.item and snapshot == "school_year"
            else None
        ),
        "sent_at": file.sent_at,
        "status": "loaded",
        **more,
    }
    if file.delivered.received_at:
        values["received_at"] = file.delivered.received_at
    statement = _insertion("files", values) + sql.SQL(" returning file_id")
    [(file_id,)] = connection.execute(statement, values).fetchall()
    return int(file_id)


def close_file(
    connection: psycopg.Connection, file_id: int, counts: Counts, warnings: list[str]
) -> None:
    """Write the counts and warnings of a loaded file."""
    update_file(connection, file_id, **asdict(counts), detail="; ".join(warnings) or None)


@dataclass(frozen=True)
class JoinedFile:
    """An accepted file of a joined object, with its counts before the join."""

    file_id: int
    as_of_date: date
    is_delta: bool
    counts: Counts


def close_before_join(
    connection: psycopg.Connection, file_id: int, counts: Counts, *, is_delta: bool
) -> None:
    """Write the counts of a joined file before the join."""
    before = Jsonb(asdict(counts))
    update_file(connection, file_id, is_delta=is_delta, counts_before_join=before)


def close_joined(
    connection: psycopg.Connection, file_id: int, counts: Counts, rows_in_snapshot: int
) -> None:
    """Write the counts of a joined file after the join."""
    update_file(connection, file_id, **asdict(counts), rows_in_snapshot=rows_in_snapshot)


def joined_files(
    connection: psycopg.Connection, partner_id: str, contract_object: str, as_of_date: date
) -> list[JoinedFile]:
    """The accepted files of an object up to a delivery, oldest first.

    Held files of the delivery itself are included, because they are compared after the join.
    """
    found = connection.execute(
        query("outcomes.landing", "joined_files"),
        {
            "partner_id": partner_id,
            "contract_object": contract_object,
            "as_of_date": as_of_date,
        },
    ).fetchall()
    return [
        JoinedFile(file_id, day, changes, Counts(**held)) for file_id, day, changes, held in found
    ]


def later_joined_deliveries(
    connection: psycopg.Connection, partner_id: str, as_of_date: date
) -> list[date]:
    """Deliveries after a day whose files were joined."""
    found = connection.execute(
        """
        select distinct as_of_date
        from landing.files
        where partner_id = %s and as_of_date > %s
        and counts_before_join is not null and status in ('loaded', 'held')
        order by as_of_date
        """,
        [partner_id, as_of_date],
    ).fetchall()
    return [day for (day,) in found]


def take_back_joined(connection: psycopg.Connection, file_id: int) -> None:
    """Delete the rows that were made of a joined file, if any."""
    connection.execute("select landing.take_back_joined(%s)", [file_id])


def quarantine_joined(connection: psycopg.Connection, file: JoinedFile, fault: FileError) -> None:
    """Quarantine a joined file whose rows cannot be made."""
    values = _quarantined(file.counts, fault)
    update_file(connection, file.file_id, **values, counts_before_join=None)


def add_quarantined(
    connection: psycopg.Connection,
    file: LogicalFile,
    key: FileKey,
    version: str,
    counts: Counts,
    fault: FileError,
) -> None:
    """Record a file as quarantined; all its lines count as rejected."""
    add_file(connection, file, key, version, **_quarantined(counts, fault))


def _quarantined(counts: Counts, fault: FileError) -> dict[str, Any]:
    return {
        **asdict(counts.without_loaded_rows()),
        "status": "quarantined",
        "reason_code": fault.reason.value,
        "detail": fault.detail,
    }


def add_duplicate(
    connection: psycopg.Connection,
    file: LogicalFile,
    key: FileKey,
    version: str,
    original: KnownFile,
) -> None:
    """Record a file as a duplicate of another."""
    add_file(
        connection,
        file,
        key,
        version,
        status="duplicate",
        reason_code=Reason.DUPLICATE_CONTENT.value,
        detail=f"the same content as {original.file_name}",
        duplicate_of=original.file_id,
    )


def receive_again(
    connection: psycopg.Connection, key: FileKey, received_at: datetime | None
) -> bool:
    """Make a file the newest if it came again after another content under its name.

    Returns:
        Whether it did.
    """
    updated = connection.execute(
        query("outcomes.landing", "receive_again"),
        {**asdict(key), "received_at": received_at},
    )
    return updated.rowcount > 0


def forget_quarantined(connection: psycopg.Connection, known: KnownFile) -> None:
    """Delete a quarantine by an earlier version of the contract."""
    connection.execute("delete from landing.files where duplicate_of = %s", [known.file_id])
    connection.execute("delete from landing.files where file_id = %s", [known.file_id])


def forget_failed(connection: psycopg.Connection, file: LogicalFile, key: FileKey) -> None:
    """Delete the record that a reader failed before it knew the content that is now read."""
    connection.execute(
        """
        delete from landing.files
        where partner_id = %s and as_of_date = %s and file_name in (%s, %s)
        and reason_code = %s and sha256 <> %s
        """,
        [
            key.partner_id,
            key.as_of_date,
            file.file_name,
            file.delivered.name,
            Reason.READER_FAILED.value,
            key.sha256,
        ],
    )


def require_empty(connection: psycopg.Connection) -> None:
    """Refuse a ledger with files, and keep other loaders from adding one.

    Raises:
        OutcomesError: the ledger has files.
    """
    connection.execute("lock table landing.files in share row exclusive mode")
    row = connection.execute("select count(*) from landing.files").fetchone()
    if row and row[0]:
        raise OutcomesError(
            f"The database {connection.info.dbname} is not empty: its ledger has {row[0]:,} "
            "files. Replay into a new one: set OUTCOMES_PG_DATABASE to a new name; on the "
            "embedded server `outcomes warehouse start` creates it."
        )


def update_file(connection: psycopg.Connection, file_id: int, **values: Any) -> None:
    """Change columns of a ledger row."""
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in values
    )
    connection.execute(
        sql.SQL("update landing.files set {} where file_id = %(file_id)s").format(assignments),
        {**values, "file_id": file_id},
    )


def _insert(connection: psycopg.Connection, table: str, **values: Any) -> None:
    connection.execute(_insertion(table, values), values)


def _insertion(table: str, columns: Iterable[str]) -> sql.Composed:
    return sql.SQL("insert into landing.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )
