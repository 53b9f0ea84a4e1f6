"""Polluted files: no wrong row is accepted, every line is accounted for, nothing crashes.

`pytest` takes a sample; `pytest -m corpus` takes several thousand files.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
import yaml

from outcomes.contracts.model import Contract
from outcomes.landing.deliveries import DeliveredFile
from outcomes.landing.reading import FileReading
from outcomes.landing.reasons import FileError
from outcomes.landing.unpack import logical_files

from .pollution import Polluted, Row, corpus, strict_rows
from .test_commands import run

# What is valid by the standard, yet not what was meant: by kind of pollution, where a
# reader that knows nothing of the rows cannot tell.
UNKNOWABLE = {
    # a letter too many, a quoted line break, two quotes that stand for one, …
    "extra_quote", "missing_quote", "extra_newline", "missing_newline", "extra_cr",
    "extra_delimiter", "missing_delimiter", "cut_off", "quote_before_line", "quote_after_line",
    # blanks, quotes of another kind and foreign delimiters are text
    "undeclared_comma_space", "line_end_crcrlf", "line_end_cr", "line_end_crlf",
    "single_quotes", "curly_quotes", "line_end_mixed", "line_end_blank_lines",
    "tab_for_comma", "backslash_quote", "second_table", "no_final_newline",
    "unescaped_quotes", "backslash_escapes", "text_after_quote", "leading_delimiter",
    "trailing_delimiter", "extra_field", "missing_field",
}  # fmt: skip


def read(file: Polluted, folder: Path) -> tuple[list[Row], FileReading, FileError | None]:
    """The rows of a file under a contract of its own headers, all of them free text."""
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
                     "feeds": [f"rows.{column}"]}
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
            kind = file.name.split("-", 1)[1].rstrip("0123456789").rstrip("_")
            valid = strict_rows(file.data.decode("utf-8-sig", "replace"), file.delimiter)
            wrong = [row for row in strange if row not in valid]
            assert wrong == [], file.name
            assert kind in UNKNOWABLE, (file.name, strange)
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
