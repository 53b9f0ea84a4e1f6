"""What the contract demands of an object's values, as polars expressions.

Each value is matched against a regular expression in full before it is cast, so that
no lenient cast accepts a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from outcomes.contracts.formats import DateFormat
from outcomes.contracts.model import (
    ContractObject,
    ContractProperty,
    EndNotBeforeStart,
    RowRule,
    SpellInSchoolYear,
)
from outcomes.landing.reasons import Reason
from outcomes.landing.workbook import UNREADABLE

_INTEGER = r"-?[0-9]{1,9}"
_NUMBER = r"-?(?:[0-9]{1,15}(?:\.[0-9]{1,10})?|\.[0-9]{1,10})"
_NUMBER_IN_CODE = r"[^0-9]*([0-9]{1,9})[^0-9]*"
_YEAR = "(?:19|20)[0-9]{2}"
_SCHOOL_YEAR = (
    rf"({_YEAR}|[0-9]{{2}})[-/]({_YEAR}|[0-9]{{2}})|({_YEAR})|(?i:FY ?)({_YEAR}|[0-9]{{2}})"
)
_SPAN = r"((?:19|20)[0-9]{2})-([0-9]{2})"
_ISO_DATE = DateFormat.parse("yyyy-MM-dd")
_ISO_TIME = DateFormat.parse("yyyy-MM-dd'T'HH:mm:ss")
# What a reader cannot read as a value of one cell or key, by format.
_UNREADABLE_VALUES = {
    "workbook": "the cell holds an error, an empty formula, or is merged",
    "json_lines": "the key holds a list or an object",
    "parquet": "the number is none, or has lost digits",
}


def _spring_year(day: pl.Expr) -> pl.Expr:
    return day.dt.year() + (day.dt.month() >= 7).cast(pl.Int32)


def _full(pattern: str) -> str:
    return f"^(?:{pattern})$"


@dataclass(frozen=True)
class Check:
    """A fault that a row can have; `mask` is true for rows that have it."""

    column: str | None
    reason: Reason
    detail: str
    mask: pl.Expr
    rejects: bool


class Rules:
    """The values and the checks of one object in one delivery."""

    def __init__(self, item: ContractObject, as_of_date: date) -> None:
        self.item = item
        self._as_of_date = as_of_date
        self._school_year = item.school_year_of(as_of_date)
        self._is_typed = item.file.has_typed_values
        self._null_markers = {
            prop.name: [*item.file.null_markers, *prop.null_markers] for prop in item.columns
        }
        # A row whose filter cannot be read is rejected: nobody knows whether to keep it.
        self.filters = {condition.property for condition in item.row_filter}
        self._values = [self._value(prop).alias(value_name(prop)) for prop in item.read]
        self.checks = [self._header_check()] if item.file.has_header else []
        self.checks += [check for prop in item.read for check in self._property_checks(prop)]
        self.checks += [check for rule in item.row_rules for check in self._rule_checks(rule)]
        if not any(prop.required and not prop.fill_down for prop in item.columns):
            self.checks.append(self._empty_row_check())

    def clean(self, rows: pl.DataFrame, columns: Iterable[ContractProperty]) -> pl.DataFrame:
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
                # The point is then not a decimal mark: it may separate thousands.
                rows = rows.with_columns(text.str.replace_many({",": ".", ".": ","}))
            if prop.pad_to:
                is_number = text.str.contains(r"^[0-9]+$")
                padded = pl.when(is_number).then(text.str.zfill(prop.pad_to)).otherwise(text)
                rows = rows.with_columns(padded)
        return rows

    def convert(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Clean rows, with the value of each property beside its text."""
        rows = rows.with_columns(_flagged(prop) for prop in self.item.properties if prop.flags)
        return rows.with_columns(*self._values)

    def valid(self, rows: pl.DataFrame, prop: ContractProperty) -> pl.DataFrame:
        """The rows of a frame with one property that hold a valid value of it."""
        rows = self.clean(rows, [prop])
        rows = rows.with_columns(self._value(prop).alias(value_name(prop)))
        for check in self._property_checks(prop):
            rows = rows.filter(~check.mask.fill_null(value=False))
        return rows

    def _header_check(self) -> Check:
        """A repeated header; the reader of a text has already rejected lines equal to it."""
        mask = pl.all_horizontal(
            pl.col(prop.name).is_in(_spellings(prop.header.strip()))
            for prop in self.item.columns
            if prop.header and not prop.fill_down
        )
        detail = "expected a row of data; found the header again"
        return Check(None, Reason.REPEATED_HEADER, detail, mask, rejects=True)

    def _empty_row_check(self) -> Check:
        """A row of delimiters only, in a file without required columns."""
        empty = [_is_missing(prop) for prop in self.item.columns if not prop.fill_down]
        mask = pl.all_horizontal(empty)
        return Check(None, Reason.MISSING_VALUE, "expected a value in any column", mask, True)

    def _property_checks(self, prop: ContractProperty) -> list[Check]:
        sent, value = pl.col(prop.name), pl.col(value_name(prop))
        rejects = prop.required or prop.name in self.filters
        checks = []
        readable = pl.lit(value=True)
        if unreadable := _UNREADABLE_VALUES.get(self.item.file.format):
            readable = sent != UNREADABLE
            detail = f"expected a value; {unreadable}"
            checks.append(Check(prop.name, Reason.UNREADABLE_CELL, detail, ~readable, rejects))
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
            start = pl.col(value_name(by_name[rule.start]))
            end = pl.col(value_name(by_name[rule.end]))
            detail = f"expected {rule.end} not before {rule.start}"
            return [Check(rule.end, Reason.END_BEFORE_START, detail, end < start, True)]
        if isinstance(rule, SpellInSchoolYear):
            year = self._school_year
            outside = pl.col(value_name(by_name[rule.start])) > date(year, 6, 30)
            if rule.end is not None:
                end = pl.col(value_name(by_name[rule.end]))
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
        """The value to be stored; null if it is broken."""
        text = pl.col(prop.name)
        if prop.flags:
            text = pl.when(text != UNREADABLE).then(text)
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
        if prop.parse == "school_year":
            return _school_year(text, self._school_year)
        if prop.logical_type == "timestamp" and prop.format:
            moments = [_moment(text, known) for known in prop.formats]
            return _agreed([*moments, *([_typed_moment(text)] if self._is_typed else [])])
        if prop.format:
            is_month = prop.parse == "month"
            day = _agreed([self._day(text, known, is_month=is_month) for known in prop.formats])
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
            # Two digits mean a year of the century that ends with the delivery's school year.
            last = date(self._school_year, 6, 30)
            day = pl.when(day > last).then(day.dt.offset_by("-100y")).otherwise(day)
        day = pl.when(text.str.contains(_full(date_format.regex))).then(day)
        if self._is_typed:
            # A date cell arrives in ISO form, whatever format the workbook displays.
            is_iso = text.str.contains(_full(_ISO_DATE.regex))
            cell = pl.when(is_iso).then(text.str.to_date("%Y-%m-%d", strict=False))
            if is_month:
                cell = pl.when(cell.dt.day() == 1).then(cell)
            day = pl.coalesce(day, cell)
        return day


