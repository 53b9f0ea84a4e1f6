"""A strict RFC 4180 reader for delimited text, in blocks.

polars splits many lines at once: those without a quote, and those that a regular expression
proves to be well formed. All other records go through `read_record` one by one, which accepts
nothing that the standard forbids: a quote in an unquoted field and text after a closing quote
are errors. Every record has the numbers of its lines, so that each line of the file is
accounted for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from outcomes.landing.header import DELIMITERS, Mapping, another_delimiter
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
    Reason.UNDECODABLE_BYTES.value: "bytes that are not text in the declared encoding",
    Reason.NUL_CHARACTER.value: "a NUL character",
    Reason.REPEATED_HEADER.value: "expected a row of data; found the header again",
}


@dataclass(frozen=True)
class Record:
    """One record, or the reason why it is malformed; `last` is the index of its last line."""

    fields: list[str | None]
    last: int
    fault: Reason | None = None
    is_complete: bool = True


def read_record(lines: Sequence[str], first: int, delimiter: str, newline: str = "\n") -> Record:
    """Read the record that begins at `lines[first]`, strictly by RFC 4180.

    An unquoted empty field is None, a quoted one the empty string. A record that is still
    inside quotes at the end of `lines` is returned as incomplete. After a fault, the next
    record begins at the line after the fault.
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
    """Read the header, and the blank lines before it, from the front.

    Raises:
        FileError: there is no line, or the line is not a well-formed record.
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
                    "the line is not such text",
                )
            if quoting:
                record = read_record(lines, index, delimiter, reader.newline)
            else:
                record = Record([*line.removesuffix("\r").split(delimiter)], index)
            if record.fault:
                # Quotes before a delimiter that is not the contract's are stray.
                for other in DELIMITERS:
                    split = read_record(lines, index, other, reader.newline)
                    if not split.fault and len(split.fields) > 1:
                        raise another_delimiter(delimiter, other)
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
        FileError: a record is too long.
    """
    newline = reader.newline
    dialect = _Dialect(mapping.width, delimiter, header, quoting=quoting, newline=newline)
    splitter = _Splitter(mapping, dialect)
    kept = pl.Series(dtype=pl.String)  # lines of a record that may go on in the next block
    first_kept = blank = 0
    for first, lines in reader:
        if kept.is_empty() and lines.is_in(["", "\r"]).all():
            blank += len(lines)  # quickly: a file can have a hundred million of them
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


