"""The dashboards, opened by each role: what it sees, and what it must not see."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from psycopg.types.json import Jsonb
from starlette.testclient import TestClient
from tests.python.web.pages import problems

from outcomes.access.logins import make_login
from outcomes.access.roles import ANALYST, STEWARD
from outcomes.config import Settings
from outcomes.dashboards.caseworkers import client_ids
from outcomes.dashboards.page import Table
from outcomes.dashboards.reader import Rows
from outcomes.dashboards.site import PAGES, pages
from outcomes.linkage.review_queue import count_queue
from outcomes.warehouse.connection import connect
from outcomes.web.door import Key
from outcomes.web.server import make_app

# The pages that each role can open; everybody reads the public one.
MAY = {
    "public": {"gaps"},
    "analyst": {"gaps", "new_risks", "action_research"},
    "caseworker": {"gaps", "my_children"},
    "district_pittsburgh": {"gaps", "students_at_risk", "feed_health"},
    "steward": {"gaps", "students_at_risk", "my_children", "feed_health", "link_quality"},
}
KEY = Key(8080)


@pytest.fixture(scope="module")
def people(large_county: Settings) -> Iterator[Settings]:
    """A login for each role, named `reader_<role>`, and `reader_all`."""
    with connect(large_county) as owner:
        for role in MAY:
            make_login(owner, f"reader_{role}", "a good one", f"outcomes_{role}")
        make_login(owner, "reader_all", "a good one", ANALYST, STEWARD)
        yield large_county
        for role in [*MAY, "all"]:
            owner.execute(f"drop owned by reader_{role}; drop role reader_{role}".encode())


def environment(built: Settings, role: str) -> dict[str, str]:
    """The environment of a login of a role."""
    return {
        "OUTCOMES_PG_DATABASE": built.database,
        "OUTCOMES_PG_USER": f"reader_{role}",
        "OUTCOMES_PG_PASSWORD": "a good one",
    }


@contextmanager
def opened(built: Settings, role: str) -> Iterator[TestClient]:
    """A browser in which a login of a role has opened the dashboards."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(built, role).items():
            patch.setenv(name, value)
        app = make_app(*pages(f"reader_{role}"), KEY)
        browser = TestClient(app, "http://127.0.0.1:8080")
        assert browser.get(KEY.address).status_code == 200
        yield browser


def downloaded(browser: TestClient, address: str) -> list[dict[str, str]]:
    """The rows of a table that a page offers."""
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


