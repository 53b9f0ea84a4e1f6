"""After any history of builds, links equal those of a build from nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.python.conftest import UNTESTED, WITH_SEEDS, copied, run_dbt, try_dbt
from tests.python.pipeline.content import content_hashes

from outcomes.config import PROJECT_DIR, Settings
from outcomes.linkage.decisions import Decision, Pair, record_decisions
from outcomes.warehouse.connection import connect

LINKS = ("person_crosswalk", "person_events", "match_review_queue", "match_quality")
MODELS = ("--select", *(f"+{link}" for link in LINKS))
# The seeds are in the built demo already, of which each history is a copy.
BUILD = (*UNTESTED, *MODELS)
FROM_NOTHING = (*WITH_SEEDS, *MODELS)
EARLIER = ("--vars", "{as_of: 2012-09-07}")
BUILT = ("identity", "intermediate", "deliveries", "staging", "functions")


def build_again(warehouse: Settings) -> None:
    run_dbt(warehouse, *BUILD)


def build_an_earlier_day_and_come_back(warehouse: Settings) -> None:
    run_dbt(warehouse, *BUILD, *EARLIER)
    run_dbt(warehouse, *BUILD)


def begin_with_an_earlier_day(warehouse: Settings) -> None:
    forget_all_builds(warehouse)
    run_dbt(warehouse, *FROM_NOTHING, *EARLIER)
    run_dbt(warehouse, *BUILD)


def build_a_part_and_stop_in_the_middle(warehouse: Settings) -> None:
    run_dbt(warehouse, "run", "--select", "+int_identities", "int_identity_scores+1", *EARLIER)
    with connect(warehouse) as connection, connection.transaction():
        connection.execute("lock table identity.int_identity_scores")
        stopped = try_dbt(warehouse, *BUILD, *EARLIER, options="-c lock_timeout=100")
    assert not stopped.success and "int_identity_scores" in stopped.output
    run_dbt(warehouse, *BUILD)


def retract_a_delivery_and_send_it_again(warehouse: Settings) -> None:
    retract(warehouse)
    run_dbt(warehouse, *BUILD)
    with connect(warehouse) as connection:
        connection.execute(
            "update landing.files set status = 'loaded', reason_code = null where reason_code = 'x'"
        )
    run_dbt(warehouse, *BUILD)


def let_reviewers_decide(warehouse: Settings) -> None:
    with connect(warehouse) as connection:
        record_decisions(connection, decisions(connection), "somebody")
    run_dbt(warehouse, *BUILD)
    assert {("split", "reviewer"), ("merge", "reviewer")} <= events(warehouse)


def take_decisions_back(warehouse: Settings) -> None:
    with connect(warehouse) as connection:
        decided = decisions(connection)
    let_reviewers_decide(warehouse)
    with connect(warehouse) as connection:
        withdrawn = [Decision(decision.pair, "withdrawn", "a test") for decision in decided]
        record_decisions(connection, withdrawn, "somebody")
    run_dbt(warehouse, *BUILD)


def upgrade_a_dictionary(warehouse: Settings) -> None:
    """A dictionary of an earlier version has other columns: the build says what to do."""
    with connect(warehouse) as connection:
        connection.execute("alter table identity.int_identities drop column first_name_forms")
    refused = try_dbt(warehouse, "run", "--select", "int_identities")
    assert not refused.success and "full_refresh" in refused.output
    run_dbt(warehouse, *BUILD, "--full-refresh")


@pytest.mark.parametrize(
    "history",
    [
        build_an_earlier_day_and_come_back,
        build_a_part_and_stop_in_the_middle,
        upgrade_a_dictionary,
        *(
            pytest.param(history, marks=pytest.mark.slow)
            for history in (
                build_again,
                begin_with_an_earlier_day,
                retract_a_delivery_and_send_it_again,
                take_decisions_back,
            )
        ),
    ],
)
def test_any_history_gives_the_links_of_a_build_from_nothing(
    built_demo: Settings, history: Callable[[Settings], None]
) -> None:
    """With the same final data, the result equals that of the built demo."""
    with copied(built_demo, history.__name__) as warehouse:
        history(warehouse)
        assert links(warehouse) == links(built_demo)
        if history not in (
            begin_with_an_earlier_day, retract_a_delivery_and_send_it_again, take_decisions_back
        ):  # fmt: skip
            assert events(warehouse) == set(), "without a changed link there is no event"


def test_links_equal_those_of_a_build_from_nothing(built_demo: Settings) -> None:
    """With decisions of reviewers, and without deliveries that were built before."""
    with copied(built_demo, "other_links") as warehouse:
        let_reviewers_decide(warehouse)
        decided = links(warehouse)
        retract(warehouse)
        run_dbt(warehouse, *BUILD)
        found = links(warehouse)
        assert found != decided != links(built_demo)
        forget_all_builds(warehouse)
        run_dbt(warehouse, *FROM_NOTHING)
        assert links(warehouse) == found


def test_changed_definitions_use_no_old_entry(built_demo: Settings, tmp_path: Path) -> None:
    """After a change of a function, every identity is standardized again."""
    for folder in ("models", "macros", "functions", "seeds", "tests"):
        shutil.copytree(PROJECT_DIR / folder, tmp_path / folder)
    shutil.copyfile(PROJECT_DIR / "dbt_project.yml", tmp_path / "dbt_project.yml")
    function = tmp_path / "functions" / "linking" / "valid_ssn.sql"
    function.write_text(function.read_text().replace("and left(ssn, 1) <> '9'", "and ssn < '4'"))
    live_numbers = """
        select count(*) filter (where ssn < '4') > 0, count(*) filter (where ssn >= '4') > 0
        from identity.int_identities
        where identity_id in (select identity_id from identity.int_identity_records)
    """
    with copied(built_demo, "other_definitions") as warehouse, connect(warehouse) as connection:
        assert connection.execute(live_numbers.encode()).fetchone() == (True, True)
        connection.execute("create table public.old as table identity.int_identity_records")
        run_dbt(warehouse, *BUILD, project=tmp_path)
        assert connection.execute(live_numbers.encode()).fetchone() == (True, False)
        used = connection.execute(
            "select from identity.int_identity_records inner join public.old using (identity_id)"
        )
        assert used.fetchall() == []


def links(warehouse: Settings) -> dict[str, str]:
    """Hashes of the crosswalk, the review queue and the quality of the links."""
    with connect(warehouse) as connection:
        hashes = content_hashes(connection)
    made = {f"identity.{link}" for link in LINKS}
    return {table: hash_ for table, hash_ in hashes.items() if table in made}


def events(warehouse: Settings) -> set[tuple[str, str]]:
    """Kind and reason of each person's event."""
    with connect(warehouse) as connection:
        return set(connection.execute("select kind, reason from identity.person_events"))


