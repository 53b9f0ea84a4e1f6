"""Invented PIMS templates of one district, and its contract as the command writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from demo.pims import content, file_name
from outcomes.contracts.reader import Contracts, load_contracts

from .commands import run

AUN, OTHER_AUN = "199999909", "188888808"
# The fields of a student, by position.
STUDENT = {
    1: AUN, 2: "0101", 5: "999999999", 10: "005", 13: "5B", 14: "2002-02-28", 15: "F",
    16: "1 Invented St", 18: "Oakmont", 19: "PA", 20: "15139", 21: "412-555-0100", 33: "R", 34: "",
    38: "N", 41: "99", 88: "5", 217: AUN,
}  # fmt: skip


def state_id(number: int) -> str:
    return f"{1000000000 + number}"


def student(number: int, year: int = 2013, **changes: str) -> dict[int, str]:
    """A row of STUDENT; changes are named p10, p33 and so on."""
    names = {3: f"{year}-06-30", 4: state_id(number), 123: f"Last{number}", 124: f"First{number}"}
    return STUDENT | names | {int(name[1:]): text for name, text in changes.items()}


def event(
    number: int, day: str, code: str, school: str = "0101", year: int = 2013, grade: str = "005"
) -> dict[int, str]:
    """A row of SCHOOL_ENROLL, recorded two days later."""
    return {
        1: AUN, 2: school, 3: f"{year}-06-30", 4: state_id(number), 5: "2012-12-24", 6: day,
        7: code, 8: "moved to Aunt Invented", 9: grade, 10: "A",
    }  # fmt: skip


def days(
    number: int,
    enrolled: float,
    present: float,
    calendar: str = "ELEM",
    funding: str = AUN,
    year: int = 2013,
) -> dict[int, str]:
    """A row of STUDENT_CALENDAR_FACT."""
    return {
        1: AUN, 2: f"{year}-06-30", 3: calendar, 4: state_id(number), 5: AUN, 6: funding, 7: "A",
        8: f"{enrolled:g}", 9: f"{present:g}", 10: "100", 11: "005",
    }  # fmt: skip


def program(number: int, code: str, begin: str, end: str = "", year: int = 2013) -> dict[int, str]:
    """A row of PROGRAMS_FACT."""
    return {
        1: AUN, 2: "0101", 3: f"{year}-06-30", 4: state_id(number), 5: code, 6: begin, 7: end,
        16: "lives with Aunt Invented",
    }  # fmt: skip


def deliver(
    folder: Path,
    day: str,
    templates: Mapping[str, Iterable[Mapping[int, str]]],
    *,
    time: str = "0800",
    delimiter: str = "|",
    ending: str = "txt",
) -> list[Path]:
    """The files of a delivery."""
    files = []
    sent_at = datetime.strptime(f"{day} {time}", "%Y-%m-%d %H%M")
    for template, rows in templates.items():
        file = folder / "oakmont" / day / file_name(AUN, template, sent_at, ending)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content(template, rows, delimiter), "utf-8")
        files.append(file)
    return files


def contract(folder: Path, samples: Sequence[Path], standard: str = "pims-2012") -> Contracts:
    """The contract that the command writes, with its agreement completed."""
    file = folder / "contracts" / "oakmont.odcs.yaml"
    file.parent.mkdir(exist_ok=True)
    code, output = run("district", "new", file, *samples, "--standard", standard)
    assert code == 0, output
    assert "append the row oakmont,pims" in output
    text = file.read_text()
    for key, day in (
        ("signedOn", "2012-07-01"), ("startsOn", "2012-07-01"), ("endsOn", "2015-06-30"),
    ):  # fmt: skip
        text = text.replace(f"{key}: 1900-01-01", f"{key}: {day}")
    file.write_text(text)
    return load_contracts(file.parent)
