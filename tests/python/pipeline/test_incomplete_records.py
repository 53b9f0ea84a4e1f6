"""Rows whose counterpart in another file is missing, rejected or a week late.

For every pair of joined feeds, there are three students (or clients): the counterpart of
the first is never delivered, that of the second is broken, that of the third arrives
with the next delivery. No such row stops a build, each is listed with its reason, and
a late counterpart gives the same result. Unmapped codes and extreme numbers do not
stop a build, either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.python.conftest import TESTED, run_dbt
from tests.python.landing.deliveries import (
    AUN,
    CLAIRTON_STUDENT,
    CLIENT,
    DIRECTORY,
    clairton,
    csv_text,
    deliver,
    dhs,
    pittsburgh,
    pittsburgh_csv,
    two_program_partners,
    woodland,
)
from tests.python.pipeline.content import BUILD_FACTS, content_hashes

from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect

KINDS = ("missing", "rejected", "late")


@dataclass(frozen=True)
class Week:
    """One week's deliveries, and whether the late rows are delivered."""

    number: int
    has_late: bool

    def day(self, weekday: int) -> str:
        """A day of October 2012, 1 for the Monday."""
        return str(date(2012, 10, weekday + 7 * (self.number - 1)))

    def counterpart(self, kind: str, whole: Any, broken: Any) -> list[Any]:
        """The rows of a counterpart of this kind: whole, broken or none."""
        if kind == "whole" or (kind == "late" and self.has_late):
            return [whole]
        return [broken] if kind == "rejected" else []


# The missing counterpart, by the first digits of the id. "whole" and "odd" lack none;
# "odd" has unexpected values; the counterpart of "later" is broken in the second week.
PITTSBURGH = {
    "whole": "10", "directory": "11", "demographics": "12", "calendar": "13", "odd": "14",
    "later": "15",
}  # fmt: skip
COMPLETE = ("whole", "odd", "later")
WOODLAND = {"whole": "20", "student": "21", "enrollment": "22", "entry": "23", "odd": "24"}
CLAIRTON = {"whole": "30", "student": "31", "odd": "32"}
UNMAPPED = {
    ("pittsburgh", "enrollments.entry_code", "ZZ99"),
    ("woodland_hills", "students.primary_disability", "Unheard of"),
    ("woodland_hills", "enrollments.activity_code", "WD99"),
    ("clairton", "students.primary_disability", "Unheard of"),
    ("head_start", "clients.sex", "F"),
}


def numbered(prefix: str, kind: str, digits: int) -> str:
    """An invented id: `prefix` is the missing counterpart, the last digit the reason."""
    return f"{prefix}{('whole', *KINDS).index(kind):0{digits - len(prefix)}d}"


def students(lacking: dict[str, str], digits: int) -> list[tuple[str, str, str]]:
    """Missing counterpart, reason, and id of each student of a district."""
    return [
        (lack, kind, numbered(prefix, kind, digits))
        for lack, prefix in lacking.items()
        for kind in (["whole"] if lack in COMPLETE else KINDS)
    ]


def given(lack: str, kind: str, of: str) -> str:
    """The kind of a student's row in the file `of`."""
    return kind if lack == of else "whole"


