"""Days in session in the contract, for a district without a calendar file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from tests.python.conftest import run_dbt

from outcomes.config import PROJECT_DIR, Settings
from outcomes.contracts.reader import ContractError, load_contract, load_contracts
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect

ONBOARDING = PROJECT_DIR / "docs" / "onboarding"
# Seventeen weeks of five days minus three.
CALENDAR = {
    "firstDay": "2012-08-27",
    "lastDay": "2012-12-21",
    "closed": ["2012-09-03", "2012-11-22", "2012-11-23"],
    "daysInSession": 82,
}


def maple(folder: Path, *calendars: dict[str, Any], keep: tuple[str, ...] = ()) -> Path:
    """The contract of docs/onboarding.md, without its calendar file."""
    document = yaml.safe_load((ONBOARDING / "maple.odcs.yaml").read_text("utf-8"))
    names = {"roster", "absences", *keep}
    document["schema"] = [item for item in document["schema"] if item["name"] in names]
    if calendars:
        own = {"property": "calendars", "value": list(calendars)}
        document["customProperties"].append(own)
    folder.mkdir(exist_ok=True)
    file = folder / "maple.odcs.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return file


def months(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        """
        select
            right(district_student_id, 1)::integer, to_char(month, 'Mon'), days_enrolled,
            days_absent_excused::float, days_absent_unexcused::float
        from intermediate.int_attendance_months
        where district_student_id in ('000001', '000002', '000005')
        order by 1, month
        """
    ).fetchall()


@pytest.fixture
def without_deliveries(make_own_warehouse: Callable[..., Settings], tmp_path: Path) -> Settings:
    """A warehouse with its seeds."""
    return make_own_warehouse(tmp_path, files=[], is_built=False)


@pytest.fixture
def connection(without_deliveries: Settings) -> Iterator[psycopg.Connection]:
    with connect(without_deliveries) as opened:
        yield opened


def test_days_are_counted_by_the_calendar_of_the_contract(
    connection: psycopg.Connection, without_deliveries: Settings, tmp_path: Path
) -> None:
    drops = tmp_path / "drops"
    shutil.copytree(ONBOARDING / "drops" / "maple", drops / "maple")
    models = ["+int_attendance_months", "+int_days_known", "+int_missing_feeds"]

    def build(*calendars: dict[str, Any]) -> None:
        contracts = load_contracts(maple(tmp_path / "contracts", *calendars).parent)
        list(land_deliveries(connection, contracts, find_deliveries(drops, contracts).files))
        run_dbt(without_deliveries, "run", "--select", *models)

    connection.execute(
        """
        insert into crosswalks.code_crosswalk (domain, partner_id, source_code, code)
        select 'attendance', 'maple', code, category
        from (values
            ('U', 'unexcused_absence'), ('H', 'unexcused_absence'), ('E', 'excused_absence')
        ) as codes (code, category)
        """
    )
    known = "select bool_or(has_days), bool_or(has_absences) from intermediate.int_days_known"
    missing = "select missing_feeds from deliveries.int_missing_feeds"

    build()
    assert months(connection) == []
    assert connection.execute(known).fetchone() == (False, False)
    assert connection.execute(missing).fetchall() == [("calendar_days",)]

    # Five days in August; 20 weekdays in September minus Labor Day; the file is of October 1.
    # The fifth student left on September 14.
    build(CALENDAR)
    counted = [
        (1, "Aug", 5, 0.0, 0.0), (1, "Sep", 19, 0.0, 1.5), (1, "Oct", 1, 0.0, 0.0),
        (2, "Aug", 5, 0.0, 0.0), (2, "Sep", 19, 1.0, 0.0), (2, "Oct", 1, 0.0, 0.0),
        (5, "Aug", 5, 0.0, 0.0), (5, "Sep", 9, 0.0, 0.0),
    ]  # fmt: skip
    assert months(connection) == counted
    assert connection.execute(known).fetchone() == (True, True)
    assert connection.execute(missing).fetchall() == []

    # This school begins a week later than the others.
    own = {"firstDay": "2012-09-04", "lastDay": "2012-12-21", "daysInSession": 79}
    build(CALENDAR, own | {"schools": ["0101"]})
    september = [row for row in counted if row[1] != "Aug"]
    assert months(connection) == september


@pytest.mark.parametrize(
    ("calendars", "problem"),
    [
        ([CALENDAR | {"daysInSession": 85}], "daysInSession is 85, but firstDay to lastDay"),
        (
            [CALENDAR | {"closed": ["2012-09-01"]}],
            "2012-09-01 is not a weekday within the calendar",
        ),
        ([CALENDAR | {"lastDay": "2013-07-01"}], "of different school years"),
        ([CALENDAR | {"lastDay": "2012-08-01"}], "not a weekday within the calendar"),
        ([CALENDAR, CALENDAR], "the school year 2013 occurs twice for all schools"),
        ([CALENDAR | {"schools": ["0101"]}] * 2, "occurs twice for the school '0101'"),
        ([CALENDAR | {"holidays": []}], "unknown key"),
    ],
)
def test_a_calendar_that_does_not_add_up_is_refused(
    tmp_path: Path, calendars: list[dict[str, Any]], problem: str
) -> None:
    with pytest.raises(ContractError, match=problem):
        load_contract(maple(tmp_path, *calendars))


def test_a_district_has_one_calendar(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="for a district that sends no calendar_days"):
        load_contract(maple(tmp_path, CALENDAR, keep=("calendar",)))


def test_a_district_has_one_source_of_absences(tmp_path: Path) -> None:
    file = maple(tmp_path)
    document = yaml.safe_load(file.read_text("utf-8"))
    birch = yaml.safe_load((ONBOARDING / "birch.odcs.yaml").read_text("utf-8"))
    document["schema"].append(birch["schema"][1])
    file.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    with pytest.raises(ContractError, match="both report absences: bind the columns of one"):
        load_contract(file)