# For each table, as one of its roles: what PostgreSQL says. The columns have the table's names.
FIGURES: list[tuple[str, str, str]] = [
    (
        "public",
        "/gaps/years.csv?district=pittsburgh&measure=attendance_rate&services=prior_year",
        """
        select
            (school_year - 1) || '–' || right(school_year::text, 2) as year,
            n_involved as students_with_services,
            to_char(100 * value_involved, 'FM990.0 "%"') as value_with_services,
            to_char(100 * value_not_involved, 'FM990.0 "%"') as value_of_others,
            to_char(100 * gap, 'SGFM990.0 "points"') as gap,
            to_char(100 * ci_low, 'SGFM990.0') || ' to ' || to_char(100 * ci_high, 'SGFM990.0')
                as "95 % interval"
        from marts_public.rpt_outcome_gaps
        where
            district_id = 'pittsburgh' and measure = 'attendance_rate'
            and involvement = 'prior_year' and program_group = 'any'
        order by school_year
        """,
    ),
    (
        "public",
        "/gaps/programs.csv?measure=gpa",
        """
        select
            program_group_label as students_or_services,
            case when is_suppressed then 'suppressed' else to_char(value_involved, 'FM990.00') end
                as value_with_services,
            case
                when is_suppressed then 'suppressed'
                else to_char(gap, 'FMSG990.00') || ' grade points'
            end as gap
        from marts_public.rpt_outcome_gaps
        where
            district_id = 'all' and measure = 'gpa' and involvement = 'ever'
            and program_group <> 'any'
            and school_year = (select max(school_year) from marts_public.rpt_outcome_gaps)
        order by program_group_label
        """,
    ),
    (
        "steward",
        "/students_at_risk/students.csv?district=clairton",
        """
        select district_student_id, days_enrolled
        from marts_district.rpt_early_warnings
        where
            is_latest_week and district_id = 'clairton'
            and (
                has_attendance_flag is true or has_behavior_flag is true
                or has_course_flag is true or has_gpa_flag is true
            )
        """,
    ),
    (
        "steward",
        "/students_at_risk/students.csv?kind=new",
        """
        select district_student_id, new_flags as new_since_last_delivery
        from marts_district.rpt_early_warnings
        where is_latest_week and new_flags is not null
        """,
    ),
    (
        "steward",
        "/students_at_risk/schools.csv?district=clairton",
        """
        select
            count(*) as students,
            case when count(has_gpa_flag) > 0 then count(*) filter (where has_gpa_flag) end
                as grade_average
        from marts_district.rpt_early_warnings
        where is_latest_week and district_id = 'clairton'
        group by school_code
        """,
    ),
    (
        "steward",
        "/students_at_risk/promise.csv?district=pittsburgh",
        """
        select
            'Class of ' || class_year as class,
            case when count(gpa) > 0 then count(*) filter (where gpa < gpa_min) end
                as grade_average_too_low,
            count(*) - count(gpa) as grade_average_missing,
            count(*) filter (
                where 1 - days_counted_absent / nullif(days_enrolled, 0) < attendance_min
            ) as attendance_too_low
        from marts_district.rpt_promise_pipeline
        where school_year = 2013 and district_id = 'pittsburgh'
        group by class_year
        """,
    ),
    (
        "analyst",
        "/new_risks/levels.csv",
        """
        select
            count(*) as students,
            count(*) filter (
                where num_nulls(
                    has_attendance_flag, has_behavior_flag, has_course_flag, has_gpa_flag
                ) < 4
            ) as known_for,
            count(*) filter (
                where exists (
                    select from marts_pseudonymized.rpt_absence_risks as risks
                    where risks.student_key = warnings.student_key and is_on_course_federal
                )
            ) as on_course_for_chronic_absence
        from marts_pseudonymized.rpt_early_warnings as warnings
        inner join marts_pseudonymized.fct_student_years using (student_key, school_year)
        group by involved_ever
        """,
    ),
    (
        "analyst",
        "/action_research/cohort.csv?base_year=2012",
        """
        select
            n_students as people,
            coalesce(to_char(100 * attendance_rate, 'FM990.0 "%"'), 'too few') as attendance,
            coalesce(to_char(gpa, 'FM0.00'), 'too few') as grade_average,
            n_with_gpa as with_known_grades
        from marts_pseudonymized.rpt_cohort_trajectories
        where base_year = 2012 and group_type in ('all', 'involvement')
        """,
    ),
    (
        "analyst",
        "/new_risks/students.csv",
        """
        select student_key as student_pseudonym, new_flags as new_since_last_delivery
        from marts_pseudonymized.rpt_early_warnings
        inner join marts_pseudonymized.fct_student_years using (student_key, school_year)
        where involved_ever and new_flags is not null
        """,
    ),
    (
        "analyst",
        "/new_risks/counts.csv",
        """
        select
            (school_year - 1) || '–' || right(school_year::text, 2)
            || case when school_year = 2013 then ' so far' else '' end as school_year,
            count(*) as moves
        from marts_pseudonymized.rpt_school_moves as moves
        group by moves.school_year
        """,
    ),
    # Also over a summer, in which a district reports no exit.
    (
        "analyst",
        "/action_research/moves.csv",
        """
        select from_district.district_name as from_district,
            to_district.district_name as to_district, count(distinct later.person_id) as people
        from marts_pseudonymized.fct_enrollments as earlier
        inner join marts_pseudonymized.fct_enrollments as later using (person_id)
        inner join marts.dim_districts as from_district
            on earlier.district_id = from_district.district_id
        inner join marts.dim_districts as to_district
            on later.district_id = to_district.district_id
        where
            earlier.district_id <> later.district_id
            and coalesce(earlier.exit_date, make_date(earlier.school_year, 6, 30))
            < later.entry_date
            and not exists (
                select from marts_pseudonymized.fct_enrollments as between_them
                where
                    between_them.person_id = later.person_id
                    and between_them.entry_date > earlier.entry_date
                    and between_them.entry_date < later.entry_date
            )
        group by 1, 2
        """,
    ),
    (
        "analyst",
        "/action_research/effects.csv?intervention=TUT",
        """
        select measure_label as measure, n_participants as participants
        from marts_pseudonymized.rpt_intervention_effects
        where intervention_code = 'TUT'
        """,
    ),
    (
        "district_pittsburgh",
        "/feed_health/scorecards.csv",
        """
        select as_of_date as delivery, grade, rows_loaded as rows_taken
        from district_pittsburgh.delivery_scorecards
        order by as_of_date desc
        limit 1
        """,
    ),
    (
        "district_pittsburgh",
        "/feed_health/faults.csv",
        """
        select as_of_date as delivery, count(*) as files, sum(occurrences)::bigint as times
        from district_pittsburgh.file_issues
        where not is_superseded
        group by as_of_date, contract_object, column_name, meaning, what_to_do
        """,
    ),
    (
        "district_pittsburgh",
        "/feed_health/contradictions.csv",
        """
        select 'Incomplete students' as what, count(*) as rows_of_the_workbook
        from district_pittsburgh.incomplete_records
        having count(*) > 0
        union all
        select 'Shared state ids', count(*)
        from district_pittsburgh.shared_state_ids
        having count(*) > 0
        """,
    ),
    (
        "steward",
        "/link_quality/links.csv",
        """
        select students, to_char(100 * link_rate, 'FM990.0 "%"') as linked, reviews
        from identity.match_quality
        where is_in_force
        """,
    ),
]


