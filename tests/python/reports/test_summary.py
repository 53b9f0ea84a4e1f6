"""The summary of a built warehouse against its tables, and against other places that count."""

from __future__ import annotations

import io
import re

from rich.console import Console

from outcomes.cli.summary import show_summary
from outcomes.config import Settings
from outcomes.dashboards.site import PAGES
from outcomes.linkage.decisions import Decision, record_decisions
from outcomes.linkage.review_queue import read_queue
from outcomes.reports.status import read_status
from outcomes.reports.summary import read_summary
from outcomes.warehouse.connection import connect


def test_the_summary_agrees_with_tables_and_status(built_demo: Settings) -> None:
    with connect(built_demo) as connection:
        found = read_summary(connection)
        status = read_status(connection, built_demo, None)
        linked = connection.execute(
            """
            select count(*) from identity.person_crosswalk
            where record_type = 'client' and decision = 'link'
            """
        ).fetchone()
        students = connection.execute(
            "select count(*), count(distinct person_id) from marts.dim_students"
        ).fetchone()
        labels = connection.execute(
            """
            select measure_label
            from marts_public.rpt_outcome_gaps
            inner join policy.outcome_measures using (measure, measure_label)
            where
                district_id = 'all' and program_group = 'any' and involvement = 'ever'
                and quoted_in is not null and gap is not null and school_year = %s
            order by position
            """,
            [found.gaps[0].school_year],
        ).fetchall()
    assert (found.linked.students, found.linked.people) == students
    assert (found.linked.linked,) == linked
    assert found.linked.queued_pairs == status.links_in_review > 0
    assert [(gap.measure.measure_label,) for gap in found.gaps] == labels
    assert len(labels) > 3

    output = io.StringIO()
    show_summary(found, Console(file=output, width=200))
    assert f"{found.linked.queued_pairs} pairs wait for a data steward" in output.getvalue()
    named = re.search(r"make dashboards +(.*), in a browser", output.getvalue())
    assert named
    assert set(named[1].split(", ")) <= {page.title.lower() for page in PAGES}


def test_status_summary_and_queue_count_the_pairs_without_a_decision(built_demo: Settings) -> None:
    def counts() -> set[int]:
        return {
            read_summary(connection).linked.queued_pairs,
            read_status(connection, built_demo, None).links_in_review,
            len(read_queue(connection)),
        }

    with connect(built_demo) as connection, connection.transaction(force_rollback=True):
        first, second, *others = (queued.pair for queued in read_queue(connection))
        assert counts() == {len(others) + 2}
        record_decisions(
            connection, [Decision(first, "link", "asked"), Decision(second, "unsure", "")], "ana"
        )
        assert counts() == {len(others) + 1}
        record_decisions(connection, [Decision(first, "withdrawn", "undone")], "ana")
        assert counts() == {len(others) + 2}


def test_without_services_nobody_is_said_to_have_received_none(built_demo: Settings) -> None:
    output = io.StringIO()
    with connect(built_demo) as connection, connection.transaction(force_rollback=True):
        connection.execute("update marts.fct_student_years set involved_ever = null")
        show_summary(read_summary(connection), Console(file=output, width=200))
    assert "Who has received human services is not known: no agency has" in output.getvalue()
    assert "0% of the students" not in output.getvalue()
