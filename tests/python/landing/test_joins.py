"""Joined files: SQL of the contract, files of changes, and an account of every line."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from outcomes.contracts.reader import ContractError, Contracts, load_contract, load_contracts
from outcomes.contracts.sql import ORIGIN, SqlError, Tables
from outcomes.landing.check import check_files
from outcomes.landing.deliveries import find_deliveries

from .commands import run
from .deliveries import NEW_DISTRICT, deliver, land, ledger, new_district, rejects

CONTRACT = (
    NEW_DISTRICT
    + """
  - name: classes
    customProperties:
      - {property: file, value: {name: classes.csv}}
      - {property: snapshot, value: school_year}
    properties:
      - {name: class, logicalType: string, required: true, classification: none}
      - {name: school, logicalType: string, classification: none}
  - name: enrollments
    customProperties:
      - {property: file, value: {name: enrollments.csv}}
      - {property: snapshot, value: school_year}
      - property: delta
        value:
          key: id
          deleted: {property: status, in: [tobedeleted]}
          declaredIn: manifest
          when: "file = 'enrollments' and mode = 'delta'"
      - {property: rowFilter, value: [{property: first, in: ["true"]}]}
    properties:
      - {name: id, logicalType: string, required: true, classification: none}
      - {name: status, logicalType: string, classification: none}
      - name: student
        logicalType: string
        required: true
        classification: direct_identifier
        customProperties: [{property: feeds, value: [enrollments.district_student_id]}]
      - {name: class, logicalType: string, required: true, classification: none}
      - name: begin
        logicalType: date
        logicalTypeOptions: {format: M/d/yyyy}
        required: true
        classification: none
      - name: school
        logicalType: string
        required: true
        classification: none
        transformSourceObjects: [classes]
        transformLogic: (select school from classes where classes.class = this.class)
        customProperties: [{property: feeds, value: [enrollments.school_code]}]
      - name: entry
        logicalType: date
        required: true
        classification: none
        transformLogic: min(begin) over (partition by student, school)
        customProperties: [{property: feeds, value: [enrollments.entry_date]}]
      - name: first
        logicalType: boolean
        classification: none
        transformLogic: row_number() over (partition by student, school order by id) = 1
  - name: manifest
    customProperties:
      - {property: file, value: {name: manifest.csv}}
      - {property: snapshot, value: school_year}
    properties:
      - {name: file, logicalType: string, classification: none}
      - {name: mode, logicalType: string, classification: none}
