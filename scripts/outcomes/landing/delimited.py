"""A strict RFC 4180 reader for delimited text (and fixed width), in blocks.

Lines without a quote are split by polars, many at once. Lines whose quotes are well
formed and closed, proven by one regular expression, are too. Whatever is left goes record
by record through `read_record`, which accepts nothing that the standard does not: a bare
quote in an unquoted field and text after a closing quote are errors. Every record knows
the lines that it spans, so that each line of the file is accounted for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from outcomes.landing.header import Mapping
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import MAX_RECORD_CHARACTERS, Block, RejectedRow, empty_rows
from outcomes.landing.text import LineReader, Lines

# Beyond this many columns the regular expression would grow too large.
_MAX_REGEX_WIDTH = 400

_FAULTS = {
    Reason.STRAY_QUOTE: "a quote inside an unquoted field, or text after a closing quote",
    Reason.STRAY_CARRIAGE_RETURN: "a carriage return inside an unquoted field",
    Reason.UNDECODABLE_BYTES: "bytes that are no text in the declared encoding",
    Reason.NUL_CHARACTER: "a NUL character",
}


@dataclass(frozen=True)
class Record:
    """One record, or the reason why there is none; `last` is the index of its last line."""

    fields: list[str | None]
    last: int
    fault: Reason | None = None
    is_complete: bool = True


def read_record(lines: Lines, first: int, delimiter: str, newline: str = "\n") -> Record:
    """Read the record that begins at `lines[first]`, strictly by RFC 4180.

    An unquoted empty field is None, a quoted one the empty string. A record that is still
    inside quotes at the end of `lines` comes back incomplete. After a fault reading goes
    on at the line after the one where it showed.
    """
    fields: list[str | None] = []
    row, position = first, 0
    line = lines[row]
    while True:
        if line is None:
            return Record([], row, Reason.UNDECODABLE_BYTES)
        if line.startswith('"', position):
            parts: list[str] = []
            position += 1
            while True:
                closing = line.find('"', position)
                if closing < 0:
                    parts += line[position:], newline
                    row += 1
                    if row == len(lines):
                        return Record([], row - 1, Reason.UNCLOSED_QUOTE, is_complete=False)
                    line, position = lines[row], 0
                    if line is None:
                        return Record([], row, Reason.UNDECODABLE_BYTES)
                    continue
                parts.append(line[position:closing])
                position = closing + 1
                if not line.startswith('"', position):
                    break
                parts.append('"')
                position += 1
            fields.append("".join(parts))
            if line[position:] in ("", "\r"):
                return Record(fields, row)
            if not line.startswith(delimiter, position):
                return Record([], row, Reason.STRAY_QUOTE)
            position += len(delimiter)
        else:
            end = line.find(delimiter, position)
            field = line[position:end] if end >= 0 else line[position:].removesuffix("\r")
            if '"' in field:
                return Record([], row, Reason.STRAY_QUOTE)
            if "\r" in field:
                return Record([], row, Reason.STRAY_CARRIAGE_RETURN)
            fields.append(field or None)
            if end < 0:
                return Record(fields, row)
            position = end + len(delimiter)


def read_header(reader: LineReader, delimiter: str, *, quoting: bool) -> tuple[list[str], int, int]:
    """Take the header off the front: its names, its lines, the blank lines before it.

    Raises:
        FileError: there is no line, or the line is no well-formed record.
    """
    blank = 0
    for first, lines in reader:
        for index, line in enumerate(lines):
            if line is not None and not line.strip():
                blank += 1
                continue
            if line is None or "\0" in line:
                raise FileError(
                    Reason.WRONG_ENCODING,
                    f"line {first + index}: expected a header in {reader.encoding}; "
                    "the line is no such text",
                )
            if quoting:
                record = read_record(lines, index, delimiter, reader.newline)
            else:
                record = Record([*line.removesuffix("\r").split(delimiter)], index)
            if record.fault:
                raise FileError(
                    Reason.HEADER_NOT_FOUND,
                    f"line {first + index}: expected the header; the line is malformed",
                )
            reader.push_back(first + record.last + 1, lines[record.last + 1 :])
            names = [field or "" for field in record.fields]
            return names, record.last - index + 1, blank
    raise FileError(Reason.EMPTY_FILE, "expected a header; the file has no line")


def read_delimited(
    reader: LineReader, mapping: Mapping, delimiter: str, *, quoting: bool
) -> Iterator[Block]:
    """The rows of a delimited file, block by block.

    Raises:
        FileError: a record that is too long to be one.
    """
    splitter = _Splitter(mapping, delimiter, quoting=quoting, newline=reader.newline)
    open_lines: Lines = []  # of a record whose closing quote is in a later block
    first_open = 0
    for first, lines in reader:
        if open_lines:
            lines, first = open_lines + lines, first_open
        block, open_lines = splitter.split(first, lines)
        first_open = first + len(lines) - len(open_lines)
        if sum(len(line or "") for line in open_lines) > MAX_RECORD_CHARACTERS:
            raise FileError(
                Reason.RECORD_TOO_LONG,
                f"line {first_open}: a quote opens a record of more than a million characters",
            )
        yield block
    if open_lines:
        last = first_open + len(open_lines) - 1
        detail = f"a quote that is opened on line {first_open} and never closed"
        reject = RejectedRow(first_open, last, Reason.UNCLOSED_QUOTE, detail)
        yield Block(empty_rows(list(mapping.field_of)), [reject])


class _Splitter:
    """Splits lines into the fields that the mapping keeps."""

    def __init__(self, mapping: Mapping, delimiter: str, *, quoting: bool, newline: str) -> None:
        self.mapping = mapping
        self.delimiter = delimiter
        self.quoting = quoting
        self.newline = newline
        mark = re.escape(delimiter)
        field = rf'(?:"(?:[^"]|"")*"|[^"{mark}\r]*)'
        self.well_formed = rf"^{field}(?:{mark}{field}){{{mapping.width - 1}}}$"

    def split(self, first: int, lines: Lines) -> tuple[Block, Lines]:
        """Rows and rejects of some lines, and the lines of a record that is still open."""
        frame = pl.DataFrame(
            {"line_start": pl.int_range(first, first + len(lines), eager=True)},
        ).with_columns(pl.Series("line", lines, dtype=pl.String).str.strip_suffix("\r"))
        frame = frame.with_columns(self._kind().alias("kind"))

        slow_rows, rejected, spans, open_lines = self._read_slowly(frame, first, lines)
        if spans:
            indexes = [index for start, end in spans for index in range(start, end)]
            taken = pl.Series(indexes, dtype=pl.Int64) + first
            frame = frame.filter(~pl.col("line_start").is_in(taken.implode()))
        rejected += self._rejected(frame)
        pieces = [
            piece
            for piece in (
                self._plain(frame.filter(pl.col("kind") == "plain")),
                self._quoted(frame.filter(pl.col("kind") == "quoted")),
                slow_rows,
            )
            if not piece.is_empty()
        ]
        rows = pl.concat(pieces) if pieces else empty_rows(list(self.mapping.field_of))
        if len(pieces) > 1:
            rows = rows.sort("line_start")
        blank = (frame["kind"] == "blank").sum()
        return Block(rows, rejected, int(blank)), open_lines

    def _kind(self) -> pl.Expr:
        line = pl.col("line")
        kind = (
            pl.when(line.is_null())
            .then(pl.lit("undecodable"))
            .when(line.str.contains("\0", literal=True))
            .then(pl.lit("nul"))
            .when(line.str.strip_chars() == "")
            .then(pl.lit("blank"))
        )
        if self.quoting:
            has_quote = line.str.contains('"', literal=True)
            # polars reads quoted fields between delimiters of one byte only.
            if self.mapping.width <= _MAX_REGEX_WIDTH and len(self.delimiter.encode()) == 1:
                kind = kind.when(has_quote & line.str.contains(self.well_formed)).then(
                    pl.lit("quoted")
                )
            kind = kind.when(has_quote).then(pl.lit("slow"))
        fields = line.str.count_matches(self.delimiter, literal=True) + 1
        return (
            kind.when(line.str.contains("\r", literal=True))
            .then(pl.lit("stray_cr"))
            .when(fields == self.mapping.width)
            .then(pl.lit("plain"))
            .otherwise(pl.lit("ragged"))
        )

    def _plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        fields = frame.select("line_start", pl.col("line").str.split(self.delimiter))
        kept = (
            (name, pl.col("line").list.get(index)) for name, index in self.mapping.field_of.items()
        )
        return fields.select(
            "line_start",
            pl.col("line_start").alias("line_end"),
            *(pl.when(field != "").then(field).alias(name) for name, field in kept),
        )

    def _quoted(self, frame: pl.DataFrame) -> pl.DataFrame:
        if frame.is_empty():
            return empty_rows(list(self.mapping.field_of))
        # The regular expression has proven each line to be one record of the right width.
        # A row before them keeps polars from taking the first bytes for a byte-order mark or for
        # a packed file: text that begins with `x^` looks like one.
        schema = {f"field_{index}": pl.String for index in range(self.mapping.width)}
        before = "0" + self.delimiter * (self.mapping.width - 1)
        text = "\n".join([before, *frame["line"].to_list()]).encode()
        fields = pl.read_csv(
            io.BytesIO(text), has_header=False, separator=self.delimiter, schema=schema
        ).slice(1)
        if fields.height != frame.height:
            raise RuntimeError("polars split well-formed lines into another number of rows")
        return pl.concat([frame.select("line_start"), fields], how="horizontal").select(
            "line_start",
            pl.col("line_start").alias("line_end"),
            *(
                pl.col(f"field_{index}").alias(name)
                for name, index in self.mapping.field_of.items()
            ),
        )

    def _read_slowly(
        self, frame: pl.DataFrame, first: int, lines: Lines
    ) -> tuple[pl.DataFrame, list[RejectedRow], list[tuple[int, int]], Lines]:
        """Records that need the tokenizer, with the spans of lines that they take."""
        names = list(self.mapping.field_of)
        columns: dict[str, list[object]] = {name: [] for name in ("line_start", "line_end", *names)}
        rejected: list[RejectedRow] = []
        spans: list[tuple[int, int]] = []
        open_lines: Lines = []
        next_free = 0
        slow = frame["line_start"].filter(frame["kind"] == "slow")
        for index in (slow - first).to_list():
            if index < next_free:
                continue  # inside the record before
            record = read_record(lines, index, self.delimiter, self.newline)
            if not record.is_complete:
                open_lines = lines[index:]
                spans.append((index, len(lines)))
                break
            next_free = record.last + 1
            spans.append((index, next_free))
            start, end = first + index, first + record.last
            fault = record.fault
            if fault is None and any("\0" in (field or "") for field in record.fields):
                fault = Reason.NUL_CHARACTER
            if fault is not None:
                rejected.append(RejectedRow(start, end, fault, _FAULTS[fault]))
            elif len(record.fields) != self.mapping.width:
                rejected.append(self._ragged(start, end, len(record.fields)))
            else:
                columns["line_start"].append(start)
                columns["line_end"].append(end)
                for name, field_index in self.mapping.field_of.items():
                    columns[name].append(record.fields[field_index])
        rows = pl.DataFrame(columns, schema=empty_rows(names).schema)
        return rows, rejected, spans, open_lines

    def _rejected(self, frame: pl.DataFrame) -> list[RejectedRow]:
        reasons = {
            "undecodable": Reason.UNDECODABLE_BYTES,
            "nul": Reason.NUL_CHARACTER,
            "stray_cr": Reason.STRAY_CARRIAGE_RETURN,
        }
        bad = frame.filter(pl.col("kind").is_in([*reasons, "ragged"])).with_columns(
            (pl.col("line").str.count_matches(self.delimiter, literal=True) + 1).alias("fields")
        )
        return [
            self._ragged(line, line, fields)
            if kind == "ragged"
            else RejectedRow(line, line, reasons[kind], _FAULTS[reasons[kind]])
            for line, kind, fields in bad.select("line_start", "kind", "fields").iter_rows()
        ]

    def _ragged(self, start: int, end: int, fields: int) -> RejectedRow:
        detail = f"expected {self.mapping.width} fields, found {fields}"
        return RejectedRow(start, end, Reason.WRONG_FIELD_COUNT, detail)
