"""The strict reader against a simple reference, on generated text."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.landing.delimited import read_delimited, read_record
from outcomes.landing.header import Mapping
from outcomes.landing.text import LineReader, survey

NAMES = ["a", "b", "c"]
MAPPING = Mapping(3, {name: n for n, name in enumerate(NAMES)}, [])


def read(
    text: str | bytes, *, quoting: bool = True
) -> tuple[list[tuple[object, ...]], list[int], int]:
    """Rows, lines of rejected records, number of counted lines."""
    data = text.encode() if isinstance(text, str) else text
    found = survey(io.BytesIO(data), "utf-8")
    reader = LineReader(io.BytesIO(data), "utf-8", found.newline)
    rows: list[tuple[object, ...]] = []
    rejected: list[int] = []
    lines = 0
    for block in read_delimited(reader, MAPPING, ",", quoting=quoting):
        rows += block.rows.select(NAMES).rows()
        spans = block.rows["line_end"] - block.rows["line_start"] + 1
        lines += block.blank_lines + int(spans.sum())
        rejected += block.rejected["line_start"].to_list()
        spans = block.rejected["line_end"] - block.rejected["line_start"] + 1
        lines += int(spans.sum())
    assert lines == found.lines, "every line is accounted for"
    return rows, rejected, lines


LETTERS = ["x", "é", "0", " ", '"', ",", "\n", "\r\n", "'", "\t", "|", "\\"]
TEXTS = st.lists(st.sampled_from(LETTERS), max_size=5).map("".join)


@given(
    written=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=40),
    style=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
    size=st.sampled_from([3, 17, 1 << 20]),
)
def test_well_formed_text_is_read_exactly(
    written: list[tuple[str, ...]], style: Any, end: str, size: int
) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=style, lineterminator=end).writerows(written)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("outcomes.landing.text.BLOCK_BYTES", size)
        rows, rejected, _ = read(buffer.getvalue())
    assert rejected == []
    assert [tuple(value or "" for value in row) for row in rows] == written


def test_empty_and_quoted_empty_fields_differ() -> None:
    assert read('x,,""\n"",,y\n')[0] == [("x", None, ""), ("", None, "y")]


@pytest.mark.parametrize(
    ("text", "rejected"),
    [
        ('a,b"b,c\n', [1]),
        ('a,"b"b,c\n', [1]),
        ('a, "b",c\n', [1]),
        ("a,b\n", [1]),
        ("a,b,c,d\n", [1]),
        ('a,"b,c\nd,e,f\n', [1]),
        ("a,b\rb,c\nd,e,f\n", [1]),
        ("a,\0,c\n", [1]),
        ('a,"\0",c\n', [1]),
        ('a,"b\n\0",c\n', [1]),
    ],
)
def test_records_against_the_standard_are_rejected(text: str, rejected: list[int]) -> None:
    assert read(text)[1] == rejected


@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_an_undecodable_byte_rejects_only_its_record(
    byte: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outcomes.landing.text.BLOCK_BYTES", size)
    data = b'a,"1@\nb,2,y\n3",x\nc,@"4",z\nd,"5",@\ne,6,@w\n"@f",7,v\ng,8,u\n'
    rows, rejected, lines = read(data.replace(b"@", byte))
    assert (rows, sorted(rejected), lines) == ([("g", "8", "u")], [1, 4, 5, 6, 7], 8)
    rows, rejected, _ = read(data.replace(b"@", byte), quoting=False)
    assert rows == [("b", "2", "y"), ("g", "8", "u")]
    assert sorted(rejected) == [1, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("size", [1, 2, 1 << 20])
def test_blank_lines_are_counted_and_part_of_a_quoted_field(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outcomes.landing.text.BLOCK_BYTES", size)
    text = '\n\r\n \na,"b\n\n\r\n",c\n\nd,e,f\n\n\n'
    assert read(text) == ([("a", "b\n\n\r\n", "c"), ("d", "e", "f")], [], 11)


def test_without_quoting_a_quote_is_a_character() -> None:
    assert read('"a,b"b,c"\n', quoting=False)[0] == [('"a', 'b"b', 'c"')]


def test_a_very_wide_file_is_read() -> None:
    width = 2_000
    mapping = Mapping(width, {"first": 0, "last": width - 1}, [])
    line = ",".join(['"x"'] * width)
    reader = LineReader(io.BytesIO(line.encode()), "utf-8", "\n")
    rows = [
        row for b in read_delimited(reader, mapping, ",", quoting=True) for row in b.rows.rows()
    ]
    assert rows == [(1, 1, "x", "x")]


def test_a_record_ends_with_its_quote() -> None:
    record = read_record(['a,"b', 'c""d', 'e",f', "next"], 0, ",")
    assert (record.fields, record.last, record.fault) == (["a", 'b\nc"d\ne', "f"], 2, None)
