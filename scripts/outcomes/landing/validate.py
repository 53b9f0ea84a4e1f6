"""Checks and converts the values of a block, column by column, with polars expressions.

Each value is matched against a regular expression in full before it is cast, so that
nothing lenient slips through. A broken value in a required column rejects its row; in an
optional one it becomes null and is noted.

White space around codes, ids, dates and numbers is dropped; free text (a string without
pattern, list of values or padding) is kept byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from outcomes.contracts.formats import DateFormat, spring_year
from outcomes.contracts.model import (
    ContractObject,
    ContractProperty,
    Delta,
    EndNotBeforeStart,
    RowCondition,
    RowRule,
    SpellInSchoolYear,
)
from outcomes.landing.header import TRAILING
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import REJECTED, Block, reject
from outcomes.landing.workbook import UNREADABLE

_INTEGER = r"-?[0-9]{1,9}"
_NUMBER = r"-?(?:[0-9]{1,15}(?:\.[0-9]{1,10})?|\.[0-9]{1,10})"
_NUMBER_IN_CODE = r"[^0-9]*([0-9]{1,9})[^0-9]*"
_SPAN = r"((?:19|20)[0-9]{2})-([0-9]{2})"
# Stands for a value that nobody can know.
_LOST = UNREADABLE
_ISO_DATE = DateFormat.parse("yyyy-MM-dd")


def _spring_year(day: pl.Expr) -> pl.Expr:
    return day.dt.year() + (day.dt.month() >= 7).cast(pl.Int32)


def _full(pattern: str) -> str:
    return f"^(?:{pattern})$"


@dataclass(frozen=True)
class Check:
    """Something that can be wrong with a row; `mask` is true where it is."""

    column: str | None
    reason: Reason
    detail: str
    mask: pl.Expr
    rejects: bool


@dataclass(frozen=True)
class ValidBlock:
    """A block after validation.

    `feeds` holds for each canonical feed `line_number` and the bound columns, as they go
    into the table. `values` holds every value as text, of an object that is joined with
    others. `rejected` and `issues` are rows for the ledger.
    """

    feeds: dict[str, pl.DataFrame]
    values: pl.DataFrame
    rejected: pl.DataFrame
    issues: pl.DataFrame
    rows_loaded: int
    lines_loaded: int
    blank_lines: int
    rows_not_for_us: int = 0
    lines_not_for_us: int = 0


class Validator:
    """One object's rules for one delivery, compiled to polars expressions."""

    def __init__(
        self,
        item: ContractObject,
        as_of_date: date,
        name_values: Mapping[str, str],
        *,
        typed_cells: bool,
        keeps_values: bool = False,
    ) -> None:
        self.item = item
        self._keeps_values = keeps_values
        self._as_of_date = as_of_date
        self._school_year = spring_year(as_of_date)
        self._typed_cells = typed_cells
        self._has_seen_rows = False
        self._name_columns = [
            pl.lit(name_values[prop.name]).alias(prop.name) for prop in item.named_by_file
        ]
        self._filled: dict[str, str | None] = {
            prop.name: None for prop in item.columns if prop.fill_down
        }
        self._null_markers = {
            prop.name: [*item.file.null_markers, *prop.null_markers] for prop in item.columns
        }
        # A row whose filter cannot be read is rejected: nobody knows whose it is.
        self._filters = {condition.property for condition in item.row_filter}
        self._values = [self._value(prop).alias(_value_name(prop)) for prop in item.read]
        self._checks = [self._header_check()] if item.file.header else []
        self._checks += [check for prop in item.read for check in self._property_checks(prop)]
        self._checks += [check for rule in item.row_rules for check in self._rule_checks(rule)]
        if not any(prop.required and not prop.fill_down for prop in item.columns):
            self._checks.append(self._nothing_check())

    def apply(self, block: Block) -> ValidBlock:
        """Validate a block's rows and arrange what holds by feed.

        Raises:
            FileError: a second table begins.
        """
        block = self._without_trailing_fields(self._without_torn_rows(block))
        if self._filled:
            block = self._fill_down(block)
        rows = self._clean(block.rows, self.item.columns).with_columns(*self._name_columns)
        rows = rows.with_columns(
            _flagged(prop) for prop in self.item.properties if prop.flags
        ).with_columns(*self._values)
        flags = rows.select(
            check.mask.fill_null(value=False).alias(str(n)) for n, check in enumerate(self._checks)
        )
        if self.item.file.header and not self._typed_cells:
            self._refuse_a_second_table(rows, flags)
        others = rows.clear()
        if self.item.delta:
            rows, flags = self._spare_deleted(rows, flags, self.item.delta)
        if self._filters:
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
            lines_loaded=spanned(rows),
            blank_lines=block.blank_lines,
            rows_not_for_us=others.height,
            lines_not_for_us=spanned(others),
        )

    def _header_check(self) -> Check:
        """The header again. In text, the reader has found the lines that are the same."""
        mask = pl.all_horizontal(
            pl.col(prop.name).is_in(_spellings(prop.header.strip()))
            for prop in self.item.columns
            if prop.header and not prop.fill_down
        )
        detail = "expected a row of data; found the header again"
        return Check(None, Reason.REPEATED_HEADER, detail, mask, rejects=True)

    def _refuse_a_second_table(self, rows: pl.DataFrame, flags: pl.DataFrame) -> None:
        """Refuse a text whose header comes again below rows, but is quoted otherwise.

        What follows it is of another program, of which nothing is known. Right below the
        header it is only there in two spellings.
        """
        is_header = flags.to_series(0)
        below = is_header if self._has_seen_rows else is_header & ~is_header.cum_min()
        if below.any():
            raise FileError(
                Reason.WRONG_LAYOUT,
                f"line {rows['line_start'].filter(below)[0]}: a second table begins, whose "
                "header is written otherwise",
            )
        self._has_seen_rows |= not is_header.all()

    def _nothing_check(self) -> Check:
        """A row of nothing but delimiters, which no required column refuses."""
        empty = [_is_missing(prop) for prop in self.item.columns if not prop.fill_down]
        mask = pl.all_horizontal(empty)
        return Check(None, Reason.MISSING_VALUE, "expected a value in any column", mask, True)

    def _without_torn_rows(self, block: Block) -> Block:
        """Reject rows that a line beside them, of one field, may be a piece of.

        It may where the row's value with the piece is a value by the contract, too: of
        `12` and `345`, either the first is an id, or `12345` was, and nobody can tell.
        """
        if block.pieces.is_empty():
            return block
        torn = []
        for prop in self.item.columns:
            pieces = block.pieces.filter(pl.col("column_name") == prop.name)
            joined = pieces.select("line_start", pl.col("joined").alias(prop.name))
            joined = self._clean(joined, [prop]).with_columns(
                self._value(prop).alias(_value_name(prop))
            )
            for check in self._property_checks(prop):
                joined = joined.filter(~check.mask.fill_null(value=False))
            torn.append(joined["line_start"])
        is_torn = pl.col("line_start").is_in(pl.concat(torn).implode())
        rejected = reject(
            block.rows.filter(is_torn),
            pl.lit(Reason.WRONG_FIELD_COUNT.value),
            pl.lit("a line beside it may be a piece of this row, torn off by a line break"),
        )
        return replace(
            block,
            rows=block.rows.filter(~is_torn),
            rejected=pl.concat([block.rejected, rejected]),
        )

    def _without_trailing_fields(self, block: Block) -> Block:
        """Reject rows that hold something behind their last delimiter."""
        if TRAILING not in block.rows.columns:
            return block
        is_empty = pl.col(TRAILING).fill_null("").str.strip_chars() == ""
        rejected = reject(
            block.rows.filter(~is_empty),
            pl.lit(Reason.WRONG_FIELD_COUNT.value),
            pl.lit("expected nothing behind the last delimiter"),
        )
        return replace(
            block,
            rows=block.rows.filter(is_empty).drop(TRAILING),
            rejected=pl.concat([block.rejected, rejected]),
        )

    def _fill_down(self, block: Block) -> Block:
        """Take what is empty from the row above.

        Where a rejected line stands between, the value may have been in it: nobody knows.
        """
        lost = block.rejected.select("line_start").with_columns(
            pl.lit(_LOST).alias(name) for name in self._filled
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
        both = both.filter(pl.col("line_end").is_not_null())
        is_lost = pl.any_horizontal(pl.col(name) == _LOST for name in self._filled)
        is_lost = is_lost.fill_null(value=False)
        rejected = reject(
            both.filter(is_lost),
            pl.lit(Reason.MISSING_VALUE.value),
            pl.lit("expected a value; a line above that was rejected may hold it"),
        )
        return replace(
            block,
            rows=both.filter(~is_lost).select(block.rows.columns),
            rejected=pl.concat([block.rejected, rejected]),
        )

    def _spare_deleted(
        self, rows: pl.DataFrame, flags: pl.DataFrame, delta: Delta
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Let a row pass that deletes: only its key has to be there."""
        sent = [prop.name for prop in self.item.properties]
        is_deleted = rows.select(meets(delta.deleted).alias("is deleted"))["is deleted"]
        needed = (delta.key, delta.deleted.property)
        spared = [str(n) for n, check in enumerate(self._checks) if check.column not in needed]
        flags = flags.with_columns(
            pl.when(~is_deleted).then(pl.col(n)).otherwise(pl.lit(value=False)).alias(n)
            for n in spared
            if self._checks[int(n)].column in sent
        )
        return rows.with_columns(is_deleted), flags

    def _split_off_others(
        self, rows: pl.DataFrame, flags: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Rows and flags of those that are for us, or broken, and the rows that are not."""
        conditions = [meets(condition) for condition in self.item.row_filter]
        for_us = rows.select(pl.all_horizontal(conditions).alias("for_us"))["for_us"]
        decisive = [
            str(n) for n, check in enumerate(self._checks)
            if check.rejects and (check.column is None or check.column in self._filters)
        ]  # fmt: skip
        if self.item.delta:
            for_us = for_us | rows["is deleted"]
        if decisive:
            for_us = for_us | flags.select(pl.any_horizontal(decisive).alias("broken"))["broken"]
        return rows.filter(for_us), flags.filter(for_us), rows.filter(~for_us)

    def _clean(self, rows: pl.DataFrame, columns: Iterable[ContractProperty]) -> pl.DataFrame:
        """The columns without white space around codes, ids, dates and numbers."""
        columns = list(columns)
        coded = [prop for prop in columns if not prop.is_free_text]
        rows = rows.with_columns(pl.col(prop.name).str.strip_chars() for prop in coded)
        # Few blocks hold an empty value, and looking is quicker than replacing.
        found = rows.select((pl.col(prop.name) == "").any() for prop in coded)
        empty = [name for name in found.columns if found[name].any()]
        rows = rows.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)) for name in empty)
        for prop in columns:
            text = pl.col(prop.name)
            if markers := self._null_markers[prop.name]:
                rows = rows.with_columns(pl.when(~text.str.strip_chars().is_in(markers)).then(text))
            if prop.value_map:
                rows = rows.with_columns(text.replace(prop.value_map))
            if prop.decimal_mark == ",":
                # A point is then no mark, and could group thousands.
                rows = rows.with_columns(text.str.replace_many({",": ".", ".": ","}))
            if prop.pad_to:
                is_number = text.str.contains(r"^[0-9]+$")
                padded = pl.when(is_number).then(text.str.zfill(prop.pad_to)).otherwise(text)
                rows = rows.with_columns(padded)
        return rows

    def _property_checks(self, prop: ContractProperty) -> list[Check]:
        sent, value = pl.col(prop.name), pl.col(_value_name(prop))
        rejects = prop.required or prop.name in self._filters
        checks = []
        readable = pl.lit(value=True)
        if self._typed_cells:
            readable = sent != UNREADABLE
            checks.append(
                Check(
                    prop.name,
                    Reason.UNREADABLE_CELL,
                    "expected a value; the cell holds an error, an empty formula, or is merged",
                    ~readable,
                    rejects,
                )
            )
        if prop.required:
            missing = _is_missing(prop)
            checks.append(Check(prop.name, Reason.MISSING_VALUE, "expected a value", missing, True))
        if not prop.is_free_text:
            reason, detail = _expectation(prop)
            broken = sent.is_not_null() & value.is_null() & readable
            checks.append(Check(prop.name, reason, detail, broken, rejects))
        if prop.defines_school_year and self.item.snapshot == "school_year":
            year = self._school_year
            outside = value != year
            if prop.produces == "date":
                outside = ~value.is_between(date(year - 1, 7, 1), date(year, 6, 30))
            detail = f"expected the school year {year} (July 1, {year - 1} to June 30, {year})"
            checks.append(Check(prop.name, Reason.WRONG_SCHOOL_YEAR, detail, outside, True))
        bounds, out_of_range = self._range(prop, value)
        if bounds:
            detail = f"expected {' and '.join(bounds)}"
            checks.append(Check(prop.name, Reason.OUT_OF_RANGE, detail, out_of_range, rejects))
        return checks

    def _range(self, prop: ContractProperty, value: pl.Expr) -> tuple[list[str], pl.Expr]:
        bounds, outside = [], pl.lit(value=False)
        number = value.cast(pl.Float64, strict=False) if prop.logical_type == "number" else value
        if prop.minimum is not None:
            bounds.append(f"at least {prop.minimum:g}")
            outside = outside | (number < prop.minimum)
        if prop.maximum is not None:
            bounds.append(f"at most {prop.maximum:g}")
            outside = outside | (number > prop.maximum)
        if prop.not_after == "as_of_date":
            bounds.append("no day after the as-of date")
            outside = outside | (value > self._as_of_date)
        return bounds, outside

    def _rule_checks(self, rule: RowRule) -> list[Check]:
        by_name = {prop.name: prop for prop in self.item.properties}
        if isinstance(rule, EndNotBeforeStart):
            start = pl.col(_value_name(by_name[rule.start]))
            end = pl.col(_value_name(by_name[rule.end]))
            detail = f"expected {rule.end} not before {rule.start}"
            return [Check(rule.end, Reason.END_BEFORE_START, detail, end < start, True)]
        if isinstance(rule, SpellInSchoolYear):
            year = self._school_year
            outside = pl.col(_value_name(by_name[rule.start])) > date(year, 6, 30)
            if rule.end is not None:
                end = pl.col(_value_name(by_name[rule.end]))
                outside = outside | (end < date(year - 1, 7, 1)).fill_null(value=False)
            detail = f"expected a day in the school year {year}"
            return [Check(rule.start, Reason.WRONG_SCHOOL_YEAR, detail, outside, True)]
        by, code = pl.col(rule.by), pl.col(rule.code)
        allowed = pl.lit(value=False)
        for key, codes in rule.codes.items():
            allowed = allowed | ((by == key) & code.is_in(codes))
        detail = f"expected a code that the contract lists for this {rule.by}"
        return [Check(rule.code, Reason.CODE_OF_ANOTHER_SOURCE, detail, ~allowed, True)]

    def _value(self, prop: ContractProperty) -> pl.Expr:
        """The value to be stored, null where it is broken."""
        text = pl.col(prop.name)
        if prop.flags:
            text = pl.when(text != _LOST).then(text)
        if prop.logical_type == "boolean":
            return pl.when(text.is_in(["true", "false"])).then(text)
        if prop.logical_type in ("integer", "number"):
            is_integer = prop.logical_type == "integer"
            shaped = text.str.contains(_full(_INTEGER if is_integer else _NUMBER))
            if prop.values is not None:
                # Compared as numbers: 1.0 is 1.
                shaped = shaped & text.cast(pl.Float64, strict=False).is_in(
                    [float(value) for value in prop.values]
                )
            number = pl.when(shaped).then(text)
            return number.cast(pl.Int64, strict=False) if is_integer else number
        if prop.parse == "school_year_span":
            return _span_year(text)
        if prop.logical_type == "timestamp" and prop.format:
            moment = text.str.to_datetime(prop.format.strptime, strict=False)
            return pl.when(text.str.contains(_full(prop.format.regex))).then(moment)
        if prop.format:
            day = self._day(text, prop.format, is_month=prop.parse == "month")
            return _spring_year(day) if prop.parse == "school_year_end" else day
        if prop.values is not None:
            text = pl.when(text.is_in(prop.values)).then(text)
        if prop.pattern is not None:
            text = pl.when(text.str.contains(_full(prop.pattern))).then(text)
        if prop.parse == "number_in_code":
            return text.str.extract(_full(_NUMBER_IN_CODE)).cast(pl.Int64, strict=False)
        return text

    def _day(self, text: pl.Expr, date_format: DateFormat, *, is_month: bool) -> pl.Expr:
        padded, strptime = text, date_format.strptime
        if not date_format.is_padded:
            padded = text.str.replace_all(r"\b([0-9])\b", "0${1}")
        if is_month:
            padded, strptime = padded + "-01", strptime + "-%d"
        day = padded.str.to_date(strptime, strict=False)
        if date_format.has_two_digit_year:
            # The hundred years that end with the delivery's school year.
            last = date(self._school_year, 6, 30)
            day = pl.when(day > last).then(day.dt.offset_by("-100y")).otherwise(day)
        day = pl.when(text.str.contains(_full(date_format.regex))).then(day)
        if self._typed_cells:
            # A date cell arrives in ISO form, whatever its format on the screen.
            is_iso = text.str.contains(_full(_ISO_DATE.regex))
            cell = pl.when(is_iso).then(text.str.to_date("%Y-%m-%d", strict=False))
            if is_month:
                cell = pl.when(cell.dt.day() == 1).then(cell)
            day = pl.coalesce(day, cell)
        return day

    def _split_off_failures(
        self, rows: pl.DataFrame, flags: pl.DataFrame, hits: list[int]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows that hold, and the others with the first check that they fail."""
        rejecting = [n for n in hits if self._checks[n].rejects]
        if not rejecting:
            return rows, pl.DataFrame(schema=REJECTED)
        first = flags.select(
            pl.coalesce(pl.when(pl.col(str(n))).then(pl.lit(n)) for n in rejecting).alias("check")
        )["check"]
        failed = rows.select("line_start", "line_end").with_columns(first)
        failed = failed.filter(first.is_not_null())
        checks = pl.DataFrame(
            [
                (n, self._checks[n].reason.value, self._checks[n].column, self._checks[n].detail)
                for n in rejecting
            ],
            schema={"check": first.dtype, **dict(list(REJECTED.items())[2:])},
            orient="row",
        )
        failures = failed.join(checks, on="check").select(*REJECTED)
        return rows.filter(first.is_null()), failures

    def _null_broken_values(
        self, rows: pl.DataFrame, hits: list[int]
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Take broken values of optional columns out of the rows that hold."""
        issues = []
        for n in hits:
            check = self._checks[n]
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
            value = pl.col(prop.name if prop.from_file_name else _value_name(prop))
            if prop.produces == "timestamp":
                value = value.dt.strftime("%Y-%m-%dT%H:%M:%S")
            columns.append(value.cast(pl.String).alias(prop.name))
        return rows.select(columns)

    def _feed(self, feed: str, rows: pl.DataFrame) -> pl.DataFrame:
        columns = [pl.col("line_start").alias("line_number")]
        for prop in self.item.properties:
            source = prop.name if prop.from_file_name else _value_name(prop)
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


def _value_name(prop: ContractProperty) -> str:
    return f"value of {prop.name}"


def _is_missing(prop: ContractProperty) -> pl.Expr:
    """Whether a clean value is none, or a text of nothing but white space."""
    sent = pl.col(prop.name)
    return sent.is_null() | (sent.str.strip_chars() == "") if prop.is_free_text else sent.is_null()


def meets(condition: RowCondition) -> pl.Expr:
    """Whether a row meets a condition of the contract."""
    text = pl.col(condition.property)
    is_in = text.is_in(condition.in_ or condition.not_in or []).fill_null(value=False)
    return is_in if condition.in_ else ~is_in


def spanned(rows: pl.DataFrame) -> int:
    """The number of lines that rows span."""
    return int(rows.select((pl.col("line_end") - pl.col("line_start") + 1).sum()).item())


def _spellings(name: str) -> list[str]:
    """How a name can stand in a header again; a byte-order mark can lead it."""
    cases = {name, name.lower(), name.upper(), name.title()}
    return [*cases, *(f"\ufeff{case}" for case in cases)]


def _flagged(prop: ContractProperty) -> pl.Expr:
    """The code of the column that is set; null where none is, `_LOST` where nobody knows."""
    flags = prop.flags
    if flags is None:
        raise ValueError(f"{prop.name} has no flags")
    is_set = {name: pl.col(name).is_in(flags.set).fill_null(value=False) for name in flags.columns}
    is_known = pl.all_horizontal(
        pl.col(name).is_null() | pl.col(name).is_in([*flags.set, *flags.unset])
        for name in flags.columns
    )
    number = pl.sum_horizontal(is_set.values())
    several = _LOST if flags.several is None else flags.several
    cases = [
        (~is_known, _LOST),
        *((is_set[name], flags.columns[name]) for name in flags.first),
        (number > 1, several),
        *((is_set[name], code) for name, code in flags.columns.items()),
    ]
    return pl.coalesce(pl.when(case).then(pl.lit(code)) for case, code in cases).alias(prop.name)


def _span_year(text: pl.Expr) -> pl.Expr:
    """2012 of `2011-12`; null where the second year does not follow the first."""
    parts = text.str.extract_groups(_full(_SPAN))
    first = parts.struct[0].cast(pl.Int32, strict=False)
    second = parts.struct[1].cast(pl.Int32, strict=False)
    return pl.when((first + 1) % 100 == second).then(first + 1)


def _expectation(prop: ContractProperty) -> tuple[Reason, str]:
    """Reason and explanation for a value that cannot be read."""
    if prop.flags:
        several = "" if prop.flags.several else " and one of them set at most"
        known = ", ".join([*prop.flags.set, *prop.flags.unset])
        return Reason.UNKNOWN_CODE, f"expected the flags to be one of {known}{several}"
    if prop.parse == "school_year_span":
        return Reason.BAD_SCHOOL_YEAR, "expected a school year such as 2011-12"
    if prop.logical_type == "timestamp" and prop.format:
        return Reason.BAD_TIMESTAMP, f"expected {prop.format.pattern}"
    if prop.format:
        return Reason.BAD_DATE, f"expected a date {prop.format.pattern}"
    if prop.logical_type == "boolean":
        return Reason.BAD_BOOLEAN, "expected true or false"
    if prop.values is not None:
        known = ", ".join(
            f"{value:g}" if isinstance(value, float) else str(value) for value in prop.values
        )
        return Reason.UNKNOWN_CODE, f"expected one of {known}"
    if prop.parse == "number_in_code":
        return Reason.BAD_NUMBER, "expected a code with one number in it, such as Q1"
    if prop.logical_type == "integer":
        return Reason.BAD_NUMBER, "expected a whole number"
    if prop.logical_type == "number":
        return Reason.BAD_NUMBER, "expected a plain decimal number"
    return Reason.BAD_FORMAT, f"expected {prop.pattern or 'digits'}"