def deliver_pittsburgh(drops: Path, week: Week) -> None:
    day = week.day(1)
    files: dict[str, list[dict[str, str]]] = {
        name: []
        for name in (
            "STUDENT_DIRECTORY", "STUDENT_DEMOGRAPHICS", "SCHOOL_CALENDAR", "ATTENDANCE_EVENTS",
            "TERM_GPA", "COURSE_MARKS", "PSSA_2012", "DISCIPLINE",
        )
    }  # fmt: skip
    schools = {"0017": "whole"}
    for lack, kind, student_id in students(PITTSBURGH, 9):
        key = {"StudentID": student_id}
        school = "0017"
        if lack == "calendar":
            school = f"09{student_id[-2:]}"
            schools[school] = kind
        row = DIRECTORY | key | {
            "PASecureID": f"1{student_id}", "SchoolCode": school, "Grade": "010",
            "BirthDate": "05/01/1997", "LegalFirstName": f"Ada{'abcd'[int(student_id[-1])]}",
            "LegalLastName": f"Invented{lack}", "EntryCode": "ZZ99" if lack == "odd" else "E01",
        }  # fmt: skip
        files["STUDENT_DIRECTORY"] += week.counterpart(
            "rejected" if lack == "later" and week.number == 2 else given(lack, kind, "directory"),
            row,
            row | {"ExitDate": "08/01/2012"},
        )
        demographics = {
            **key, "Race": "3", "EnglishLearner": "99", "SpecialEd": "N",
            "PrimaryDisability": "", "EconStatus": "F", "HomelessFlag": "N",
            "HomeLanguage": "English",
        }  # fmt: skip
        files["STUDENT_DEMOGRAPHICS"] += week.counterpart(
            given(lack, kind, "demographics"), demographics, demographics | {"StudentID": "x"}
        )
        files["ATTENDANCE_EVENTS"].append(
            {**key, "SchoolCode": school, "EventDate": "09/04/2012", "EventCode": "U",
             "DayFraction": "1"}
        )  # fmt: skip
        files["TERM_GPA"].append(
            {**key, "SchoolYear": "2012-13", "Term": "1", "CumulativeGPA": "3.0",
             "WeightedGPA": "3.1"}
        )  # fmt: skip
        files["COURSE_MARKS"].append(
            {**key, "SchoolYear": "2012-13", "Term": "1", "CourseCode": "M1",
             "CourseName": "Math", "Subject": "MATH", "Mark": "E", "Credits": "1"}
        )  # fmt: skip
        result = {
            **key, "TestYear": "2012", "Grade": "009", "Subject": "MATH", "ScaledScore": "1300",
            "PerformanceLevel": "Proficient",
        }  # fmt: skip
        files["PSSA_2012"].append(result)
        action = {
            **key, "IncidentDate": "09/05/2012", "OffenseCode": "9", "Action": "OSS", "Days": "2",
        }  # fmt: skip
        files["DISCIPLINE"].append(action)
        if lack == "odd":
            files["PSSA_2012"].append(result | {"Subject": "READING", "ScaledScore": "1300000"})
            files["DISCIPLINE"].append(action | {"Days": "2000000"})
    for school, kind in schools.items():
        for number in (4, 5, 6, 7):
            row = {"SchoolCode": school, "SchoolName": "Invented",
                   "CalendarDate": f"09/0{number}/2012", "InSession": "Y"}  # fmt: skip
            files["SCHOOL_CALENDAR"] += week.counterpart(kind, row, row | {"InSession": "?"})
    pittsburgh(drops, {f"{n}.csv": pittsburgh_csv(rows, day) for n, rows in files.items()}, day)


def deliver_woodland(drops: Path, week: Week) -> None:
    files: dict[str, list[str]] = {
        name: []
        for name in ("STUDENT", "ENROLLMENT", "CALENDAR", "ATTENDANCE", "GPA", "ASSESSMENT",
                     "DISCIPLINE")
    }  # fmt: skip
    for lack, kind, student_id in students(WOODLAND, 6):
        state_id = f"2000{student_id}"
        student = (
            f"{AUN}|0103|2013-06-30|{state_id}|{student_id}|Invented{lack}|Di"
            f"{'abcd'[int(student_id[-1])]}|||{{born}}|F|3 Invented Way|Pittsburgh|PA|15221|008|3"
            f"|99|N|{'Unheard of' if lack == 'odd' else ''}|F|"
        )
        files["STUDENT"] += week.counterpart(
            given(lack, kind, "student"),
            student.format(born="1998-11-08"),
            student.format(born="1998-11-31"),
        )
        event = f"{AUN}|0103|{state_id}|{{day}}|{{code}}|008"
        files["ENROLLMENT"] += week.counterpart(
            given(lack, kind, lack if lack in ("enrollment", "entry") else ""),
            event.format(day="2012-08-27", code="E01"),
            event.format(day="2012-08-37", code="E01"),
        )
        if lack in ("entry", "odd"):
            code = "WD02" if lack == "entry" else "WD99"
            files["ENROLLMENT"].append(event.format(day="2012-09-28", code=code))
        files["ATTENDANCE"].append(f"{AUN}|0103|{state_id}|2012-09-04|A|N")
        files["GPA"].append(f"{AUN}|{state_id}|2013-06-30|1|3.5")
        files["ASSESSMENT"].append(f"{AUN}|{state_id}|2012|007|PSSA|M|1300|3")
        files["DISCIPLINE"].append(f"{AUN}|{state_id}|2012-09-05|9|OSS|1")
    files["CALENDAR"] = [f"{AUN}|0103|Invented|2012-09-0{n}|Y" for n in (4, 5, 6, 7)]
    for template, lines in files.items():
        woodland(drops, template, lines, day=week.day(5))
    # The same content under two names is one file.
    woodland(drops, "GPA", files["GPA"], time="1945", day=week.day(5))


