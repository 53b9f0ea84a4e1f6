"""Reads the lines of a text file in blocks, decoded as the contract declares."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import polars as pl

from outcomes.landing.kinds import HEAD_BYTES, not_text
from outcomes.landing.reasons import FileError, Reason
from outcomes.landing.records import MAX_RECORD_CHARACTERS

BLOCK_BYTES = 4 << 20
# The most lines at once: a short line takes far more memory than its bytes.
BATCH_LINES = 1 << 16
_TAIL_BYTES = 1 << 16

# Decoded lines without their line feed.
Lines = pl.Series

# Added to a line that is not text in the declared encoding, after the part that can be decoded:
# the quotes of that part show where the record ends.
UNDECODABLE = "\0\ufffd"

# The control characters U+0080 to U+009F, by codec. They are not text: they come from quotes
# and dashes of cp1252 that were read as latin-1.
_CONTROLS = {
    "latin-1": re.compile(rb"[\x80-\x9f]"),
    "utf-8": re.compile(rb"\xc2[\x80-\x9f]"),
}

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class ByteStream(Protocol):
    """Anything with `read(size)`."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""


class _Transcoded:
    """UTF-16 as UTF-8, since blocks are cut at single newline bytes."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")()

    def read(self, size: int, /) -> bytes:
        while True:
            chunk = self._stream.read(size)
            try:
                text = self._decoder.decode(chunk, final=not chunk)
            except UnicodeError:  # without a mark it is not a UnicodeDecodeError
                raise FileError(
                    Reason.WRONG_ENCODING,
                    "expected UTF-16 with a byte-order mark; the bytes are no such text",
                ) from None
            if text or not chunk:
                return text.encode("utf-8", "surrogatepass")


class _Hashed:
    """Passes bytes on and hashes them."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.size = 0
        self.head = b""

    def read(self, size: int, /) -> bytes:
        chunk = self._stream.read(size)
        self.digest.update(chunk)
        self.head = self.head or chunk[:HEAD_BYTES]
        self.size += len(chunk)
        return chunk


@dataclass(frozen=True)
class Survey:
    """Result of a first pass over the whole content, before any row is read.

    `lines` is the number of physical lines, `head` the first bytes, `tail` the end of the text,
    for the trailer.
    """

    sha256: str
    size: int
    lines: int
    newline: str
    tail: bytes
    mark: str | None
    head: bytes = b""

    @property
    def is_unfinished(self) -> bool:
        """Whether the last line has no end."""
        return bool(self.tail) and not self.tail.endswith(self.newline.encode())

    def require_text(self, encoding: str) -> None:
        """Refuse a file of another kind, or with the byte-order mark of another encoding.

        Raises:
            FileError: it is one.
        """
        if kind := not_text(self.head, self.tail):
            raise FileError(Reason.WRONG_LAYOUT, f"expected a text; the file is {kind}")
        if self.mark is not None and self.mark != encoding:
            raise FileError(
                Reason.WRONG_ENCODING,
                f"expected {encoding}; the file's byte-order mark is that of {self.mark}",
            )

    def ending(self, encoding: str, footer: re.Pattern[str] | None, *, has_trailer: bool) -> Ending:
        """The lines below the rows: footers, and the trailer, if one is expected.

        The trailer is the last line that is neither blank nor a footer.
        """
        lines = self.tail.split(self.newline.encode())
        if self.tail.endswith(self.newline.encode()):
            lines.pop()
        ending = Ending(self.lines + 1)
        trailer: str | None = None
        blank = footers = 0
        codec = "utf-8" if encoding == "utf-16" else encoding
        for number in range(self.lines, self.lines - len(lines), -1):
            line = lines[number - self.lines - 1].decode(codec, "replace").strip(" \t\r\n")
            if not line:
                blank += 1
                continue
            if footer and footer.fullmatch(line):
                footers += 1
            elif has_trailer and trailer is None:
                trailer = line
            else:
                break
            # Blank lines above the first footer count as lines among the rows.
            ending = Ending(number, trailer, footers + (trailer is not None), blank)
        return ending


@dataclass(frozen=True)
class Ending:
    """The lines below the rows, from `first_line`: footers, a trailer, and blank lines."""

    first_line: int
    trailer: str | None = None
    lines: int = 0
    blank_lines: int = 0


def survey(stream: BinaryIO, encoding: str) -> Survey:
    """Read the whole content for hash, lines, line ends and tail.

    This also proves that an archive is complete, before anything is stored.
    """
    hashed = _Hashed(stream)
    text: ByteStream = hashed if encoding != "utf-16" else _Transcoded(hashed)
    feeds = returns = 0
    tail = b""
    mark: str | None = None
    is_first = True
    while chunk := text.read(BLOCK_BYTES):
        if is_first:
            mark = next((name for bom, name in _MARKS.items() if chunk.startswith(bom)), None)
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
            is_first = False
        feeds += chunk.count(b"\n")
        returns += chunk.count(b"\r")
        tail = (tail + chunk)[-_TAIL_BYTES:]
    newline = "\n" if feeds or not returns else "\r"
    ends = feeds if newline == "\n" else returns
    unfinished = bool(tail) and not tail.endswith(newline.encode())
    return Survey(
        hashed.digest.hexdigest(), hashed.size, ends + unfinished, newline, tail, mark, hashed.head
    )


