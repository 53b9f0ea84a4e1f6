"""A new district with formats of its own needs only a contract."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from pathlib import Path

import polars as pl
import psycopg
import pytest

from outcomes.contracts.reader import Contracts, load_contracts

from .deliveries import NEW_DISTRICT, deliver, issues, land, ledger, new_district, rejects

CONTRACT = (
    NEW_DISTRICT
    + """
  - name: ROSTER
    customProperties:
      - property: file
        value: {name: "roster_{sent_at:yyyyMMdd}.tsv.gz", compression: gzip, format: delimited,
                encoding: utf-16, delimiter: "\\t", quoting: false}
      - {property: snapshot, value: school_year}
      - {property: ignoredColumns, value: [lunch pin]}
    properties:
      - {name: number, logicalType: string, required: true, classification: direct_identifier,
         logicalTypeOptions: {pattern: "[0-9]{5}"}, customProperties: [
           {property: feeds, value: [students.district_student_id]}, {property: padTo, value: 5}]}
      - {name: surname, logicalType: string, required: true, classification: direct_identifier,
         customProperties: [{property: feeds, value: [students.last_name]}]}
      - {name: born, logicalType: date, required: true, classification: quasi_identifier,
         logicalTypeOptions: {format: dd-MMM-yyyy},
         customProperties: [{property: feeds, value: [students.birth_date]}]}
      - {name: lang, logicalType: string, classification: sensitive,
         enum: [{value: en}, {value: es}],
         customProperties: [{property: feeds, value: [students.home_language]}]}
  - name: MARKS
    customProperties:
      - property: file
        value: {name: marks.txt, format: fixed_width, header: false, quoting: false,
                encoding: latin-1, lineWidth: 24}
      - {property: snapshot, value: school_year}
    properties:
      - {name: number, logicalType: string, required: true, classification: direct_identifier,
         logicalTypeOptions: {pattern: "[0-9]{5}"}, customProperties: [
           {property: feeds, value: [course_marks.district_student_id]},
           {property: width, value: 5}]}
      - {name: ends, logicalType: string, required: true, classification: none,
         logicalTypeOptions: {format: MM/yyyy}, customProperties: [
           {property: parse, value: month}, {property: definesSchoolYear, value: true},
           {property: width, value: 7}]}
      - {name: course, logicalType: string, required: true, classification: none,
         customProperties: [
           {property: feeds, value: [course_marks.course_code]}, {property: width, value: 8}]}
      - {name: credits, logicalType: number, required: true, classification: none,
         logicalTypeOptions: {minimum: 0, maximum: 1}, customProperties: [
           {property: decimalMark, value: ","}, {property: width, value: 4}]}
      - {name: year, logicalType: string, required: true, classification: none,
         logicalTypeOptions: {format: MM/yyyy}, customProperties: [
           {property: feeds, value: [course_marks.school_year]},
           {property: parse, value: school_year_end},
           {property: start, value: 6}, {property: width, value: 7}]}
  - name: TERMS
    customProperties:
      - {property: file, value: {name: terms.csv, format: delimited}}
      - {property: snapshot, value: school_year}
    properties:
      - {name: number, logicalType: string, required: true, classification: direct_identifier,
         logicalTypeOptions: {pattern: "[0-9]{5}"},
         customProperties: [{property: feeds, value: [gpas.district_student_id]}]}
      - {name: year, logicalType: string, required: true, classification: none,
         customProperties: [
           {property: feeds, value: [gpas.school_year]},
           {property: parse, value: school_year_span},
           {property: definesSchoolYear, value: true}]}
      - {name: term, logicalType: string, required: true, classification: none,
         customProperties: [
           {property: feeds, value: [gpas.marking_period]},
           {property: parse, value: number_in_code}]}
      - {name: gpa, logicalType: number, required: true, classification: sensitive,
         logicalTypeOptions: {minimum: 0, maximum: 4},
         customProperties: [{property: feeds, value: [gpas.gpa]}]}
  - name: ABSENCES
    customProperties:
      - {property: file, value: {name: absences.jsonl.gz, compression: gzip, format: json_lines}}
      - {property: snapshot, value: school_year}
    properties:
      - {name: number, logicalType: string, required: true, classification: direct_identifier,
         logicalTypeOptions: {pattern: "[0-9]{5}"}, customProperties: [
           {property: feeds, value: [attendance_events.district_student_id]},
           {property: padTo, value: 5}]}
      - {name: day, logicalType: date, required: true, classification: none,
         logicalTypeOptions: {format: yyyy-MM-dd}, customProperties: [
           {property: feeds, value: [attendance_events.event_date]},
           {property: definesSchoolYear, value: true}]}
      - {name: code, logicalType: string, required: true, classification: none,
         customProperties: [{property: feeds, value: [attendance_events.event_code]}]}
  - name: SCHOOLS
    customProperties:
      - {property: file, value: {name: schools.parquet, format: parquet}}
      - {property: snapshot, value: school_year}
    properties:
      - {name: code, logicalType: string, required: true, classification: none,
         logicalTypeOptions: {pattern: "[0-9]{4}"}, customProperties: [
           {property: feeds, value: [schools.school_code]}, {property: padTo, value: 4}]}
      - {name: name, logicalType: string, required: true, classification: none,
         customProperties: [{property: feeds, value: [schools.school_name]}]}
