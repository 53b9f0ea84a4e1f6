"""Small invented deliveries in the partners' layouts, and helpers to land them."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import yaml

from outcomes.config import CONTRACTS_DIR
from outcomes.contracts.model import Contract
from outcomes.contracts.reader import load_contracts
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import Outcome, land_deliveries

MONDAY = "2012-10-01"
WEDNESDAY = "2012-10-03"
FRIDAY = "2012-10-05"

DIRECTORY = {
    "StudentID": "000000001", "PASecureID": "1000000001", "LegalLastName": "Nuñez",
    "LegalFirstName": "Ada", "MiddleName": "", "Suffix": "", "BirthDate": "02/29/2004",
    "Gender": "F", "SSN": "", "HomeAddress1": "1 Invented St, Apt 2", "HomeCity": "Pittsburgh",
    "HomeState": "PA", "HomeZip": "15201", "SchoolCode": "0017", "Grade": "003",
    "Homeroom": "3A", "EntryDate": "08/23/2012", "EntryCode": "E01", "ExitDate": "",
    "ExitCode": "", "Phone": "412-555-0100", "GuardianName": "Guardian, Grace",
}  # fmt: skip
EVENT = {
    "StudentID": "000000001", "SchoolCode": "0017", "EventDate": "09/04/2012",
    "EventCode": "U", "DayFraction": "1",
}  # fmt: skip
PSSA = {
    "StudentID": "000000001", "TestYear": "2012", "Grade": "003", "Subject": "MATH",
    "ScaledScore": "1300", "PerformanceLevel": "Proficient",
}  # fmt: skip
CLAIRTON_STUDENT = {
    "ID": 27692.0, "State ID": "1000000002", "Last": "Invented", "First": "Bo", "MI": None,
    "DOB": date(2003, 5, 1), "Sex": "Male", "Street": "2 Invented St", "Town": "Clairton",
    "Zip": 15025, "Bldg": 57, "Gr": 4, "Start": "8/27/12", "End": None, "Reason": None,
    "Race": "White", "ELL": "No", "IEP": "No", "Disability": None, "Lunch": "Free",
}  # fmt: skip
CLAIRTON = {
    "Students": [CLAIRTON_STUDENT],
    "Attendance": [{
        "ID": 27692, "Month": "2012-09", "Days Enrolled": 19, "Days Present": 17.5,
        "Excused": 1, "Unexcused": 0.5,
    }],
    "Report Cards": [{"ID": "027692", "Year": "2012-13", "Quarter": 1, "GPA": 3.0}],
    "Tests": [{
        "ID": 27692, "Year": 2012, "Grade": 3, "Test": "PSSA", "Subject": "Math",
        "Score": 1300, "Level": "P",
    }],
}  # fmt: skip
CLIENT = {
    "source_client_id": "CW1", "mci_id": "", "last_name": "INVENTED", "first_name": "CY",
    "middle_name": "", "suffix": "", "birth_date": "1900-01-01", "sex": "U", "race": "",
    "ssn": "999999999", "street": "", "city": "", "zip": "",
    "updated_at": "2012-09-01T10:00:00", "is_deleted": "false",
}  # fmt: skip
SERVICE = {
    "source_service_id": "S1", "source_client_id": "CW1", "program_code": "CYF_ACTIVE",
    "start_date": "2012-01-05", "end_date": "2012-02-01",
    "updated_at": "2012-09-01T10:00:00", "is_deleted": "false",
}  # fmt: skip
AUN = "103029902"
WOODLAND_STUDENT = (
    f"{AUN}|0103|2013-06-30|1000000003|003936|O'In\"vent|Di|||1998-11-08|F|3 Invented Way|"
    "Pittsburgh|PA|15221|008|3|99|N||F|"
)
WOODLAND_DAY = f"{AUN}|0103|1000000003|2012-09-04|A|N"


def day_of(number: int, status: str = "A") -> str:
    """The attendance of another day of September."""
    return WOODLAND_DAY.replace("|2012-09-04|A", f"|2012-09-{number:02}|{status}")


# The contract of a new district, up to its objects.
NEW_DISTRICT = """
apiVersion: v3.2.0
kind: DataContract
id: steel_valley
name: Steel Valley
version: 1.0.0
status: active
customProperties:
  - {property: partnerKind, value: district}
  - {property: aun, value: "103028203"}
  - property: agreement
    value: {signedOn: 2012-07-01, startsOn: 2012-08-01, endsOn: 2013-06-30,
            purposes: [audit_and_evaluation]}
  - {property: maxShrinkShare, value: 0.5}
schema:"""


def csv_text(rows: Iterable[dict[str, str]], columns: Iterable[str], end: str = "\r\n") -> str:
    """Rows with a header, quoted where needed."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(columns), lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def pittsburgh_csv(rows: list[dict[str, str]], day: str = MONDAY) -> str:
    """A member of Pittsburgh's archive, with its trailer."""
    return csv_text(rows, rows[0]) + f"TRAILER,{len(rows)},{day.replace('-', '')}\r\n"


