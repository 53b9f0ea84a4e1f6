"""Each delivered file, read as its data appendix describes."""

from __future__ import annotations

import csv
import gzip
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from demo import pims
from outcomes.cli import cli
from outcomes.config import CONTRACTS_DIR

PITTSBURGH_HEADERS = {
    "STUDENT_DIRECTORY": "StudentID,PASecureID,LegalLastName,LegalFirstName,MiddleName,Suffix,"
    "BirthDate,Gender,SSN,HomeAddress1,HomeCity,HomeState,HomeZip,SchoolCode,Grade,Homeroom,"
    "EntryDate,EntryCode,ExitDate,ExitCode,Phone,GuardianName",
    "STUDENT_DEMOGRAPHICS": "StudentID,Race,EnglishLearner,SpecialEd,PrimaryDisability,"
    "EconStatus,HomelessFlag,HomeLanguage",
    "SCHOOL_CALENDAR": "SchoolCode,SchoolName,CalendarDate,InSession",
    "ATTENDANCE_EVENTS": "StudentID,SchoolCode,EventDate,EventCode,DayFraction",
    "TERM_GPA": "StudentID,SchoolYear,Term,CumulativeGPA,WeightedGPA",
    "COURSE_MARKS": "StudentID,SchoolYear,Term,CourseCode,CourseName,Subject,Mark,Credits",
    "DISCIPLINE": "StudentID,IncidentDate,OffenseCode,Action,Days",
    "PSSA_2012": "StudentID,TestYear,Grade,Subject,ScaledScore,PerformanceLevel",
}
CLAIRTON_HEADERS = {
    "Students": "ID,State ID,Last,First,MI,DOB,Sex,Street,Town,Zip,Bldg,Gr,Start,End,Reason,"
    "Race,ELL,IEP,Disability,Lunch",
    "Attendance": "ID,Month,Days Enrolled,Days Present,Excused,Unexcused",
    "Report Cards": "ID,Year,Quarter,GPA",
    "Tests": "ID,Year,Grade,Test,Subject,Score,Level",
}
WOODLAND_HILLS_POSITIONS = {
    "STUDENT": 22, "ENROLLMENT": 6, "CALENDAR": 5, "ATTENDANCE": 6, "GPA": 5, "ASSESSMENT": 8,
    "DISCIPLINE": 6,
}  # fmt: skip
CLIENTS_HEADER = (
    "source_client_id,mci_id,last_name,first_name,middle_name,suffix,birth_date,sex,race,ssn,"
    "street,city,zip,updated_at,is_deleted"
)
SERVICES_HEADER = (
    "source_service_id,source_client_id,program_code,start_date,end_date,updated_at,is_deleted"
)


def pittsburgh_file(demo: Path, day: str, name: str) -> list[dict[str, str]]:
    archive = demo / f"drops/pittsburgh/{day}/PPS_DHS_{day.replace('-', '')}.zip"
    with zipfile.ZipFile(archive) as files:
        lines = files.read(f"{name}.csv").decode("cp1252").split("\r\n")
    return list(csv.DictReader(lines[:-2]))


def woodland_hills_file(demo: Path, day: str, template: str) -> list[list[str]]:
    paths = sorted((demo / f"drops/woodland_hills/{day}").glob(f"*_{template}_*.txt"))
    text = paths[-1].read_text(encoding="utf-8-sig")
    return [line.split("|") for line in text.splitlines()]


def dhs_rows(demo: Path, day: str, pattern: str) -> Iterator[dict[str, str]]:
    for path in sorted((demo / f"drops/dhs/{day}").glob(pattern)):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)


def test_pittsburgh_delivers_finished_years_in_june_and_their_tests_in_august(demo: Path) -> None:
    days = sorted(path.name for path in (demo / "drops/pittsburgh").iterdir())
    assert days == [
        "2011-06-27", "2011-08-29", "2012-06-25", "2012-08-27", "2012-09-03", "2012-09-10",
    ]  # fmt: skip
    for day, year in (("2011-08-29", "2011"), ("2012-08-27", "2012")):
        tests = pittsburgh_file(demo, day, f"PSSA_{year}")
        assert {row["TestYear"] for row in tests} == {year}
        assert {row["Grade"] for row in tests} <= {f"{g:03d}" for g in (3, 4, 5, 6, 7, 8, 11)}