@pytest.mark.parametrize(("role", "address", "query"), FIGURES, ids=[f[1] for f in FIGURES])
def test_figures_equal_sql(people: Settings, role: str, address: str, query: str) -> None:
    with connect(replace(people, user=f"reader_{role}", password="a good one")) as reader:
        cursor = reader.execute(query.encode())
        names = [column.name for column in cursor.description or []]
        expected = [tuple("" if v is None else str(v) for v in row) for row in cursor]
    with opened(people, role) as browser:
        found = [tuple(row[name] for name in names) for row in downloaded(browser, address)]
    assert expected
    assert sorted(found) == sorted(expected)


def test_what_is_suppressed_says_so_and_is_no_zero(people: Settings) -> None:
    with opened(people, "public") as browser:
        rows = downloaded(browser, "/gaps/programs.csv?district=clairton")
        page = browser.get("/gaps?district=clairton").text
    suppressed = [row for row in rows if row["students_with_services"] == "suppressed"]
    assert suppressed
    shown = ("other_students", "value_with_services", "value_of_others", "gap", "95 % interval")
    for row in suppressed:
        assert {row[name] for name in shown} == {"suppressed"}
    assert "<td>—</td>" not in page
    assert ">None<" not in page


def _points_of_years(browser: TestClient) -> int:
    page = browser.get("/gaps?district=clairton&measure=attendance_rate").text
    drawn = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert drawn
    return b64decode(drawn[1]).decode().count('aria-roledescription="point"')


def test_a_bound_is_that_of_the_policy_and_has_no_interval(people: Settings) -> None:
    policy = "update policy.suppression set lowest_published_share = %s"
    row = (
        "district_id = 'clairton' and measure = 'attendance_rate' and involvement = 'ever' "
        "and program_group = 'any'"
    )
    change = (
        "update marts_public.rpt_outcome_gaps set is_coded = %s, value_not_involved = %s, "
        f"gap = %s where {row}"
    )
    with connect(people) as owner:
        [(value, gap)] = owner.execute(
            f"select value_not_involved, gap from marts_public.rpt_outcome_gaps where {row}"
        ).fetchall()
        owner.execute(policy, [0.07])
        try:
            with opened(people, "public") as browser:
                points = [_points_of_years(browser)]
                owner.execute(change, [True, 0.07, None])
                points.append(_points_of_years(browser))
                (found,) = downloaded(
                    browser, "/gaps/years.csv?district=clairton&measure=attendance_rate"
                )
        finally:
            owner.execute(policy, [0.05])
            owner.execute(change, [False, value, gap])
    assert points[1] == points[0] / 2, "a bound has no place in a chart"
    assert found["value_of_others"] == "7 % or less"
    assert (found["gap"], found["95 % interval"]) == ("not shown", "not shown")


