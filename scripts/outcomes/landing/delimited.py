"""A strict RFC 4180 reader for delimited text (and fixed width), in blocks.

Lines without a quote are split by polars, many at once. Records whose quotes are well
formed and closed, proven by one regular expression, are too. Whatever is left goes record
by record through `read_record`, which accepts nothing that the standard does not: a bare
quote in an unquoted field and text after a closing quote are errors. Every record knows
the lines that it spans, so that each line of the file is accounted for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from outcomes.landing.header import Mapping
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import (
    MAX_RECORD_CHARACTERS,
    PIECES,
    REJECTED,
    Block,
    empty_rows,
    reject,
)
from outcomes.landing.text import UNDECODABLE, LineReader, Lines

# Beyond this many columns the regular expression would grow too large.
_MAX_REGEX_WIDTH = 400

# A quoted field.
_QUOTED = r'"[^"\x00]*(?:""[^"\x00]*)*"'

_FAULTS = {
    Reason.STRAY_QUOTE.value: "a quote inside an unquoted field, or text after a closing quote",
    Reason.STRAY_CARRIAGE_RETURN.value: "a carriage return inside an unquoted field",
    Reason.UNDECODABLE_BYTES.value: "bytes that are no text in the declared encoding",
    Reason.NUL_CHARACTER.value: "a NUL character",
    Reason.REPEATED_HEADER.value: "expected a row of data; found the header again",
}


@dataclass(frozen=True)
class Record:
    """One record, or the reason why there is none; `last` is the index of its last line."""

    fields: list[str | None]
    last: int
    fault: Reason | None = None
    is_complete: bool = True


def read_record(lines: Sequence[str], first: int, delimiter: str, newline: str = "\n") -> Record:
    """Read the record that begins at `lines[first]`, strictly by RFC 4180.

    An unquoted empty field is None, a quoted one the empty string. A record that is still
    inside quotes at the end of `lines` comes back incomplete. After a fault reading goes
    on at the line after the one where it showed.
    """
    fields: list[str | None] = []
    row, position = first, 0
    line = lines[row]
    while True:
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
    text: list[str]
    blank_lines: int


def read_header(reader: LineReader, delimiter: str, *, quoting: bool) -> Header:
    """Take the header off the front.

    Raises:
        FileError: there is no line, or the line is no well-formed record.
    """
    blank = 0
    for first, batch in reader:
        lines = batch.to_list()
        for index, line in enumerate(lines):
            if not line.strip():
                blank += 1
                continue
            if "\0" in line:
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
            reader.push_back(first + record.last + 1, batch.slice(record.last + 1))
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
    kept = pl.Series(dtype=pl.String)  # for the next block: a record that goes on there, or may
    first_kept = blank = 0
    for first, lines in reader:
        if kept.is_empty() and lines.is_in(["", "\r"]).all():
            blank += len(lines)  # a hundred million of them shall take seconds
            continue
        if len(kept):
            lines, first = pl.concat([kept, lines], rechunk=True), first_kept
        block, kept = splitter.split(first, lines)
        first_kept = first + len(lines) - len(kept)
        yield block
    if len(kept):
        yield splitter.split(first_kept, kept, is_last=True)[0]
    yield Block(empty_rows([*mapping.field_of]), blank_lines=blank)


def _partition(frame: pl.DataFrame, condition: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows where a condition holds, and the others."""
    holds = frame.with_columns(condition.fill_null(value=False).alias("holds"))["holds"]
    return frame.filter(holds), frame.filter(~holds)


def _unclosed(start: int, end: int) -> pl.DataFrame:
    detail = f"a quote that is opened on line {start} and never closed"
    rows = pl.DataFrame({"line_start": [start], "line_end": [end]})
    return reject(rows, pl.lit(Reason.UNCLOSED_QUOTE.value), pl.lit(detail))


