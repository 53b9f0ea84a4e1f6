"""Snapshots that lost too many rows are held until a person releases them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

from outcomes.errors import OutcomesError
from outcomes.landing.ledger import FileKey, update_file
from outcomes.landing.reasons import Reason
from outcomes.landing.replaced import Replaced, objects_in_succession
from outcomes.landing.unpack import LogicalFile
from outcomes.queries import query


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
        year = file.item.school_year_of(key.as_of_date) if by_year else None
        return cls(key.partner_id, file.item.name, key.source_id, year)


@dataclass(frozen=True)
class ChangedSnapshot:
    """A snapshot that is now held, or no longer held."""

    file_id: int
    file_name: str
    as_of_date: date
    status: str
    detail: str | None


@dataclass(frozen=True)
class _Snapshot:
    file_id: int
    contract_object: str
    source_id: str | None
    school_year: int | None
    file_name: str
    as_of_date: date
    feeds: list[str]
    rows_loaded: int
    status: str
    is_released: bool

    @property
    def series(self) -> tuple[str, str | None, int | None]:
        """What the next snapshot of its object shares with it."""
        return self.contract_object, self.source_id, self.school_year

    def takes_turns_with(self, other: _Snapshot, pairs: set[tuple[str, str]]) -> bool:
        """Whether only the newer of the two is in force, if their objects are such a pair.

        An object without sources, or without school years, stands for all of them.
        """
        return (
            (self.contract_object, other.contract_object) in pairs
            and (self.source_id == other.source_id or None in (self.source_id, other.source_id))
            and (
                self.school_year == other.school_year
                or None in (self.school_year, other.school_year)
            )
        )


@dataclass(frozen=True)
class _Comparison:
    """The rows of a snapshot, and those that were in force before."""

    rows: int
    rows_before: int
    before: str


def hold_shrunken_snapshots(
    connection: psycopg.Connection, group: SnapshotGroup, max_share: float
) -> list[ChangedSnapshot]:
    """Hold the snapshots that lost more than a share of the previous accepted one.

    All snapshots of the same object and school year, and of objects that take each other's place
    with it, are compared again, in the order of their as-of dates, so the order of arrival does not
    matter. The rows of a held snapshot are stored; its status keeps models from reading them.
    """
    objects, replaced = objects_in_succession(connection, group.partner_id, group.contract_object)
    with connection.cursor(row_factory=class_row(_Snapshot)) as cursor:
        snapshots = cursor.execute(
            query("outcomes.landing", "snapshots_to_judge"),
            asdict(group) | {"objects": objects},
        ).fetchall()
    changed = []
    accepted: list[_Snapshot] = []
    for snapshot in snapshots:
        compared = _compared(snapshot, accepted, snapshots, replaced)
        lost = [c for c in compared if c.rows < c.rows_before * (1 - max_share)]
        status, detail = "loaded", None
        if lost and not snapshot.is_released:
            status = "held"
            most = max(lost, key=lambda comparison: comparison.rows_before)
            detail = (
                f"{most.rows} rows, {most.rows_before} in the {most.before}; at most "
                f"{max_share:.0%} may be lost"
            )
        else:
            accepted.append(snapshot)
        if status != snapshot.status:
            reason = Reason.SHRUNKEN_SNAPSHOT.value if status == "held" else None
            update_file(
                connection, snapshot.file_id, status=status, reason_code=reason, detail=detail
            )
            day = snapshot.as_of_date
            changed.append(
                ChangedSnapshot(snapshot.file_id, snapshot.file_name, day, status, detail)
            )
    return changed


def _compared(
    snapshot: _Snapshot,
    accepted: list[_Snapshot],
    snapshots: list[_Snapshot],
    replaced: list[Replaced],
) -> list[_Comparison]:
    """What a snapshot is compared with: what was in force before, feed by feed.

    That is the previous snapshot of its object, or newer ones of objects whose place it takes;
    and the version of the same delivery that it replaces.
    """
    day, rows = snapshot.as_of_date, snapshot.rows_loaded
    own = [a for a in accepted if a.series == snapshot.series]
    compared = [
        _Comparison(rows, version.rows_loaded, f"version that it replaces of {day}")
        for version in own[-1:]
        if version.as_of_date == day
    ]
    earlier = [a for a in own if a.as_of_date < day][-1:]
    since = earlier[0].as_of_date if earlier else date.min
    is_taken_over = False
    for feed in snapshot.feeds:
        pairs = {(r.contract_object, r.replaced_object) for r in replaced if r.feed == feed}
        pairs |= {(other, one) for one, other in pairs}
        before = _in_force(feed, [a for a in accepted if since < a.as_of_date < day], pairs)
        before = [a for a in before if snapshot.takes_turns_with(a, pairs)]
        if not before:
            continue
        is_taken_over = True
        # Objects into which one was split are compared together.
        beside = {
            s.series: s.rows_loaded
            for s in snapshots
            if s.as_of_date == day
            and feed in s.feeds
            and s.series != snapshot.series
            and not s.takes_turns_with(snapshot, pairs)
            and any(s.takes_turns_with(a, pairs) for a in before)
        }
        names = " and ".join(sorted({a.contract_object for a in before}))
        compared.append(
            _Comparison(
                rows + sum(beside.values()),
                sum(a.rows_loaded for a in before),
                f"snapshot of {names} of {max(a.as_of_date for a in before)}",
            )
        )
    if not is_taken_over:
        compared += [
            _Comparison(rows, previous.rows_loaded, f"snapshot of {previous.as_of_date}")
            for previous in earlier
        ]
    return compared


def _in_force(feed: str, accepted: list[_Snapshot], pairs: set[tuple[str, str]]) -> list[_Snapshot]:
    """The newest snapshots of each object, without those whose place another took since."""
    newest = {a.series: a for a in accepted if feed in a.feeds}
    return [
        one
        for one in newest.values()
        if not any(
            other.as_of_date > one.as_of_date and other.takes_turns_with(one, pairs)
            for other in newest.values()
        )
    ]


def release(
    connection: psycopg.Connection, file_name: str, as_of_date: date | None, reason: str
) -> SnapshotGroup:
    """Accept a held snapshot permanently; call `hold_shrunken_snapshots` afterwards.

    Raises:
        OutcomesError: no held file has this name, or several have.
    """
    held = connection.execute(
        query("outcomes.landing", "held_files"),
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
    """Repeat a release; call `hold_shrunken_snapshots` afterwards.

    Returns:
        None if the file is not loaded.
    """
    row = connection.execute(
        query("outcomes.landing", "restore_release"),
        asdict(release),
    ).fetchone()
    return SnapshotGroup(*row) if row else None
