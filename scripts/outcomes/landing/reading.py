"""Reads one logical file by its contract, for landing and for `district check`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from outcomes.contracts.layout import FileLayout, Trailer
from outcomes.contracts.model import Contract, ContractObject
from outcomes.landing import fixed_width, limits, workbook
from outcomes.landing.delimited import read_delimited, read_header, read_record
from outcomes.landing.deliveries import printable, state_of
from outcomes.landing.header import Mapping, map_header, map_positions
from outcomes.landing.interruption import fault_of
from outcomes.landing.json_lines import Keys, read_json_lines
from outcomes.landing.parquet import ParquetFile
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import Block
from outcomes.landing.text import LineReader, Survey, skip_titles, survey
from outcomes.landing.unpack import LogicalFile, sha256_of
from outcomes.landing.validate import Validator, ValidBlock, count_lines

# If more rows than this cannot be decoded, and no row has letters beyond ASCII that can, the
# file is in another encoding.
_MAX_UNDECODABLE_SHARE = 0.01

# What is wrong if no row has the shape of one.
_NO_ROW = {
    "delimited": "expected rows with as many fields as the header or the contract; no row has that "
    "many",
    "json_lines": "expected one object a line, with the contract's keys; no line is one",
}

# At most so many added columns, and kinds of faults, are named in a message.
_NAMED_COLUMNS = 10
_NAMED_FAULTS = 3
_FAULT = ("line_start", "reason_code", "column_name")


@dataclass
class Counts:
    """Rows and physical lines of a file (rows of a sheet), by outcome.

    `lines` is always the sum of the other counts of lines.
    """

    lines: int = 0
    header_lines: int = 0
    blank_lines: int = 0
    trailer_lines: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_filtered_out: int = 0
    lines_loaded: int = 0
    lines_rejected: int = 0
    lines_filtered_out: int = 0

    def after_join(self, valid: ValidBlock, *, is_own: bool) -> Counts:
        """The counts after rows of the file, or of an earlier one, were joined."""
        rejected = valid.rejected.height
        if not is_own:
            return replace(self, rows_rejected=self.rows_rejected + rejected)
        lines = count_lines(valid.rejected)
        return replace(
            self,
            rows_loaded=self.rows_loaded - rejected - valid.rows_filtered_out,
            rows_rejected=self.rows_rejected + rejected,
            rows_filtered_out=self.rows_filtered_out + valid.rows_filtered_out,
            lines_loaded=self.lines_loaded - lines - valid.lines_filtered_out,
            lines_rejected=self.lines_rejected + lines,
            lines_filtered_out=self.lines_filtered_out + valid.lines_filtered_out,
        )

    @property
    def rows(self) -> int:
        """All rows, whatever became of them."""
        return self.rows_loaded + self.rows_rejected + self.rows_filtered_out

    def require_enough_rows(self, rejected: list[pl.DataFrame]) -> None:
        """Refuse a file with too many rejected rows, and say what is wrong with most of them.

        Raises:
            FileError: it has.
        """
        if not limits.too_many_rejected(self.rows_rejected, self.rows):
            return
        faults = (
            pl.concat(rejected)
            .group_by("reason_code", "column_name")
            .agg(pl.len().alias("rows"), pl.col("line_start").min().alias("line"))
        )
        faults = faults.sort(["rows", "line"], descending=[True, False]).head(_NAMED_FAULTS)
        named = ", ".join(
            f"{reason}{f' in {column}' if column else ''} {number} times, first in line {line}"
            for reason, column, number, line in faults.iter_rows()
        )
        raise FileError(
            Reason.TOO_MANY_REJECTED_ROWS,
            f"{self.rows_rejected} of {self.rows} rows are broken: {named}",
        )

    def without_loaded_rows(self) -> Counts:
        """The counts if nothing of the file is loaded."""
        return Counts(lines=self.lines, lines_rejected=self.lines)


class FileReading:
    """One file being read. `sha256` is set at once, the counts when `blocks` has ended."""

    def __init__(self, contract: Contract, file: LogicalFile) -> None:
        self.contract = contract
        self.file = file
        self.counts = Counts()
        self.warnings: list[str] = []
        self._survey: Survey | None = None
        self._survey_fault: FileError | None = None
        self._has_read_letters = False
        self._trailer: str | None = None
        self._rejected: list[pl.DataFrame] = []
        self._state = file.delivered.state or state_of(file.delivered.path)
        self.sha256 = self._survey_lines()

    def _survey_lines(self) -> str:
        item = self.file.item
        packed = self.file.delivered.path
        is_text = item is not None and item.file.is_text
        try:
            with self.file.open() as stream:
                self._survey = survey(stream, item.file.encoding if item and is_text else "utf-8")
        except BaseException as error:
            # A file that cannot be unpacked is identified by its packed bytes.
            self._survey_fault = fault_of(error)
            return sha256_of(packed)
        if is_text:
            self.counts.lines = self._survey.lines
        if self.file.part is not None:
            return hashlib.sha256(f"{self._survey.sha256}/{self.file.part}".encode()).hexdigest()
        return self._survey.sha256

    def blocks(self) -> Iterator[ValidBlock]:
        """Validated blocks, in the order of the file.

        Raises:
            FileError: the file cannot be loaded; this may only show at its end.
        """
        yield from self._blocks()
        self.file.delivered.require_unchanged(self._state)
        self.counts.require_enough_rows(self._rejected)

    def rows_as_sent(self) -> Iterator[pl.DataFrame]:
        """The rows of the file before any check, in blocks: a column of text for each property.

        Raises:
            FileError: the file cannot be read.
        """
        return (block.rows for block in self._read(self._require_object()))

    def _blocks(self) -> Iterator[ValidBlock]:
        item = self._require_object()
        layout = item.file
        if item.is_reference:
            self.counts.lines_filtered_out = self.counts.lines
            return
        validator = Validator(
            item.before_transforms,
            self.file.delivered.as_of_date,
            self.file.name_values,
            keeps_values=item.name in self.contract.joined,
        )
        wrong_width = undecodable = headers = 0
        unclosed: int | None = None
        for block in self._read(item):
            wrong_width += _count(block.rejected, Reason.WRONG_FIELD_COUNT)
            wrong_width += _count(block.rejected, Reason.BAD_JSON)
            undecodable += _count(block.rejected, Reason.UNDECODABLE_BYTES)
            valid = validator.apply(block)
            headers += _count(valid.rejected, Reason.REPEATED_HEADER)
            if _count(block.rejected, Reason.UNCLOSED_QUOTE):
                unclosed = block.rejected["line_start"].max()  # type: ignore[assignment]
            self._count(valid)
            yield valid
        rows = self.counts.rows
        if rows and wrong_width == rows:
            raise FileError(Reason.WRONG_LAYOUT, _NO_ROW.get(layout.format, _NO_ROW["delimited"]))
        is_common = undecodable > max(1, rows * _MAX_UNDECODABLE_SHARE)
        if is_common and not self._has_read_letters:
            raise FileError(
                Reason.WRONG_ENCODING,
                f"expected {layout.encoding}; {undecodable} of {rows} rows are not such text",
            )
        if layout.trailer:
            if unclosed is not None:
                raise FileError(
                    Reason.TRAILER_MISSING,
                    f"a quote on line {unclosed} is never closed, so its record includes the "
                    "trailer",
                )
            self._check_trailer(layout, layout.trailer, headers)

    def _require_object(self) -> ContractObject:
        file, agreement = self.file, self.contract.agreement
        as_of_date = file.delivered.as_of_date
        if fault := file.fault or self._survey_fault:
            raise fault
        if file.item is None:
            raise FileError(Reason.UNKNOWN_FILE, "no object of the contract fits")
        # One day of tolerance for time zones. Not the day of receipt: a delivery that came early
        # lands when its day has come.
        today = datetime.now(UTC).date()
        if as_of_date > today + timedelta(days=1):
            raise FileError(
                Reason.DATE_IN_THE_FUTURE, f"the delivery is of {as_of_date}, and today is {today}"
            )
        if agreement and not agreement.is_in_force(as_of_date):
            raise FileError(
                Reason.AGREEMENT_NOT_IN_FORCE,
                f"the agreement is in force from {agreement.starts_on} to "
                f"{agreement.ends_on}; the delivery is of {as_of_date}",
            )
        return file.item

    def _read(self, item: ContractObject) -> Iterator[Block]:
        if item.file.format == "workbook":
            return self._read_sheet(item)
        if item.file.format == "parquet":
            return self._read_parquet(item)
        return self._read_text(item)

    def _read_text(self, item: ContractObject) -> Iterator[Block]:
        layout, found = item.file, self._survey
        if found is None:
            raise FileError(Reason.EMPTY_FILE, "nothing to read")
        found.require_text(layout.encoding)
        if found.size == 0:
            raise FileError(Reason.EMPTY_FILE, "the file has no bytes at all")
        ending = found.ending(
            layout.encoding, layout.footer, has_trailer=layout.trailer is not None
        )
        self._trailer = ending.trailer
        stop_line = ending.first_line if ending.lines else None
        with self.file.open() as stream:
            reader = LineReader(stream, layout.encoding, found.newline, stop_line)
            is_json = layout.format == "json_lines"
            yield from (self._read_objects if is_json else self._read_rows)(item, reader)
            self._has_read_letters = reader.has_read_letters
        self.counts.trailer_lines = ending.lines
        self.counts.blank_lines += ending.blank_lines

    def _read_rows(self, item: ContractObject, reader: LineReader) -> Iterator[Block]:
        layout = item.file
        self._skip_titles_above_header(layout, reader)
        mapping, header = map_positions(item), None
        if layout.header and layout.format == "fixed_width":
            self.counts.blank_lines += fixed_width.read_header(reader, item)
            self.counts.header_lines += 1
        elif layout.header:
            header = read_header(reader, layout.delimiter, quoting=layout.quoting)
            self.counts.header_lines += len(header.text)
            self.counts.blank_lines += header.blank_lines
            mapping = self._map(item, header.names)
        if layout.format == "fixed_width":
            yield from fixed_width.read_fixed_width(reader, item)
        else:
            yield from read_delimited(
                reader, mapping, layout.delimiter, quoting=layout.quoting, header=header
            )

    def _read_objects(self, item: ContractObject, reader: LineReader) -> Iterator[Block]:
        keys = Keys(item)
        yield from read_json_lines(reader, item, keys)
        found = self._survey
        is_cut_off = found and found.is_unfinished and not found.tail.rstrip().endswith(b"}")
        if is_cut_off and self.counts.rows_loaded:
            raise FileError(
                Reason.TRAILER_MISSING,
                f"line {self.counts.lines}, the last one, is cut off within its object",
            )
        keys.require_all()
        self._warn_of(keys.added)

    def _read_parquet(self, item: ContractObject) -> Iterator[Block]:
        if self._survey and self._survey.size == 0:
            raise FileError(Reason.EMPTY_FILE, "the file has no bytes at all")
        found = ParquetFile(self.file.delivered.path)
        self.counts.lines = found.rows
        yield from found.blocks(item, self._map(item, found.names))

    def _skip_titles_above_header(self, layout: FileLayout, reader: LineReader) -> None:
        if layout.header_row or layout.skip_lines:
            titles, blank = skip_titles(reader, layout.header_row, layout.skip_lines)
            self.counts.header_lines += titles
            self.counts.blank_lines += blank

    def _read_sheet(self, item: ContractObject) -> Iterator[Block]:
        layout = item.file
        with self.file.open() as stream:
            rows = workbook.read_sheet(stream, layout.sheet or "")
        counts = self.counts
        counts.lines = len(rows)
        header = workbook.find_header(rows, layout.header_row, layout.skip_lines)
        if header is None:
            raise FileError(Reason.EMPTY_FILE, "expected a header row; the sheet is empty")
        ending = workbook.ending(rows, layout.footer, has_trailer=layout.trailer is not None)
        self._trailer = ending.trailer
        mapping = self._map(item, workbook.readable(rows[header]))
        above = sum(any(row) for row in rows[:header])
        counts.header_lines = above + 1
        counts.blank_lines = header - above
        if ending.lines and ending.first_line > header + 1:
            rows = rows[: ending.first_line - 1]
            counts.trailer_lines = ending.lines
            counts.blank_lines += ending.blank_lines
        filled = {prop.name for prop in item.columns if prop.fill_down}
        yield workbook.read_rows(rows[header + 1 :], mapping, header + 2, filled)

    def _map(self, item: ContractObject, names: list[str]) -> Mapping:
        mapping = map_header(item, names)
        self._warn_of(mapping.added)
        return mapping

    def _warn_of(self, added: list[str]) -> None:
        if added:
            named = ", ".join(map(printable, added[:_NAMED_COLUMNS]))
            more = ", …" if len(added) > _NAMED_COLUMNS else ""
            self.warnings.append(f"columns added and kept out: {named}{more}")

    def _count(self, valid: ValidBlock) -> None:
        self.counts.rows_loaded += valid.rows_loaded
        self.counts.lines_loaded += valid.lines_loaded
        self.counts.rows_filtered_out += valid.rows_filtered_out
        self.counts.lines_filtered_out += valid.lines_filtered_out
        self.counts.blank_lines += valid.blank_lines
        self.counts.rows_rejected += valid.rejected.height
        self._rejected.append(valid.rejected.select(_FAULT))
        self.counts.lines_rejected += count_lines(valid.rejected)

    def _check_trailer(self, layout: FileLayout, trailer: Trailer, headers: int) -> None:
        found = _read_trailer(layout, trailer, self._trailer or "")
        if found is None:
            expected = (
                trailer.pattern.pattern if trailer.pattern else _describe_trailer(layout, trailer)
            )
            raise FileError(Reason.TRAILER_MISSING, f"expected a last line {expected}")
        rows, day = found
        counts = self.counts
        # A rejected span can hold several rows of the partner; a repeated header is no row.
        fewest = counts.rows - headers
        most = fewest + headers - counts.rows_rejected + counts.lines_rejected
        is_number = re.fullmatch("[0-9]{1,12}", rows) is not None
        if not is_number or not fewest <= int(rows) <= most:
            raise FileError(
                Reason.TRAILER_COUNT_MISMATCH,
                f"the trailer counts {rows if is_number else 'no'} rows, the file holds {fewest}",
            )
        as_of_date = self.file.delivered.as_of_date
        if trailer.date_format and day != as_of_date.strftime(trailer.date_format.strptime):
            raise FileError(
                Reason.TRAILER_DATE_MISMATCH, f"expected the delivery's date, {as_of_date}"
            )


def _describe_trailer(layout: FileLayout, trailer: Trailer) -> str:
    mark = layout.delimiter if layout.format == "delimited" else " "
    day = trailer.date_format.pattern if trailer.date_format else ""
    return f"{trailer.marker}{mark}<rows>{mark}<{day}>"


def _read_trailer(layout: FileLayout, trailer: Trailer, line: str) -> tuple[str, str] | None:
    """Number of rows and date of a trailer, as text; None if the line is not a trailer."""
    if trailer.pattern:
        found = trailer.pattern.fullmatch(line)
        return (found["rows"], found.groupdict().get("date") or "") if found else None
    marker = trailer.marker or ""
    if layout.format == "delimited":
        record = read_record([line], 0, layout.delimiter)
        if record.fault or len(record.fields) != 3 or record.fields[0] != marker:
            return None
        return record.fields[1] or "", record.fields[2] or ""
    if trailer.date_format is None:
        return None
    gap = f"[ {re.escape(layout.delimiter)}]*"
    day = trailer.date_format.regex
    fields = re.fullmatch(rf"{re.escape(marker)}{gap}(?P<rows>[0-9]+){gap}(?P<date>{day})", line)
    return (fields["rows"], fields["date"]) if fields else None


def _count(rejected: pl.DataFrame, reason: Reason) -> int:
    return int((rejected["reason_code"] == reason.value).sum())