class LineReader:
    """Batches of decoded lines: (number of the first line, lines).

    Stops before `stop_line`, where the trailer begins.
    """

    def __init__(
        self, stream: BinaryIO, encoding: str, newline: str, stop_line: int | None = None
    ) -> None:
        self._stream: ByteStream = stream if encoding != "utf-16" else _Transcoded(stream)
        self.encoding = encoding
        self._codec = "utf-8" if encoding == "utf-16" else encoding
        self.newline = newline
        # Whether a line with a letter beyond ASCII could be decoded.
        self.has_read_letters = False
        self._stop_line = stop_line
        self._batches = self._read()
        self._pushed: tuple[int, Lines] | None = None

    def __iter__(self) -> Iterator[tuple[int, Lines]]:
        """The reader itself: batches are read once."""
        return self

    def __next__(self) -> tuple[int, Lines]:
        """The next batch, or what was pushed back."""
        if self._pushed is not None:
            batch, self._pushed = self._pushed, None
            return batch
        return next(self._batches)

    def push_back(self, first: int, lines: Lines) -> None:
        """Return lines to the front of the next batch."""
        self._pushed = (first, lines)

    def _read(self) -> Iterator[tuple[int, Lines]]:
        first = 1
        for block in self._blocks():
            lines = self._decode(block)
            if self._stop_line is not None and first + len(lines) > self._stop_line:
                lines = lines.head(self._stop_line - first)
                if len(lines):
                    yield first, lines
                return
            for batch in lines.to_frame().iter_slices(BATCH_LINES):
                yield first, batch.to_series()
                first += batch.height

    def _blocks(self) -> Iterator[bytes]:
        """The bytes, cut after line ends."""
        newline = self.newline.encode()
        rest = b""
        is_first = True
        while chunk := self._stream.read(BLOCK_BYTES):
            if is_first:
                chunk = chunk.removeprefix(codecs.BOM_UTF8)
                is_first = False
            cut = chunk.rfind(newline) + 1
            if cut:
                yield rest + chunk[:cut]
                rest = chunk[cut:]
            else:
                rest += chunk
            if len(rest) > BLOCK_BYTES + MAX_RECORD_CHARACTERS:
                raise FileError(Reason.RECORD_TOO_LONG, "a line of more than a million characters")
        if rest:
            yield rest

    def _decode(self, block: bytes) -> Lines:
        newline = self.newline
        lines: Lines | None = None
        if block.isascii() or (self._codec == "utf-8" and not _CONTROLS["utf-8"].search(block)):
            with contextlib.suppress(UnicodeDecodeError):  # then line by line, below
                text = pl.Series("line", [block.decode(self._codec)])
                lines = text.str.split(newline).explode()
                self.has_read_letters |= not block.isascii()
        if lines is None:
            decoded = [self._decode_line(line) for line in block.split(newline.encode())]
            lines = pl.Series("line", decoded, dtype=pl.String)
            self.has_read_letters |= any(
                not line.isascii() and not line.endswith(UNDECODABLE) for line in decoded
            )
        return lines.head(-1) if block.endswith(newline.encode()) else lines

    def _decode_line(self, line: bytes) -> str:
        if self._is_text(line):
            return line.decode(self._codec)
        return line.decode(self._codec, "replace") + UNDECODABLE

    def _is_text(self, line: bytes) -> bool:
        if line.isascii():
            return True
        if self._codec in _CONTROLS and _CONTROLS[self._codec].search(line):
            return False
        is_utf_8 = _decodes(line, "utf-8")
        if self._codec == "utf-8":
            return is_utf_8
        # Almost any bytes are text in a one-byte encoding. A line that can be decoded as UTF-8
        # is UTF-8: no name has `Ã` before `±`.
        return not is_utf_8 and _decodes(line, self._codec)


def skip_titles(
    reader: LineReader, header_row: int | None, pattern: re.Pattern[str] | None
) -> tuple[int, int]:
    """Skip the lines above the header; returns the numbers of titles and of blank lines.

    These are all lines above the header's line if it is known, else those that match.
    """
    titles = blank = 0
    for first, batch in reader:
        for index, line in enumerate(batch.to_list()):
            is_blank = not line.strip()
            if header_row is not None:
                is_title = first + index < header_row
            else:
                is_title = is_blank or bool(pattern and pattern.fullmatch(line.strip()))
            if not is_title:
                reader.push_back(first + index, batch.slice(index))
                return titles, blank
            blank += is_blank
            titles += not is_blank
    return titles, blank


def _decodes(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