def forget_all_builds(warehouse: Settings) -> None:
    """Delete everything but landed rows and reviewers' decisions."""
    with connect(warehouse) as connection:
        for schema in BUILT:
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))


def retract(warehouse: Settings) -> None:
    """Hold the newest delivery of clients and the newest roster."""
    with connect(warehouse) as connection:
        connection.execute(
            """
            update landing.files set status = 'held', reason_code = 'x'
            where file_id in (
                select max(file_id) from landing.files
                where status = 'loaded' and contract_object in ('clients', 'STUDENT')
                group by contract_object
            )
            """
        )


def decisions(connection: psycopg.Connection) -> list[Decision]:
    """Decisions about two pairs of students, a client, and a client who is too old."""
    pairs = connection.execute(
        """
        (
            select student_key, 'student', other_student_key, 'no_link'
            from identity.int_identity_student_decisions
            where decision = 'link' order by 1, 3 limit 1
        )
        union all
        (
            select ones.student_key, 'student', others.student_key, 'link'
            from identity.int_identity_persons as ones, identity.int_identity_persons as others
            where ones.student_key < others.student_key and ones.person_id <> others.person_id
                and ones.student_key = ones.first_student_key
                and others.student_key = others.first_student_key
            order by 1 desc, 3 desc limit 1
        )
        union all
        (
            select persons.student_key, 'client', crosswalk.record_id, 'no_link'
            from identity.person_crosswalk as crosswalk
            inner join identity.int_identity_persons as persons using (person_id)
            where crosswalk.decision = 'link' and crosswalk.record_type = 'client'
            order by 1, 3 limit 1
        )
        union all
        (
            select
                persons.student_key, 'client',
                clients.source_id || ':' || clients.source_client_id, 'link'
            from
                identity.int_identity_persons as persons,
                deliveries.int_clients_accepted as clients
            where clients.birth_date < date '1960-01-01'
            order by 1, 3 limit 1
        )
        """
    ).fetchall()
    assert len(pairs) == 4
    return [
        Decision(Pair(student, kind, other), decision, "a test")
        for student, kind, other, decision in pairs
    ]


def test_a_view_goes_before_the_tables_that_it_reads(built_demo: Settings) -> None:
    """Two threads that drop it with two of its tables could be in a deadlock."""
    with copied(built_demo, "demo_views") as warehouse, connect(warehouse) as connection:
        with connection.transaction():
            connection.execute("lock table identity.match_rules in access share mode")
            stopped = try_dbt(
                warehouse,
                *WITH_SEEDS, "--select", "match_rules", "int_identity_policy",
                options="-c lock_timeout=100",
            )  # fmt: skip
        assert not stopped.success and "match_rules" in stopped.output
        assert connection.execute(
            "select to_regclass('identity.match_rules') is null, "
            "to_regclass('identity.int_identity_policy') is null"
        ).fetchone() == (False, True)
