"""A district's students with a warning, for its counselors, where the agreement allows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from tests.python.conftest import copied

from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.reports.counselors import write_counselors
from outcomes.reports.district import report_file, write_all_reports
from outcomes.warehouse.connection import connect


@pytest.fixture(scope="module")
def demo(built_demo: Settings) -> Iterator[Settings]:
    with copied(built_demo, "counselors_demo") as settings:
        yield settings


def test_the_counselors_see_the_students_with_a_warning_of_their_district(
    demo: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "pittsburgh.xlsx"
    with connect(demo) as connection:
        write_counselors(connection, "pittsburgh", file)
        expected = connection.execute(
            """
            select district_student_id, last_name, coalesce(new_flags, 'nothing')
            from marts.rpt_early_warnings
            inner join marts.dim_students using (student_key, district_id, district_student_id)
            where
                district_id = 'pittsburgh' and is_latest_week
                and true in (
                    has_attendance_flag, has_behavior_flag, has_course_flag, has_gpa_flag
                )
            """
        ).fetchall()
        disclosed = connection.execute(
            "select partner_id, party, purpose, row_count from privacy.disclosures "
            "where disclosed = 'report counselors'"
        ).fetchall()
    (sheet,) = openpyxl.load_workbook(file).worksheets
    headings, *rows = sheet.values
    listed = [dict(zip(headings, row, strict=True)) for row in rows]
    columns = ("district student id", "last name", "new since last delivery")
    assert sorted(tuple(row[column] for column in columns) for row in listed) == sorted(expected)
    assert len(listed) > 3
    # A cell without a warning says why.
    assert {row["behavior"][:5] for row in listed} == {"since", "no wa"}
    assert {row["courses"] for row in listed} == {"no threshold", "no data"}
    assert disclosed == [("pittsburgh", "pittsburgh", "service_coordination", len(listed))]


def test_no_list_without_coordination_of_services_in_the_agreement(
    demo: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "clairton.xlsx"
    with (
        connect(demo) as connection,
        pytest.raises(OutcomesError, match="not for coordination of services"),
    ):
        write_counselors(connection, "clairton", file)
    assert not file.exists()


def test_a_week_deletes_the_list_that_the_agreement_no_longer_allows(
    demo: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", demo.database)
    with connect(demo) as connection:
        withdrawn = report_file(connection, "counselors/clairton")
        withdrawn.parent.mkdir(parents=True)
        withdrawn.touch()
        written = write_all_reports(connection)
    assert sorted(withdrawn.parent.iterdir()) == [
        written["pittsburgh, for counselors"],
        written["woodland_hills, for counselors"],
    ]
