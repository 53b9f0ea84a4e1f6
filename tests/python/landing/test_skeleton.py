"""`outcomes district new`: a contract that lists the columns of sample files."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from outcomes.contracts.reader import load_contract
from outcomes.errors import OutcomesError

from . import foreign
from .commands import run
from .deliveries import EVENT, clairton, deliver, events, pittsburgh


def test_every_kind_of_file_becomes_an_object_with_its_columns(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    samples = [
        deliver(tmp_path, "roster.csv", "Number;Größe;\n1;x;\n".encode("cp1252")),
        deliver(tmp_path, "marks.tsv.gz", gzip.compress("a\tb\n1\t2\n".encode("utf-16"))),
        events(tmp_path, {}),
        clairton(tmp_path),
    ]
    code, output = run("district", "new", contract, *samples)
    assert code == 0
    assert "7 kinds of files" in output
    objects = {item.name: item for item in load_contract(contract).objects}
    layouts = {name: item.file for name, item in objects.items()}
    assert list(objects) == [
        "roster", "marks", "ATTENDANCE_EVENTS", "Students", "Attendance", "Report Cards", "Tests",
    ]  # fmt: skip
    assert (layouts["roster"].encoding, layouts["roster"].delimiter) == ("cp1252", ";")
    assert [prop.name for prop in objects["roster"].columns] == ["Number", "Größe"]
    assert (layouts["marks"].encoding, layouts["marks"].compression) == ("utf-16", "gzip")
    assert [prop.name for prop in objects["ATTENDANCE_EVENTS"].columns] == list(EVENT)
    assert layouts["Report Cards"].sheet == "Report Cards"
    assert {prop.classification for item in objects.values() for prop in item.columns} == {
        "direct_identifier"
    }


def test_a_first_record_is_never_used_as_a_header(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    sample = deliver(tmp_path, "roster.csv", b"7,Ada,2001-02-03\n8,Bo,2001-02-04\n")
    assert run("district", "new", contract, sample)[0] == 0
    assert "Ada" not in contract.read_text()
    (roster,) = load_contract(contract).objects
    assert not roster.file.header
    assert [prop.name for prop in roster.columns] == ["column_1", "column_2", "column_3"]


def test_columns_of_fixed_width_are_proposed_by_the_blanks_between_them(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    lines = [
        "ID    LASTNAME   BORN     GR",
        "000007INVENTED   20010203 KG",
        "000008DOE        20020101 1",
        "TOTAL 2",
    ]
    sample = deliver(tmp_path, "roster_20121001.txt", "\n".join(lines).encode())
    code, output = run("district", "new", contract, sample)
    assert code == 0
    assert "compare with the district's record layout" in output
    assert "INVENTED" not in contract.read_text()
    (roster,) = load_contract(contract).objects
    assert roster.name == "roster"
    assert roster.file.name.template == "roster_{as_of:yyyyMMdd}.txt"
    assert roster.file.header
    assert [(prop.name, prop.start, prop.width) for prop in roster.columns] == [
        ("ID    LASTNAME", 1, 17), ("BORN", 18, 9), ("GR", 27, 2),
    ]  # fmt: skip
    assert roster.columns[1].format is not None
    assert roster.columns[1].format.pattern == "yyyyMMdd"
    assert roster.file.trailer is not None
    assert roster.file.footer is None


# The last line of a file of twelve rows, and the format of its date.
TRAILERS = {
    "TRAILER 000012 20121001": "yyyyMMdd",
    "TRL0001220121001": "yyyyMMdd",
    "*** 12 records on 10/01/2012 ***": "MM/dd/yyyy",
    "Run 7 of 10/01/2012: 12 records": None,
    "EOF|12": None,
    "9 12": None,
}


@pytest.mark.parametrize("line", TRAILERS)
def test_a_last_line_that_counts_the_rows_is_a_trailer(tmp_path: Path, line: str) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    rows = [f"{n:06} INVENTED 200102{n:02} KG" for n in range(1, 13)]
    sample = deliver(tmp_path, "roster.txt", "\n".join([*rows, line, ""]).encode())
    code, output = run("district", "new", contract, sample)
    assert code == 0
    assert "the last line is used as the trailer" in output
    (roster,) = load_contract(contract).objects
    trailer = roster.file.trailer
    assert trailer is not None
    assert trailer.pattern is not None
    assert (trailer.date_format and trailer.date_format.pattern) == TRAILERS[line]
    found = trailer.pattern.fullmatch(line)
    assert found is not None
    assert int(found["rows"]) == 12
    assert not trailer.pattern.fullmatch(f"{line} x")
    assert roster.file.footer is None


def test_a_last_row_that_is_cut_off_is_no_trailer(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    rows = [f"{n:06} INVENTED 200102{n + 1:02} KG" for n in range(12)]
    sample = deliver(tmp_path, "roster.txt", "\n".join([*rows, "000012 INVEN"]).encode())
    assert run("district", "new", contract, sample)[0] == 0
    assert "INVEN" not in contract.read_text()
    (roster,) = load_contract(contract).objects
    assert (roster.file.trailer, roster.file.footer) == (None, None)


def test_titles_markers_dates_codes_and_merged_cells_are_proposed(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    title = "Steel Valley\n\nid,last name,born,grade,sex,gpa,,term,\n"
    rows = "".join(
        f"{n:05},Name{n},{n % 9 + 1}/12/2001,{n % 3 + 10},{'MF'[n % 2]},{n % 4}.5,N/A,"
        f"{n % 2 + 2011}-{n % 2 + 12},\n"
        for n in range(40)
    )
    sample = deliver(tmp_path, "roster.csv", f"{title}{rows}Total,40,,,,,,,\n".encode())
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Absences", None], ["School", "Days"], ["A", 1], [None, 2], ["B", 0.5]):
        sheet.append(row)
    sheet.merge_cells("A3:A4")
    book.save(tmp_path / "absences.xlsx")
    code, output = run("district", "new", contract, sample, tmp_path / "absences.xlsx")
    assert code == 0
    assert "roster: row 3 is used as the header" in output
    roster, absences = load_contract(contract).objects
    assert (roster.file.header_row, roster.file.trailing_delimiter) == (3, True)
    assert roster.file.footer is not None
    columns = {prop.name: prop for prop in roster.columns}
    assert columns["id"].pattern == "[0-9]{5}"
    assert columns["born"].format is not None
    assert columns["born"].format.pattern == "M/d/yyyy"
    assert columns["grade"].values == ["10", "11", "12"]
    assert columns["gpa"].logical_type == "number"
    assert columns["column_7"].null_markers == ["N/A"]
    assert columns["term"].parse == "school_year"
    assert "Name7" not in contract.read_text()
    assert absences.file.header_row == 2
    assert [prop.fill_down for prop in absences.columns] == [True, False]
    codes = (tmp_path / "steel_valley.crosswalk.csv").read_text().splitlines()
    assert codes == [
        "domain,partner_id,source_code,code",
        "gender,steel_valley,F,female", "gender,steel_valley,M,male",
        "grade,steel_valley,10,10", "grade,steel_valley,11,11", "grade,steel_valley,12,12",
    ]  # fmt: skip


def test_nothing_lands_without_the_agreements_dates(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    sample = deliver(tmp_path, "roster.csv", b"Number\n1\n")
    run("district", "new", contract, sample)
    code, output = run("district", "check", contract, sample)
    assert code == 3
    assert "agreement_not_in_force" in output


def test_a_contract_is_never_overwritten(tmp_path: Path) -> None:
    contract = deliver(tmp_path, "steel_valley.odcs.yaml", b"mine")
    with pytest.raises(OutcomesError, match="it was not changed"):
        run("district", "new", contract, deliver(tmp_path, "roster.csv", b"Number\n"))
    assert contract.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.csv", b"", "expected a header"),
        ("bad.zip", b"PK!", "cannot be unpacked"),
        ("bad.gz", b"\x1f\x8b!", "cannot be unpacked"),
        ("bad.xlsx", b"PK!", "expected an XLSX workbook"),
        ("blank.csv", b" , \n", "has no header"),
    ],
)
def test_a_sample_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    with pytest.raises(OutcomesError, match=rf"{name}.*{problem}"):
        run("district", "new", tmp_path / "a.odcs.yaml", deliver(tmp_path, name, content))
    assert not (tmp_path / "a.odcs.yaml").exists()


REFUSED = foreign.SAMPLES | {
    kind: ("a.xls", content, words) for kind, (content, words) in foreign.WORKBOOKS.items()
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_sample_that_no_contract_can_describe_is_refused_by_name(
    tmp_path: Path, kind: str
) -> None:
    name, content, words = REFUSED[kind]
    with pytest.raises(OutcomesError, match=words):
        run("district", "new", tmp_path / "a.odcs.yaml", deliver(tmp_path, name, content))
    assert not (tmp_path / "a.odcs.yaml").exists()


def test_json_lines_and_parquet_are_proposed_with_their_types(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    rows = [
        {"id": f"{n:05}", "Born": date(2001, 2, n + 1), "seen": datetime(2012, 9, n + 1, 8),
         "gpa": n / 2, "left": None, "address": {"street": f"Street{n}"}}
        for n in range(20)
    ]  # fmt: skip
    frame = pl.DataFrame(rows)
    frame.write_parquet(tmp_path / "marks_20121001.parquet")
    frame.write_ndjson(tmp_path / "roster.jsonl")
    with gzip.open(tmp_path / "roster.jsonl.gz", "wb") as packed:
        packed.write((tmp_path / "roster.jsonl").read_bytes())
    samples = [tmp_path / "marks_20121001.parquet", tmp_path / "roster.jsonl.gz"]
    code, output = run("district", "new", contract, *samples)
    assert code == 0
    assert "check roster: address cannot be read and is ignored" in output
    assert "Street7" not in contract.read_text()
    for item in load_contract(contract).objects:
        assert item.ignored_columns == ["address"]
        assert [(prop.name, prop.logical_type, prop.required) for prop in item.columns] == [
            ("id", "string", True), ("Born", "date", True), ("seen", "timestamp", True),
            ("gpa", "number", True), ("left", "string", False),
        ]  # fmt: skip
        assert item.columns[0].pattern == "[0-9]{5}"
    marks, roster = load_contract(contract).objects
    assert (marks.name, marks.file.format) == ("marks", "parquet")
    assert (roster.file.format, roster.file.compression) == ("json_lines", "gzip")
    text = contract.read_text().replace("1900-01-01", "2012-07-01", 2)
    contract.write_text(text.replace("1900-01-01", "2013-07-01"))
    code, output = run("district", "check", contract, *samples, "--as-of", "2012-10-01")
    assert code == 0
    assert output.count("20 rows would load, 0 would be rejected") == 2


@pytest.mark.parametrize("standard", [(), ("--standard", "pims"), ("--standard", "oneroster-1.1")])
def test_a_proposed_contract_says_when_a_delivery_is_late(
    tmp_path: Path, standard: tuple[str, ...]
) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    samples = [] if standard else [clairton(tmp_path)]
    code, _ = run("district", "new", contract, *samples, *standard)
    assert code == 0
    assert load_contract(contract).sla_properties
    promised = contract.read_text().split("slaProperties:")[1].split("customProperties:")[0]
    assert promised.count("TODO") == 2


def test_the_contracts_file_name_is_the_districts_id(tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match=r"steel_valley\.odcs\.yaml"):
        run("district", "new", tmp_path / "new.yaml", pittsburgh(tmp_path, {}))
