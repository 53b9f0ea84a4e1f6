"""OneRoster exports land with the contract that `outcomes district new --standard` writes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from outcomes.contracts.reader import Contracts, load_contracts
from outcomes.landing.loader import Outcome

from . import oneroster
from .commands import run
from .deliveries import land, rejects

WEEK_1, WEEK_2 = "2013-02-04", "2013-02-11"
MATH_1, MATH_2, ENGLISH = "cl-1-Math-t1", "cl-1-Math-t2", "cl-1-English-t1,t2"


def contract(folder: Path, version: str) -> Contracts:
    """The contract that the command writes, with its agreement completed."""
    file = folder / "contracts" / "steel_valley.odcs.yaml"
    file.parent.mkdir(exist_ok=True)
    sample = oneroster.write(folder / "sample", {}, "oneroster_20130204.zip", version=version)
    code, output = run("district", "new", file, sample, "--standard", f"oneroster-{version}")
    assert code == 0, output
    text = file.read_text()
    for wrong, right in (
        ("signedOn: 1900-01-01", "signedOn: 2012-07-01"),
        ("startsOn: 1900-01-01", "startsOn: 2012-07-01"),
        ("endsOn: 1900-01-01", "endsOn: 2014-06-30"),
        ("value: TODO", 'value: "103028203"'),
    ):
        text = text.replace(wrong, right)
    file.write_text(text)
    return load_contracts(file.parent)


def export(folder: Path, week: str, tables: oneroster.Tables, **how: str) -> Path:
    name = f"oneroster_{week.replace('-', '')}.zip"
    return oneroster.write(folder / "drops/steel_valley" / week, tables, name, **how)


def land_export(
    connection: psycopg.Connection, contracts: Contracts, folder: Path
) -> dict[str, Outcome]:
    """Land all exports: outcomes by member."""
    landed = land(connection, folder / "drops", contracts)
    return {name.split("/")[-1]: outcome for name, outcome in landed.items()}


def spells(connection: psycopg.Connection, week: str) -> list[Any]:
    return connection.execute(
        """
        select district_student_id, school_code, grade, entry_date::text, exit_date::text
        from raw.enrollments where as_of_date = %s order by 1, 4
        """,
        [week],
    ).fetchall()


def first_week() -> oneroster.Tables:
    tables = oneroster.school_year()
    both = [(MATH_1, "", ""), (MATH_2, "", ""), (ENGLISH, "", "")]
    oneroster.add_student(tables, 1, both, {"white": "true"})
    # Left in October: the end is the day after the last day.
    oneroster.add_student(
        tables, 2, [(MATH_1, "2012-08-27", "2012-10-06"), (ENGLISH, "", "2012-10-06")],
        {"asian": "true", "white": "true"}, grades="KG",
    )  # fmt: skip
    # Changed to another school and back.
    moved = [
        (MATH_1, "2012-08-27", "2012-10-06"), ("cl-2-Math-t1", "2012-10-08", "2012-12-01"),
        (MATH_1, "2012-12-03", ""), (MATH_2, "", ""),
    ]  # fmt: skip
    oneroster.add_student(tables, 3, moved, {"hispanicOrLatinoEthnicity": "true", "white": "true"})
    # Changed the class on a weekend.
    swapped = [(MATH_1, "", "2012-09-08"), (ENGLISH, "2012-09-10", "")]
    oneroster.add_student(tables, 4, swapped, grades="12,IT", middleName="M")
    # Has no number of the district.
    oneroster.add_student(tables, 5, both[:1], identifier="", userIds="")
    return tables


SPELLS = [
    ("000001", "0101", "07", "2012-08-27", None),
    ("000002", "0101", "KG", "2012-08-27", "2012-10-05"),
    ("000003", "0101", "07", "2012-08-27", "2012-10-05"),
    ("000003", "0102", "07", "2012-10-08", "2012-11-30"),
    ("000003", "0101", "07", "2012-12-03", None),
    ("000004", "0101", "12", "2012-08-27", None),
    ("u-5", "0101", "07", "2012-08-27", "2013-01-18"),  # has no class in the second term
]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_an_export_lands_as_sent(
    connection: psycopg.Connection, tmp_path: Path, version: str
) -> None:
    contracts = contract(tmp_path, version)
    export(tmp_path, WEEK_1, first_week(), version=version)
    outcomes = land_export(connection, contracts, tmp_path)
    assert {o.status for o in outcomes.values()} == {"loaded"}
    assert {name: o.detail for name, o in outcomes.items() if o.detail} == {}
    assert rejects(connection) == []
    assert outcomes["users.csv"].counts.rows_filtered_out == 1, "the teacher"
    assert spells(connection, WEEK_1) == SPELLS
    assert connection.execute(
        """
        select
            district_student_id, max(state_student_id), max(last_name), max(grade),
            max(birth_date), max(gender), max(race), count(*)
        from raw.students group by 1 order by 1
        """
    ).fetchall() == [
        ("000001", "1000000001", "Family1", "07", date(2000, 2, 29), "female", "5", 2),
        ("000002", "1000000002", "Family2", "KG", date(2000, 2, 29), "female", "6", 2),
        ("000003", "1000000003", "Family3", "07", date(2000, 2, 29), "female", "4", 2),
        ("000004", "1000000004", "Family4", "12", date(2000, 2, 29), "female", None, 2),
        ("u-5", None, "Family5", "07", date(2000, 2, 29), "female", None, 2),
    ]
    assert connection.execute(
        "select school_code, school_name from raw.schools order by 1"
    ).fetchall() == [("0101", "Woodlawn Middle"), ("0102", "Steel High")]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_changes_make_a_complete_snapshot(
    connection: psycopg.Connection, tmp_path: Path, version: str
) -> None:
    contracts = contract(tmp_path, version)
    export(tmp_path, WEEK_1, first_week(), version=version)
    changes: oneroster.Tables = {
        # Withdrawn: a deleted record needs only its key.
        "enrollments": [
            {"sourcedId": "e-1-1", "status": "tobedeleted"},
            {"sourcedId": "e-1-2", "classSourcedId": ENGLISH, "schoolSourcedId": "org-1",
             "userSourcedId": "u-1", "role": "student", "endDate": "2013-02-02"},
        ],
        "users": [{"sourcedId": "u-4", "status": "tobedeleted", "role": "student"}],
        "demographics": [{"sourcedId": "u-4", "status": "tobedeleted"}],
        # A school is renamed; everything else stays.
        "orgs": [{"sourcedId": "org-2", "name": "New High", "type": "school",
                  "identifier": "0102"}],
    }  # fmt: skip
    changes["enrollments"] += [{"sourcedId": f"e-4-{n}", "status": "tobedeleted"} for n in range(2)]
    oneroster.add_student(changes | {"users": changes["users"]}, 6, [(MATH_2, "2013-02-04", "")])
    export(tmp_path, WEEK_2, changes, version=version, mode="delta")
    outcomes = land_export(connection, contracts, tmp_path)
    assert {name: o.detail for name, o in outcomes.items() if o.status != "loaded"} == {}
    assert rejects(connection) == []
    expected = [row for row in SPELLS if row[0] not in ("000001", "000004")]
    expected.append(("000001", "0101", "07", "2012-08-27", "2013-02-01"))
    expected.append(("000006", "0101", "07", "2013-02-04", None))
    assert spells(connection, WEEK_2) == sorted(expected, key=lambda row: (row[0], row[3]))
    names = dict(
        connection.execute(
            "select school_code, school_name from raw.schools where as_of_date = %s", [WEEK_2]
        ).fetchall()
    )
    assert names == {"0101": "Woodlawn Middle", "0102": "New High"}
    exports = sorted((tmp_path / "drops").rglob("*.zip"))
    code, output = run("district", "check", contracts["steel_valley"].path, *exports)
    assert code == 0, "the changes are applied to the first export"
    assert "row rejected" not in output


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_results_are_marks_of_courses(
    connection: psycopg.Connection, tmp_path: Path, version: str
) -> None:
    tables = first_week()
    tables["lineItems"] = [
        {"sourcedId": f"li-{term}", "title": "Semester grade", "classSourcedId": class_,
         "gradingPeriodSourcedId": term, "resultValueMax": "100"}
        for term, class_ in (("t1", MATH_1), ("t2", MATH_2))
    ]  # fmt: skip
    tables["results"] = [
        {"sourcedId": "re-1", "lineItemSourcedId": "li-t1", "studentSourcedId": "u-1",
         "scoreStatus": "fully graded", "score": "91.5", "scoreDate": "2013-01-18"},
        {"sourcedId": "re-2", "lineItemSourcedId": "li-t2", "studentSourcedId": "u-1",
         "scoreStatus": "fully graded", "score": "59", "scoreDate": "2013-02-01"},
        {"sourcedId": "re-3", "lineItemSourcedId": "li-t2", "studentSourcedId": "u-2",
         "scoreStatus": "not submitted"},
    ]  # fmt: skip
    contracts = contract(tmp_path, version)
    export(tmp_path, WEEK_1, tables, version=version)
    outcomes = land_export(connection, contracts, tmp_path)
    assert rejects(connection) == []
    assert outcomes["results.csv"].counts.rows_filtered_out == 1
    assert connection.execute(
        """
        select
            district_student_id, school_year, marking_period, course_code, subject,
            mark
        from raw.course_marks order by marking_period
        """
    ).fetchall() == [
        ("000001", 2013, 1, "MAT", "Math", "A"),
        ("000001", 2013, 2, "MAT", "Math", "F"),
    ]


def test_rows_without_their_references_are_rejected(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    tables = first_week()
    tables["enrollments"] += [
        {"sourcedId": "e-x", "classSourcedId": MATH_1, "schoolSourcedId": "org-1",
         "userSourcedId": "nobody", "role": "student"},
        {"sourcedId": "e-y", "classSourcedId": MATH_1, "schoolSourcedId": "org-9",
         "userSourcedId": "u-1", "role": "student"},
    ]  # fmt: skip
    tables["demographics"].append({"sourcedId": "nobody", "birthDate": "2000-01-01"})
    contracts = contract(tmp_path, "1.1")
    export(tmp_path, WEEK_1, tables)
    land_export(connection, contracts, tmp_path)
    assert sorted(row[2:] for row in rejects(connection)) == [
        ("missing_value", "school"), ("missing_value", "student"), ("missing_value", "student"),
    ]  # fmt: skip
    assert spells(connection, WEEK_1) == SPELLS
