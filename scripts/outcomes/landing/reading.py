"""Reads one logical file by its contract; the same for landing and for `district check`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from outcomes.contracts.model import Contract, ContractObject, Trailer
from outcomes.landing import fixed_width, workbook
from outcomes.landing.delimited import read_delimited, read_header, read_record
from outcomes.landing.header import Mapping, map_header, map_positions
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import Block
from outcomes.landing.text import LineReader, Survey, survey
from outcomes.landing.unpack import LogicalFile, sha256_of
from outcomes.landing.validate import Validator, ValidBlock

# More undecodable rows than this, and none with such letters that is text: not a typing
# accident, but another encoding.
_MAX_UNDECODABLE_SHARE = 0.01

# Of added columns, so many are named in the warning.
_NAMED_COLUMNS = 10


@dataclass
class Counts:
    """Rows and physical lines of a file (rows of a sheet), by what became of them.

    `lines` is the sum of the other lines, always.
    """

    lines: int = 0
    header_lines: int = 0
    blank_lines: int = 0
    trailer_lines: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    lines_loaded: int = 0
    lines_rejected: int = 0

    def set_aside(self) -> Counts:
        """The counts of a file of which nothing is loaded."""
        return Counts(lines=self.lines, lines_rejected=self.lines)


class FileReading:
    """One file being read. `sha256` is known at once, the rest when `blocks` is through."""

    def __init__(self, contract: Contract, file: LogicalFile) -> None:
        self.contract = contract
        self.file = file
        self.counts = Counts()
        self.warnings: list[str] = []
        self._survey: Survey | None = None
        self._survey_fault: FileError | None = None
        self._has_read_letters = False
        self.sha256 = self._take_survey()

    def _take_survey(self) -> str:
        item = self.file.item
        packed = self.file.delivered.path
        is_text = item is not None and item.file.format != "workbook"
        try:
            with self.file.stream() as stream:
                self._survey = survey(stream, item.file.encoding if item and is_text else "utf-8")
        except FileError as fault:
            # What cannot be unpacked is known by its packed bytes.
            self._survey_fault = fault
            return sha256_of(packed)
        if is_text:
            self.counts.lines = self._survey.lines
        if self.file.part is not None:
            return hashlib.sha256(f"{self._survey.sha256}/{self.file.part}".encode()).hexdigest()
        return self._survey.sha256

    def blocks(self) -> Iterator[ValidBlock]:
        """Validated blocks, in the order of the file.

        Raises:
            FileError: the file as a whole cannot be taken; it can show at the very end.
        """
        item = self._require_object()
        layout = item.file
        validator = Validator(
            item,
            self.file.delivered.as_of_date,
            self.file.name_values,
            typed_cells=layout.format == "workbook",
        )
        read = self._read_sheet(item) if layout.format == "workbook" else self._read_text(item)
        wrong_width = undecodable = headers = 0
        for block in read:
            wrong_width += _count(block.rejected, Reason.WRONG_FIELD_COUNT)
            undecodable += _count(block.rejected, Reason.UNDECODABLE_BYTES)
            valid = validator.apply(block)
            headers += _count(valid.rejected, Reason.REPEATED_HEADER)
            self._count(valid)
            yield valid
        rows = self.counts.rows_loaded + self.counts.rows_rejected
        if rows and wrong_width == rows:
            raise FileError(
                Reason.WRONG_LAYOUT,
                "expected rows of as many fields as the header or the contract has; "
                "no row has that many",
            )
        is_common = undecodable > max(1, rows * _MAX_UNDECODABLE_SHARE)
        if is_common and not self._has_read_letters:
            raise FileError(
                Reason.WRONG_ENCODING,
                f"expected {layout.encoding}; {undecodable} of {rows} rows are no such text",
            )
        if layout.trailer and self._survey:
            self._check_trailer(layout.trailer, layout.delimiter, self._survey, headers)

    def _require_object(self) -> ContractObject:
        file, agreement = self.file, self.contract.agreement
        as_of_date = file.delivered.as_of_date
        if fault := file.fault or self._survey_fault:
            raise fault
        if file.item is None:
            raise FileError(Reason.UNKNOWN_FILE, "no object of the contract fits")
        received_at = file.delivered.received_at or datetime.now(UTC)
        # A day more, for it is later elsewhere.
        if as_of_date > received_at.date() + timedelta(days=1):
            raise FileError(
                Reason.DATE_IN_THE_FUTURE,
                f"the delivery is of {as_of_date}, and was received on {received_at.date()}",
            )
        if agreement and not agreement.is_in_force(as_of_date):
            raise FileError(
                Reason.AGREEMENT_NOT_IN_FORCE,
                f"the agreement is in force from {agreement.starts_on} to "
                f"{agreement.ends_on}; the delivery is of {as_of_date}",
            )
        return file.item

    def _read_text(self, item: ContractObject) -> Iterator[Block]:
        layout, found = item.file, self._survey
        if found is None:
            raise FileError(Reason.EMPTY_FILE, "nothing to read")
        found.require_encoding(layout.encoding)
        if found.size == 0:
            raise FileError(Reason.EMPTY_FILE, "the file has no bytes at all")
        trailer_line = (found.last_line()[0] or None) if layout.trailer else None
        with self.file.stream() as stream:
            reader = LineReader(stream, layout.encoding, found.newline, trailer_line)
            mapping, header = map_positions(item), None
            if layout.header:
                header = read_header(reader, layout.delimiter, quoting=layout.quoting)
                self.counts.header_lines = len(header.text)
                self.counts.blank_lines += header.blank_lines
                mapping = self._map(item, header.names)
            if layout.format == "fixed_width":
                yield from fixed_width.read_fixed_width(reader, item)
            else:
                yield from read_delimited(
                    reader, mapping, layout.delimiter, quoting=layout.quoting, header=header
                )
            self._has_read_letters = reader.has_read_letters

    def _read_sheet(self, item: ContractObject) -> Iterator[Block]:
        with self.file.stream() as stream:
            rows = workbook.read_sheet(stream, item.file.sheet or "")
        self.counts.lines = len(rows)
        header = next((n for n, row in enumerate(rows) if any(row)), None)
        if header is None:
            raise FileError(Reason.EMPTY_FILE, "expected a header row; the sheet is empty")
        mapping = self._map(item, rows[header])
        self.counts.header_lines = 1
        self.counts.blank_lines = header
        yield workbook.read_rows(rows[header + 1 :], mapping, first=header + 2)

    def _map(self, item: ContractObject, names: list[str]) -> Mapping:
        mapping = map_header(item, names)
        if mapping.added:
            named = ", ".join(mapping.added[:_NAMED_COLUMNS])
            more = ", …" if len(mapping.added) > _NAMED_COLUMNS else ""
            self.warnings.append(f"columns added and kept out: {named}{more}")
        return mapping

    def _count(self, valid: ValidBlock) -> None:
        spans = valid.rejected["line_end"] - valid.rejected["line_start"] + 1
        self.counts.rows_loaded += valid.rows_loaded
        self.counts.lines_loaded += valid.lines_loaded
        self.counts.blank_lines += valid.blank_lines
        self.counts.rows_rejected += valid.rejected.height
        self.counts.lines_rejected += int(spans.sum())

    def _check_trailer(self, trailer: Trailer, delimiter: str, found: Survey, headers: int) -> None:
        number, line = found.last_line()
        record = read_record([line.decode("latin-1")], 0, delimiter)
        expected = f"{trailer.marker}{delimiter}<rows>{delimiter}<{trailer.date_format.pattern}>"
        if record.fault or len(record.fields) != 3 or record.fields[0] != trailer.marker:
            raise FileError(Reason.TRAILER_MISSING, f"expected a last line {expected}")
        counts = self.counts
        counts.trailer_lines = 1
        # Blank lines after the trailer were not read as rows.
        counts.blank_lines += found.lines - number
        _, rows, day = (field or "" for field in record.fields)
        # A rejected span can hold several of the partner's rows; a header again is none.
        fewest = counts.rows_loaded + counts.rows_rejected - headers
        most = counts.rows_loaded + counts.lines_rejected
        is_number = re.fullmatch("[0-9]{1,12}", rows) is not None
        if not is_number or not fewest <= int(rows) <= most:
            raise FileError(
                Reason.TRAILER_COUNT_MISMATCH,
                f"the trailer counts {rows if is_number else 'no'} rows, the file holds {fewest}",
            )
        as_of_date = self.file.delivered.as_of_date
        if day != as_of_date.strftime(trailer.date_format.strptime):
            raise FileError(
                Reason.TRAILER_DATE_MISMATCH, f"expected the delivery's date, {as_of_date}"
            )


def _count(rejected: pl.DataFrame, reason: Reason) -> int:
    return int((rejected["reason_code"] == reason.code).sum())