def deliver_clairton(drops: Path, week: Week) -> None:
    sheets: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("Students", "Attendance", "Report Cards", "Tests")
    }
    for lack, kind, student_id in students(CLAIRTON, 6):
        key = {"ID": student_id}
        row = CLAIRTON_STUDENT | key | {
            "State ID": f"3000{student_id}", "First": f"Bo{'abcd'[int(student_id[-1])]}",
            "Disability": "Unheard of" if lack == "odd" else None,
        }  # fmt: skip
        sheets["Students"] += week.counterpart(
            given(lack, kind, "student"), row, row | {"DOB": "5/41/03"}
        )
        month = {
            **key, "Month": "2012-09", "Days Enrolled": 19, "Days Present": 17.5, "Excused": 1,
            "Unexcused": 0.5,
        }  # fmt: skip
        sheets["Attendance"].append(month)
        # More days absent than enrolled: neither number is usable.
        sheets["Attendance"].append(
            month | {"Month": "2012-08", "Days Enrolled": 1, "Excused": 31, "Unexcused": 0}
        )
        if lack == "odd":
            thirds = {"Days Enrolled": 18.5, "Excused": 0.333, "Unexcused": 0.333}
            sheets["Attendance"][-2] |= thirds
            sheets["Attendance"].append(month | thirds | {"Month": "2012-10"})
        sheets["Report Cards"].append(key | {"Year": "2012-13", "Quarter": 1, "GPA": 3.0})
        sheets["Tests"].append(
            key | {"Year": 2012, "Grade": 3, "Test": "PSSA", "Subject": "Math", "Score": 1300,
                   "Level": "P"}
        )  # fmt: skip
    clairton(drops, sheets, day=week.day(3))


def deliver_programs(drops: Path, week: Week) -> None:
    clients, services = [], []
    for kind in ("whole", *KINDS):
        client = CLIENT | {"source_client_id": f"CW-{kind}", "last_name": f"PROGRAM{kind}"}
        clients += week.counterpart(kind, client, client | {"updated_at": "yesterday"})
        services.append({"source_service_id": f"S-{kind}", "source_client_id": f"CW-{kind}"})
    dhs(drops, "clients", "child_welfare", clients, day=week.day(5))
    dhs(drops, "services", "child_welfare", services, day=week.day(5))
    # The second program partner has a client with an id of the first one's.
    pupil = CLIENT | {
        "source_client_id": "CW-whole", "last_name": "INVENTEDWHOLE", "first_name": "ADAA",
        "birth_date": "1997-05-01", "sex": "F", "street": "1 INVENTED ST APT 2",
        "city": "PITTSBURGH", "zip": "15201",
    }  # fmt: skip
    served = {
        "source_service_id": "S-whole", "source_client_id": "CW-whole",
        "program_code": "HEAD_START",
    }  # fmt: skip
    for kind, row in (("clients", pupil), ("services", served)):
        dhs(drops, kind, "early_childhood", [row], day=week.day(5), partner_id="head_start")
    roster = {
        "intervention_code": "A", "intervention_name": "Invented", "district_id": "pittsburgh",
        "started_on": "2012-09-03", "ended_on": "",
    }  # fmt: skip
    participants = [
        roster | {"district_student_id": student_id} for _, _, student_id in students(PITTSBURGH, 9)
    ]
    participants += [
        participants[0],  # listed twice
        roster | {"district_id": "atlantis", "district_student_id": "1"},
        roster | {"district_id": "dhs", "district_student_id": "1"},
    ]
    text = csv_text(participants, participants[0])
    deliver(drops, f"interventions/{week.day(5)}/roster.csv", text.encode())


def deliver_week(drops: Path, week: Week) -> Path:
    """All partners' deliveries of a week, with the faults."""
    for deliver_partner in (deliver_pittsburgh, deliver_woodland, deliver_clairton,
                            deliver_programs):  # fmt: skip
        deliver_partner(drops, week)
    return drops


def findings(connection: psycopg.Connection) -> set[tuple[str, str, str, str]]:
    """Partner, file, record and reason of each incomplete record."""
    return set(
        connection.execute(
            "select partner_id, contract_object, record_id, reason_code "
            "from quality.incomplete_records"
        ).fetchall()
    )