def _agreed(readings: Sequence[pl.Expr]) -> pl.Expr:
    """A value that was read in several ways; null if two of them differ."""
    if len(readings) == 1:
        return readings[0]
    value = pl.coalesce(readings)
    is_same = pl.all_horizontal((reading == value).fill_null(value=True) for reading in readings)
    return pl.when(is_same).then(value)


def _moment(text: pl.Expr, known: DateFormat) -> pl.Expr:
    moment = text.str.to_datetime(known.strptime, strict=False)
    return pl.when(text.str.contains(_full(known.regex))).then(moment)


def _typed_moment(text: pl.Expr) -> pl.Expr:
    """A time in ISO form, with or without a fraction of its second."""
    is_iso = text.str.contains(_full(rf"{_ISO_TIME.regex}(?:\.[0-9]{{1,9}})?"))
    return pl.when(is_iso).then(text.str.to_datetime(f"{_ISO_TIME.strptime}%.f", strict=False))


def value_name(prop: ContractProperty) -> str:
    """The column with the converted value of a property."""
    return f"value of {prop.name}"


def _is_missing(prop: ContractProperty) -> pl.Expr:
    """Whether a cleaned text is null or only white space."""
    sent = pl.col(prop.name)
    return sent.is_null() | (sent.str.strip_chars() == "") if prop.is_free_text else sent.is_null()