"""
)


@pytest.fixture
def contracts(tmp_path: Path) -> Contracts:
    return load_contracts(new_district(tmp_path, CONTRACT))


def test_tab_separated_utf16_in_gzip(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    text = (
        "lang\tlunch pin\tsurname\tnumber\tborn\r\n"
        'es\t1234\tNúñez "Nu"\t7\t29-FEB-2004\r\n'
        "fr\t1234\tŁódź\t00008\t01-Mar-2004\r\n"
        "en\t1234\tX\t00009\t30-Feb-2004\r\n"
    )
    content = gzip.compress(text.encode("utf-16"))
    deliver(tmp_path, "drops/steel_valley/2012-09-04/roster_20120904.tsv.gz", content)
    land(connection, tmp_path / "drops", contracts)
    assert connection.execute(
        "select district_student_id, last_name, birth_date, home_language from raw.students"
    ).fetchall() == [
        ("00007", 'Núñez "Nu"', date(2004, 2, 29), "es"),
        ("00008", "Łódź", date(2004, 3, 1), None),
    ]
    assert rejects(connection) == [(4, 4, "bad_date", "born")]
    assert issues(connection) == [(3, "unknown_code", "lang")]
    assert ledger(connection, "status, lines, sent_at") == [("loaded", 4, datetime(2012, 9, 4))]


def test_terms_are_read_from_codes(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    terms = ["Q1", "2", "MP 3", "Q", "Q1-2"]
    rows = "".join(f"0000{n},2012-13,{term},3.5\n" for n, term in enumerate(terms))
    deliver(
        tmp_path,
        "drops/steel_valley/2013-02-01/terms.csv",
        f"number,year,term,gpa\n{rows}".encode(),
    )
    land(connection, tmp_path / "drops", contracts)
    assert connection.execute(
        "select district_student_id, marking_period from raw.gpas order by 1"
    ).fetchall() == [("00000", 1), ("00001", 2), ("00002", 3)]
    assert rejects(connection) == [(5, 5, "bad_number", "term"), (6, 6, "bad_number", "term")]


def test_fixed_width(connection: psycopg.Connection, contracts: Contracts, tmp_path: Path) -> None:
    lines = [
        "0000709/2012Français0,25",
        "0000806/2012Math    1,00",  # last year's
        "0000909/2012Math    1,01",
        "0001009/2012Math   ",
        "0001109/2012Ma\tth   1,00",
        "",
        "0001212/2012 Art    ,5  ",
        "0001312/2012Math    1.00",
    ]
    content = "\n".join(lines).encode("latin-1")
    deliver(tmp_path, "drops/steel_valley/2012-12-04/marks.txt", content)
    land(connection, tmp_path / "drops", contracts)
    assert connection.execute(
        "select district_student_id, course_code from raw.course_marks"
    ).fetchall() == [
        ("00007", "Français"),
        ("00012", " Art"),
    ]
    assert rejects(connection) == [
        (2, 2, "wrong_school_year", "ends"),
        (3, 3, "out_of_range", "credits"),
        (4, 4, "wrong_field_count", None),
        (5, 5, "wrong_field_count", None),
        (8, 8, "bad_number", "credits"),
    ]
    assert ledger(connection, "lines, blank_lines, rows_loaded") == [(8, 1, 2)]


def test_json_lines_and_parquet(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    delivery = tmp_path / "drops/steel_valley/2012-12-04"
    lines = (
        '{"number": 7, "day": "2012-09-04", "code": "A\\tB", "pin": "1"}\n\n'
        '{"day": "2012-06-04", "code": "A", "number": "00008"}\n{"number": 9\n'
    )
    deliver(delivery, "absences.jsonl.gz", gzip.compress(lines.encode()))
    schools = pl.DataFrame({"code": [17.0, None, 18], "name": ["One", "Two", ""], "pin": [1, 2, 3]})
    schools.write_parquet(delivery / "schools.parquet")
    outcomes = land(connection, tmp_path / "drops", contracts)
    assert {outcome.detail for outcome in outcomes.values()} == {"columns added and kept out: pin"}
    assert connection.execute(
        "select district_student_id, event_date::text, event_code, line_number"
        " from raw.attendance_events"
    ).fetchall() == [("00007", "2012-09-04", "A\tB", 1)]
    assert connection.execute("select school_code, school_name from raw.schools").fetchall() == [
        ("0017", "One")
    ]
    assert rejects(connection) == [
        (3, 3, "wrong_school_year", "day"), (4, 4, "bad_json", None),
        (2, 2, "missing_value", "code"), (3, 3, "missing_value", "name"),
    ]  # fmt: skip
    columns = "lines, blank_lines, lines_loaded, lines_rejected"
    assert ledger(connection, columns) == [(4, 1, 1, 2), (3, 0, 1, 2)]
