"""Polluted files: no wrong row is accepted, every line is accounted for, nothing crashes.

`pytest` takes a sample; `pytest -m corpus` takes several thousand files.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from outcomes.contracts.model import Contract
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.reading import FileReading
from outcomes.landing.reasons import FileError
from outcomes.landing.unpack import logical_files

from .pollution import Polluted, Row, corpus, strict_rows
from .test_commands import run

# Where a row of another meaning is valid by the standard, so that no reader can tell:
# - a change inside quotes, where every character is text: only the contract's types help;
QUOTED_SHAPES = ("quoted_people", "free_text")
# - quotes of another kind, which are letters like any other;
OTHER_QUOTES = ("single_quotes", "curly_quotes")
# - the end of a file that was cut off within its last field: a trailer tells.

TYPES = {
    "StudentID": {"logicalType": "string", "pattern": "[0-9]{5}", "required": True},
    "Birth Date": {"logicalType": "date", "format": "MM/dd/yyyy", "required": True},
    "GPA": {"logicalType": "number", "required": True},
}


def is_unknowable(file: Polluted, row: Row) -> bool:
    """Whether nothing but the partner can say that this row is not what was meant."""
    shape, kind = file.name.split("-", 1)
    is_last = file.data.decode("utf-8-sig", "replace").endswith(row[-1])
    return shape in QUOTED_SHAPES or kind in OTHER_QUOTES or (kind[:7] == "cut_off" and is_last)


def read(
    file: Polluted, folder: Path, types: Mapping[str, dict[str, Any]] = {}
) -> tuple[list[Row], FileReading, FileError | None]:
    """The rows of a file under a contract of its own headers, free text where not typed."""
    columns = [f"c{n}" for n in range(len(file.header))]
    contract = Contract.model_validate(
        {
            "partnerId": "p", "name": "p", "version": "1", "path": folder, "partnerKind": "project",
            "objects": [{
                "name": "rows",
                "file": {"name": "file.csv", "format": "delimited", "delimiter": file.delimiter},
                "snapshot": "delta",
                "properties": [
                    {"name": name, "logicalType": "string", "classification": "none",
                     "feeds": [f"rows.{column}"], **types.get(name, {})}
                    for name, column in zip(file.header, columns, strict=True)
                ],
            }],
        }
    )  # fmt: skip
    path = folder / "file.csv"
    path.write_bytes(file.data)
    delivered = DeliveredFile("p", date(2012, 10, 1), "file.csv", path)
    (logical,) = logical_files(contract, delivered)
    reading = FileReading(contract, logical)
    rows: list[Row] = []
    try:
        for block in reading.blocks():
            found = block.feeds["rows"].select(columns).rows()
            rows += [tuple(value or "" for value in row) for row in found]
    except FileError as fault:
        return [], reading, fault
    return rows, reading, None


def judge(files: Iterable[Polluted], folder: Path) -> dict[str, int]:
    """Read files and count; a file that is read wrongly fails at once, by name."""
    figures = dict.fromkeys(("files", "set_aside", "rows", "lost", "unknowable", "rejected"), 0)
    for file in files:
        started = time.perf_counter()
        rows, reading, fault = read(file, folder)
        assert time.perf_counter() - started < 10, file.name
        counts = reading.counts
        if fault is None:
            assert counts.lines == (
                counts.header_lines + counts.blank_lines + counts.lines_loaded
                + counts.lines_rejected + counts.trailer_lines
            ), file.name  # fmt: skip
            assert counts.rows_loaded == len(rows), file.name
        truth = set(file.truth)
        strange = [row for row in rows if row not in truth]
        if strange:
            valid = strict_rows(file.data.decode("utf-8-sig", "replace"), file.delimiter)
            wrong = [row for row in strange if row not in valid]
            assert wrong == [], file.name
            assert all(is_unknowable(file, row) for row in strange), (file.name, strange)
        assert len(rows) <= len(file.truth) * 2, file.name
        figures["files"] += 1
        figures["set_aside"] += fault is not None
        figures["rows"] += len(rows)
        figures["lost"] += len([row for row in file.truth if row not in set(rows)])
        figures["unknowable"] += len(strange)
        figures["rejected"] += counts.rows_rejected
    return figures


def test_a_sample_of_polluted_files_gives_no_wrong_row(tmp_path: Path) -> None:
    files = list(corpus(seed=2012))
    figures = judge(random.Random(1).sample(files, 400), tmp_path)
    assert figures["files"] == 400
    assert figures["rows"] > 2_000, "what is not damaged loads"


@pytest.mark.corpus
@pytest.mark.parametrize("seed", range(8))
def test_every_pollution_gives_no_wrong_row(tmp_path: Path, seed: int) -> None:
    print(judge(corpus(seed), tmp_path))  # noqa: T201


def test_types_leave_only_free_text_and_the_last_digits_to_be_wrong(tmp_path: Path) -> None:
    wrong = []
    for seed in range(4):
        for file in corpus(seed):
            shape, kind = file.name.split("-", 1)
            if shape in ("people", "quoted_people"):
                rows, _, fault = read(file, tmp_path, TYPES)
                meant = {
                    (number, name, _us_date(day), gpa) for number, name, day, gpa in file.truth
                }
                found = {(number, name, str(day), gpa) for number, name, day, gpa in rows}
                columns = {n for row in found - meant for n in _differences(row, meant)}
                wrong += [(kind, columns)] if columns else []
                if kind == "clean":
                    assert (found, fault) == (meant, None)
    assert all(columns == {1} or kind[:7] == "cut_off" for kind, columns in wrong), wrong


def _us_date(day: str) -> str:
    return f"{day[6:]}-{day[:2]}-{day[3:5]}"


def _differences(row: Row, meant: set[Row]) -> set[int]:
    """The fields in which a row differs from the one that is most alike."""
    return min(
        ({n for n, (a, b) in enumerate(zip(row, other, strict=True)) if a != b} for other in meant),
        key=len,
    )


@pytest.mark.parametrize(
    ("lines", "loaded"),
    [
        (["00001,a", "b", "00002,c"], ["00002"]),  # b is no start of an id, and may be of text
        (["00001,a", "2", "00002,c"], ["00002"]),  # 200002 has too many digits
        (["00001,a", "0", "0002,c"], []),
        (["00001,a", "00002,b", "0", "0003,c", "00004,d"], ["00001", "00004"]),
        (['00001,"a"', '"b"', "00002,c"], ["00002"]),
        (['00001,"a', 'b"', "c", "00002,d"], ["00002"]),
        (["00001,a", "", "00002,b"], ["00001", "00002"]),
        (["00001,a", "b,c,d", "00002,b"], ["00001", "00002"]),
    ],
)
@pytest.mark.parametrize("size", [1, 9, 1 << 20])
def test_a_row_that_a_line_of_one_field_may_belong_to_is_rejected_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], loaded: list[str], size: int
) -> None:
    monkeypatch.setattr("outcomes.landing.text.BLOCK_BYTES", size)
    data = "\n".join(["StudentID,note", *lines]).encode()
    rows, reading, _ = read(Polluted("torn", ("StudentID", "note"), data, ",", []), tmp_path, TYPES)
    assert [row[0] for row in rows] == loaded
    assert reading.counts.lines == 1 + len(lines)
    counts = reading.counts
    assert counts.lines_loaded + counts.lines_rejected + counts.blank_lines == len(lines)


def test_a_row_of_delimiters_is_no_row(tmp_path: Path) -> None:
    data = b'a,b\n,\n"",  \nx,\n'
    rows, reading, _ = read(Polluted("empty", ("a", "b"), data, ",", []), tmp_path)
    assert rows == [("x", "")]
    assert reading.counts.rows_rejected == 2


def test_a_blank_after_every_delimiter_is_another_layout(tmp_path: Path) -> None:
    for data in (b"a, b\n1, 2\n", b'a, b\n1, "2"\n'):
        _, _, fault = read(Polluted("blanks", ("a", "b"), data, ",", []), tmp_path)
        assert fault
        assert fault.reason.code == "wrong_layout"


def test_clean_files_are_read_to_the_letter(tmp_path: Path) -> None:
    harmless = ("clean", "byte_order_mark", "blank_first", "no_final_newline", "line_end_crlf")
    for file in corpus(seed=3):
        name = file.name.split("-", 1)[1]
        if name in harmless or name.startswith("declared_"):
            rows, reading, fault = read(file, tmp_path)
            assert fault is None, file.name
            if "\n" in "".join(value for row in file.truth for value in row):
                assert len(rows) == len(file.truth), file.name
            else:
                assert rows == file.truth, file.name
            assert reading.counts.rows_rejected == 0, file.name


def test_district_check_takes_a_contract_of_any_headers(tmp_path: Path) -> None:
    headers = ["Größe in cm", "a b", "line", "kind", "column", "naïve, quoted", "1", "[bold]"]
    contract = {
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "any", "name": "any",
        "version": "1.0.0", "status": "active",
        "customProperties": [{"property": "partnerKind", "value": "project"}],
        "schema": [{
            "name": "file",
            "customProperties": [
                {"property": "file", "value": {"name": "f.csv", "format": "delimited"}},
                {"property": "snapshot", "value": "delta"},
            ],
            "properties": [
                {"name": name, "logicalType": "string", "classification": "none"}
                for name in headers
            ],
        }],
    }  # fmt: skip
    file = tmp_path / "any.odcs.yaml"
    file.write_text(yaml.safe_dump(contract, allow_unicode=True), "utf-8")
    quoted = ",".join(f'"{name}"' for name in headers)
    sent = tmp_path / "f.csv"
    sent.write_text(f"{quoted}\n{'x,' * 7}y\n{'x,' * 6}y\n", "utf-8")
    code, output = run("district", "check", file, sent)
    assert code == 3
    assert "f.csv: 3 lines, 1 rows would load, 1 be rejected" in output
    assert "wrong_field_count, 1 times: expected 8 fields, found 7 (lines 3)" in output
    sent.write_text(quoted.replace("[bold]", "[BOLD]") + "\n", "utf-8")
    assert "[bold] (renamed to [BOLD]?)" in run("district", "check", file, sent)[1]