def test_a_difference_that_may_be_chance_is_called_so_and_zero_has_no_minus(
    people: Settings,
) -> None:
    row = (
        "district_id = 'clairton' and measure = 'attendance_rate' and involvement = 'ever' "
        "and program_group = 'any'"
    )
    columns = "gap, ci_low, ci_high"
    change = f"update marts_public.rpt_outcome_gaps set ({columns}) = (%s, %s, %s) where {row}"
    address = "/gaps{}?district=clairton&measure=attendance_rate"
    found = {}
    with connect(people) as owner, opened(people, "public") as browser:
        [kept] = owner.execute(
            f"select {columns} from marts_public.rpt_outcome_gaps where {row}"
        ).fetchall()
        try:
            for low in (-0.0001, 0.0001):
                owner.execute(change, [-0.0001, low, 0.02])
                (figures,) = downloaded(browser, address.format("/years.csv"))
                page = browser.get(address.format("")).text
                found[low] = "The difference may be chance." in page
                assert (figures["gap"], figures["95 % interval"]) == ("+0.0 points", "+0.0 to +2.0")
        finally:
            owner.execute(change, kept)
    assert found == {-0.0001: True, 0.0001: False}


def test_a_measure_that_a_district_does_not_have_is_not_suppressed(people: Settings) -> None:
    # Clairton's graduates get no Promise.
    address = "/gaps?district=clairton&measure=promise_on_track_or_eligible"
    with opened(people, "public") as browser:
        page = browser.get(address).text
    assert "no student has a value in a school year that has ended." in page
    assert "suppressed, because" not in page


def test_balance_is_shown_of_the_effects_that_are_shown(people: Settings) -> None:
    limit = (
        "update marts_pseudonymized.rpt_intervention_effects set limitation = %s "
        "where (intervention_code, school_year, measure) = (%s, %s, %s)"
    )
    with connect(people) as owner:
        # The demo of the tests has no intervention of enough students.
        [(code, year, measure, label, limitation, rows)] = owner.execute(
            "select intervention_code, school_year, measure, measure_label, limitation, count(*) "
            "from marts_pseudonymized.rpt_intervention_effects "
            "inner join marts_pseudonymized.rpt_intervention_balance "
            "using (intervention_code, school_year, measure, measure_label) "
            "where limitation is not null group by 1, 2, 3, 4, 5 order by 2 desc, 1, 3 limit 1"
        ).fetchall()
        with opened(people, "analyst") as browser:
            none = downloaded(browser, "/action_research/balance.csv")
            owner.execute(limit, [None, code, year, measure])
            try:
                found = downloaded(browser, "/action_research/balance.csv")
            finally:
                owner.execute(limit, [limitation, code, year, measure])
    assert none == []
    assert [(row["measure"], row["year"]) for row in found] == [(label, "2012–13 so far")] * rows


def test_the_running_year_is_marked_also_for_discrepancies(people: Settings) -> None:
    table = "marts_pseudonymized.rpt_discrepancy_cohort"
    with connect(people) as owner, opened(people, "analyst") as browser:
        # The demo of the tests has none.
        owner.execute(
            f"insert into {table} (student_key, person_id, district_id, school_year, "
            "is_complete_year, rule_id, gpa) values ('a', 'a', 'd', 2012, true, 'achieve', 2), "
            "('a', 'a', 'd', 2013, false, 'achieve', 2)"
        )
        try:
            found = downloaded(browser, "/action_research/discrepancies.csv")
        finally:
            owner.execute(f"truncate {table}")
    assert [row["year"] for row in found] == ["2011–12", "2012–13 so far"]


def test_reviews_are_the_pairs_of_the_queue(people: Settings) -> None:
    with connect(people) as owner:
        queued = count_queue(owner).queued
    with opened(people, "steward") as browser:
        everybody, *_ = downloaded(browser, "/link_quality/links.csv")
    assert everybody["students_of"] == "All students"
    assert int(everybody["reviews"]) == queued > 0