class _Dialect:
    """What a well-formed line or record of a file looks like."""

    def __init__(
        self, width: int, delimiter: str, header: Header | None, *, quoting: bool, newline: str
    ) -> None:
        self.width = width
        self.delimiter = delimiter
        self.quoting = quoting
        self.newline = newline
        self.special = ["\0", "\r", '"'] if quoting else ["\0", "\r"]
        line = header.text[0] if header and len(header.text) == 1 else ""
        line = line.removesuffix("\r")
        # A repeated header can follow a byte-order mark, where files were concatenated.
        self._header_lines = [line, f"\ufeff{line}"]
        mark = re.escape(delimiter)
        bare = rf'[^"{mark}\r\x00]'
        one = f"(?:{_QUOTED}|{bare}*)"
        # polars reads quoted fields between delimiters of one byte only.
        self.has_pattern = width <= _MAX_REGEX_WIDTH and len(delimiter.encode()) == 1
        self.record = f"{one}(?:{mark}{one}){{{width - 1}}}"
        self._faults = {
            Reason.WRONG_FIELD_COUNT.value: f"^{one}(?:{mark}{one})*$",
            # Well-formed fields, and then one with a quote in a wrong place.
            Reason.STRAY_QUOTE.value: f'^(?:{one}{mark})*(?:{_QUOTED}{bare}|{bare}+")',
        }

    def is_plain(self) -> pl.Expr:
        """Whether a line without a special character is a row."""
        line = pl.col("line")
        return (
            (line.str.count_matches(self.delimiter, literal=True) == self.width - 1)
            & (line.str.strip_chars() != "")
            & ~line.is_in(self._header_lines)
        )

    def is_quoted(self) -> pl.Expr:
        """Whether a line with a special character is a row with quoted fields."""
        line = pl.col("line")
        if not (self.quoting and self.has_pattern):
            return pl.lit(value=False)
        is_record = line.str.contains(f"^{self.record}$")
        return is_record & ~line.is_in(self._header_lines)

    def with_kind(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add the kind of lines that are not rows: blank, to be tokenized, or a reason code.

        For a line inside a record of several lines the kind means nothing.
        """
        line = pl.col("line")
        kind = (
            pl.when(line.str.strip_chars() == "")
            .then(pl.lit("blank"))
            .when(line.is_in(self._header_lines))
            .then(pl.lit(Reason.REPEATED_HEADER.value))
        )
        if self.quoting:
            has_quote = line.str.contains('"', literal=True)
            is_text = ~line.str.contains("\0", literal=True)
            for code, pattern in self._faults.items() if self.has_pattern else ():
                matches = has_quote & is_text & line.str.contains(pattern)
                kind = kind.when(matches).then(pl.lit(code))
            kind = kind.when(has_quote).then(pl.lit("tokenize"))
        for mark, reason in (
            (UNDECODABLE, Reason.UNDECODABLE_BYTES),
            ("\0", Reason.NUL_CHARACTER),
            ("\r", Reason.STRAY_CARRIAGE_RETURN),
        ):
            kind = kind.when(line.str.contains(mark, literal=True)).then(pl.lit(reason.value))
        return frame.with_columns(
            kind.otherwise(pl.lit(Reason.WRONG_FIELD_COUNT.value)).alias("kind")
        )

    def fields(self) -> pl.Expr:
        """The number of fields of a well-formed line."""
        line = pl.col("line")
        if self.quoting:
            line = line.str.replace_all(_QUOTED, "")
        return line.str.count_matches(self.delimiter, literal=True) + 1


class _Tokenized:
    """The records of some lines that need more than one expression.

    `records` are well formed and still to be split, `rows` are split. `spans` are the lines
    of all these records, as indexes. `single` are lines of one field. `end` is the index at
    which an unfinished record begins.
    """

    def __init__(self, dialect: _Dialect, mapping: Mapping) -> None:
        self._dialect = dialect
        self._mapping = mapping
        self.end = 0
        self.records: list[tuple[int, int, str]] = []
        self.rows: list[tuple[int | str | None, ...]] = []
        self.rejected: list[tuple[int, int, str, None, str]] = []
        self.spans: list[tuple[int, int]] = []
        self.single: list[tuple[int, str]] = []

    def read(self, starts: list[int], first: int, lines: Lines) -> None:
        """Read the records that begin at these indexes of the lines."""
        self.end = len(lines)
        texts = lines.to_list() if starts else []
        next_free = 0
        for index in starts:
            if index < next_free:
                continue  # inside the previous record
            last, text = self._join(texts, index)
            if text is None:
                record = read_record(texts, index, self._dialect.delimiter, self._dialect.newline)
                if not record.is_complete:
                    self.end = index
                    self.spans.append((index, len(lines)))
                    if sum(map(len, texts[index:])) > MAX_RECORD_CHARACTERS:
                        raise FileError(
                            Reason.RECORD_TOO_LONG,
                            f"line {first + index}: a quote opens a record of more than a "
                            "million characters",
                        )
                    break
                last = record.last
                self._add(first + index, texts[index : last + 1], record)
            else:
                self.records.append((first + index, first + last, text))
            next_free = last + 1
            self.spans.append((index, next_free))

    def _join(self, texts: Sequence[str], index: int) -> tuple[int, str | None]:
        """The last line and text of a well-formed record of several lines, else None.

        A record can only end where its number of quotes is even.
        """
        parts = [texts[index]]
        is_open = parts[0].count('"') % 2 == 1
        if not (is_open and self._dialect.has_pattern):
            return index, None
        while is_open:
            if index + len(parts) == len(texts):
                return index, None
            parts.append(texts[index + len(parts)])
            is_open = parts[-1].count('"') % 2 == 0
        text = self._dialect.newline.join(parts).removesuffix("\r")
        return index + len(parts) - 1, text if re.fullmatch(self._dialect.record, text) else None

    def _add(self, start: int, lines: Sequence[str], record: Record) -> None:
        fault, found, end = record.fault, len(record.fields), start + len(lines) - 1
        if any(UNDECODABLE in line for line in lines):
            fault = Reason.UNDECODABLE_BYTES
        elif any("\0" in line for line in lines):
            fault = Reason.NUL_CHARACTER
        if fault is not None:
            self.rejected.append((start, end, fault.value, None, _FAULTS[fault.value]))
        elif found != self._mapping.width:
            detail = f"expected {self._mapping.width} fields, found {found}"
            self.rejected.append((start, end, Reason.WRONG_FIELD_COUNT.value, None, detail))
            if found == 1 and start == end:
                self.single.append((start, record.fields[0] or ""))
        else:
            fields = (record.fields[index] for index in self._mapping.field_of.values())
            self.rows.append((start, end, *fields))


class _Splitter:
    """Splits lines into the fields that the mapping keeps."""

    def __init__(self, mapping: Mapping, dialect: _Dialect) -> None:
        self._mapping = mapping
        self._dialect = dialect

    def split(self, first: int, lines: Lines, *, is_last: bool = False) -> tuple[Block, Lines]:
        """Rows and rejects of some lines, and the lines to be read again with the next ones.

        Read again are an unfinished record, or else the last record, and a line of one field
        before it: whether they are pieces of one row depends on the next line.
        """
        frame = pl.DataFrame({"line_start": pl.int_range(first, first + len(lines), eager=True)})
        frame = frame.with_columns(
            pl.col("line_start").alias("line_end"),
            lines.str.strip_suffix("\r").alias("line"),
        )
        special, bare = _partition(frame, pl.col("line").str.contains_any(self._dialect.special))
        plain, bare = _partition(bare, self._dialect.is_plain())
        quoted, special = _partition(special, self._dialect.is_quoted())
        other = self._dialect.with_kind(pl.concat([bare, special]))

        starts = other.filter(pl.col("kind") == "tokenize")["line_start"] - first
        tokenized = _Tokenized(self._dialect, self._mapping)
        tokenized.read(starts.to_list(), first, lines)
        if tokenized.spans:
            taken = [index for start, stop in tokenized.spans for index in range(start, stop)]
            taken_lines = pl.Series(taken, dtype=pl.Int64) + first
            is_free = ~pl.col("line_start").is_in(taken_lines.implode())
            plain, quoted, other = (part.filter(is_free) for part in (plain, quoted, other))
        records = pl.DataFrame(tokenized.records, schema=frame.schema, orient="row")
        none = empty_rows(list(self._mapping.field_of))
        parts = [
            part
            for part in (
                self._plain(plain),
                self._quoted(pl.concat([quoted, records])),
                pl.DataFrame(tokenized.rows, schema=none.schema, orient="row"),
            )
            if part.height
        ]
        rows = pl.concat(parts).sort("line_start") if parts else none
        more_rejected = pl.DataFrame(tokenized.rejected, schema=REJECTED, orient="row")
        rejected = pl.concat([self._rejected(other), more_rejected])
        single = self._single_fields(other)
        single = pl.concat(
            [single, pl.DataFrame(tokenized.single, schema=single.schema, orient="row")]
        )
        pieces = self._pieces(rows, single)
        blank = int((other["kind"] == "blank").sum())
        end = tokenized.end
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

    def _plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        # Into lists, because 100,000 fields as columns would take minutes.
        fields = pl.col("line").str.split(self._dialect.delimiter)
        kept = (
            (name, pl.col("line").list.get(index)) for name, index in self._mapping.field_of.items()
        )
        return frame.with_columns(fields).select(
            "line_start",
            "line_end",
            *(pl.when(field != "").then(field).alias(name) for name, field in kept),
        )

    def _quoted(self, frame: pl.DataFrame) -> pl.DataFrame:
        if frame.is_empty():
            return empty_rows(list(self._mapping.field_of))
        # The regular expression has proven that each line is one record of the right width.
        # polars takes a text that begins with a byte-order mark, or with `x^` as compressed
        # files do, for something else: a row in front prevents that.
        schema = {f"field_{index}": pl.String for index in range(self._mapping.width)}
        before = "0" + self._dialect.delimiter * (self._mapping.width - 1)
        text = "\n".join([before, frame["line"].str.join("\n").item()]).encode()
        fields = pl.read_csv(
            io.BytesIO(text), has_header=False, separator=self._dialect.delimiter, schema=schema
        ).slice(1)
        if fields.height != frame.height:
            raise RuntimeError("polars split well-formed lines into a different number of rows")
        return pl.concat([frame.select("line_start", "line_end"), fields], how="horizontal").select(
            "line_start",
            "line_end",
            *(
                pl.col(f"field_{index}").alias(name)
                for name, index in self._mapping.field_of.items()
            ),
        )

    def _rejected(self, other: pl.DataFrame) -> pl.DataFrame:
        """The lines that are not rows, with the reason."""
        kind, width = pl.col("kind"), self._mapping.width
        ragged = pl.format(f"expected {width} fields, found {{}}", self._dialect.fields())
        detail = pl.when(kind == Reason.WRONG_FIELD_COUNT.value).then(ragged)
        return reject(
            other.filter(kind.is_in([*_FAULTS, Reason.WRONG_FIELD_COUNT.value])),
            kind,
            detail.otherwise(kind.replace_strict(_FAULTS, default=None)),
        )

    def _single_fields(self, other: pl.DataFrame) -> pl.DataFrame:
        """Lines of one field in a file with several."""
        line = pl.col("line")
        if self._dialect.quoting:
            bare = line.str.strip_prefix('"').str.strip_suffix('"')
            bare = bare.str.replace_all('""', '"', literal=True)
            line = pl.when(line.str.starts_with('"')).then(bare).otherwise(line)
        ragged = other.filter(
            pl.col("kind") == Reason.WRONG_FIELD_COUNT.value, pl.lit(self._mapping.width > 1)
        )
        return ragged.filter(self._dialect.fields() == 1).select("line_start", line)

    def _pieces(self, rows: pl.DataFrame, single: pl.DataFrame) -> pl.DataFrame:
        """Lines of one field joined with the value that they may be torn from: the last one
        of the row before, or the first one of the row after."""
        found = []
        at = {index: name for name, index in self._mapping.field_of.items()}
        line = pl.col("line")
        for index, neighbor in (
            (self._mapping.width - 1, pl.col("line_end") + 1),
            (0, pl.col("line_start") - 1),
        ):
            if index not in at or single.is_empty():
                continue
            value = pl.col(at[index]).fill_null("")
            neighbors = rows.join(single, left_on=neighbor, right_on="line_start")
            found.append(
                neighbors.select(
                    "line_start",
                    pl.lit(at[index]).alias("column_name"),
                    (line + value if index == 0 else value + line).alias("joined"),
                )
            )
        return pl.concat(found) if found else pl.DataFrame(schema=PIECES)
