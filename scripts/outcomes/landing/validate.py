"""Applies the rules of an object to its rows, block by block, and arranges them by feed.

A broken value in a required column rejects its row; in an optional one it becomes null and is
recorded as an issue. White space around codes, ids, dates and numbers is removed; free text (a
string without pattern, list of values or padding) is kept byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from outcomes.contracts.model import ContractObject, Delta, RowCondition
from outcomes.landing.header import TRAILING
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import REJECTED, Block, reject
from outcomes.landing.rules import Rules, value_name
from outcomes.landing.workbook import UNREADABLE


@dataclass(frozen=True)
class ValidBlock:
    """A block after validation.

    `feeds` has for each canonical feed its rows: `line_number` and the bound columns. `values`
    has every value as text if the object is joined with others. `rejected` and `issues` are
    rows for the ledger.
    """

    feeds: dict[str, pl.DataFrame]
    values: pl.DataFrame
    rejected: pl.DataFrame
    issues: pl.DataFrame
    rows_loaded: int
    lines_loaded: int
    blank_lines: int
    rows_filtered_out: int = 0
    lines_filtered_out: int = 0


class Validator:
    """Validates the blocks of one file, in their order."""

    def __init__(
        self,
        item: ContractObject,
        as_of_date: date,
        name_values: Mapping[str, str],
        *,
        keeps_values: bool = False,
    ) -> None:
        self.item = item
        self._rules = Rules(item, as_of_date)
        self._keeps_values = keeps_values
        self._has_seen_rows = False
        self._name_columns = [
            pl.lit(name_values[prop.name]).alias(prop.name) for prop in item.named_by_file
        ]
        self._filled: dict[str, str | None] = {
            prop.name: None for prop in item.columns if prop.fill_down == "blanks"
        }

    def apply(self, block: Block) -> ValidBlock:
        """Validate a block's rows and arrange the valid ones by feed.

        Raises:
            FileError: a second table begins.
        """
        block = self._without_trailing_fields(self._without_torn_rows(block))
        if self._filled:
            block = self._fill_down(block)
        rows = self._rules.clean(block.rows, self.item.columns).with_columns(*self._name_columns)
        rows = self._rules.convert(rows)
        flags = rows.select(
            check.mask.fill_null(value=False).alias(str(n))
            for n, check in enumerate(self._rules.checks)
        )
        if self.item.file.has_header and self.item.file.format != "workbook":
            self._refuse_a_second_table(rows, flags)
        others = rows.clear()
        if self.item.delta:
            rows, flags = self._without_faults_of_deleted(rows, flags, self.item.delta)
        if self._rules.filters:
            rows, flags, others = self._split_off_others(rows, flags)
        hits = [n for n, hit in enumerate(flags.select(pl.all().any()).row(0)) if hit]

        rejected = [block.rejected]
        issues: list[pl.DataFrame] = []
        if hits:
            rows, failures = self._split_off_failures(rows, flags, hits)
            rejected.append(failures)
            rows, issues = self._null_broken_values(rows, hits)
        return ValidBlock(
            feeds={feed: self._feed(feed, rows) for feed in self.item.feeds},
            values=self._texts(rows) if self._keeps_values else pl.DataFrame(),
            rejected=pl.concat(rejected),
            issues=pl.concat(issues) if issues else pl.DataFrame(),
            rows_loaded=rows.height,
            lines_loaded=count_lines(rows),
            blank_lines=block.blank_lines,
            rows_filtered_out=others.height,
            lines_filtered_out=count_lines(others),
        )

    def _refuse_a_second_table(self, rows: pl.DataFrame, flags: pl.DataFrame) -> None:
        """Refuse a text with a second header, quoted differently, below its rows.

        The rows that follow come from another program, so their layout is unknown. Directly
        below the first header, it is only the same header in a second spelling.
        """
        is_header = flags.to_series(0)
        below = is_header if self._has_seen_rows else is_header & ~is_header.cum_min()
        if below.any():
            raise FileError(
                Reason.WRONG_LAYOUT,
                f"line {rows['line_start'].filter(below)[0]}: a second table begins, with a "
                "header in another spelling",
            )
        self._has_seen_rows |= not is_header.all()

    def _without_torn_rows(self, block: Block) -> Block:
        """Reject rows from which a line break may have torn off the line before or after.

        That is possible if value and piece together are a valid value, too: for `12` and
        `345`, the id may be `12` or `12345`.
        """
        if block.pieces.is_empty():
            return block
        torn = []
        for prop in self.item.columns:
            pieces = block.pieces.filter(pl.col("column_name") == prop.name)
            joined = pieces.select("line_start", pl.col("joined").alias(prop.name))
            torn.append(self._rules.valid(joined, prop)["line_start"])
        is_torn = pl.col("line_start").is_in(pl.concat(torn).implode())
        detail = "the line before or after may be a piece of this row, torn off by a line break"
        return _reject(block, is_torn, Reason.WRONG_FIELD_COUNT, detail)

    def _without_trailing_fields(self, block: Block) -> Block:
        """Reject rows with a value after their last delimiter."""
        if TRAILING not in block.rows.columns:
            return block
        is_filled = pl.col(TRAILING).fill_null("").str.strip_chars() != ""
        detail = "expected nothing after the last delimiter"
        block = _reject(block, is_filled, Reason.WRONG_FIELD_COUNT, detail)
        return replace(block, rows=block.rows.drop(TRAILING))

    def _fill_down(self, block: Block) -> Block:
        """Fill empty values from the row above.

        If a line between them was rejected, the value is unknown: the line may hold it.
        """
        lost = block.rejected.select("line_start").with_columns(
            pl.lit(UNREADABLE).alias(name) for name in self._filled
        )
        rows = block.rows.with_columns(
            pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name))
            for name in self._filled
        )
        both = pl.concat([rows, lost], how="diagonal").sort("line_start")
        both = both.with_columns(
            pl.col(name).forward_fill().fill_null(pl.lit(before, dtype=pl.String))
            for name, before in self._filled.items()
        )
        if both.height:
            self._filled = {name: both[name][-1] for name in self._filled}
        rows = both.filter(pl.col("line_end").is_not_null()).select(block.rows.columns)
        is_lost = pl.any_horizontal(pl.col(name) == UNREADABLE for name in self._filled)
        is_lost = is_lost.fill_null(value=False)
        detail = "expected a value; a rejected line above may hold it"
        return _reject(replace(block, rows=rows), is_lost, Reason.MISSING_VALUE, detail)

    def _without_faults_of_deleted(
        self, rows: pl.DataFrame, flags: pl.DataFrame, delta: Delta
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Mark rows that delete, and require only a key of them."""
        sent = [prop.name for prop in self.item.properties]
        is_deleted = rows.select(meets(delta.deleted).alias("is deleted"))["is deleted"]
        needed = (delta.key, delta.deleted.property)
        flags = flags.with_columns(
            pl.when(~is_deleted).then(pl.col(str(n))).otherwise(pl.lit(value=False)).alias(str(n))
            for n, check in enumerate(self._rules.checks)
            if check.column in sent and check.column not in needed
        )
        return rows.with_columns(is_deleted), flags

    def _split_off_others(
        self, rows: pl.DataFrame, flags: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Rows to keep or with a broken filter, their flags, and the rows filtered out."""
        conditions = [meets(condition) for condition in self.item.row_filter]
        for_us = rows.select(pl.all_horizontal(conditions).alias("for_us"))["for_us"]
        decisive = [
            str(n) for n, check in enumerate(self._rules.checks)
            if check.rejects and (check.column is None or check.column in self._rules.filters)
        ]  # fmt: skip
        if self.item.delta:
            for_us = for_us | rows["is deleted"]
        if decisive:
            for_us = for_us | flags.select(pl.any_horizontal(decisive).alias("broken"))["broken"]
        return rows.filter(for_us), flags.filter(for_us), rows.filter(~for_us)

    def _split_off_failures(
        self, rows: pl.DataFrame, flags: pl.DataFrame, hits: list[int]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The valid rows, and the others with the first fault of each."""
        checks = self._rules.checks
        rejecting = [n for n in hits if checks[n].rejects]
        if not rejecting:
            return rows, pl.DataFrame(schema=REJECTED)
        first = flags.select(
            pl.coalesce(pl.when(pl.col(str(n))).then(pl.lit(n)) for n in rejecting).alias("check")
        )["check"]
        failed = rows.select("line_start", "line_end").with_columns(first)
        failed = failed.filter(first.is_not_null())
        faults = pl.DataFrame(
            [(n, checks[n].reason.value, checks[n].column, checks[n].detail) for n in rejecting],
            schema={"check": first.dtype, **dict(list(REJECTED.items())[2:])},
            orient="row",
        )
        failures = failed.join(faults, on="check").select(*REJECTED)
        return rows.filter(first.is_null()), failures

    def _null_broken_values(
        self, rows: pl.DataFrame, hits: list[int]
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Set broken values of optional columns to null; the rows, and an issue for each."""
        issues = []
        for n in hits:
            check = self._rules.checks[n]
            if check.rejects:
                continue
            issues.append(
                rows.filter(check.mask).select(
                    pl.col("line_start").alias("line_number"),
                    pl.lit(check.reason.value).alias("reason_code"),
                    pl.lit(check.column).alias("column_name"),
                    pl.lit(check.detail).alias("detail"),
                )
            )
            value = f"value of {check.column}"
            holds = ~check.mask.fill_null(value=False)
            rows = rows.with_columns(pl.when(holds).then(pl.col(value)))
        return rows, issues

    def _texts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Every value as text; days and times in ISO form."""
        columns = [pl.col("line_start").alias("line_number"), "line_end"]
        for prop in self.item.properties:
            value = pl.col(prop.name if prop.from_file_name else value_name(prop))
            if prop.produces == "timestamp":
                value = value.dt.strftime("%Y-%m-%dT%H:%M:%S")
            columns.append(value.cast(pl.String).alias(prop.name))
        return rows.select(columns)

    def _feed(self, feed: str, rows: pl.DataFrame) -> pl.DataFrame:
        columns = [pl.col("line_start").alias("line_number")]
        for prop in self.item.properties:
            source = prop.name if prop.from_file_name else value_name(prop)
            columns += [
                pl.col(source).alias(binding.split(".")[1])
                for binding in prop.feeds
                if binding.split(".")[0] == feed
            ]
        columns += [
            pl.lit(constant).alias(binding.split(".")[1])
            for binding, constant in self.item.constants.items()
            if binding.split(".")[0] == feed
        ]
        return rows.select(columns)


def _reject(block: Block, is_broken: pl.Expr, reason: Reason, detail: str) -> Block:
    """The block, with its broken rows rejected for a reason."""
    broken = block.rows.filter(is_broken)
    rejected = reject(broken, pl.lit(reason.value), pl.lit(detail))
    return replace(
        block,
        rows=block.rows.filter(~is_broken),
        rejected=pl.concat([block.rejected, rejected]),
    )


def meets(condition: RowCondition) -> pl.Expr:
    """Whether a row meets a condition of the contract."""
    text = pl.col(condition.property)
    is_in = text.is_in(condition.in_ or condition.not_in or []).fill_null(value=False)
    return is_in if condition.in_ else ~is_in


def count_lines(rows: pl.DataFrame) -> int:
    """The number of lines that rows span."""
    return int(rows.select((pl.col("line_end") - pl.col("line_start") + 1).sum()).item())
