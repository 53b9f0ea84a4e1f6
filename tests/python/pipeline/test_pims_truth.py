"""A district that sends PIMS templates, from the first file to student-years, against its truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.python.conftest import UNTESTED, run_dbt
from tests.python.landing import pims
from tests.python.landing.pims import AUN, OTHER_AUN, days, event, program, state_id, student

from outcomes.config import Settings
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect

FALL, JULY, NEXT_FALL = "2012-10-05", "2013-07-15", "2013-10-04"
FIRST_DAY = "2012-08-27"


def first_day(*numbers: int) -> list[dict[int, str]]:
    return [event(number, FIRST_DAY, "E01") for number in numbers]


# What the district sends in July about the year that has ended. Events are not in order.
EVENTS = [
    *first_day(1, 2, 3, 4, 5, 7, 8, 9, 10),
    event(2, "2012-11-02", "WD12"), event(2, "2012-11-05", "R12", school="0102"),
    event(3, "2012-11-30", "R11"), event(3, "2012-11-30", "WD11"),
    event(5, FIRST_DAY, "WD09"),
    event(6, "2012-07-01", "WD02"), event(6, "2012-07-01", "E01"),
    event(7, "2013-01-18", "WD02"),
    event(8, "2012-10-05", "WD01"), event(8, "2013-01-07", "E01"),
    # Nobody knows the code, but the student has left.
    event(10, "2013-01-18", "W4"),
]  # fmt: skip
DAYS = [
    days(1, 180, 170.5),
    days(2, 47, 45), days(2, 133, 130, calendar="MIDDLE"),
    days(3, 65, 60), days(3, 115, 111.5, funding=OTHER_AUN),
    # Sent again with another funding district: 180 days, not 360.
    days(4, 180, 160), days(4, 180, 160, funding=OTHER_AUN),
    days(7, 95, 85), days(8, 100, 90),
    # Corrected under another calendar, without deleting the first row.
    days(9, 180, 170), days(9, 178, 150, calendar="MIDDLE"),
    days(11, 180, 180),
]  # fmt: skip
STUDENTS = [student(n) for n in range(1, 11)]
PROGRAMS = [
    program(1, "055", "2012-10-01", "2012-12-21"), program(1, "055", "2013-01-07", "2013-06-30"),
    program(2, "035", "2012-11-05"), program(11, "056", "2012-08-27"),
]  # fmt: skip
# Each offender's highest sanction of an incident; suspended out of school are 2.5 + 1 days.
ACTIONS = [("I1", 1, "S4", "2.5"), ("I2", 1, "S4", "1"), ("I3", 1, "S3", "3"), ("I1", 2, "S5", "9")]
DISCIPLINE = {
    "PERSON": [
        {1: AUN, 2: f"P{number}", 3: "2013-06-30", 5: state_id(number)} for number in (1, 2)
    ],
    "INCIDENT": [
        {1: AUN, 2: "2013-06-30", 3: name, 4: "2012-11-14"} for name in ("I1", "I2", "I3")
    ],
    "INCIDENT_OFFNDR_DSPLNRY_ACTION": [
        {1: AUN, 2: incident, 3: f"P{number}", 4: code, 5: "2013-06-30", 8: length}
        for incident, number, code, length in ACTIONS
    ],
}

# Student → spells (school, entry, exit, exit code) of 2012-13, and days enrolled and absent.
SPELLS: dict[int, list[tuple[str, str, str | None, str | None]]] = {
    1: [("0101", FIRST_DAY, None, None)],
    2: [("0101", FIRST_DAY, "2012-11-02", "WD12"), ("0102", "2012-11-05", None, None)],
    3: [("0101", FIRST_DAY, "2012-11-30", "WD11"), ("0101", "2012-11-30", None, None)],
    4: [("0101", FIRST_DAY, None, None)],
    7: [("0101", FIRST_DAY, "2013-01-18", "WD02")],
    8: [("0101", FIRST_DAY, "2012-10-05", "WD01"), ("0101", "2013-01-07", None, None)],
    9: [("0101", FIRST_DAY, None, None)],
    10: [("0101", FIRST_DAY, "2013-01-18", None)],
}
# Days enrolled and absent, and whether the student is chronically absent (PDE).
YEARS: dict[int, tuple[float, float, bool] | None] = {
    1: (180, 9.5, False), 2: (180, 5, False), 3: (180, 8.5, False), 4: (180, 20, True),
    7: (95, 10, True), 8: (100, 10, False), 9: None, 10: None,
}  # fmt: skip


@pytest.fixture(scope="module")
def built(
    make_warehouse: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """A warehouse of three deliveries, one of them sent again, without linking."""
    folder = tmp_path_factory.mktemp("pims")
    drops = folder / "drops"
    fall = {
        "STUDENT": [student(n) for n in (1, 2, 4)], "SCHOOL_ENROLL": first_day(1, 2, 4),
        "STUDENT_CALENDAR_FACT": [days(n, 28, 20) for n in (1, 2, 4)],
        "PROGRAMS_FACT": [program(4, "056", FIRST_DAY)],
    }  # fmt: skip
    pims.deliver(drops, FALL, fall)
    again = {"STUDENT_CALENDAR_FACT": [days(n, 28, 28) for n in (1, 2, 4)]}
    pims.deliver(drops, FALL, again, time="0930")
    ended = {
        "STUDENT": STUDENTS, "SCHOOL_ENROLL": EVENTS, "STUDENT_CALENDAR_FACT": DAYS,
        "PROGRAMS_FACT": PROGRAMS, **DISCIPLINE,
    }  # fmt: skip
    samples = pims.deliver(drops, JULY, ended)
    begun = {
        "STUDENT": [student(1, 2014, p10="006")],
        "SCHOOL_ENROLL": [event(1, "2013-08-26", "E01", year=2014, grade="006")],
        "STUDENT_CALENDAR_FACT": [days(1, 29, 29, year=2014)],
    }
    pims.deliver(drops, NEXT_FALL, begun)
    contracts = pims.contract(folder, samples)
    settings = make_warehouse(folder, files=[], is_built=False)
    with connect(settings) as connection:
        # A snapshot of July has more rows, one of October fewer, but of another year.
        landed = land_deliveries(connection, contracts, find_deliveries(drops, contracts).files)
        assert {outcome.status for _, outcomes in landed for outcome in outcomes} == {"loaded"}
        connection.execute("insert into crosswalks.code_standards values ('oakmont', 'pims')")
    models = ["+int_student_year_outcomes", "+incomplete_records", "+int_student_weeks",
              "+unmapped_codes", "+int_missing_feeds", "+fct_attendance_months",
              "+fct_student_years", "+rpt_early_warnings"]  # fmt: skip
    # Tests that compare what a district of year totals does not send must not stop the build.
    tests = ["attendance_months_add_up", "early_warnings_agree_with_the_year"]
    run_dbt(settings, *UNTESTED, "--resource-type", "test", "--indirect-selection", "empty",
            "--select", *models, *tests)  # fmt: skip
    return settings


def rows(built: Settings, query: str) -> list[tuple[object, ...]]:
    with connect(built) as connection:
        return connection.execute(query.encode()).fetchall()


def test_transactions_become_spells(built: Settings) -> None:
    found = rows(
        built,
        """
        select district_student_id, school_code, entry_date::text, exit_date::text, exit_code
        from deliveries.int_enrollment_spells
        where school_year = 2013 and not is_no_show order by 1, spell_number
        """,
    )
    assert found == [(state_id(n), *spell) for n, spells in SPELLS.items() for spell in spells]


def test_days_have_their_own_denominator(built: Settings) -> None:
    found = rows(
        built,
        """
        select
            district_student_id, days_enrolled::float, days_absent::float,
            is_chronically_absent_pde, days_absent_excused, days_absent_unexcused
        from intermediate.int_student_year_outcomes where school_year = 2013 order by 1
        """,
    )
    assert found == [
        (state_id(n), *(truth or (None, None, None)), None, None) for n, truth in YEARS.items()
    ]


def test_programs_and_suspensions_count_for_the_year(built: Settings) -> None:
    assert rows(
        built,
        """
        select district_student_id, is_homeless, suspension_days::float
        from intermediate.int_student_year_outcomes where school_year = 2013 order by 1
        """,
    ) == [(state_id(n), n == 1, 3.5 if n == 1 else 0) for n in YEARS]
    assert rows(
        built,
        """
        select district_student_id, program, start_date::text, end_date::text
        from deliveries.int_programs_accepted order by 1, 3
        """,
    ) == [
        (state_id(1), "homeless_unaccompanied", "2012-10-01", "2012-12-21"),
        (state_id(1), "homeless_unaccompanied", "2013-01-07", "2013-06-30"),
        (state_id(2), "alternative_education", "2012-11-05", None),
    ]


def test_a_new_year_begins_beside_the_one_that_ended(built: Settings) -> None:
    assert rows(
        built,
        """
        select district_student_id, grade, days_enrolled, days_absent::float
        from intermediate.int_student_year_outcomes where school_year = 2014
        """,
    ) == [(state_id(1), 6, 29, 0.0)]


def test_codes_of_the_standard_are_known(built: Settings) -> None:
    assert rows(built, "select source_code, rows_affected from quality.unmapped_codes") == [
        ("W4", 1)
    ]
    assert rows(
        built,
        """
        select distinct grade, gender, race, is_english_learner, special_education, economic_status
        from intermediate.int_student_years where school_year = 2013
        """,
    ) == [(5, "female", 5, False, "none", "reduced")]


def test_contradictions_are_findings_of_the_district(built: Settings) -> None:
    assert rows(
        built,
        """
        select record_id, reason_code, contract_object, rows_affected
        from quality.incomplete_records order by 1, 3
        """,
    ) == [
        (state_id(4), "sent_twice", "STUDENT_CALENDAR_FACT", 1),
        (state_id(9), "impossible_days", "STUDENT_CALENDAR_FACT", 1),
        (state_id(11), "not_on_roster", "PROGRAMS_FACT", 1),
        (state_id(11), "not_on_roster", "STUDENT_CALENDAR_FACT", 1),
    ]


def test_what_totals_of_a_year_do_not_tell_is_unknown_to_early_warnings(built: Settings) -> None:
    """Weeks and months; and no feed is reported missing, because the year is known."""
    assert rows(
        built,
        """
        select distinct district_student_id, days_enrolled, days_absent, days_absent_unexcused
        from intermediate.int_student_weeks
        """,
    ) == [(state_id(1), None, None, None)]
    assert rows(built, "select * from intermediate.int_attendance_months") == []
    assert rows(built, "select * from deliveries.int_missing_feeds") == []
