"""Zip, gzip and workbook files whose bytes depend only on their content.

Each of the three formats stores a time of writing; here it is always the same.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook

WRITTEN_AT = datetime(2012, 1, 1)
ZIP_TIME = (2012, 1, 1, 0, 0, 0)
_UNIX = 3
_GZIP_CONTAINER = 31


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """A zip archive of the members, in their order."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            archive.writestr(entry, content)
    return buffer.getvalue()


class GzipFile:
    """A gzip file written in pieces; zlib's own header holds neither name nor time."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        # The fastest level, because a county's extracts have gigabytes and are read once.
        self._compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP_CONTAINER)

    def write(self, content: bytes) -> None:
        """Compress and append."""
        self._file.write(self._compressor.compress(content))

    def __enter__(self) -> GzipFile:
        """The open file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write the end of the stream and close."""
        self._file.write(self._compressor.flush())
        self._file.close()


def workbook_bytes(sheets: Mapping[str, Iterable[Iterable[Any]]]) -> bytes:
    """A workbook of the sheets, each given as rows of cell values."""
    book = Workbook(write_only=True)
    book.properties.created = WRITTEN_AT
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    buffer = BytesIO()
    book.save(buffer)
    # Saving writes the time into the properties and into every member of the zip.
    with zipfile.ZipFile(buffer) as saved:
        members = {name: saved.read(name) for name in saved.namelist()}
    stamp = WRITTEN_AT.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    members["docProps/core.xml"] = re.sub(
        rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, members["docProps/core.xml"]
    )
    return zip_bytes(members)