def test_only_groups_whose_interval_is_apart_are_called_so(people: Settings) -> None:
    with connect(people) as owner:
        [(total, label, lowest)] = owner.execute(
            """
            select everybody.link_rate, groups.group_value, groups.link_rate_low
            from identity.match_quality as everybody
            cross join identity.match_quality as groups
            where
                everybody.is_in_force and everybody.group_type = 'all'
                and groups.is_in_force and groups.group_type = 'gender'
            order by groups.link_rate desc
            limit 1
            """
        ).fetchall()
        change = "update identity.match_quality set link_rate_low = %s where group_value = %s"
        with opened(people, "steward") as browser:
            within = browser.get("/link_quality").text
            owner.execute(change, [total + 0.001, label])
            try:
                apart = browser.get("/link_quality").text
            finally:
                owner.execute(change, [lowest, label])
    assert "No group is apart from that by more than chance." in within
    assert f"Further from that than chance explains: Gender: {label}, " in apart


def test_what_nobody_has_delivered_is_unknown_with_its_reason(people: Settings) -> None:
    with opened(people, "steward") as browser:
        kinds = downloaded(browser, "/students_at_risk/kinds.csv?district=clairton")
        page = browser.get("/students_at_risk?district=clairton").text
        filtered = browser.get("/students_at_risk?district=clairton&kind=behavior").text
        grades = downloaded(browser, "/students_at_risk/grades.csv?district=clairton")
        students = downloaded(browser, "/students_at_risk/students.csv?district=clairton")
    (behavior,) = (row for row in kinds if row["warning"] == "Behavior")
    # Clairton sends no discipline, and no grade before kindergarten has a threshold.
    (no_threshold,) = (row for row in grades if row["grade"] == "Pre-kindergarten")
    unknown = int(no_threshold["students"])
    everybody = sum(int(row["students"]) for row in grades)
    assert (behavior["students"], behavior["known_for"]) == ("", "0")
    reason = (
        f"Not known, behavior: no threshold for the grade: {unknown}; "
        f"no discipline delivered: {everybody - unknown}."
    )
    assert reason in page
    assert f"<strong>{reason}</strong>" in filtered
    assert {row["behavior"] for row in students} == {"no data"}
    assert {row["grade_average"] for row in students} == {"no threshold", "no data"}
    assert (no_threshold["known_for"], no_threshold["with_a_warning"]) == ("0", "")
    assert f" of {everybody - unknown} students (" in page
    assert '<td class="number">not known</td>' in page


def test_students_are_counted_by_the_bands_of_the_policy(people: Settings) -> None:
    # Both sides of each bound, the ends, and a student whose absences are unknown.
    shares = [0, 0.0499, 0.05, 0.0999, 0.1, 0.1999, 0.2, 1, None]
    # Where a steward reads the warnings of all districts.
    table = "marts_district.rpt_early_warnings"
    with connect(people) as owner, opened(people, "steward") as browser:
        before = downloaded(browser, "/students_at_risk/absences.csv")
        for number, share in enumerate(shares):
            owner.execute(
                f"insert into {table} (student_key, district_id, district_student_id, school_year,"
                " week_starts_on, week_ends_on, is_latest_week, absence_share) values (%(key)s, "
                "'edge', %(key)s, 2013, '2012-10-01', '2012-10-07', true, %(share)s)",
                {"key": f"edge:{number}", "share": share},
            )
        try:
            after = downloaded(browser, "/students_at_risk/absences.csv")
        finally:
            owner.execute(f"delete from {table} where district_id = 'edge'")
    assert [
        (row["days_absent_so_far"], int(row["students"]) - int(earlier["students"]))
        for row, earlier in zip(after, before, strict=True)
    ] == [
        ("under 5 %", 2),
        ("5 % to under 10 %", 2),
        ("10 % to under 20 % (chronic)", 2),
        ("20 % and more (severe)", 2),
        ("not known", 1),
    ]


def test_a_district_sees_its_own_students_only(people: Settings) -> None:
    with connect(people) as owner:
        expected = owner.execute(
            "select district_student_id from district_pittsburgh.rpt_early_warnings "
            "where is_latest_week and (has_attendance_flag is true or has_behavior_flag is true "
            "or has_course_flag is true or has_gpa_flag is true)"
        ).fetchall()
    with opened(people, "district_pittsburgh") as browser:
        rows = downloaded(browser, "/students_at_risk/students.csv")
        refused = browser.get("/students_at_risk?district=clairton")
        page = browser.get("/students_at_risk").text
    assert {row["district_student_id"] for row in rows} == {student for (student,) in expected}
    assert all(row["last_name"] and row["school"] for row in rows)
    assert refused.status_code == 400
    # It has nothing to choose.
    assert 'name="district"' not in page


