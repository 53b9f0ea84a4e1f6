"""Joins the files of a delivery: the contract's SQL adds values of other files to a row.

Joined files land together, in one transaction. Each object is its newest snapshot with later
files of changes applied to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl
import psycopg

from outcomes.contracts.formats import spring_year
from outcomes.contracts.model import Contract, ContractObject
from outcomes.contracts.sql import ORIGIN, SqlError, Tables
from outcomes.landing import ledger
from outcomes.landing.copy import copy_rows
from outcomes.landing.ledger import JoinedFile
from outcomes.landing.reading import Counts
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import Block
from outcomes.landing.validate import Validator, ValidBlock, meets

# Begins the detail of a fault in a row that came with an earlier file.
ROW_OF_FILE = re.compile(r"^in a row of file ([0-9]+): ")


@dataclass(frozen=True)
class Joined:
    """A joined file of a delivery, with the counts of its rows after the join."""

    file: JoinedFile
    counts: Counts
    issues: int = 0
    fault: FileError | None = None


def is_delta(
    item: ContractObject, rows: dict[str, pl.DataFrame], contract: Contract, as_of_date: date
) -> bool:
    """Whether a delivery's file has only changes, as the delivery itself declares.

    Raises:
        FileError: the contract's condition cannot be applied.
    """
    delta = item.delta
    if delta is None or delta.declared_in is None:
        return delta is not None
    if delta.declared_in not in rows:
        return False
    tables = Tables(as_of_date, spring_year(as_of_date))
    try:
        tables.add(contract.joined[delta.declared_in], rows[delta.declared_in])
        return tables.holds(delta.declared_in, delta.when or "")
    except SqlError as error:
        raise FileError(Reason.FAILED_TRANSFORM, str(error)) from None
    finally:
        tables.close()


def join(connection: psycopg.Connection, contract: Contract, as_of_date: date) -> list[Joined]:
    """Make the rows of a delivery's joined files; returns the files that fill feeds."""
    tables = Tables(as_of_date, spring_year(as_of_date))
    found = []
    try:
        for item in contract.joined.values():
            files = ledger.joined_files(connection, contract.partner_id, item.name, as_of_date)
            rows = _merged(connection, item, files)
            own = [file for file in files if file.as_of_date == as_of_date]
            fault = None
            try:
                rows = tables.add(item, rows)
            except SqlError as error:
                fault = FileError(Reason.FAILED_TRANSFORM, str(error))
            if own and not item.feeds and not fault:
                # It fills no feed, but other objects read it: its rows are checked, too.
                ledger.close_joined(connection, own[-1].file_id, own[-1].counts, rows.height)
            elif own:
                ledger.take_back_joined(connection, own[-1].file_id)
                if fault:
                    found.append(Joined(own[-1], own[-1].counts.without_loaded_rows(), fault=fault))
                else:
                    found.append(_store(connection, contract, item, own[-1], rows))
                    if found[-1].fault:
                        ledger.take_back_joined(connection, own[-1].file_id)
    finally:
        tables.close()
    return found


def apply_transforms(item: ContractObject, rows: pl.DataFrame, as_of_date: date) -> ValidBlock:
    """Check the values that SQL computed, and arrange the valid rows by feed."""
    validator = Validator(item.after_transforms, as_of_date, {})
    rows = rows.with_columns(pl.col("line_number").alias("line_start"))
    return validator.apply(Block(rows.drop("line_number", "file_id")))


def merge(item: ContractObject, rows: pl.DataFrame, order: list[int]) -> pl.DataFrame:
    """One snapshot of the rows of a snapshot and later changes, in the order of their files."""
    if item.delta is None:
        return rows
    places = pl.col("file_id").replace_strict(order, range(len(order)), return_dtype=pl.Int64)
    rows = rows.with_columns(places.alias("place")).sort("place", "line_number").drop("place")
    rows = rows.unique(item.delta.key, keep="last", maintain_order=True)
    return rows.filter(~meets(item.delta.deleted))


def as_rows(item: ContractObject, records: Collection[tuple[int, int, int, str]]) -> pl.DataFrame:
    """Stored rows (file, line, last line, values) as a frame of text."""
    names = [prop.name for prop in item.before_transforms.properties]
    frame = pl.DataFrame(
        records,
        schema={**dict.fromkeys(ORIGIN, pl.Int64), "content": pl.String},
        orient="row",
    )
    values = pl.Struct(dict.fromkeys(names, pl.String))
    return frame.with_columns(pl.col("content").str.json_decode(values)).unnest("content")


def _merged(
    connection: psycopg.Connection, item: ContractObject, files: list[JoinedFile]
) -> pl.DataFrame:
    """The rows of an object after a delivery."""
    snapshots = [n for n, file in enumerate(files) if not file.is_delta]
    files = files[snapshots[-1] :] if snapshots else files
    order = [file.file_id for file in files]
    records = connection.execute(
        "select file_id, line_number, line_end, content::text from landing.joined_rows "
        "where file_id = any(%s)",
        [order],
    ).fetchall()
    return merge(item, as_rows(item, records), order)


def _store(
    connection: psycopg.Connection,
    contract: Contract,
    item: ContractObject,
    file: JoinedFile,
    rows: pl.DataFrame,
) -> Joined:
    counts = file.counts
    in_snapshot = issues = 0
    rejected = []
    load: dict[str, str | int | date] = {
        "partner_id": contract.partner_id,
        "load_id": file.file_id,
        "as_of_date": file.as_of_date,
    }
    for (origin,), part in rows.group_by("file_id", maintain_order=True):
        valid = apply_transforms(item, part, file.as_of_date)
        is_own = origin == file.file_id
        for feed, fed in valid.feeds.items():
            if not is_own:
                fed = fed.with_columns(pl.lit(origin).alias("origin_file_id"))
            copy_rows(connection, ("raw", feed), fed, load)
        where = "" if is_own else f"in a row of file {origin}: "
        noted: dict[str, str | int | date] = {"file_id": file.file_id, "is_of_join": "true"}
        for table, found in (("rejected_rows", valid.rejected), ("value_issues", valid.issues)):
            if found.height:
                found = found.with_columns((pl.lit(where) + pl.col("detail")).alias("detail"))
                copy_rows(connection, ("landing", table), found, noted)
        in_snapshot += valid.rows_loaded
        counts = counts.after_join(valid, is_own=is_own)
        rejected.append(valid.rejected)
        issues += valid.issues.height
    try:
        counts.require_enough_rows(rejected)
    except FileError as fault:
        return Joined(file, counts.without_loaded_rows(), fault=fault)
    ledger.close_joined(connection, file.file_id, counts, in_snapshot)
    return Joined(file, counts, issues)
