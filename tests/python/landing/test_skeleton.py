"""`outcomes district new`: a contract that lists the columns of sample files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from outcomes.contracts.reader import load_contract
from outcomes.errors import OutcomesError

from .deliveries import EVENT, clairton, deliver, events, pittsburgh
from .test_commands import run


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


def test_a_first_record_is_never_taken_for_a_header(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    sample = deliver(tmp_path, "roster.csv", b"7,Ada,2001-02-03\n8,Bo,2001-02-04\n")
    assert run("district", "new", contract, sample)[0] == 0
    assert "Ada" not in contract.read_text()
    (roster,) = load_contract(contract).objects
    assert not roster.file.header
    assert [prop.name for prop in roster.columns] == ["column_1", "column_2", "column_3"]


def test_a_file_of_fixed_width_is_left_to_a_person(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    sample = deliver(tmp_path, "roster.txt", b"000000007ADA       20010203\n")
    with pytest.raises(OutcomesError, match="a file of fixed width") as error:
        run("district", "new", contract, sample)
    assert "ADA" not in str(error.value)
    assert not contract.exists()


def test_nothing_lands_until_the_agreement_is_written_down(tmp_path: Path) -> None:
    contract = tmp_path / "steel_valley.odcs.yaml"
    sample = deliver(tmp_path, "roster.csv", b"Number\n1\n")
    run("district", "new", contract, sample)
    code, output = run("district", "check", contract, sample)
    assert code == 3
    assert "agreement_not_in_force" in output


def test_a_contract_is_never_overwritten(tmp_path: Path) -> None:
    contract = deliver(tmp_path, "steel_valley.odcs.yaml", b"mine")
    with pytest.raises(OutcomesError, match="it is left as it is"):
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


def test_the_name_of_the_contract_is_the_districts_id(tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match=r"steel_valley\.odcs\.yaml"):
        run("district", "new", tmp_path / "new.yaml", pittsburgh(tmp_path, {}))