def test_what_a_steward_looked_at_is_disclosed(people: Settings) -> None:
    entries = (
        "select partner_id, row_count from privacy.disclosures "
        "where party = 'reader_steward' and disclosed = 'dashboard: students at risk'"
    )
    with opened(people, "steward") as browser, connect(people) as owner:
        owner.execute("delete from privacy.disclosures where party = 'reader_steward'")
        rows = downloaded(browser, "/students_at_risk/students.csv?district=clairton")
        browser.get("/gaps")
        assert rows
        assert owner.execute(entries).fetchall() == [("clairton", len(rows))]


def test_a_caseworker_finds_children_by_the_ids_of_the_agency(people: Settings) -> None:
    with connect(people) as owner:
        found = owner.execute(
            "select client_id, last_name from marts.rpt_caseworker_clients "
            "inner join marts.rpt_caseworker_students using (student_key) order by client_id"
        ).fetchall()
        [(other,)] = owner.execute(
            "select min(record_id) from identity.person_crosswalk "
            "where record_type = 'client' and record_id not in "
            "(select client_id from marts.rpt_caseworker_clients)"
        ).fetchall()
    (first, _), (second, _) = found[0], found[-1]
    # One with its source, one in a file without it; another child's is not shown.
    form = {"ids": f"{first}\n{other}\n"}
    file = {"file": ("cases.csv", f"name,client_id\nx,{second.partition(':')[2]}\n")}
    with opened(people, "caseworker") as browser:
        page = browser.post("/my_children", data=form, files=file)
        assert "2 of 3 client ids are found." in page.text
        not_found = page.text.partition("Not found")[2]
        assert other in not_found
        assert "a district whose agreement allows this page" in not_found
        rows = browser.post("/my_children/children.csv", data={"ids": f"{first}\n{other}"})
        assert rows.text.count("\n") == 1 + sum(client == first for client, _ in found)
        # Nobody is shown who was not asked for.
        assert not any(name in browser.get("/my_children").text for _, name in found)


def test_a_child_of_several_client_ids_is_one_child(people: Settings) -> None:
    with connect(people) as owner:
        ids = owner.execute("select client_id from marts.rpt_caseworker_clients").fetchall()
        [(students, enrolled, warned)] = owner.execute(
            "select count(*), count(*) filter (where is_enrolled), count(*) filter "
            "(where has_attendance_flag or has_behavior_flag or has_course_flag or has_gpa_flag) "
            "from marts.rpt_caseworker_students "
            "where student_key in (select student_key from marts.rpt_caseworker_clients)"
        ).fetchall()
        expected = owner.execute(
            "select district_student_id, to_char(month, 'YYYY-MM'), days_enrolled, "
            "days_absent::real from marts.fct_attendance_months where student_key in "
            "(select student_key from marts.rpt_caseworker_clients) "
            "and month > date '2012-09-01' - interval '12 months'"
        ).fetchall()
    assert len(ids) > students
    with opened(people, "caseworker") as browser:
        form = {"ids": "\n".join(one for (one,) in ids)}
        page = browser.post("/my_children", data=form).text
        months = browser.post("/my_children/months.csv", data=form).text
    # Each month once, as PostgreSQL adds it up.
    found = [
        (row["district_student_id"], row["month"], row["days_enrolled"], row["days_absent"])
        for row in csv.DictReader(io.StringIO(months))
    ]
    assert len(found) == len(set(found)) > 0
    assert set(found) == {tuple(map(str, row)) for row in expected}
    assert f"Students: {students}; enrolled: {enrolled}; with an early warning: {warned}." in page


