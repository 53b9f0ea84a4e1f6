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
from dataclasses import dataclass, field

import polars as pl

from outcomes.landing.header import Mapping
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import (
    MAX_RECORD_CHARACTERS,
    Block,
    Piece,
    RejectedRow,
    empty_rows,
)
from outcomes.landing.text import LineReader, Lines

# Beyond this many columns the regular expression would grow too large.
_MAX_REGEX_WIDTH = 400

_FAULTS = {
    Reason.STRAY_QUOTE: "a quote inside an unquoted field, or text after a closing quote",
    Reason.STRAY_CARRIAGE_RETURN: "a carriage return inside an unquoted field",
    Reason.UNDECODABLE_BYTES: "bytes that are no text in the declared encoding",
    Reason.NUL_CHARACTER: "a NUL character",
    Reason.REPEATED_HEADER: "expected a row of data; found the header again",
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


@dataclass(frozen=True)
class Header:
    """The names in a header, its text, its lines, and the blank lines before it."""

    names: list[str]
    text: list[str | None]
    blank_lines: int


def read_header(reader: LineReader, delimiter: str, *, quoting: bool) -> Header:
    """Take the header off the front.

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
            return Header(names, lines[index : record.last + 1], blank)
    raise FileError(Reason.EMPTY_FILE, "expected a header; the file has no line")


def read_delimited(
    reader: LineReader,
    mapping: Mapping,
    delimiter: str,
    *,
    quoting: bool,
    header: Header | None = None,
) -> Iterator[Block]:
    """The rows of a delimited file, block by block.

    Raises:
        FileError: a record that is too long to be one.
    """
    splitter = _Splitter(mapping, delimiter, header, quoting=quoting, newline=reader.newline)
    kept: Lines = []  # for the next block: a record that goes on there, or may
    first_kept = 0
    for first, lines in reader:
        if kept:
            lines, first = kept + lines, first_kept
        block, kept = splitter.split(first, lines)
        first_kept = first + len(lines) - len(kept)
        yield block
    if kept:
        yield splitter.split(first_kept, kept, is_last=True)[0]


def _unclosed(start: int, end: int) -> RejectedRow:
    detail = f"a quote that is opened on line {start} and never closed"
    return RejectedRow(start, end, Reason.UNCLOSED_QUOTE, detail)


@dataclass
class _Slow:
    """What the tokenizer made of some lines.

    `spans` are the lines that it took, as indexes; `single` are lines of one field;
    `end` is where a record begins that is still open.
    """

    rows: pl.DataFrame
    end: int
    rejected: list[RejectedRow] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    single: dict[int, str] = field(default_factory=dict)


class _Splitter:
    """Splits lines into the fields that the mapping keeps."""

    def __init__(
        self,
        mapping: Mapping,
        delimiter: str,
        header: Header | None,
        *,
        quoting: bool,
        newline: str,
    ) -> None:
        self.mapping = mapping
        self.delimiter = delimiter
        self.quoting = quoting
        self.newline = newline
        line = header.text[0] if header and len(header.text) == 1 else None
        line = (line or "").removesuffix("\r")
        # A byte-order mark can lead, where files were put together.
        self.header_lines = [line, f"\ufeff{line}"]
        # The kept columns at the ends of a row.
        self._names = {
            index: name
            for name, index in mapping.field_of.items()
            if index in (0, mapping.width - 1)
        }
        mark = re.escape(delimiter)
        one = rf'(?:"(?:[^"]|"")*"|[^"{mark}\r]*)'
        self.well_formed = rf"^{one}(?:{mark}{one}){{{mapping.width - 1}}}$"

    def split(self, first: int, lines: Lines, *, is_last: bool = False) -> tuple[Block, Lines]:
        """Rows and rejects of some lines, and the lines to be read again with the next.

        These are a record that is still open, or else the last one, and a line of one
        field before it: only the line after them tells whether they are pieces of a row.
        """
        frame = pl.DataFrame(
            {"line_start": pl.int_range(first, first + len(lines), eager=True)},
        ).with_columns(pl.Series("line", lines, dtype=pl.String).str.strip_suffix("\r"))
        frame = frame.with_columns(self._kind().alias("kind"))

        slow = self._read_slowly(frame, first, lines)
        rejected, end = slow.rejected, slow.end
        if slow.spans:
            indexes = [index for start, stop in slow.spans for index in range(start, stop)]
            taken = pl.Series(indexes, dtype=pl.Int64) + first
            frame = frame.filter(~pl.col("line_start").is_in(taken.implode()))
        rejected += self._rejected(frame)
        parts = [
            part
            for part in (
                self._plain(frame.filter(pl.col("kind") == "plain")),
                self._quoted(frame.filter(pl.col("kind") == "quoted")),
                slow.rows,
            )
            if not part.is_empty()
        ]
        rows = pl.concat(parts) if parts else empty_rows(list(self.mapping.field_of))
        if len(parts) > 1:
            rows = rows.sort("line_start")
        single = self._single_fields(frame) | slow.single
        pieces = self._pieces(rows, single)
        blank = int((frame["kind"] == "blank").sum())
        if is_last:
            if end < len(lines):
                rejected.append(_unclosed(first + end, first + len(lines) - 1))
            return Block(rows, rejected, blank, pieces), []
        if end == len(lines) and rows.height and rows["line_end"][-1] == first + end - 1:
            end = rows["line_start"][-1] - first
        if first + end - 1 in single:
            end -= 1
        rows = rows.head(rows["line_start"].search_sorted(first + end))
        rejected = [row for row in rejected if row.line_start < first + end]
        return Block(rows, rejected, blank, pieces), lines[end:]

    def _single_fields(self, frame: pl.DataFrame) -> dict[int, str]:
        """Lines of one field where there should be several, by their number."""
        if self.mapping.width == 1:
            return {}
        alone = (pl.col("kind") == "ragged") & ~pl.col("line").str.contains(
            self.delimiter, literal=True
        )
        return dict(frame.filter(alone).select("line_start", "line").iter_rows())

    def _pieces(self, rows: pl.DataFrame, single: dict[int, str]) -> list[Piece]:
        """Such lines, each with the value that it may belong to: the end of the row before
        it, or the start of the row after it."""
        if not single:
            return []
        ends = rows.select("line_start", "line_end", *self._names.values())
        first, last = self._names.get(0), self._names.get(self.mapping.width - 1)
        found = []
        for row in ends.filter(
            (pl.col("line_end") + 1).is_in(list(single))
            | (pl.col("line_start") - 1).is_in(list(single))
        ).iter_rows(named=True):
            start, end = row["line_start"], row["line_end"]
            if last and end + 1 in single:
                found.append(Piece(start, last, (row[last] or "") + single[end + 1]))
            if first and start - 1 in single:
                found.append(Piece(start, first, single[start - 1] + (row[first] or "")))
        return found

    def _kind(self) -> pl.Expr:
        line = pl.col("line")
        kind = (
            pl.when(line.is_null())
            .then(pl.lit("undecodable"))
            .when(line.str.contains("\0", literal=True))
            .then(pl.lit("nul"))
            .when(line.str.strip_chars() == "")
            .then(pl.lit("blank"))
            .when(line.is_in(self.header_lines))
            .then(pl.lit("header"))
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

    def _read_slowly(self, frame: pl.DataFrame, first: int, lines: Lines) -> _Slow:
        """The records that need the tokenizer."""
        names = list(self.mapping.field_of)
        columns: dict[str, list[object]] = {name: [] for name in ("line_start", "line_end", *names)}
        slow = _Slow(empty_rows(names), end=len(lines))
        next_free = 0
        starts = frame["line_start"].filter(frame["kind"] == "slow")
        for index in (starts - first).to_list():
            if index < next_free:
                continue  # inside the record before
            record = read_record(lines, index, self.delimiter, self.newline)
            if not record.is_complete:
                slow.end = index
                slow.spans.append((index, len(lines)))
                if sum(len(line or "") for line in lines[index:]) > MAX_RECORD_CHARACTERS:
                    raise FileError(
                        Reason.RECORD_TOO_LONG,
                        f"line {first + index}: a quote opens a record of more than a million "
                        "characters",
                    )
                break
            next_free = record.last + 1
            slow.spans.append((index, next_free))
            start, end = first + index, first + record.last
            fault = record.fault
            if fault is None and any("\0" in (field or "") for field in record.fields):
                fault = Reason.NUL_CHARACTER
            if fault is not None:
                slow.rejected.append(RejectedRow(start, end, fault, _FAULTS[fault]))
            elif len(record.fields) != self.mapping.width:
                slow.rejected.append(self._ragged(start, end, len(record.fields)))
                if len(record.fields) == 1 and start == end:
                    slow.single[start] = record.fields[0] or ""
            else:
                columns["line_start"].append(start)
                columns["line_end"].append(end)
                for name, field_index in self.mapping.field_of.items():
                    columns[name].append(record.fields[field_index])
        slow.rows = pl.DataFrame(columns, schema=slow.rows.schema)
        return slow

    def _rejected(self, frame: pl.DataFrame) -> list[RejectedRow]:
        reasons = {
            "undecodable": Reason.UNDECODABLE_BYTES,
            "nul": Reason.NUL_CHARACTER,
            "stray_cr": Reason.STRAY_CARRIAGE_RETURN,
            "header": Reason.REPEATED_HEADER,
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
