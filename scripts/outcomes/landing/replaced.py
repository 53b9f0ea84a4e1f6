"""Objects of a contract that take the place of others: renamed, split or merged kinds of file.

A snapshot is in force for a feed until a newer one of its own object, or of an object in
`landing.replaced_objects`, takes its place; int_snapshots applies that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg.rows import class_row

from outcomes.contracts.model import Contract
from outcomes.contracts.reader import ContractError, Contracts
from outcomes.landing.deliveries import Deliveries


@dataclass(frozen=True, order=True)
class Replaced:
    """In a feed, snapshots of one object took the place of another's."""

    feed: str
    contract_object: str
    replaced_object: str


@dataclass(frozen=True)
class _Filled:
    """A feed that a delivery filled by snapshots of an object."""

    feed: str
    contract_object: str
    as_of_date: date
    school_year: int | None


def record_replaced_objects(connection: psycopg.Connection, contract: Contract) -> None:
    """Update the partner's rows of `landing.replaced_objects`."""
    found = replaced_objects(connection, contract)
    connection.execute(
        "delete from landing.replaced_objects where partner_id = %s", [contract.partner_id]
    )
    connection.cursor().executemany(
        "insert into landing.replaced_objects values (%s, %s, %s, %s)",
        [(contract.partner_id, r.feed, r.contract_object, r.replaced_object) for r in found],
    )


def replaced_objects(
    connection: psycopg.Connection, contract: Contract, years: Collection[int] | None = None
) -> list[Replaced]:
    """What the contract says, and what follows for objects that it no longer has.

    Such an object is replaced by the only object that fills its feed and never came beside it in
    a delivery. What was found once stays.

    Raises:
        ContractError: that is not certain, and a snapshot of such an object is in force in one of
            the school years `years`.
    """
    items = {item.name: item for item in contract.objects if item.is_snapshot}
    names = [item.name for item in contract.objects]
    filled = _filled(connection, contract.partner_id)
    found = _found_before(connection, contract.partner_id, names)
    for item in items.values():
        replaced = contract.replaced_by(item.name)
        found |= {Replaced(feed, item.name, name) for feed in item.feeds for name in replaced}
    former = {(row.contract_object, row.feed) for row in filled if row.contract_object not in names}
    for name, feed in sorted(former - {(r.replaced_object, r.feed) for r in found}):
        own = [row for row in filled if (row.contract_object, row.feed) == (name, feed)]
        days = {row.as_of_date for row in own}
        beside = {
            row.contract_object for row in filled if row.feed == feed and row.as_of_date in days
        }
        fill = [item.name for item in items.values() if feed in item.feeds]
        new = [other for other in fill if other not in beside]
        if len(new) == 1:
            found.add(Replaced(feed, new[0], name))
        elif (
            years is not None
            and fill
            and any(row.school_year is None or row.school_year in years for row in own)
        ):
            raise ContractError(
                contract.path,
                "schema",
                f"the contract no longer has {name!r}, whose snapshot is in force for {feed} "
                f"beside {' and '.join(map(repr, fill))}. Say which object took its place "
                f"(`replaces: [{name}]`), or restore it",
            )
    return _with_indirect(found)


def without_ambiguous_contracts(
    connection: psycopg.Connection, contracts: Contracts, deliveries: Deliveries
) -> tuple[Contracts, Deliveries]:
    """What is left without the contracts that leave open which snapshot is in force."""
    years: dict[str, set[int]] = {}
    for file in deliveries.files:
        items = contracts[file.partner_id].objects
        own = years.setdefault(file.partner_id, set())
        own.update(item.school_year_of(file.as_of_date) for item in items)
    ambiguous = {}
    for partner_id, landing in years.items():
        try:
            replaced_objects(connection, contracts[partner_id], landing)
        except ContractError as error:
            ambiguous[partner_id] = str(error)
    unplaced = [f"{partner_id}: {error}" for partner_id, error in ambiguous.items()]
    files = [file for file in deliveries.files if file.partner_id not in ambiguous]
    return contracts.without(ambiguous), Deliveries(files, deliveries.unplaced + unplaced)


def objects_in_succession(
    connection: psycopg.Connection, partner_id: str, contract_object: str
) -> tuple[list[str], list[Replaced]]:
    """An object and all that it replaces or that replace it, and which replaces which."""
    with connection.cursor(row_factory=class_row(Replaced)) as cursor:
        pairs = cursor.execute(
            "select feed, contract_object, replaced_object from landing.replaced_objects "
            "where partner_id = %s order by 1, 2, 3",
            [partner_id],
        ).fetchall()
    objects = {contract_object}
    while (
        more := {
            name
            for pair in pairs
            for name in (pair.contract_object, pair.replaced_object)
            if objects & {pair.contract_object, pair.replaced_object}
        }
        - objects
    ):
        objects |= more
    return sorted(objects), [pair for pair in pairs if pair.contract_object in objects]


def _filled(connection: psycopg.Connection, partner_id: str) -> list[_Filled]:
    with connection.cursor(row_factory=class_row(_Filled)) as cursor:
        return cursor.execute(
            """
            select distinct feed, contract_object, as_of_date, school_year
            from landing.files cross join unnest(feeds) as feed
            where partner_id = %s and status in ('loaded', 'held')
            and snapshot in ('school_year', 'cumulative')
            """,
            [partner_id],
        ).fetchall()


def _found_before(
    connection: psycopg.Connection, partner_id: str, names: list[str]
) -> set[Replaced]:
    with connection.cursor(row_factory=class_row(Replaced)) as cursor:
        return set(
            cursor.execute(
                "select feed, contract_object, replaced_object from landing.replaced_objects "
                "where partner_id = %s and replaced_object <> all(%s)",
                [partner_id, names],
            )
        )


def _with_indirect(found: set[Replaced]) -> list[Replaced]:
    """What replaced an object also replaced the objects that this had replaced."""
    while True:
        more = {
            Replaced(one.feed, one.contract_object, other.replaced_object)
            for one in found
            for other in found
            if (one.feed, one.replaced_object) == (other.feed, other.contract_object)
            and one.contract_object != other.replaced_object
        }
        if more <= found:
            return sorted(found)
        found = found | more
