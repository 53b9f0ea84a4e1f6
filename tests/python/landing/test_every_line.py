"""Each physical line is header, blank, loaded, rejected or trailer, whatever the format."""

from __future__ import annotations

import gzip
import io
import itertools
import zipfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from outcomes.landing.reading import Counts

from .one_file import contract_for, reading_of

DELIMITERS = {"comma": ",", "tab": "\t", "pipe": "|", "two_characters": "||"}
PACKINGS = ["none", "zip", "gzip"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"]
NEWLINES = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}
# Each layout in one packing, and each encoding and kind of newline in every packing. The other
# combinations are slow only because they are many.
CASES = [
    pytest.param(
        packing, encoding, newline, has_trailer,
        marks=[pytest.mark.slow] * (packing != PACKINGS[number % len(PACKINGS)]),
    )
    for number, (newline, has_trailer, encoding) in enumerate(
        itertools.product(NEWLINES, [False, True], ENCODINGS)
    )
    for packing in PACKINGS
]  # fmt: skip


def read(folder: Path, content: bytes, packing: str, **layout: Any) -> tuple[Counts, Counter[str]]:
    """The counts and rejected rows of a file of two columns, an id of three digits and a text."""
    columns = {"id": {"pattern": "[0-9]{3}", "required": True, "width": 3}, "text": {"width": 5}}
    names = {
        "none": {"name": "rows"},
        "gzip": {"name": "rows.gz", "compression": "gzip"},
        "zip": {"name": "rows.zip", "compression": "zip", "member": "rows"},
    }
    path = folder / names[packing]["name"]
    if packing == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("rows", content)
    else:
        path.write_bytes(gzip.compress(content) if packing == "gzip" else content)
    reading = reading_of(contract_for(columns, names[packing] | layout), path)
    rejected = Counter(
        reason for block in reading.blocks() for reason in block.rejected["reason_code"]
    )
    return reading.counts, rejected


def require(
    found: tuple[Counts, Counter[str]], lines: int, rejected: dict[str, int], **counts: int
) -> None:
    """Check that every line is counted once, in the right count."""
    assert found[1] == rejected
    assert asdict(found[0]) == {
        "lines": lines, "rows_rejected": sum(rejected.values()),
        "rows_filtered_out": 0, "lines_filtered_out": 0, **counts
    }  # fmt: skip
    parts = (
        "header_lines", "blank_lines", "lines_loaded", "lines_rejected", "trailer_lines",
    )  # fmt: skip
    assert lines == sum(counts[part] for part in parts)


def encode(lines: list[str], newline: str, encoding: str, *, trailer: str) -> tuple[bytes, int]:
    """The text, and its number of physical lines."""
    if trailer:
        lines = [*lines, trailer, ""]
    text = newline.join(lines) + (newline if trailer else "")
    end = newline if newline != "\r\n" else "\n"
    return text.encode(encoding), text.count(end) + (not text.endswith(end))


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize(("packing", "encoding", "newline", "has_trailer"), CASES)
def test_delimited(
    tmp_path: Path, delimiter: str, packing: str, encoding: str, newline: str, *, has_trailer: bool
) -> None:
    mark, end = DELIMITERS[delimiter], NEWLINES[newline]
    records = [
        "id,text",
        "",
        "001,a",
        "002,b,ragged",
        f'003,"two{end}lines"',
        f'004,"two{end}lines",and more',  # ragged, over two lines
        '005,"é, quoted"',
        '006,a "quote" in it',
        " ",
        "7,no id",
        "008,é",
    ]
    lines = [record.replace(",", mark) for record in records]
    trailer = f"END{mark}8{mark}20121001" if has_trailer else ""
    content, n_lines = encode(lines, end, encoding, trailer=trailer)
    found = read(
        tmp_path, content, packing,
        format="delimited", delimiter=mark, encoding=encoding.removesuffix("-sig"),
        trailer={"marker": "END", "dateFormat": "yyyyMMdd"} if has_trailer else None,
    )  # fmt: skip
    require(
        found,
        n_lines,
        {"wrong_field_count": 2, "stray_quote": 1, "bad_format": 1},
        header_lines=1,
        blank_lines=3 if has_trailer else 2,
        rows_loaded=4,
        lines_loaded=5,
        lines_rejected=5,
        trailer_lines=int(has_trailer),
    )


@pytest.mark.parametrize(("packing", "encoding", "newline", "has_trailer"), CASES)
def test_fixed_width(
    tmp_path: Path, packing: str, encoding: str, newline: str, *, has_trailer: bool
) -> None:
    lines = ["001short", "", "002é    ", "003", "004a\tb  ", "x05id   ", "        ", '006"text']
    content, n_lines = encode(
        lines, NEWLINES[newline], encoding, trailer="END,6,20121001" if has_trailer else ""
    )
    found = read(
        tmp_path, content, packing,
        format="fixed_width", header=False, quoting=False, encoding=encoding.removesuffix("-sig"),
        trailer={"marker": "END", "dateFormat": "yyyyMMdd"} if has_trailer else None,
    )  # fmt: skip
    require(
        found,
        n_lines,
        {"wrong_field_count": 2, "bad_format": 1},
        header_lines=0,
        blank_lines=3 if has_trailer else 2,
        rows_loaded=3,
        lines_loaded=3,
        lines_rejected=3,
        trailer_lines=int(has_trailer),
    )


@pytest.mark.parametrize("packing", PACKINGS)
def test_workbook(tmp_path: Path, packing: str) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ([], ["id", "text"], ["001", "é"], [], ["7", "no id"], ["008", "two\nlines"]):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    found = read(tmp_path, content.getvalue(), packing, format="workbook", sheet=sheet.title)
    require(
        found,
        6,
        {"bad_format": 1},
        header_lines=1,
        blank_lines=2,
        rows_loaded=2,
        lines_loaded=2,
        lines_rejected=1,
        trailer_lines=0,
    )