"""
)
CLASSES = "class,school\nA1,0001\nA2,0001\nB1,0002\nC1,\n"
BULK = (
    "id,status,student,class,begin\n"
    "1,,s1,A2,9/3/2012\n2,,s1,A1,8/27/2012\n3,,s2,B1,8/27/2012\n4,,s3,A1,8/27/2012\n"
    "5,,s4,XX,8/27/2012\n6,,s5,C1,8/27/2012\n7,,s6,A1,soon\n\n"
)
CHANGES = (
    "id,status,student,class,begin\n"
    "2,tobedeleted,,,\n4,active,s3,B1,9/10/2012\n8,active,s7,A1,9/10/2012\n9,active,s8,XX,9/1/2012\n"
)
WEEKS = ["2012-09-03", "2012-09-10", "2012-09-17"]


@pytest.fixture
def contracts(tmp_path: Path) -> Contracts:
    return load_contracts(new_district(tmp_path, CONTRACT))


def deliver_week(
    folder: Path, week: str, enrollments: str, *, mode: str = "bulk", classes: str = CLASSES
) -> Path:
    delivery = folder / "drops/steel_valley" / week
    for name, text in (
        ("classes.csv", classes),
        ("enrollments.csv", enrollments),
        ("manifest.csv", f"file,mode\nenrollments,{mode}\n"),
    ):
        deliver(delivery, name, text.encode())
    return delivery


def spells(connection: psycopg.Connection, week: str) -> list[Any]:
    """The enrollments of a delivery, with line and week of the origin of each."""
    return connection.execute(
        """
        select
            district_student_id, school_code, to_char(entry_date, 'MM/DD'), line_number,
            files.as_of_date::text
        from raw.enrollments
        inner join landing.files on files.file_id = coalesce(origin_file_id, load_id)
        where enrollments.as_of_date = %s
        order by 1, 2
        """,
        [week],
    ).fetchall()


def test_values_are_looked_up_and_rows_are_combined(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    outcomes = land(connection, deliver_week(tmp_path, WEEKS[0], BULK), contracts)
    assert spells(connection, WEEKS[0]) == [
        ("s1", "0001", "08/27", 2, WEEKS[0]),
        ("s2", "0002", "08/27", 4, WEEKS[0]),
        ("s3", "0001", "08/27", 5, WEEKS[0]),
    ]
    assert sorted(rejects(connection)) == [
        (6, 6, "missing_value", "school"),
        (7, 7, "missing_value", "school"),
        (8, 8, "bad_date", "begin"),
    ]
    counts = outcomes["enrollments.csv"].counts
    assert (counts.rows_loaded, counts.rows_rejected, counts.rows_filtered_out) == (3, 3, 1)
    assert sorted(
        ledger(
            connection,
            "file_name, lines = header_lines + blank_lines + lines_loaded + lines_rejected"
            " + lines_filtered_out + trailer_lines, rows_loaded, rows_in_snapshot",
        )
    ) == [
        ("classes.csv", True, 4, 4),
        ("enrollments.csv", True, 3, 3),
        ("manifest.csv", True, 1, 1),
    ]


def test_changes_are_applied_to_earlier_files(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    deliver_week(tmp_path, WEEKS[0], BULK)
    deliver_week(tmp_path, WEEKS[1], CHANGES, mode="delta")
    outcomes = land(connection, tmp_path / "drops", contracts)
    assert spells(connection, WEEKS[1]) == [
        ("s1", "0001", "09/03", 2, WEEKS[0]),
        ("s2", "0002", "08/27", 4, WEEKS[0]),
        ("s3", "0002", "09/10", 3, WEEKS[1]),
        ("s7", "0001", "09/10", 4, WEEKS[1]),
    ]
    counts = outcomes["enrollments.csv"].counts
    assert (counts.lines, counts.lines_loaded, counts.lines_rejected) == (5, 3, 1)
    # A file of changes is judged by the resulting snapshot.
    (in_snapshot,) = connection.execute(
        "select rows_in_snapshot from landing.files where as_of_date = %s and file_name ~ 'enr'",
        [WEEKS[1]],
    ).fetchone() or (None,)
    assert (outcomes["enrollments.csv"].status, in_snapshot) == ("loaded", 4)


def test_every_order_of_arrival_gives_the_same_rows(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    more = "id,status,student,class,begin\n3,tobedeleted,,,\n"
    paths = [
        deliver_week(tmp_path, WEEKS[0], BULK),
        deliver_week(tmp_path, WEEKS[1], CHANGES, mode="delta"),
        deliver_week(tmp_path, WEEKS[2], more, mode="delta", classes=CLASSES + "XX,0009\n"),
    ]
    ends = []
    for order in itertools.permutations(paths):
        with connection.transaction(force_rollback=True):
            for path in order:
                land(connection, path, contracts)
                again = land(connection, path, contracts)
                assert again["enrollments.csv"].status == "already landed"
            faults = connection.execute(
                """
                select as_of_date, line_start, faults.reason_code, column_name, rows_rejected,
                    rows_loaded, lines_rejected
                from landing.rejected_rows as faults
                inner join landing.files using (file_id)
                order by 1, 2, 3
                """
            ).fetchall()
            ends.append(([spells(connection, week) for week in WEEKS], faults))
    assert all(end == ends[0] for end in ends)
    assert ("s8", "0009", "09/01", 5, WEEKS[1]) in ends[0][0][2]


def test_a_snapshot_after_changes_replaces_them(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    deliver_week(tmp_path, WEEKS[0], BULK)
    deliver_week(tmp_path, WEEKS[1], CHANGES, mode="delta")
    deliver_week(tmp_path, WEEKS[2], BULK)
    land(connection, tmp_path / "drops", contracts)
    assert [row[:4] for row in spells(connection, WEEKS[2])] == [
        row[:4] for row in spells(connection, WEEKS[0])
    ]


def test_only_the_delivery_that_cannot_be_joined_is_quarantined(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    twice = CLASSES + "A1,0003\n"  # two schools for one class
    deliver_week(tmp_path, WEEKS[0], BULK, classes=twice)
    deliver_week(tmp_path, WEEKS[1], BULK)
    land(connection, tmp_path / "drops", contracts)
    assert ledger(connection, "as_of_date::text, file_name, status, reason_code")[2::3] == [
        (WEEKS[0], "enrollments.csv", "quarantined", "failed_transform"),
        (WEEKS[1], "enrollments.csv", "loaded", None),
    ]
    assert spells(connection, WEEKS[0]) == []
    assert len(spells(connection, WEEKS[1])) == 3


def test_district_check_joins_files_too(contracts: Contracts, tmp_path: Path) -> None:
    delivery = deliver_week(tmp_path, WEEKS[0], BULK)
    contract = contracts["steel_valley"].path
    code, output = run("district", "check", contract, *sorted(delivery.iterdir()))
    assert code == 3
    assert (
        "enrollments.csv: 9 lines, 3 rows would load, 3 would be rejected, 1 filtered out" in output
    )
    assert "missing_value in school, 2 times" in output


def test_district_check_says_what_landing_says(
    connection: psycopg.Connection, contracts: Contracts, tmp_path: Path
) -> None:
    deliver_week(tmp_path, WEEKS[0], BULK)
    changes = deliver_week(tmp_path, WEEKS[1], CHANGES, mode="delta")
    deliver(changes, "notes/notes.csv", b"x")
    deliver_week(tmp_path, WEEKS[2], "id,status,student,class,begin\n8,,s7,A1,9/10/2012\n")
    contract = contracts["steel_valley"]
    # Landing goes by days, in whatever order the files are given.
    files = [*reversed(find_deliveries(tmp_path / "drops", contracts).files)]
    reports = check_files(contract, files)
    land(connection, tmp_path / "drops", contracts)
    assert {report.outcome.status for report in reports} == {
        "loaded", "held", "quarantined",
    }  # fmt: skip
    assert sorted(
        (str(found.as_of_date), found.file_name, found.status, found.reason, found.detail,
         found.counts.lines, found.counts.rows_loaded, found.counts.rows_rejected)
        for report in reports
        for found in [report.outcome]
    ) == sorted(
        ledger(connection, "as_of_date::text, file_name, status, reason_code, detail, lines,"
               " rows_loaded, rows_rejected")
    )  # fmt: skip
    by_name = {(str(r.outcome.as_of_date), r.outcome.file_name): r for r in reports}
    assert [
        (found.reason_code, found.column, found.lines, found.detail)
        for found in by_name[WEEKS[1], "enrollments.csv"].rejected
    ] == [
        ("missing_value", "school", [5], "expected a value"),
        ("missing_value", "school", [6, 7],
         f"in a row of enrollments.csv of {WEEKS[0]}: expected a value"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("logic", "problem"),
    [
        ("(select school from classrooms)", "classrooms"),
        ("select 1) from classes; drop table classes; select (1", "syntax error"),
        ("clas", '"clas" not found'),
        ("begin + 'x'", "transformLogic"),
        ("(select content from read_text('/etc/passwd'))", "transformLogic"),
    ],
)
def test_sql_that_cannot_be_run_is_named(contracts: Contracts, logic: str, problem: str) -> None:
    file = contracts["steel_valley"].path
    sent = "(select school from classes where classes.class = this.class)"
    file.write_text(CONTRACT.replace(sent, f'"{logic}"'))
    with pytest.raises(ContractError, match=r"enrollments\.school") as error:
        load_contract(file)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    "logic",
    [
        "(select content from read_text('/etc/passwd') limit 1)",
        "(select count(*) from read_csv('https://example.org/x.csv'))",
        "(select count(*) from sqlite_scan('/tmp/x', 't'))",
        "getenv('HOME')",
    ],
)
def test_sql_of_a_contract_has_no_access_outside(contracts: Contracts, logic: str) -> None:
    item = contracts["steel_valley"].joined["classes"]
    tables = Tables(date(2012, 9, 3), 2013)
    rows = pl.DataFrame(
        {**{key: [1] for key in ORIGIN}, "class": ["A1"], "school": ["0001"]},
        schema_overrides=dict.fromkeys(ORIGIN, pl.Int64),
    )
    tables.add(item, rows)
    with pytest.raises(SqlError):
        tables.holds("classes", f"{logic} is not null")