def test_a_caseworker_is_told_which_warnings_are_not_known(people: Settings) -> None:
    unknown: dict[str, object] = dict.fromkeys(
        ("has_attendance_flag", "has_behavior_flag", "has_course_flag", "has_gpa_flag")
    )
    unknown |= {"flags_without_threshold": None, "warnings_on": "2012-09-03"}
    children: list[tuple[dict[str, object], str]] = [
        (
            {"has_behavior_flag": True, "has_course_flag": False, "flags_without_threshold": "gpa"},
            "behavior (not known: attendance)",
        ),
        (
            {"has_course_flag": False, "flags_without_threshold": "attendance, behavior, gpa"},
            "none",
        ),
        ({}, "not known: attendance, behavior, courses, grade average"),
        (
            {"flags_without_threshold": "attendance, behavior, course, gpa"},
            "no threshold for the grade",
        ),
        ({"warnings_on": None}, "not reported in that week"),
    ]
    with connect(people) as owner, opened(people, "caseworker") as browser:
        for number, (flags, _) in enumerate(children):
            for table in ("rpt_caseworker_clients", "rpt_caseworker_students"):
                edge = {"client_id": f"edge:{number}", "student_key": f"edge:{number}"}
                owner.execute(
                    f"insert into marts.{table} select edge.* from marts.{table} as one, "
                    "jsonb_populate_record(one, %s) as edge limit 1",
                    [Jsonb(edge | unknown | flags)],
                )
        try:
            asked = "\n".join(f"edge:{number}" for number in range(len(children)))
            answer = browser.post("/my_children/children.csv", data={"ids": asked}).text
        finally:
            for table in ("rpt_caseworker_clients", "rpt_caseworker_students"):
                owner.execute(f"delete from marts.{table} where student_key like 'edge:%'")
    # All have the names of one child, so the client ids order them.
    rows = csv.DictReader(io.StringIO(answer.removeprefix("\ufeff")))
    assert [row["warnings"] for row in rows] == [told for _, told in children]


def test_a_client_id_with_a_colon_is_looked_up_whole(people: Settings) -> None:
    rename = "update marts.rpt_caseworker_clients set client_id = %s where client_id = %s"
    with connect(people) as owner, opened(people, "caseworker") as browser:
        [(known,)] = owner.execute(
            "select min(client_id) from marts.rpt_caseworker_clients"
        ).fetchall()
        owner.execute(rename, ["cw:x:7", known])
        for asked, found in {"x": 0, "7": 0, "x:7": 1, "cw:x:7": 1}.items():
            page = browser.post("/my_children", data={"ids": asked}).text
            assert f"{found} of 1 client ids" in page, asked
            assert ("None of the ids is found." in page) == (not found), asked
        owner.execute(rename, [known, "cw:x:7"])


def test_children_who_changed_school_in_placement_are_found(people: Settings) -> None:
    with connect(people) as owner:
        moves = owner.execute(
            "select entered_on::text from marts.rpt_school_moves where placement_began"
        ).fetchall()
        [(unknown,)] = owner.execute(
            "select count(*) from marts.rpt_school_moves "
            "where num_nulls(placement_began, shelter_stay_began) > 0"
        ).fetchall()
    with opened(people, "analyst") as browser:
        rows = downloaded(browser, "/new_risks/moves.csv")
        counts = downloaded(browser, "/new_risks/counts.csv")
    assert sum(int(row["not_known"]) for row in counts) == unknown > 0
    soon = {row["entered_on"] for row in rows if row["shortly_before_the_move"] == "True"}
    assert soon
    assert soon <= {day for (day,) in moves}
    # The day of a placement can identify a child.
    assert all(re.fullmatch(r"\d{4}-\d\d", row["placement_began_in"]) for row in rows)


def test_client_ids_are_lines_or_a_column() -> None:
    assert client_ids("\ufeffName,Client_ID \r\nA, 1\r\nB,\r\nC,cw:3\r\n") == ["1", "cw:3"]
    assert client_ids(" 1 \n\n2\n") == ["1", "2"]
    assert client_ids("") == []
    assert client_ids("Client_ID,Name\r1,A\r2,B\r") == ["1", "2"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("client_id\r\n1\r\n".encode("utf-16"), "is no CSV file in UTF-8"),
        (b"client_id\n1\0\n", "is no CSV file in UTF-8"),
        (b'client_id\n1\n"2\n' + b"3\n" * 70_000, "a value has more than 131,072 characters"),
    ],
    ids=["utf_16", "nul", "quotation_mark"],
)
def test_a_list_that_cannot_be_read_says_what_to_do(
    people: Settings, file: bytes, message: str
) -> None:
    with opened(people, "caseworker") as browser:
        page = browser.post("/my_children", files={"file": ("ids.csv", file)})
    assert page.status_code == 400
    assert message in page.text