@dataclass
class _Slow:
    """What became of the records that need more than one expression.

    `records` are well formed and still to be split, `rows` are split. `spans` are the lines
    that they and the rejected took, as indexes; `single` are lines of one field; `end` is
    where a record begins that is still open.
    """

    end: int
    records: list[tuple[int, int, str]] = field(default_factory=list)
    rows: list[tuple[int | str | None, ...]] = field(default_factory=list)
    rejected: list[tuple[int, int, str, None, str]] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    single: list[tuple[int, str]] = field(default_factory=list)


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
        line = header.text[0] if header and len(header.text) == 1 else ""
        line = line.removesuffix("\r")
        # A byte-order mark can lead, where files were put together.
        self.header_lines = [line, f"\ufeff{line}"]
        self._special = ["\0", "\r", '"'] if quoting else ["\0", "\r"]
        mark = re.escape(delimiter)
        bare = rf'[^"{mark}\r\x00]'
        one = f"(?:{_QUOTED}|{bare}*)"
        # polars reads quoted fields between delimiters of one byte only.
        self._has_pattern = mapping.width <= _MAX_REGEX_WIDTH and len(delimiter.encode()) == 1
        self._record = f"{one}(?:{mark}{one}){{{mapping.width - 1}}}"
        self._faults = {
            Reason.WRONG_FIELD_COUNT.value: f"^{one}(?:{mark}{one})*$",
            # Well-formed fields, and then one with a quote where none can be.
            Reason.STRAY_QUOTE.value: f'^(?:{one}{mark})*(?:{_QUOTED}{bare}|{bare}+")',
        }

    def split(self, first: int, lines: Lines, *, is_last: bool = False) -> tuple[Block, Lines]:
        """Rows and rejects of some lines, and the lines to be read again with the next.

        These are a record that is still open, or else the last one, and a line of one
        field before it: only the line after them tells whether they are pieces of a row.
        """
        frame = pl.DataFrame({"line_start": pl.int_range(first, first + len(lines), eager=True)})
        frame = frame.with_columns(
            pl.col("line_start").alias("line_end"),
            lines.str.strip_suffix("\r").alias("line"),
        )
        special, bare = _partition(frame, pl.col("line").str.contains_any(self._special))
        plain, bare = _partition(bare, self._is_plain())
        quoted, special = _partition(special, self._is_quoted())
        other = self._with_kind(pl.concat([bare, special]))

        slow = self._read_slowly(other, first, lines)
        if slow.spans:
            taken = [index for start, stop in slow.spans for index in range(start, stop)]
            taken_lines = pl.Series(taken, dtype=pl.Int64) + first
            is_free = ~pl.col("line_start").is_in(taken_lines.implode())
            plain, quoted, other = (part.filter(is_free) for part in (plain, quoted, other))
        records = pl.DataFrame(slow.records, schema=frame.schema, orient="row")
        none = empty_rows(list(self.mapping.field_of))
        parts = [
            part
            for part in (
                self._plain(plain),
                self._quoted(pl.concat([quoted, records])),
                pl.DataFrame(slow.rows, schema=none.schema, orient="row"),
            )
            if part.height
        ]
        rows = pl.concat(parts).sort("line_start") if parts else none
        slow_rejected = pl.DataFrame(slow.rejected, schema=REJECTED, orient="row")
        rejected = pl.concat([self._rejected(other), slow_rejected])
        single = self._single_fields(other)
        single = pl.concat([single, pl.DataFrame(slow.single, schema=single.schema, orient="row")])
        pieces = self._pieces(rows, single)
        blank = int((other["kind"] == "blank").sum())
        end = slow.end
        if is_last:
            if end < len(lines):
                rejected.extend(_unclosed(first + end, first + len(lines) - 1))
            return Block(rows, rejected, blank, pieces), lines.clear()
        if end == len(lines) and rows.height and rows["line_end"][-1] == first + end - 1:
            end = rows["line_start"][-1] - first
        if first + end - 1 in single["line_start"]:
            end -= 1
        rows = rows.head(rows["line_start"].search_sorted(first + end))
        rejected = rejected.filter(pl.col("line_start") < first + end)
        return Block(rows, rejected, blank, pieces), lines.slice(end)

    def _is_plain(self) -> pl.Expr:
        """Whether a line without a special character is a row."""
        line = pl.col("line")
        return (
            (line.str.count_matches(self.delimiter, literal=True) == self.mapping.width - 1)
            & (line.str.strip_chars() != "")
            & ~line.is_in(self.header_lines)
        )

    def _is_quoted(self) -> pl.Expr:
        """Whether a line with a special character is a row with quoted fields."""
        line = pl.col("line")
        if not (self.quoting and self._has_pattern):
            return pl.lit(value=False)
        is_record = line.str.contains(f"^{self._record}$")
        return is_record & ~line.is_in(self.header_lines)

    def _with_kind(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What lines are that are no row at first sight: blank, to be read slowly, or else
        the reason why they are none. Inside a record of several lines it means nothing."""
        line = pl.col("line")
        kind = (
            pl.when(line.str.strip_chars() == "")
            .then(pl.lit("blank"))
            .when(line.is_in(self.header_lines))
            .then(pl.lit(Reason.REPEATED_HEADER.value))
        )
        if self.quoting:
            has_quote = line.str.contains('"', literal=True)
            is_text = ~line.str.contains("\0", literal=True)
            for code, pattern in self._faults.items() if self._has_pattern else ():
                is_so = has_quote & is_text & line.str.contains(pattern)
                kind = kind.when(is_so).then(pl.lit(code))
            kind = kind.when(has_quote).then(pl.lit("slow"))
        for mark, reason in (
            (UNDECODABLE, Reason.UNDECODABLE_BYTES),
            ("\0", Reason.NUL_CHARACTER),
            ("\r", Reason.STRAY_CARRIAGE_RETURN),
        ):
            kind = kind.when(line.str.contains(mark, literal=True)).then(pl.lit(reason.value))
        return frame.with_columns(
            kind.otherwise(pl.lit(Reason.WRONG_FIELD_COUNT.value)).alias("kind")
        )

    def _plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        # Into lists: as columns of their own, 100,000 fields would take minutes.
        fields = pl.col("line").str.split(self.delimiter)
        kept = (
            (name, pl.col("line").list.get(index)) for name, index in self.mapping.field_of.items()
        )
        return frame.with_columns(fields).select(
            "line_start",
            "line_end",
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
        text = "\n".join([before, frame["line"].str.join("\n").item()]).encode()
        fields = pl.read_csv(
            io.BytesIO(text), has_header=False, separator=self.delimiter, schema=schema
        ).slice(1)
        if fields.height != frame.height:
            raise RuntimeError("polars split well-formed lines into another number of rows")
        return pl.concat([frame.select("line_start", "line_end"), fields], how="horizontal").select(
            "line_start",
            "line_end",
            *(
                pl.col(f"field_{index}").alias(name)
                for name, index in self.mapping.field_of.items()
            ),
        )

    def _read_slowly(self, other: pl.DataFrame, first: int, lines: Lines) -> _Slow:
        """The records that span lines, or need the tokenizer."""
        slow = _Slow(end=len(lines))
        starts = (other.filter(pl.col("kind") == "slow")["line_start"] - first).to_list()
        texts = lines.to_list() if starts else []
        next_free = 0
        for index in starts:
            if index < next_free:
                continue  # inside the record before
            last, text = self._join(texts, index)
            if text is None:
                record = read_record(texts, index, self.delimiter, self.newline)
                if not record.is_complete:
                    slow.end = index
                    slow.spans.append((index, len(lines)))
                    if sum(map(len, texts[index:])) > MAX_RECORD_CHARACTERS:
                        raise FileError(
                            Reason.RECORD_TOO_LONG,
                            f"line {first + index}: a quote opens a record of more than a "
                            "million characters",
                        )
                    break
                last = record.last
                self._take(slow, first + index, texts[index : last + 1], record)
            else:
                slow.records.append((first + index, first + last, text))
            next_free = last + 1
            slow.spans.append((index, next_free))
        return slow

    def _join(self, texts: Sequence[str], index: int) -> tuple[int, str | None]:
        """The record that begins in a line and ends in a later one, if it is well formed.

        It can end where the number of quotes is even, and nowhere before.
        """
        parts = [texts[index]]
        is_open = parts[0].count('"') % 2 == 1
        if not (is_open and self._has_pattern):
            return index, None
        while is_open:
            if index + len(parts) == len(texts):
                return index, None
            parts.append(texts[index + len(parts)])
            is_open = parts[-1].count('"') % 2 == 0
        text = self.newline.join(parts).removesuffix("\r")
        return index + len(parts) - 1, text if re.fullmatch(self._record, text) else None

    def _take(self, slow: _Slow, start: int, lines: Sequence[str], record: Record) -> None:
        fault, found, end = record.fault, len(record.fields), start + len(lines) - 1
        if any(UNDECODABLE in line for line in lines):
            fault = Reason.UNDECODABLE_BYTES
        elif any("\0" in line for line in lines):
            fault = Reason.NUL_CHARACTER
        if fault is not None:
            slow.rejected.append((start, end, fault.value, None, _FAULTS[fault.value]))
        elif found != self.mapping.width:
            detail = f"expected {self.mapping.width} fields, found {found}"
            slow.rejected.append((start, end, Reason.WRONG_FIELD_COUNT.value, None, detail))
            if found == 1 and start == end:
                slow.single.append((start, record.fields[0] or ""))
        else:
            fields = (record.fields[index] for index in self.mapping.field_of.values())
            slow.rows.append((start, end, *fields))

    def _rejected(self, other: pl.DataFrame) -> pl.DataFrame:
        """The lines that are no row."""
        kind, width = pl.col("kind"), self.mapping.width
        ragged = pl.format(f"expected {width} fields, found {{}}", self._fields())
        detail = pl.when(kind == Reason.WRONG_FIELD_COUNT.value).then(ragged)
        return reject(
            other.filter(kind.is_in([*_FAULTS, Reason.WRONG_FIELD_COUNT.value])),
            kind,
            detail.otherwise(kind.replace_strict(_FAULTS, default=None)),
        )

    def _fields(self) -> pl.Expr:
        """The number of fields of a well-formed line."""
        line = pl.col("line")
        if self.quoting:
            line = line.str.replace_all(_QUOTED, "")
        return line.str.count_matches(self.delimiter, literal=True) + 1

    def _single_fields(self, other: pl.DataFrame) -> pl.DataFrame:
        """Lines of one field where there should be several."""
        line = pl.col("line")
        if self.quoting:
            bare = line.str.strip_prefix('"').str.strip_suffix('"')
            bare = bare.str.replace_all('""', '"', literal=True)
            line = pl.when(line.str.starts_with('"')).then(bare).otherwise(line)
        ragged = other.filter(
            pl.col("kind") == Reason.WRONG_FIELD_COUNT.value, pl.lit(self.mapping.width > 1)
        )
        return ragged.filter(self._fields() == 1).select("line_start", line)

    def _pieces(self, rows: pl.DataFrame, single: pl.DataFrame) -> pl.DataFrame:
        """Such lines, each with the value that it may belong to: the end of the row before
        it, or the start of the row after it."""
        found = []
        at = {index: name for name, index in self.mapping.field_of.items()}
        line = pl.col("line")
        for index, beside in (
            (self.mapping.width - 1, pl.col("line_end") + 1),
            (0, pl.col("line_start") - 1),
        ):
            if index not in at or single.is_empty():
                continue
            value = pl.col(at[index]).fill_null("")
            beside_rows = rows.join(single, left_on=beside, right_on="line_start")
            found.append(
                beside_rows.select(
                    "line_start",
                    pl.lit(at[index]).alias("column_name"),
                    (line + value if index == 0 else value + line).alias("joined"),
                )
            )
        return pl.concat(found) if found else pl.DataFrame(schema=PIECES)
