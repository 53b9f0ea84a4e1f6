"""Every partner's format is read into the canonical feeds."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from outcomes.landing.reading import Counts

from .deliveries import (
    CLAIRTON,
    CLAIRTON_STUDENT,
    CLIENT,
    DIRECTORY,
    EVENT,
    PSSA,
    WOODLAND_DAY,
    WOODLAND_STUDENT,
    clairton,
    deliver,
    dhs,
    directory,
    events,
    land,
    ledger,
    pittsburgh,
    pittsburgh_csv,
    woodland,
)
from .one_file import read_deliveries


def rows(connection: psycopg.Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()  # type: ignore[arg-type]


def test_zip_of_quoted_cp1252_csv_feeds_two_tables(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    directory(tmp_path, {}, {"StudentID": "000000002", "LegalLastName": 'Say "Hi"'})
    outcome = land(connection, tmp_path)["PPS_DHS_20121001.zip/STUDENT_DIRECTORY.csv"]

    assert (outcome.status, outcome.counts.rows_loaded) == ("loaded", 2)
    assert outcome.detail is None, "a column that the agreement does not cover gives no warning"
    assert rows(
        connection,
        "select district_student_id, last_name, street, birth_date, as_of_date, line_number,"
        " partner_id from raw.students order by line_number",
    ) == [
        ("000000001", "Nuñez", "1 Invented St, Apt 2", date(2004, 2, 29), date(2012, 10, 1), 2,
         "pittsburgh"),
        ("000000002", 'Say "Hi"', "1 Invented St, Apt 2", date(2004, 2, 29), date(2012, 10, 1),
         3, "pittsburgh"),
    ]  # fmt: skip
    assert rows(
        connection,
        "select district_student_id, entry_date, exit_date from raw.enrollments order by 1",
    ) == [("000000001", date(2012, 8, 23), None), ("000000002", date(2012, 8, 23), None)]


def test_quoted_line_breaks_delimiters_and_empty_texts_are_kept(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    directory(
        tmp_path,
        {"HomeAddress1": "1 First St\r\nRear, 2\tb\\n", "MiddleName": " X "},
        {"StudentID": "000000002"},
    )
    land(connection, tmp_path)
    assert rows(
        connection,
        "select line_number, street, middle_name, suffix from raw.students order by 1",
    ) == [
        (2, "1 First St\r\nRear, 2\tb\\n", " X ", None),
        (4, "1 Invented St, Apt 2", None, None),
    ]


def test_a_quoted_empty_text_stays_and_an_empty_code_is_null(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    member = pittsburgh_csv([DIRECTORY]).replace("Ada,,,", 'Ada,"",,').replace(",E01,", ',"E01",')
    pittsburgh(tmp_path, {"STUDENT_DIRECTORY.csv": member.replace('"E01",,,', '"E01","","",')})
    land(connection, tmp_path)
    assert rows(connection, "select middle_name, suffix from raw.students") == [("", None)]
    assert rows(connection, "select entry_code, exit_date, exit_code from raw.enrollments") == [
        ("E01", None, None)
    ]


def test_the_name_of_a_test_can_come_from_the_contract(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    pittsburgh(tmp_path, {"PSSA_2012.csv": pittsburgh_csv([PSSA])})
    land(connection, tmp_path)
    assert rows(connection, "select subject, test, test_year from raw.assessments") == [
        ("MATH", "PSSA", 2012)
    ]


def test_rosters(connection: psycopg.Connection, tmp_path: Path) -> None:
    roster = (
        "intervention_code,intervention_name,district_id,district_student_id,started_on,ended_on\n"
        'MEN,"Mentoring, daily",pittsburgh,000000001,2012-09-01,\n'
    )
    deliver(tmp_path, "interventions/2012-09-30/roster.csv", roster.encode())
    land(connection, tmp_path)
    assert rows(connection, "select intervention_name, ended_on from raw.intervention_rosters") == [
        ("Mentoring, daily", None)
    ]


def test_a_workbook_restores_leading_zeros_and_reads_typed_dates(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    other = CLAIRTON_STUDENT | {
        "ID": "000003", "State ID": 1000000009.0, "DOB": "5/1/03", "Zip": "15025", "Bldg": "0057",
        "Gr": "K", "Start": date(2012, 8, 27), "End": "9/14/12", "Reason": "W1",
    }  # fmt: skip
    clairton(tmp_path, CLAIRTON | {"Students": [CLAIRTON_STUDENT, other]})
    outcomes = land(connection, tmp_path)

    assert {outcome.status for outcome in outcomes.values()} == {"loaded"}
    assert rows(
        connection,
        "select district_student_id, state_student_id, birth_date, zip, school_code, grade"
        " from raw.students order by line_number",
    ) == [
        ("027692", "1000000002", date(2003, 5, 1), "15025", "0057", "4"),
        ("000003", "1000000009", date(2003, 5, 1), "15025", "0057", "K"),
    ]
    assert rows(
        connection, "select entry_date, exit_date, exit_code from raw.enrollments order by 2"
    ) == [(date(2012, 8, 27), date(2012, 9, 14), "W1"), (date(2012, 8, 27), None, None)]
    assert rows(
        connection, "select month, days_excused, days_unexcused from raw.attendance_totals"
    ) == [(date(2012, 9, 1), Decimal("1"), Decimal("0.5"))]
    assert rows(connection, "select school_year, marking_period, gpa from raw.gpas") == [
        (2013, 1, Decimal("3"))
    ]
    assert rows(connection, "select test_year, grade, scaled_score from raw.assessments") == [
        (2012, "3", Decimal("1300"))
    ]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("6/30/95", date(1995, 6, 30)),
        ("1/2/03", date(2003, 1, 2)),
        ("12/31/13", date(1913, 12, 31)),
    ],
)
def test_two_digit_years_are_in_the_century_up_to_the_school_year(
    tmp_path: Path, typed: str, meant: date
) -> None:
    clairton(tmp_path, CLAIRTON | {"Students": [CLAIRTON_STUDENT | {"DOB": typed}]})
    (student,) = read_deliveries(tmp_path)[0].feeds["students"]
    assert student["birth_date"] == meant


def test_pipe_delimited_template_has_no_quoting_and_no_header(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    woodland(tmp_path, "STUDENT", [WOODLAND_STUDENT])
    woodland(tmp_path, "ATTENDANCE", [WOODLAND_DAY, WOODLAND_DAY.replace("A|N", "P|")])
    land(connection, tmp_path)
    assert rows(connection, "select last_name, suffix, district_student_id from raw.students") == [
        ("O'In\"vent", None, "003936")
    ]
    assert rows(
        connection,
        "select line_number, event_code, excused from raw.attendance_events order by 1",
    ) == [(1, "A", "N"), (2, "P", None)]
    assert ledger(connection, "sent_at, school_year") == [(datetime(2012, 10, 5, 19, 30), 2013)] * 2


def test_gzip_extract_takes_its_source_from_the_name(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    dhs(tmp_path, "clients", "child_welfare", [{}])
    dhs(tmp_path, "services", "child_welfare", [{}, {"source_service_id": "S2", "end_date": ""}])
    land(connection, tmp_path)
    assert rows(
        connection, "select source_id, source_client_id, updated_at, is_deleted from raw.clients"
    ) == [("child_welfare", "CW1", datetime(2012, 9, 1, 10), False)]
    assert rows(connection, "select source_service_id, end_date from raw.services order by 1") == [
        ("S1", date(2012, 2, 1)),
        ("S2", None),
    ]
    assert ledger(connection, "contract_object, source_id, school_year") == [
        ("clients", "child_welfare", None),
        ("services", "child_welfare", None),
    ]


def test_two_sources_may_send_the_same_content(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    dhs(tmp_path, "clients", "child_welfare", [{}])
    dhs(tmp_path, "clients", "homelessness", [{}])
    assert {o.status for o in land(connection, tmp_path).values()} == {"loaded"}


def test_code_of_another_source_and_reversed_service_are_rejected(tmp_path: Path) -> None:
    dhs(
        tmp_path,
        "services",
        "child_welfare",
        [{}, {"program_code": "TANF"}, {"start_date": "2012-02-02"}, {"start_date": ""}],
    )
    (read,) = read_deliveries(tmp_path)
    assert read.rejected == [
        (3, 3, "code_of_another_source", "program_code"),
        (4, 4, "end_before_start", "end_date"),
        (5, 5, "missing_value", "start_date"),
    ]


def test_in_client_files_only_the_keys_are_required(tmp_path: Path) -> None:
    broken = {"birth_date": "2001-02-29", "sex": "X", "ssn": "12", "zip": "A", "mci_id": "x"}
    dhs(tmp_path, "clients", "homelessness", [broken, {"updated_at": "yesterday"}, CLIENT])
    (read,) = read_deliveries(tmp_path)
    columns = ("birth_date", "sex", "ssn", "zip", "mci_id")
    assert [tuple(client[column] for column in columns) for client in read.feeds["clients"]] == [
        (None, None, None, None, None),
        (date(1900, 1, 1), "U", "999999999", None, None),
    ]
    assert sorted(read.issues) == [
        (2, "bad_date", "birth_date"),
        (2, "bad_format", "mci_id"),
        (2, "bad_format", "ssn"),
        (2, "bad_format", "zip"),
        (2, "unknown_code", "sex"),
    ]
    assert read.rejected == [(3, 3, "bad_timestamp", "updated_at")]


def test_a_file_that_is_only_a_byte_order_mark_is_an_empty_snapshot(tmp_path: Path) -> None:
    woodland(tmp_path, "GPA", [])
    (read,) = read_deliveries(tmp_path)
    assert (read.reason, read.counts) == (None, Counts())


def test_a_file_that_is_only_a_header_is_an_empty_snapshot(tmp_path: Path) -> None:
    header = pittsburgh_csv([EVENT]).split("\r\n")[0]
    pittsburgh(tmp_path, {"ATTENDANCE_EVENTS.csv": f"{header}\r\nTRAILER,0,20121001\r\n"})
    (read,) = read_deliveries(tmp_path)
    assert (read.reason, read.counts) == (None, Counts(lines=2, header_lines=1, trailer_lines=1))


def test_codes_and_numbers_are_trimmed(tmp_path: Path) -> None:
    events(tmp_path, {"EventCode": " U ", "DayFraction": " 0.50 ", "EventDate": " 09/04/2012 "})
    (event,) = read_deliveries(tmp_path)[0].feeds["attendance_events"]
    assert (event["event_code"], event["day_fraction"], event["event_date"]) == (
        "U", "0.50", date(2012, 9, 4),
    )  # fmt: skip