def pittsburgh(drops: Path, members: dict[str, str | bytes], day: str = MONDAY) -> Path:
    """Pittsburgh's archive of these members."""
    file = drops / "pittsburgh" / day / f"PPS_DHS_{day.replace('-', '')}.zip"
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else content.encode("cp1252")
            archive.writestr(name, data)
    return file


def events(drops: Path, *rows: dict[str, str], day: str = MONDAY) -> Path:
    """Pittsburgh's archive with attendance events only; rows override the default event."""
    return pittsburgh(
        drops, {"ATTENDANCE_EVENTS.csv": pittsburgh_csv([EVENT | row for row in rows], day)}, day
    )


def directory(drops: Path, *rows: dict[str, str], day: str = MONDAY) -> Path:
    """Pittsburgh's archive with the directory only; rows override the default student."""
    members = {"STUDENT_DIRECTORY.csv": pittsburgh_csv([DIRECTORY | row for row in rows], day)}
    return pittsburgh(drops, members, day)


def clairton(
    drops: Path, sheets: dict[str, list[dict[str, Any]]] | None = None, day: str = WEDNESDAY
) -> Path:
    """Clairton's workbook, by default with all sheets."""
    file = drops / "clairton" / day / f"Clairton_DHS_{day}.xlsx"
    file.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for name, rows in (CLAIRTON if sheets is None else sheets).items():
        sheet = book.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    book.save(file)
    return file


def woodland(
    drops: Path, template: str, lines: list[str], time: str = "1930", day: str = FRIDAY
) -> Path:
    """One of Woodland Hills' files."""
    return deliver(
        drops,
        f"woodland_hills/{day}/{AUN}_{template}_{day.replace('-', '')}{time}.txt",
        b"\xef\xbb\xbf" + "".join(f"{line}\n" for line in lines).encode(),
    )


def dhs(
    drops: Path,
    kind: str,
    source: str,
    rows: list[dict[str, str]],
    day: str = FRIDAY,
    partner_id: str = "dhs",
) -> Path:
    """One of the program extracts; rows override the default client or service."""
    usual = CLIENT if kind == "clients" else SERVICE
    text = csv_text([usual | row for row in rows], usual, end="\n")
    name = f"{partner_id}/{day}/{kind}_{source}.csv.gz"
    return deliver(drops, name, gzip.compress(text.encode()))


def two_program_partners(folder: Path) -> Path:
    """The project's contracts, with a program partner of its own for early childhood."""
    shutil.copytree(CONTRACTS_DIR, folder)
    text = (folder / "dhs.odcs.yaml").read_text("utf-8")
    for partner_id, has_early_childhood in (("dhs", False), ("head_start", True)):
        contract = yaml.safe_load(text)
        contract["id"] = partner_id
        for item in contract["schema"]:
            (source,) = (prop for prop in item["properties"] if prop["name"] == "source_id")
            source["enum"] = [
                entry
                for entry in source["enum"]
                if (entry["value"] == "early_childhood") == has_early_childhood
            ]
        file = folder / f"{partner_id}.odcs.yaml"
        file.write_text(yaml.safe_dump(contract, sort_keys=False), "utf-8")
    return folder


def deliver(drops: Path, name: str, content: bytes) -> Path:
    """A file of any name and content."""
    file = drops / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def new_district(folder: Path, contract: str) -> Path:
    """A folder of contracts that holds only the new district's."""
    return deliver(folder, "contracts/steel_valley.odcs.yaml", contract.encode()).parent


def land(
    connection: psycopg.Connection, path: Path, contracts: Mapping[str, Contract] | None = None
) -> dict[str, Outcome]:
    """Land everything below a path, by the project's contracts or others: outcomes by file name."""
    contracts = contracts or load_contracts()
    files = find_deliveries(path, contracts).files
    return {
        outcome.file_name: outcome
        for _, outcomes in land_deliveries(connection, contracts, files)
        for outcome in outcomes
    }


def ledger(connection: psycopg.Connection, columns: str = "file_name, status") -> list[Any]:
    """Columns of `landing.files`, in the order of landing."""
    query = f"select {columns} from landing.files order by file_id"
    return connection.execute(query).fetchall()  # type: ignore[arg-type]


def rejects(connection: psycopg.Connection) -> list[Any]:
    """Lines, reason and column of every rejected row."""
    return connection.execute(
        """
        select line_start, line_end, reason_code, column_name
        from landing.rejected_rows
        order by file_id, line_start
        """
    ).fetchall()


def issues(connection: psycopg.Connection) -> list[Any]:
    """Line, reason and column of every value that was set to null."""
    return connection.execute(
        "select line_number, reason_code, column_name from landing.value_issues order by 1, 3"
    ).fetchall()