def expected_findings(kinds: tuple[str, ...]) -> set[tuple[str, str, str, str]]:
    """The expected findings while counterparts of these kinds are missing."""
    found = set()
    for kind in kinds:
        lost = numbered(PITTSBURGH["directory"], kind, 9)
        found |= {
            ("pittsburgh", file, lost, "not_on_roster")
            for file in ("STUDENT_DEMOGRAPHICS", "ATTENDANCE_EVENTS", "TERM_GPA", "COURSE_MARKS",
                         "PSSA", "DISCIPLINE")
        }  # fmt: skip
        found |= {
            ("interventions", "roster", f"pittsburgh:{lost}", "not_on_roster"),
            ("pittsburgh", "STUDENT_DIRECTORY", numbered(PITTSBURGH["demographics"], kind, 9),
             "not_on_every_roster"),
            ("pittsburgh", "STUDENT_DIRECTORY", numbered(PITTSBURGH["calendar"], kind, 9),
             "school_without_calendar"),
            ("dhs", "services", f"child_welfare:CW-{kind}", "no_client_record"),
        }  # fmt: skip
        others = ("ATTENDANCE", "GPA", "DISCIPLINE")
        found |= {
            ("woodland_hills", file, f"2000{numbered(WOODLAND['student'], kind, 6)}",
             "not_on_roster")
            for file in ("ENROLLMENT", "ASSESSMENT", *others)
        }  # fmt: skip
        found |= {
            ("woodland_hills", file, f"2000{numbered(WOODLAND[lack], kind, 6)}", "not_enrolled")
            for lack, files in {
                "enrollment": others, "entry": ("ENROLLMENT", *others)
            }.items()
            for file in files
        }  # fmt: skip
        found |= {
            ("woodland_hills", "STUDENT", numbered(WOODLAND[lack], kind, 6), "not_enrolled")
            for lack in ("enrollment", "entry")
        }
        found.add(
            ("woodland_hills", "ENROLLMENT", f"2000{numbered(WOODLAND['entry'], kind, 6)}",
             "exit_without_entry")
        )  # fmt: skip
        found |= {
            ("clairton", file, numbered(CLAIRTON["student"], kind, 6), "not_on_roster")
            for file in ("Attendance", "Report Cards", "Tests")
        }
    on_roster = [numbered(CLAIRTON[lack], "whole", 6) for lack in ("whole", "odd")]
    on_roster += [numbered(CLAIRTON["student"], k, 6) for k in KINDS if k not in kinds]
    found |= {
        ("clairton", "Attendance", student_id, "absent_longer_than_enrolled")
        for student_id in on_roster
    }
    return found


def column(connection: psycopg.Connection, query: str) -> set[Any]:
    return {value for (value,) in connection.execute(query.encode()).fetchall()}