@pytest.mark.parametrize("name", PITTSBURGH_HEADERS)
def test_pittsburgh_files_are_cp1252_crlf_with_header_and_trailer(demo: Path, name: str) -> None:
    with zipfile.ZipFile(demo / "drops/pittsburgh/2012-08-27/PPS_DHS_20120827.zip") as files:
        content = files.read(f"{name}.csv")
    assert content.count(b"\n") == content.count(b"\r\n")
    lines = content.decode("cp1252").split("\r\n")
    assert lines[0] == PITTSBURGH_HEADERS[name]
    assert lines[-2:] == [f"TRAILER,{len(lines) - 3},20120827", ""]
    columns = PITTSBURGH_HEADERS[name].count(",") + 1
    assert all(len(row) == columns for row in csv.reader(lines[:-2]))


def test_pittsburgh_codes_keep_their_zeros_and_dates_are_american(demo: Path) -> None:
    directory = pittsburgh_file(demo, "2012-06-25", "STUDENT_DIRECTORY")
    assert all(len(row["StudentID"]) == 9 and len(row["SchoolCode"]) == 4 for row in directory)
    assert all(datetime.strptime(row["BirthDate"], "%m/%d/%Y") for row in directory)
    assert all(row["Phone"] and row["GuardianName"] for row in directory)
    assert {row["Grade"] for row in directory} == {"K5F", *(f"{g:03d}" for g in range(1, 13))}
    exits = {row["ExitCode"] for row in directory}
    assert {"", "WD01", "WD02", "WD04", "WD09", "WD12"} <= exits


def test_pittsburgh_calendar_never_runs_ahead_and_some_schools_lag(demo: Path) -> None:
    last: dict[str, str] = {}
    for row in pittsburgh_file(demo, "2012-09-10", "SCHOOL_CALENDAR"):
        month, day, year = row["CalendarDate"].split("/")
        last[row["SchoolCode"]] = max(last.get(row["SchoolCode"], ""), f"{year}-{month}-{day}")
    assert max(last.values()) == "2012-09-07"
    assert len(set(last.values())) > 1


def test_clairton_workbook_looks_typed_by_a_person(demo: Path) -> None:
    path = demo / "drops/clairton/2012-09-12/Clairton_DHS_2012-09-12.xlsx"
    book = openpyxl.load_workbook(path)
    assert {sheet.title: ",".join(map(str, next(sheet.iter_rows(values_only=True))))
            for sheet in book} == CLAIRTON_HEADERS  # fmt: skip
    students = list(book["Students"].iter_rows(min_row=2, values_only=True))
    ids = [row[0] for row in students]
    assert any(isinstance(i, int) and i < 100_000 for i in ids)
    assert any(isinstance(i, str) and i.startswith("0") and len(i) == 6 for i in ids)
    births = [row[5] for row in students]
    assert any(isinstance(value, datetime) for value in births)
    assert any(isinstance(value, str) and datetime.strptime(value, "%m/%d/%y") for value in births)
    assert {row[11] for row in students} >= {"PK", "K"}
    months = list(book["Attendance"].iter_rows(min_row=2, values_only=True))
    assert all(row[2] == row[3] + row[4] + row[5] for row in months)


def test_woodland_hills_has_every_position_and_no_header(demo: Path) -> None:
    folder = demo / "drops/woodland_hills/2012-08-31"
    for template, positions in WOODLAND_HILLS_POSITIONS.items():
        (path,) = folder.glob(f"103029902_{template}_20120831????.txt")
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        rows = woodland_hills_file(demo, "2012-08-31", template)
        assert {len(row) for row in rows} <= {positions}
        assert {row[0] for row in rows} <= {"103029902"}
    assert b"\r" not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_woodland_hills_sends_a_short_file_again(demo: Path) -> None:
    first, again = sorted((demo / "drops/woodland_hills/2012-09-07").glob("*_STUDENT_*.txt"))
    assert again.read_bytes().startswith(first.read_bytes())
    assert len(again.read_bytes()) > len(first.read_bytes())


def test_woodland_hills_attendance_has_one_row_per_student_and_day(demo: Path) -> None:
    rows = woodland_hills_file(demo, "2012-09-14", "ATTENDANCE")
    days = [(row[2], row[3]) for row in rows]
    assert len(days) == len(set(days))
    assert {row[4] for row in rows} == {"P", "A", "H", "L"}


