"""PIMS templates land with the contract that `outcomes district new --standard pims` writes."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import psycopg
import pytest

from outcomes.contracts.reader import load_contract
from outcomes.errors import OutcomesError

from . import pims
from .commands import run
from .deliveries import land, ledger, rejects
from .pims import AUN, OTHER_AUN, days, event, program, state_id, student

FALL = "2012-10-05"
TEMPLATES: dict[str, list[dict[int, str]]] = {
    "STUDENT": [student(1), student(2, p10="AAP"), student(3, p1=OTHER_AUN)],
    "SCHOOL_ENROLL": [
        event(1, "2012-08-27", "E01"), event(2, "2012-08-27", "E01", grade="AAP"),
        event(1, "2012-06-08", "WD04", year=2012),
    ],
    "STUDENT_CALENDAR_FACT": [days(1, 28, 26.5), days(3, 28, 28.5), days(4, 400, 1)],
    "SCHOOL_CALENDAR": [{1: AUN, 2: "2013-06-30", 3: "ELEM"}],
}  # fmt: skip


def read(connection: psycopg.Connection, query: str) -> list[Any]:
    return connection.execute(query.encode()).fetchall()


@pytest.mark.parametrize(
    ("delimiter", "ending"), [("|", "txt"), (",", "csv"), ("\t", "txt")], ids=repr
)
def test_only_the_positions_of_the_agreement_are_kept(
    connection: psycopg.Connection, tmp_path: Path, delimiter: str, ending: str
) -> None:
    how = {"delimiter": delimiter, "ending": ending}
    files = pims.deliver(tmp_path / "drops", FALL, TEMPLATES, **how)
    contracts = pims.contract(tmp_path, files)
    outcomes = land(connection, tmp_path / "drops", contracts)
    assert {outcome.status for outcome in outcomes.values()} == {"loaded"}
    assert read(
        connection,
        """
        select district_student_id, state_student_id, last_name, first_name, grade, race, ssn,
            school_code, economic_status, birth_date::text
        from raw.students
        """,
    ) == [
        (state_id(1), state_id(1), "Last1", "First1", "005", "5", None, "0101", "R", "2002-02-28")
    ]
    assert read(
        connection,
        "select district_student_id, activity_date::text, activity_code from raw.enrollments",
    ) == [(state_id(1), "2012-08-27", "E01")]
    assert read(
        connection,
        """
        select district_student_id, days_enrolled, days_present
        from raw.attendance_year_totals order by line_number
        """,
    ) == [(state_id(1), 28, 26.5), (state_id(3), 28, 28.5)]
    assert sorted(rejects(connection)) == [
        (3, 3, "out_of_range", "DaysEnrolled"), (3, 3, "unknown_code", "AUN"),
        (3, 3, "wrong_school_year", "SchoolYearDate"),
    ]  # fmt: skip


def test_a_template_that_is_not_sent_is_no_error(tmp_path: Path) -> None:
    files = pims.deliver(tmp_path / "drops", FALL, {"STUDENT": TEMPLATES["STUDENT"]})
    contract = pims.contract(tmp_path, files)["oakmont"]
    assert [item.name for item in contract.objects] == ["STUDENT"]
    assert contract.aun == AUN
    assert contract.objects[0].ignored_positions[-1] == 217


def test_a_file_with_more_fields_than_the_sample_is_refused(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    sample = pims.deliver(tmp_path / "sample", FALL, {"STUDENT": [student(1)]})
    contracts = pims.contract(tmp_path, sample)
    (file,) = pims.deliver(tmp_path / "drops", FALL, {"STUDENT": [student(1)]})
    file.write_text(file.read_text().replace("\n", "|\n"))
    land(connection, tmp_path / "drops", contracts)
    assert ledger(connection, "status, reason_code") == [("quarantined", "wrong_layout")]


@pytest.mark.parametrize(
    ("day", "year", "status"),
    [("2013-06-30", 2013, "loaded"), ("2013-08-31", 2013, "loaded"), ("2013-09-01", 2014, "loaded"),
     ("2013-08-31", 2014, "quarantined"), ("2013-09-01", 2013, "quarantined")],
)  # fmt: skip
def test_files_of_july_and_august_are_of_the_school_year_that_ended(
    connection: psycopg.Connection, tmp_path: Path, day: str, year: int, status: str
) -> None:
    rows = {"STUDENT_CALENDAR_FACT": [days(1, 180, 170, year=year)], "STUDENT": [student(1, year)]}
    files = pims.deliver(tmp_path / "drops", day, rows)
    land(connection, tmp_path / "drops", pims.contract(tmp_path, files))
    known = ledger(connection, "status, case when status = 'loaded' then school_year end")
    assert known == [(status, year if status == "loaded" else None)] * 2


def action(incident: str, offender: str, code: str, length: str = "") -> dict[int, str]:
    return {1: AUN, 2: incident, 3: offender, 4: code, 5: "2013-06-30", 8: length}


def person(name: str, student_id: str = "") -> dict[int, str]:
    names = {} if student_id else {7: "Visitor", 8: "Invented"}
    return {1: AUN, 2: name, 3: "2013-06-30", 4: AUN, 5: student_id, **names}


DISCIPLINE: dict[str, list[dict[int, str]]] = {
    "PERSON": [person("P1", state_id(1)), person("P2"), person(state_id(2), state_id(2)),
               person("P8", "100000008")],
    "INCIDENT": [
        {1: AUN, 2: "2013-06-30", 3: "I1", 4: "2012-09-14", 5: "0101"},
        {1: AUN, 2: "2013-06-30", 3: "I2", 4: "2012-09-21", 5: "0101"},
        *({1: AUN, 2: "2013-06-30", 3: f"M{n}", 4: "2012-09-24", 5: "0101"} for n in range(12)),
    ],
    "INCIDENT_OFFNDR_DSPLNRY_ACTION": [
        action("I1", "P1", "S4", "2.5"), action("I1", "P1", "R1"), action("I1", "P2", "S9"),
        action("I2", state_id(2), "S10", "1"), action("I3", "P1", "S4", "1"),
        action("I1", "P9", "S4", "3"), action("I1", "P8", "S4", "5"),
        # Before their incidents have come, all of these are broken: the file is quarantined.
        *(action(f"M{n}", "P1", "S10", "1") for n in range(12)),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "order", [*itertools.permutations(DISCIPLINE), ()], ids=lambda order: "-".join(order)
)
def test_discipline_is_joined_from_three_templates_in_any_order_of_arrival(
    connection: psycopg.Connection, tmp_path: Path, order: tuple[str, ...]
) -> None:
    all_files = pims.deliver(tmp_path / "all", FALL, {"STUDENT": [student(1)], **DISCIPLINE})
    contracts = pims.contract(tmp_path, all_files)
    for template in order:
        pims.deliver(tmp_path / "drops", FALL, {template: DISCIPLINE[template]})
        land(connection, tmp_path / "drops", contracts)
    pims.deliver(tmp_path / "drops", FALL, {"STUDENT": [student(1)], **DISCIPLINE})
    land(connection, tmp_path / "drops", contracts)
    assert (
        read(
            connection,
            """
        select district_student_id, incident_date::text, action, days
        from raw.discipline_actions order by line_number
        """,
        )
        == [(state_id(1), "2012-09-14", "S4", 2.5), (state_id(2), "2012-09-21", "S10", 1)]
        + [(state_id(1), "2012-09-24", "S10", 1)] * 12
    )
    # An incident, a person and a state student id that nobody knows: no sanction is lost silently.
    assert rejects(connection) == [
        (5, 5, "missing_value", "incident_date"), (6, 6, "missing_value", "student"),
        (7, 7, "bad_format", "student"),
    ]  # fmt: skip
    assert ledger(connection, "status") == [("loaded",)] * 4
    again = land(connection, tmp_path / "drops", contracts)
    assert {outcome.status for outcome in again.values()} == {"already landed"}


def test_programs_are_kept_that_the_warehouse_knows(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    templates = {
        "STUDENT": [student(1, p65="G", p66="040")],
        "PROGRAMS_FACT": [
            program(1, "056", "2012-08-27"), program(1, "035", "2012-09-03", "2012-10-01"),
            program(1, "060", "2012-08-27"), program(1, "030", "2012-10-01", "2012-09-30"),
        ],
    }  # fmt: skip
    files = pims.deliver(tmp_path / "drops", FALL, templates)
    land(connection, tmp_path / "drops", pims.contract(tmp_path, files))
    assert read(
        connection,
        """
        select district_student_id, program, start_date::text, end_date::text
        from raw.programs order by line_number
        """,
    ) == [
        (state_id(1), "056", "2012-08-27", None), (state_id(1), "035", "2012-09-03", "2012-10-01")
    ]  # fmt: skip
    assert read(connection, "select graduation_status, post_school_plan from raw.students") == [
        ("G", "040")
    ]
    assert rejects(connection) == [(4, 4, "end_before_start", "EndDate")]


@pytest.mark.parametrize("title", ["", "IncidentID|Offender|Action\n"])
def test_a_sample_without_rows_has_the_fields_of_the_manual(
    connection: psycopg.Connection, tmp_path: Path, title: str
) -> None:
    """Districts send such files until the year's first incident."""
    templates: dict[str, list[dict[int, str]]] = {
        "PERSON": [], "INCIDENT": [], "INCIDENT_OFFNDR_DSPLNRY_ACTION": [],
        "STUDENT": [student(1)],
    }  # fmt: skip
    samples = pims.deliver(tmp_path / "samples", FALL, templates)
    for sample in samples[:3]:
        sample.write_text(f"\ufeff{title}")
    contracts = pims.contract(tmp_path, samples)
    files = pims.deliver(tmp_path / "drops", FALL, DISCIPLINE | {"STUDENT": [student(1)]})
    for file in files:
        file.write_text(("" if "_STUDENT_" in file.name else title) + file.read_text())
    land(connection, tmp_path / "drops", contracts)
    assert read(connection, "select count(*) from raw.discipline_actions") == [(14,)]