def land(built: Settings, drops: Path, contracts_folder: Path) -> None:
    contracts = load_contracts(contracts_folder)
    with connect(built) as connection:
        connection.execute("set role outcomes_loader")
        for _ in land_deliveries(connection, contracts, find_deliveries(drops, contracts).files):
            pass


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Contracts of two program partners."""
    return two_program_partners(tmp_path_factory.mktemp("agreed") / "contracts")


@pytest.fixture(scope="module")
def first_week(
    make_warehouse: Callable[..., Settings],
    tmp_path_factory: pytest.TempPathFactory,
    contracts: Path,
) -> Settings:
    """The first week, built with all data tests."""
    drops = deliver_week(tmp_path_factory.mktemp("first"), Week(1, has_late=False))
    return make_warehouse(drops, *TESTED, "--exclude-resource-type", "seed", contracts=contracts)


def test_rows_without_a_counterpart_are_listed_with_the_reason(first_week: Settings) -> None:
    with connect(first_week) as connection:
        assert findings(connection) == expected_findings(KINDS)
        assert not column(
            connection,
            "select record_id from quality.incomplete_records"
            " where what_to_do is null or left_out_of is null"
            " or (missing_from is null and partner_id <> 'interventions')",
        )
        # A roster row of an unknown district is rejected.
        rejected = connection.execute(
            """
            select rejected_rows.reason_code, count(*)
            from landing.rejected_rows
            inner join landing.files using (file_id)
            where files.partner_id = 'interventions'
            group by rejected_rows.reason_code
            """
        ).fetchall()
        assert rejected == [("unknown_code", 2)]
        counted = dict(
            connection.execute(
                "select partner_id, incomplete_records from quality.delivery_scorecards"
            ).fetchall()
        )
    listed = {
        partner: len({record for p, _, record, _ in expected_findings(KINDS) if p == partner})
        for partner in counted
    }
    assert counted == listed


def test_students_are_those_on_the_roster(first_week: Settings) -> None:
    named = {
        f"{district}:{student_id}"
        for district, lacking, digits, roster in (
            ("pittsburgh", PITTSBURGH, 9, "directory"),
            ("woodland_hills", WOODLAND, 6, "student"),
            ("clairton", CLAIRTON, 6, "student"),
        )
        for lack, _, student_id in students(lacking, digits)
        if lack != roster
    }
    without_year = {
        f"woodland_hills:{student_id}"
        for lack, _, student_id in students(WOODLAND, 6)
        if lack in ("enrollment", "entry")
    }
    with connect(first_week) as connection:
        assert column(connection, "select student_key from marts.dim_students") == named
        years = column(connection, "select student_key from marts.fct_student_years")
        assert years == named - without_year
        tested = column(connection, "select student_key from marts.fct_assessments")
        assert tested == named


def test_complete_students_have_the_right_figures(first_week: Settings) -> None:
    with connect(first_week) as connection:
        rows = connection.execute(
            """
            select student_key, days_enrolled, days_absent, gpa, suspension_days, race
            from marts.fct_student_years
            where right(student_key, 1) = '0' and student_key !~ ':(1[45]|24|32)'
            order by student_key
            """
        ).fetchall()
        demographics = connection.execute(
            """
            select distinct race, days_enrolled, days_absent, gpa from marts.fct_student_years
            where student_key like 'pittsburgh:12%'
            """
        ).fetchall()
    assert rows == [
        ("clairton:300000", 19, 1.5, 3, None, 5),
        ("pittsburgh:100000000", 4, 1, 3, 2, 3),
        ("woodland_hills:200000", 4, 1, 3.5, 1, 3),
    ]
    assert demographics == [(None, 4, 1, 3)]


def test_a_second_program_partners_clients_are_linked_and_counted(first_week: Settings) -> None:
    with connect(first_week) as connection:
        linked = connection.execute(
            """
            select crosswalk.partner_id, crosswalk.record_id, student_key, crosswalk.decision
            from identity.person_crosswalk as crosswalk
            inner join marts.dim_students using (person_id)
            where record_type = 'client'
            """
        ).fetchall()
        services = connection.execute(
            "select source_id, program_group from marts.fct_involvements"
        ).fetchall()
        involved = connection.execute(
            """
            select student_key, program_group from marts.fct_student_year_involvements
            where involved_ever
            """
        ).fetchall()
    pupil = "pittsburgh:100000000"
    assert linked == [("head_start", "early_childhood:CW-whole", pupil, "link")]
    assert services == [("early_childhood", "early_childhood")]
    assert involved == [(pupil, "early_childhood")]


def test_unexpected_values_stop_no_build(first_week: Settings) -> None:
    with connect(first_week) as connection:
        unmapped = connection.execute(
            "select partner_id, feed_column, source_code from quality.unmapped_codes"
        ).fetchall()
        odd = connection.execute(
            """
            select student_key, suspension_days, days_enrolled, days_absent
            from marts.fct_student_years
            where student_key ~ ':(14|24|32)0' order by student_key
            """
        ).fetchall()
        rejected = connection.execute(
            """
            select contract_object, column_name, occurrences from quality.file_issues
            where reason_code = 'out_of_range' order by contract_object
            """
        ).fetchall()
    assert set(unmapped) == UNMAPPED
    assert odd == [
        ("clairton:320000", None, 38, Decimal("1.32")),
        ("pittsburgh:140000000", 2, 4, 1),
        ("woodland_hills:240000", 1, 4, 1),
    ]
    assert rejected == [("DISCIPLINE", "Days", 1), ("PSSA", "ScaledScore", 1)]


def test_late_counterparts_give_the_same_result(
    first_week: Settings,
    make_own_warehouse: Callable[..., Settings],
    tmp_path_factory: pytest.TempPathFactory,
    contracts: Path,
) -> None:
    second = deliver_week(tmp_path_factory.mktemp("second"), Week(2, has_late=True))
    land(first_week, second, contracts)
    run_dbt(first_week, *BUILD_FACTS)
    in_time = deliver_week(tmp_path_factory.mktemp("in_time"), Week(1, has_late=True))
    never_late = make_own_warehouse(
        in_time, *BUILD_FACTS, files=[in_time, second], contracts=contracts
    )
    with connect(first_week) as late, connect(never_late) as expected:
        assert findings(late) == findings(expected)
        assert findings(late) == expected_findings(("missing", "rejected")) | {
            ("pittsburgh", file, numbered(PITTSBURGH["later"], "whole", 9), "not_enrolled")
            for file in (
                "STUDENT_DEMOGRAPHICS",
                "ATTENDANCE_EVENTS",
                "TERM_GPA",
                "COURSE_MARKS",
                "DISCIPLINE",
            )
        }
        found, wanted = content_hashes(late), content_hashes(expected)
    # Scorecards and the days since which students are known tell of the first week, too.
    compared = {
        table
        for table in wanted
        if not table.startswith("quality.") and table != "identity.int_identity_persons"
    }
    assert len(compared) > 15
    assert {table: found[table] for table in compared} == {
        table: wanted[table] for table in compared
    }
