"""Snapshots that lost too many rows are held until a person releases them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

from outcomes.contracts.formats import spring_year
from outcomes.errors import OutcomesError
from outcomes.landing.ledger import FileKey, update_file
from outcomes.landing.reasons import Reason
from outcomes.landing.unpack import LogicalFile


@dataclass(frozen=True)
class SnapshotGroup:
    """Successive snapshots of one object and, if it is by school year, of one school year."""

    partner_id: str
    contract_object: str
    source_id: str | None
    school_year: int | None

    @classmethod
    def of(cls, file: LogicalFile, key: FileKey) -> SnapshotGroup | None:
        """The group of a file, or None if its files do not replace each other."""
        if file.item is None or file.item.snapshot not in ("school_year", "cumulative"):
            return None
        by_year = file.item.snapshot == "school_year"
        year = spring_year(key.as_of_date) if by_year else None
        return cls(key.partner_id, file.item.name, key.source_id, year)


@dataclass(frozen=True)
class Judged:
    """A snapshot that is now held, or no longer held."""

    file_id: int
    file_name: str
    as_of_date: date
    status: str
    detail: str | None


@dataclass(frozen=True)
class _Snapshot:
    file_id: int
    file_name: str
    as_of_date: date
    rows_loaded: int
    status: str
    is_released: bool


def judge_snapshots(
    connection: psycopg.Connection, group: SnapshotGroup, max_share: float
) -> list[Judged]:
    """Hold the snapshots that lost more than a share of the previous accepted one.

    All snapshots of the same object and school year are judged again, in the order of their
    as-of dates, so the order of arrival does not matter. The rows of a held snapshot are
    stored; its status keeps staging from reading them.
    """
    with connection.cursor(row_factory=class_row(_Snapshot)) as cursor:
        snapshots = cursor.execute(
            """
            select
                file_id,
                file_name,
                as_of_date,
                coalesce(rows_in_snapshot, rows_loaded) as rows_loaded,
                status,
                released_at is not null as is_released
            from landing.files
            where
                partner_id = %(partner_id)s
                and contract_object = %(contract_object)s
                and source_id is not distinct from %(source_id)s
                and school_year is not distinct from %(school_year)s
                and status in ('loaded', 'held')
            order by as_of_date, sent_at nulls first, received_at, file_id
            """,
            asdict(group),
        ).fetchall()
    changed = []
    accepted: list[_Snapshot] = []
    for snapshot in snapshots:
        # The previous snapshot, and the one of the same delivery that this one replaces.
        before = [a for a in accepted if a.as_of_date < snapshot.as_of_date][-1:]
        before += [a for a in accepted if a.as_of_date == snapshot.as_of_date][-1:]
        fullest = max(before, key=lambda a: a.rows_loaded, default=snapshot)
        enough = fullest.rows_loaded * (1 - max_share)
        status, detail = "loaded", None
        if snapshot.rows_loaded < enough and not snapshot.is_released:
            status = "held"
            is_replaced = fullest.as_of_date == snapshot.as_of_date
            which = "version that it replaces" if is_replaced else "snapshot"
            detail = (
                f"{snapshot.rows_loaded} rows, {fullest.rows_loaded} in the {which} of "
                f"{fullest.as_of_date}; at most {max_share:.0%} may be lost"
            )
        else:
            accepted.append(snapshot)
        if status != snapshot.status:
            reason = Reason.SHRUNKEN_SNAPSHOT.value if status == "held" else None
            update_file(
                connection, snapshot.file_id, status=status, reason_code=reason, detail=detail
            )
            day = snapshot.as_of_date
            changed.append(Judged(snapshot.file_id, snapshot.file_name, day, status, detail))
    return changed


def release(
    connection: psycopg.Connection, file_name: str, as_of_date: date | None, reason: str
) -> SnapshotGroup:
    """Accept a held snapshot permanently; call `judge_snapshots` afterwards.

    Raises:
        OutcomesError: no held file has this name, or several have.
    """
    held = connection.execute(
        """
        select file_id, as_of_date, partner_id, contract_object, source_id, school_year
        from landing.files
        where
            status = 'held'
            and file_name = %(file_name)s
            and (%(as_of_date)s::date is null or as_of_date = %(as_of_date)s)
        order by as_of_date, file_id
        """,
        {"file_name": file_name, "as_of_date": as_of_date},
    ).fetchall()
    if not held:
        raise OutcomesError(
            f"No held file is named {file_name}. `outcomes land` prints the name of a held file; "
            "landing.files lists all of them."
        )
    if len(held) > 1:
        days = ", ".join(str(row[1]) for row in held)
        raise OutcomesError(f"{file_name} is held in the deliveries of {days}; give --as-of.")
    file_id, _, *group = held[0]
    connection.execute(
        "update landing.files set released_at = clock_timestamp(), release_reason = %s"
        " where file_id = %s",
        [reason, file_id],
    )
    return SnapshotGroup(*group)


@dataclass(frozen=True)
class Release:
    """A person's decision to accept a held snapshot."""

    partner_id: str
    as_of_date: date
    file_name: str
    sha256: str
    released_at: datetime
    release_reason: str


def releases(connection: psycopg.Connection) -> list[Release]:
    """Every release in the ledger."""
    with connection.cursor(row_factory=class_row(Release)) as cursor:
        return cursor.execute(
            """
            select partner_id, as_of_date, file_name, sha256, released_at, release_reason
            from landing.files
            where released_at is not null
            order by released_at
            """
        ).fetchall()


def restore_release(connection: psycopg.Connection, release: Release) -> SnapshotGroup | None:
    """Repeat a release; call `judge_snapshots` afterwards. None if the file is not loaded."""
    row = connection.execute(
        """
        update landing.files
        set released_at = %(released_at)s, release_reason = %(release_reason)s
        where
            partner_id = %(partner_id)s
            and as_of_date = %(as_of_date)s
            and file_name = %(file_name)s
            and sha256 = %(sha256)s
            and status in ('loaded', 'held')
        returning partner_id, contract_object, source_id, school_year
        """,
        asdict(release),
    ).fetchone()
    return SnapshotGroup(*row) if row else None
