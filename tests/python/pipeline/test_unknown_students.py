"""Students whom no roster lists: their rows are loaded, counted nowhere, and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.python.conftest import UNTESTED
from tests.python.landing.deliveries import DIRECTORY, EVENT, pittsburgh, pittsburgh_csv

from outcomes.config import Settings
from outcomes.warehouse.connection import connect


def test_attendance_of_a_student_on_no_roster_is_loaded_and_reported(
    make_own_warehouse: Callable[..., Settings], tmp_path: Path
) -> None:
    strangers = [
        EVENT | {"StudentID": "000000777"},
        EVENT | {"StudentID": "000000777", "EventDate": "09/06/2012"},
        EVENT | {"StudentID": "000000778"},
    ]
    pittsburgh(
        tmp_path,
        {
            "STUDENT_DIRECTORY.csv": pittsburgh_csv([DIRECTORY]),
            "ATTENDANCE_EVENTS.csv": pittsburgh_csv([EVENT, *strangers]),
        },
    )
    built = make_own_warehouse(tmp_path, *UNTESTED, "--select", "+unknown_students")
    with connect(built) as connection:
        loaded = connection.execute(
            "select status, rows_loaded, rows_rejected from landing.files"
            " where contract_object = 'ATTENDANCE_EVENTS'"
        ).fetchall()
        unknown = connection.execute(
            "select district_id, feed, school_year, students, rows_affected"
            " from quality.unknown_students"
        ).fetchall()
    assert loaded == [("loaded", 4, 0)]
    assert unknown == [("pittsburgh", "attendance_events", 2013, 2, 3)]