@pytest.mark.parametrize("role", MAY)
def test_a_role_opens_its_pages_and_is_told_whose_the_others_are(
    people: Settings, role: str
) -> None:
    with opened(people, role) as browser:
        assert offered(browser.get("/").text.partition("For other roles")[0]) == MAY[role]
        for page in PAGES:
            answer = browser.get(f"/{page.name}")
            if page.name in MAY[role]:
                assert answer.status_code == 200, page.name
                assert '<p class="finding">' in answer.text
                continue
            for address in (f"/{page.name}", f"/{page.name}/students.csv"):
                answer = browser.get(address)
                assert answer.status_code == 403, address
                assert f"The login <code>reader_{role}</code> is none of" in answer.text
                assert "outcomes access login NAME --role " in answer.text
                assert offered(answer.text) == MAY[role]


def test_a_choice_that_a_page_does_not_have_is_explained(people: Settings) -> None:
    with opened(people, "public") as browser:
        answer = browser.get("/gaps?district=O'Brien")
        assert answer.status_code == 400
        assert "All districts, Clairton City School District" in answer.text
        assert browser.get("/gaps/nothing.csv").status_code == 400


def test_tables_say_what_is_unknown_and_start_no_formula() -> None:
    rows = [{"name": "-1+1", "n": 1200, "share": None, "gap": "-1.5 points", "is_new": True}]
    columns = ("name", "n", "share", "gap", "is_new")
    table = Table("t", Rows(columns, rows), "None.", ["is_new"])
    assert table.rows == [["-1+1", "1,200", "not known", "-1.5 points"]]
    assert table.csv() == "name,n,share,gap\r\n'-1+1,1200,,-1.5 points\r\n"


def test_figures_are_at_the_right_and_words_ids_and_days_at_the_left() -> None:
    figures = {
        "count": (1200, None), "gap": ("-1.5 points", "suppressed"),
        "interval": ("+2.9 to +42.7", "not shown"), "bound": ("5 % or less", "12.0 %"),
        "mean": ("-0.51 grade points", "too few"), "days_late": ("0", "no day agreed"),
    }  # fmt: skip
    others = {
        "id": ("12", "000393384"), "day": ("2012-10-05", "never"), "year": ("2011–12", "2012–13"),
        "grade": ("Grade 1", "Kindergarten"), "band": ("under 5 %", "5 % to under 10 %"),
        "is_new": (True, False), "unknown": (None, None),
    }  # fmt: skip
    columns = figures | others
    rows = [{name: values[n] for name, values in columns.items()} for n in (0, 1)]
    assert Table("t", Rows(tuple(columns), rows), "None.").numeric == figures.keys()


def offered(page: str) -> set[str]:
    """The pages that a page links to."""
    return set(re.findall(r'href="/(\w+)"', page))


@pytest.fixture
def served(people: Settings) -> Iterator[str]:
    """The address of the dashboards with its token, served to a login that may open all."""
    command = [Path(sys.executable).with_name("outcomes"), "dashboards"]
    given = os.environ | environment(people, "all")
    with subprocess.Popen(
        command, env=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            shown = re.search(r"http://\S+", server.stdout.readline())
            assert shown
            yield shown[0]
        finally:
            server.terminate()


@pytest.mark.slow
def test_a_browser_shows_the_dashboards_without_a_fault(served: str, browser: Browser) -> None:
    wide = browser.new_context(viewport={"width": 1440, "height": 900})
    phone = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    for context in (wide, phone):
        page = context.new_page()
        page.goto(served)
        for board in PAGES:
            assert problems(page, f"{served.partition('/?')[0]}/{board.name}") == [], board.name
            # The size that the page is laid out for, which a phone decides by the viewport tag.
            assert page.evaluate("innerWidth") == page.viewport_size["width"]  # type: ignore[index]


@pytest.mark.slow
def test_a_keyboard_alone_filters_and_downloads(served: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(served)
    page.goto(f"{served.partition('/?')[0]}/students_at_risk")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Clairton")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**district=clairton**")
    while page.evaluate("document.activeElement.textContent") != "Download as CSV":
        page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "kinds.csv"