def test_samples_without_any_row_are_refused(tmp_path: Path) -> None:
    (sample,) = pims.deliver(tmp_path, FALL, {"STUDENT": []})
    sample.write_text("\ufeff")
    with pytest.raises(OutcomesError, match="a sample with rows"):
        pims.contract(tmp_path, [sample])


def test_a_broken_first_row_is_no_title(connection: psycopg.Connection, tmp_path: Path) -> None:
    (sample,) = pims.deliver(tmp_path / "samples", FALL, {"STUDENT": [student(1)]})
    sample.write_text("Student template (2012)\n" + sample.read_text())
    contracts = pims.contract(tmp_path, [sample])
    rows = [student(1, p1="99999990"), *(student(number) for number in range(2, 12))]
    (file,) = pims.deliver(tmp_path / "drops", FALL, {"STUDENT": rows})
    file.write_text("Student template (2012)\n" + file.read_text())
    land(connection, tmp_path / "drops", contracts)
    assert read(connection, "select count(*) from raw.students") == [(10,)]
    assert rejects(connection) == [(2, 2, "unknown_code", "AUN")]


@pytest.mark.parametrize("aun", ["99999990", "", "'999999990"])
def test_a_childs_broken_row_is_never_written_into_the_contract(tmp_path: Path, aun: str) -> None:
    rows = [student(1, p1="BROKEN"), student(2), student(3)]
    (sample,) = pims.deliver(tmp_path / "samples", FALL, {"STUDENT": rows})
    sample.write_text(sample.read_text().replace("BROKEN", aun))
    with pytest.raises(OutcomesError, match="the first line is no title") as error:
        pims.contract(tmp_path, [sample])
    assert "First1" not in str(error.value)
    assert not list(tmp_path.rglob("*.odcs.yaml"))