def test_cornell_sends_the_templates_of_the_state(demo: Path) -> None:
    days = sorted(path.name for path in (demo / "drops/cornell").iterdir())
    # By the last week of this demo, only the year that has ended was collected.
    assert days == ["2012-07-13"]
    ids = set()
    for template, fields in pims.FIELDS.items():
        path = demo / f"drops/cornell/2012-07-13/103022103_{template}_201207130800.csv"
        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
        assert rows, template
        assert {len(row) for row in rows} == {fields}
        assert {row[0] for row in rows} == {"103022103"}
        assert all("2012-06-30" in row for row in rows)
        if template == "STUDENT":
            ids = {row[3] for row in rows}
            assert len(ids) == len(rows)
            assert {row[9] for row in rows} >= {"PKF", "K5F", "001", "012"}
            assert {row[64] for row in rows} >= {"G", ""}
        elif template == "SCHOOL_ENROLL":
            assert {row[3] for row in rows} == ids
            assert {row[6] for row in rows} >= {"E01", "R12", "WD02", "WD04", "WD12"}
    assert all(len(student_id) == 10 for student_id in ids)


def test_cornells_contract_is_the_one_of_the_standard(demo: Path, tmp_path: Path) -> None:
    samples = (demo / "drops/cornell/2012-07-13").iterdir()
    written = tmp_path / "cornell.odcs.yaml"
    command = ["district", "new", str(written), *map(str, samples), "--standard", "pims-2012"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    kept = (CONTRACTS_DIR / written.name).read_text()
    assert kept.partition("\nschema:")[2] == written.read_text().partition("\nschema:")[2]


def test_human_services_deliver_everything_once_and_then_changes(demo: Path) -> None:
    for path in (demo / "drops/dhs").glob("*/*.csv.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            header = CLIENTS_HEADER if path.name.startswith("clients") else SERVICES_HEADER
            assert next(lines) == header + "\n"
    full = {row["source_client_id"] for row in dhs_rows(demo, "2012-08-24", "clients_*")}
    later = list(dhs_rows(demo, "2012-09-07", "clients_*"))
    changed = [row for row in later if row["source_client_id"] in full]
    assert 0 < len(changed) < len(later) < len(full) / 20
    assert all("2012-08-31T" <= row["updated_at"] <= "2012-09-08" for row in later)
    deleted = [row for day in ("2012-08-31", "2012-09-07", "2012-09-14")
               for row in dhs_rows(demo, day, "*") if row["is_deleted"] == "true"]  # fmt: skip
    assert deleted


def test_services_belong_to_clients_and_touch_the_edges_of_school_years(demo: Path) -> None:
    clients = {row["source_client_id"] for row in dhs_rows(demo, "2012-08-24", "clients_*")}
    services = list(dhs_rows(demo, "2012-08-24", "services_*"))
    assert {row["source_client_id"] for row in services} <= clients
    assert any(row["start_date"].endswith("-07-01") for row in services)
    assert any(row["end_date"].endswith("-06-30") for row in services)
    assert any(not row["end_date"] for row in services)
    assert all("2002-01-01" <= row["start_date"] <= "2012-10-05" for row in services)


def test_roster_names_enrolled_students(demo: Path) -> None:
    roster = pl.read_csv(demo / "drops/interventions/2012-08-31/roster.csv", infer_schema=False)
    assert roster.columns == [
        "intervention_code", "intervention_name", "district_id", "district_student_id",
        "started_on", "ended_on",
    ]  # fmt: skip
    students = pl.read_parquet(demo / "truth/student_person.parquet").filter(
        pl.col("school_year").is_in([2012, 2013])
    )
    key = ["district", "district_student_id"]
    assert len(roster)
    assert roster.rename({"district_id": "district"}).join(students, on=key, how="anti").is_empty()


def test_truth_names_the_person_of_every_record(demo: Path) -> None:
    truth = pl.read_parquet(demo / "truth/client_person.parquet")
    delivered = {
        row["source_client_id"]
        for day in (demo / "drops/dhs").iterdir()
        for row in dhs_rows(demo, day.name, "clients_*")
    }
    assert delivered == set(truth["source_client_id"])
    students = pl.read_parquet(demo / "truth/student_person.parquet")
    pittsburgh = set(students.filter(district="pittsburgh")["district_student_id"])
    sent = {
        row["StudentID"]
        for day in (demo / "drops/pittsburgh").iterdir()
        for row in pittsburgh_file(demo, day.name, "STUDENT_DIRECTORY")
    }
    assert sent == pittsburgh
    people = set(pl.read_parquet(demo / "truth/people.parquet")["person_id"])
    assert set(students["person_id"]) | set(truth["person_id"]) <= people