def _spellings(name: str) -> list[str]:
    """Spellings of a name in a repeated header, also after a byte-order mark."""
    cases = {name, name.lower(), name.upper(), name.title()}
    return [*cases, *(f"\ufeff{case}" for case in cases)]


def _flagged(prop: ContractProperty) -> pl.Expr:
    """The code of the flag that is set; null if none is, `UNREADABLE` if that is unclear."""
    flags = prop.flags
    if flags is None:
        raise ValueError(f"{prop.name} has no flags")
    is_set = {name: pl.col(name).is_in(flags.set).fill_null(value=False) for name in flags.columns}
    is_known = pl.all_horizontal(
        pl.col(name).is_null() | pl.col(name).is_in([*flags.set, *flags.unset])
        for name in flags.columns
    )
    number = pl.sum_horizontal(is_set.values())
    several = UNREADABLE if flags.several is None else flags.several
    cases = [
        (~is_known, UNREADABLE),
        *((is_set[name], flags.columns[name]) for name in flags.first),
        (number > 1, several),
        *((is_set[name], code) for name, code in flags.columns.items()),
    ]
    return pl.coalesce(pl.when(case).then(pl.lit(code)) for case, code in cases).alias(prop.name)


def _span_year(text: pl.Expr) -> pl.Expr:
    """2012 for `2011-12`; null if the second year does not follow the first."""
    parts = text.str.extract_groups(_full(_SPAN))
    first = parts.struct[0].cast(pl.Int32, strict=False)
    second = parts.struct[1].cast(pl.Int32, strict=False)
    return pl.when((first + 1) % 100 == second).then(first + 1)


def _school_year(text: pl.Expr, newest: int) -> pl.Expr:
    """2013 for `2012-13`, `2012-2013`, `12-13`, `FY13`, `FY2013` and `2013`.

    Two digits mean a year of the hundred years that end with the newest school year. Null if
    the second year does not follow the first.
    """
    first, second, single, fiscal = (
        text.str.extract_groups(_full(_SCHOOL_YEAR)).struct[place] for place in range(4)
    )
    is_long = first.str.len_chars() == 4
    after, other = _full_year(first, newest) + 1, _full_year(second, newest)
    spring = pl.when(is_long).then(after).otherwise(other)
    follows = (
        (spring - 1).cast(pl.String).str.ends_with(first)
        & spring.cast(pl.String).str.ends_with(second)
        & (is_long | (second.str.len_chars() == 2))
    )
    single = _full_year(pl.coalesce(single, fiscal), newest)
    return pl.coalesce(pl.when(follows).then(spring), single)


def _full_year(digits: pl.Expr, newest: int) -> pl.Expr:
    """A year of two or four digits."""
    year = digits.cast(pl.Int32, strict=False)
    return pl.when(digits.str.len_chars() == 4).then(year).otherwise(newest - (newest - year) % 100)


def _any_of(formats: Sequence[DateFormat]) -> str:
    """The formats, in words."""
    fit = ", of which only one may fit" if len(formats) > 1 else ""
    return " or ".join(known.pattern for known in formats) + fit


def _expectation(prop: ContractProperty) -> tuple[Reason, str]:
    """Reason and explanation for a value that cannot be read."""
    if prop.flags:
        several = "" if prop.flags.several else " and one of them set at most"
        known = ", ".join([*prop.flags.set, *prop.flags.unset])
        return Reason.UNKNOWN_CODE, f"expected the flags to be one of {known}{several}"
    if prop.parse == "school_year":
        return Reason.BAD_SCHOOL_YEAR, "expected a school year: 2012-13, 12-13, FY13 or 2013"
    if prop.parse == "school_year_span":
        return Reason.BAD_SCHOOL_YEAR, "expected a school year such as 2011-12"
    if prop.logical_type == "timestamp" and prop.format:
        return Reason.BAD_TIMESTAMP, f"expected {_any_of(prop.formats)}"
    if prop.format:
        return Reason.BAD_DATE, f"expected a date {_any_of(prop.formats)}"
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