def test_the_check_shows_what_stands_at_unconfirmed_positions(tmp_path: Path) -> None:
    files = pims.deliver(tmp_path / "drops", FALL, {"STUDENT": [student(1), student(2, p88="10")]})
    pims.contract(tmp_path, files)
    file = tmp_path / "contracts" / "oakmont.odcs.yaml"
    code, output = run("district", "check", file, *files)
    assert code == 0, output
    assert "to be confirmed: position 88, Race: 2 values in 2 rows (digits (1): 1" in output
    assert "position 123, LastNameLong: 2 values" in output
    assert "Last1" not in output
    assert sum(prop.unconfirmed for prop in load_contract(file).objects[0].properties) == 5


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["students.csv"], "not named like a PIMS file"),
        ([f"{AUN}_STUDENT_201210050800.csv", f"{OTHER_AUN}_SCHOOL_ENROLL_201210050800.csv"],
         "of 2 districts"),
        ([f"{AUN}_SCHOOL_ENROLL_201210050800.csv"], "a sample of the STUDENT template"),
    ],
)  # fmt: skip
def test_samples_are_files_of_one_district(tmp_path: Path, names: list[str], problem: str) -> None:
    files = [tmp_path / name for name in names]
    for file in files:
        file.write_text(f"{AUN},0101\n")
    with pytest.raises(OutcomesError, match=problem):
        run("district", "new", tmp_path / "a.odcs.yaml", *files, "--standard", "pims")
    assert not (tmp_path / "a.odcs.yaml").exists()
