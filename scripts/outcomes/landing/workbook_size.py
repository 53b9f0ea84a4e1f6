"""Refuses a workbook that would not fit into memory, before it is read."""

from __future__ import annotations

from functools import lru_cache
from xml.parsers import expat
from zipfile import ZipFile

from outcomes.landing.reasons import FileError, Reason

# Of one sheet: the rectangle of its cells, and their texts.
_MAX_CELLS = 1_500_000
_MAX_CHARACTERS = 64 << 20


class _Part:
    """The size in memory of one part of a workbook, computed from its XML.

    Two cells at opposite corners of a sheet, or a long text that many cells share, are small
    in the file and large in memory. `root` identifies sheets, because parts can have any name.
    """

    def __init__(self) -> None:
        self.root: str | None = None
        self.height = self.width = 0
        self.shared: list[int] = []  # numbers of the shared texts in its cells
        self.lengths: list[int] = []  # lengths of the shared texts, if it is their list
        self._row = self._column = 0
        self._reads_number = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
        kind = name.rpartition(":")[2]
        self.root = self.root or kind
        if kind == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif kind == "c":
            self._place(attributes.get("r"))
            self._reads_number = attributes.get("t") == "s"
        elif kind == "si":
            self.lengths.append(0)

    def text(self, text: str) -> None:
        """Handle text in or between elements."""
        if self.lengths:
            self.lengths[-1] += len(text)
        elif self._reads_number and text.strip():
            self.shared.append(int(text))
            self._reads_number = False

    def _place(self, reference: str | None) -> None:
        """Move to a cell: at its reference, or after the one before it."""
        self._column += 1
        if reference:
            letters = reference.rstrip("0123456789")
            self._row, self._column = int(reference[len(letters) :]), _column_number(letters)
        self.height, self.width = max(self.height, self._row), max(self.width, self._column)


@lru_cache(1 << 15)
def _column_number(letters: str) -> int:
    """1 of A, 27 of AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _measured(parts: ZipFile) -> list[_Part]:
    """The parts that are sheets or lists of shared texts.

    Raises:
        ExpatError: a part that should be XML is not.
    """
    found = []
    for name in parts.namelist():
        part, parser = _Part(), expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = part.start
        parser.CharacterDataHandler = part.text
        try:
            with parts.open(name) as stream:
                parser.ParseFile(stream)
        except expat.ExpatError:
            if part.root in ("worksheet", "sst") or name.lower().endswith((".xml", ".rels")):
                raise
        if part.root in ("worksheet", "sst"):
            found.append(part)
    return found


def require_size(parts: ZipFile) -> None:
    """Refuse a workbook that is too large in memory.

    Raises:
        FileError: it is too large.
    """
    measured = _measured(parts)
    lengths = [length for part in measured for length in part.lengths]
    for part in measured:
        if sum(lengths[n] for n in part.shared if n < len(lengths)) > _MAX_CHARACTERS:
            raise FileError(
                Reason.ARCHIVE_TOO_LARGE,
                f"expected at most {_MAX_CHARACTERS:,} characters in the cells of a sheet",
            )
        if part.height * part.width > _MAX_CELLS:
            raise FileError(
                Reason.ARCHIVE_TOO_LARGE,
                f"a sheet spans {part.height} rows and {part.width} columns; expected "
                f"at most {_MAX_CELLS} cells",
            )
