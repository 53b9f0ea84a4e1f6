"""`outcomes status` in every state, and the reports to a webhook."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt.cli.main import dbtRunnerResult
from tests.python.access.acting import acting_as
from tests.python.conftest import free_port
from tests.python.landing.commands import run
from tests.python.publishing.warehouse import pretend_build, publish, roll_back
from typer.testing import CliRunner

from outcomes.access.logins import make_login
from outcomes.access.roles import STEWARD
from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.reports.status import read_status
from outcomes.warehouse.connection import connect


@pytest.fixture
def newest(connection: psycopg.Connection) -> date:
    """The day of the newest delivery, with the demo's waiting files marked as loaded."""
    connection.execute(
        "update landing.files set status = 'loaded', reason_code = null "
        "where status in ('quarantined', 'held')"
    )
    row = connection.execute("select max(as_of_date) from landing.files").fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def as_json(day: date | None = None) -> tuple[int, dict[str, Any]]:
    code, output = run("status", "--json", *(["--as-of", str(day)] if day else []))
    return code, json.loads(output)


def test_a_published_warehouse_is_well(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    code, found = as_json(newest)
    assert (code, found["is_well"]) == (0, True)
    assert found["last_run"] == found["published_run"]
    assert found["not_newest"] == []
    assert found["last_run"]["status"] == "published"
    assert found["late"] == found["waiting"] == []
    assert found["database_bytes"] > 1e6
    code, output = run("status", "--as-of", str(newest))
    assert code == 0
    assert "All is well." in output
    people_read = found["published_run"]
    assert (
        f"People read run {people_read['run_id']}, as of {newest}, by code "
        f"{people_read['code_version']}, published" in output
    )
    assert found["never_delivered"] == []
    assert "Nothing has come yet" not in output


def test_a_partner_of_whom_nothing_has_come_is_named(
    connection: psycopg.Connection, newest: date
) -> None:
    connection.execute(
        "update quality.feed_freshness set partner_id = 'newcomer' "
        "where partner_id = 'interventions'"
    )
    code, output = run("status", "--as-of", str(newest))
    assert "Nothing has come yet from newcomer." in output
    assert (code, "All is well." in output) == (0, True)


def test_a_contract_that_cannot_be_used_needs_somebody_to_act(
    connection: psycopg.Connection, newest: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = load_contracts()
    contracts.unusable = {"clairton": "broken", "newcomer": "not finished"}
    del contracts["clairton"], contracts["dhs"]
    monkeypatch.setattr("outcomes.reports.status.load_contracts", lambda: contracts)
    code, output = run("status", "--as-of", str(newest))
    assert "no usable contract clairton: correct or restore it" in output
    assert "no usable contract dhs" in output, "its contract is gone"
    assert "newcomer" not in output, "its contract was never in force"
    assert (code, "All is well." in output) == (3, False)
    assert as_json(newest)[1]["without_usable_contract"] == ["clairton", "dhs"]


def fail(connection: psycopg.Connection) -> None:
    run_id = pretend_build(connection)
    connection.execute(
        "update publishing.runs set status = 'failed', failed_nodes = array['unique_x'] "
        "where run_id = %s",
        [run_id],
    )


def hold(connection: psycopg.Connection) -> None:
    run_id = pretend_build(connection, "delete from next_marts.dim_districts")
    publish(connection, run_id, because="")


def kill(connection: psycopg.Connection) -> None:
    with acting_as(connection, "outcomes_builder"):
        connection.execute("select publishing.begin_run('killed', 'build', '', '', '', '')")


def withdraw(connection: psycopg.Connection) -> None:
    publish(connection, pretend_build(connection))
    roll_back(connection)


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (fail, "failed", "failed: unique_x"),
        (hold, "held", "would be missing"),
        (kill, "running", "Last run: killed"),
        (withdraw, "withdrawn", "Last run: withdrawn"),
    ],
)
def test_an_unpublished_run_needs_somebody_to_act(
    change: Callable[[psycopg.Connection], None],
    status: str,
    message: str,
    connection: psycopg.Connection,
    newest: date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("outcomes.reports.status.PATIENCE_SECONDS", 0.5)
    change(connection)
    code, found = as_json(newest)
    assert (code, found["is_well"], found["is_running"]) == (3, False, False)
    assert found["last_run"]["status"] == status
    assert found["published_run"]["status"] == "published"
    _, output = run("status", "--as-of", str(newest))
    assert message in output
    assert f"People read run {found['published_run']['run_id']}" in output
    assert "not the newest: " in output
    assert "Somebody has to act." in output


def test_an_earlier_day_is_not_the_newest(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    publish(connection, pretend_build(connection))
    connection.execute(
        "update publishing.runs set as_of_date = '2012-08-30' "
        "where run_id = publishing.published_run()"
    )
    code, output = run("status", "--as-of", str(newest))
    assert code == 3
    assert f"not the newest: the newest delivery is of {newest}" in output
    assert "as of 2012-08-30" in output


def test_a_file_that_has_landed_since_is_not_in_what_people_read(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    connection.execute("update landing.files set received_at = now() where file_id = 1")
    code, output = run("status", "--as-of", str(newest))
    assert code == 3
    assert (
        "not the newest: files, releases, decisions, revisions or contracts have changed" in output
    )


def test_what_other_code_built_is_not_the_newest(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    # A release or a policy that nobody has built yet.
    connection.execute("update publishing.runs set code_version = 'v1-0-gabc'")
    code, output = run("status", "--as-of", str(newest))
    assert code == 3
    assert "not the newest: other code built it, v1-0-gabc: this is " in output


def test_inner_tables_that_a_crash_has_emptied_are_not_well(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    connection.execute("delete from deliveries.int_as_of")
    code, output = run("status", "--as-of", str(newest))
    assert code == 3
    assert "not the newest: a crash of PostgreSQL or an upgrade has emptied the inner" in output
    for command in (
        ("report", "district", "pittsburgh"),
        ("report", "counselors", "pittsburgh"),
        ("link", "explain", "pittsburgh:1"),
        ("link", "train"),
    ):
        with pytest.raises(OutcomesError, match=r"emptied the inner tables\. Run `outcomes build`"):
            run(*command)
    connection.execute("drop table deliveries.int_as_of cascade")
    assert as_json(newest)[0] == 3


def test_a_rollback_is_named(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    withdraw(connection)
    _, output = run("status", "--as-of", str(newest))
    assert "not the newest: the newest publication, as of 2012-10-05, was rolled back" in output
    assert "Withdrawn: it was published, then rolled back." in output
    assert "something failed" not in output


def test_a_run_in_progress_is_well(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    kill(connection)
    with connect(published) as dbt:
        dbt.execute("set application_name = 'dbt'")
        code, found = as_json(newest)
        _, output = run("status", "--as-of", str(newest))
    assert (code, found["is_running"]) == (0, True)
    assert found["last_run"]["verdict"].startswith("In progress")
    assert "A build is running since " in output
    assert "failed" not in output


def test_a_build_that_hangs_hides_no_stale_state(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    kill(connection)
    connection.execute(
        "update publishing.runs set started_at = now() - interval '3 hours' where run_id = 'killed'"
    )
    with connect(published) as dbt:
        dbt.execute("set application_name = 'dbt'")
        code, found = as_json(newest)
        _, output = run("status", "--as-of", str(newest))
    assert (code, found["is_running"], found["is_well"]) == (3, True, False)
    assert "It should have ended long ago: stop it" in output


def test_a_week_that_failed_before_it_built_needs_somebody_to_act(
    connection: psycopg.Connection, newest: date, tmp_path: Path
) -> None:
    with pytest.raises(OutcomesError, match="does not exist"):
        run("weekly", tmp_path / "nowhere")
    code, found = as_json(newest)
    assert (code, found["is_well"], found["failed_week"]["step"]) == (3, False, "land")
    output = run("status", "--as-of", str(newest))[1]
    assert "Last week: failed in the step land" in output
    assert "Somebody has to act." in output
    # A build makes up for one that failed, not for files that did not land.
    publish(connection, pretend_build(connection))
    assert as_json(newest)[1]["failed_week"]["step"] == "land"
    connection.execute("update publishing.weeks set step = 'build'")
    assert as_json(newest)[1]["failed_week"] is None


def test_a_week_that_is_killed_before_anything_lands_leaves_a_trace(
    connection: psycopg.Connection, newest: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_nothing_and_be_killed(*_: object, **__: object) -> None:
        code, found = as_json(newest)
        if (code, found["week_is_running"], found["failed_week"]) == (0, True, None):
            os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("outcomes.operations.weekly.land", find_nothing_and_be_killed)
    # A library with threads, which checks contracts, hangs in a fork of a process that used it.
    contracts = load_contracts()
    monkeypatch.setattr("outcomes.reports.status.load_contracts", lambda: contracts)
    week = multiprocessing.get_context("fork").Process(target=run, args=("weekly", "drops"))
    week.start()
    week.join()
    assert week.exitcode == -signal.SIGKILL
    give_up_at = time.monotonic() + 10  # until the server has seen the end of the session
    while (state := as_json(newest))[1]["week_is_running"]:
        assert time.monotonic() < give_up_at
    code, found = state
    assert (code, found["is_well"], found["failed_week"]["step"]) == (3, False, "started")
    assert "Last week: was killed, started 2" in run("status", "--as-of", str(newest))[1]


def test_a_week_that_hangs_hides_no_stale_state(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    withdraw(connection)
    with connect(published) as week:
        week.execute("set application_name = 'outcomes weekly'")
        code, found = as_json(newest)
    assert (code, found["week_is_running"], found["is_well"]) == (3, True, False)


def test_a_file_that_no_table_has_needs_somebody_to_act(
    connection: psycopg.Connection,
    newest: date,
    published: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("outcomes.operations.weekly.is_up_to_date", lambda _: True)
    stranger = tmp_path / "nobody" / "2012-10-05" / "students.csv"
    stranger.parent.mkdir(parents=True)
    stranger.write_text("id\n1\n")
    assert run("weekly", tmp_path)[0] == 3
    code, found = as_json(newest)
    assert (code, found["is_well"], found["not_landed"]) == (3, False, 1)
    assert "Last week: 1 file did not land" in run("status", "--as-of", str(newest))[1]


def test_a_missing_delivery_is_late_after_its_day_and_latency(
    connection: psycopg.Connection, newest: date
) -> None:
    later = newest + timedelta(days=60)
    code, found = as_json(later)
    assert code == 3
    late = [feed for feed in found["late"] if feed["partner_id"] == "clairton"]
    assert late
    assert all(0 < feed["days_late"] < 60 for feed in late)
    _, output = run("status", "--as-of", str(later))
    (line,) = (line for line in output.splitlines() if line.startswith("late clairton"))
    days_late = late[0]["days_late"]
    assert f"{days_late} days late: Attendance" in line
    # A kind of file that stopped coming a week before the others is a line of its own.
    connection.execute(
        "update quality.feed_freshness set expected_on = expected_on - 7 "
        "where partner_id = 'clairton' and contract_object = 'Students'"
    )
    _, output = run("status", "--as-of", str(later))
    first, second = (line for line in output.splitlines() if line.startswith("late clairton"))
    assert f"{days_late + 7} days late: Students" in first
    assert f"{days_late} days late: Attendance" in second
    assert "Students" not in second
    connection.execute(
        "update landing.files set as_of_date = %s where partner_id = 'clairton'", [later]
    )
    assert "clairton" not in {feed["partner_id"] for feed in as_json(later)[1]["late"]}


def test_the_clock_of_a_demo_is_its_newest_delivery(
    connection: psycopg.Connection, newest: date
) -> None:
    code, output = run("status")
    assert code == 0
    assert f"On {newest} no delivery is late." in output
    # One file that was new when it landed: the partners are expected today.
    connection.execute(
        "update landing.files set received_at = as_of_date + 365 "
        "where file_id = (select min(file_id) from landing.files)"
    )
    code, found = as_json()
    assert (code, found["as_of"]) == (3, str(date.today()))
    assert found["late"]


def test_a_file_waits_until_an_accepted_one_follows(
    connection: psycopg.Connection, newest: date
) -> None:
    wait = (
        "update landing.files set status = 'held', reason_code = 'rows_lost' where file_id = ("
        "select {}(file_id) from landing.files where partner_id = 'woodland_hills' "
        "and contract_object = 'STUDENT' and status = 'loaded')"
    )
    connection.execute(wait.format("min").encode())
    assert as_json(newest)[1]["waiting"] == []
    connection.execute(wait.format("max").encode())
    code, found = as_json(newest)
    assert code == 3
    (file,) = found["waiting"]
    assert (file["partner_id"], file["status"]) == ("woodland_hills", "held")
    assert "file_name" not in file
    # Another file of the day was sent after it, although it landed before.
    connection.execute(
        "update landing.files set as_of_date = held.as_of_date, "
        "sent_at = held.sent_at + interval '1 hour' from landing.files as held "
        "where held.status = 'held' and held.as_of_date = (select max(as_of_date) "
        "from landing.files where status = 'held') and files.file_id = (select max(file_id) "
        "from landing.files where partner_id = 'woodland_hills' "
        "and contract_object = 'STUDENT' and status = 'loaded')"
    )
    assert as_json(newest)[1]["waiting"] == []


def test_a_day_in_the_future_waits_for_the_next_landing(
    connection: psycopg.Connection, newest: date
) -> None:
    connection.execute(
        "update landing.files set received_at = '2020-01-01 06:00Z', reason_code = "
        "'date_in_the_future', status = 'quarantined', as_of_date = '2099-01-01' where file_id = "
        "(select max(file_id) from landing.files where partner_id = 'woodland_hills')"
    )
    for landed_on, waiting in (("2020-01-01 18:00Z", 1), ("2020-01-01 18:01Z", 0)):
        connection.execute(
            "update landing.files set received_at = %s "
            "where partner_id = 'woodland_hills' and status = 'loaded'",
            [landed_on],
        )
        assert len(as_json(newest)[1]["waiting"]) == waiting


def test_a_delivery_that_repeats_an_earlier_one_is_named(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    assert as_json(newest)[1]["repeated"] == []
    # Clairton's newest delivery, under the content of an earlier one.
    connection.execute(
        """
        update landing.files set sha256 = earlier.sha256
        from landing.files as earlier
        where
            files.partner_id = 'clairton'
            and earlier.partner_id = 'clairton'
            and files.contract_object = earlier.contract_object
            and files.as_of_date = '2012-09-12'
            and earlier.as_of_date = '2012-09-05'
        """
    )
    assert "repeated clairton 2012-09-12" in run("status", "--as-of", str(newest))[1]
    # Without the rest of what a changed ledger means.
    status = replace(read_status(connection, published, newest), not_newest=[])
    assert [delivery.partner_id for delivery in status.repeated] == ["clairton"]
    assert not status.is_well
    assert replace(status, repeated=[]).is_well

    one = "select min(file_id) from landing.files where as_of_date = '2012-09-12'"
    # One new file makes it a new delivery.
    with connection.transaction(force_rollback=True):
        connection.execute(f"update landing.files set sha256 = 'another' where file_id = ({one})")
        assert read_status(connection, published, newest).repeated == []
    # A single file may stay as it is.
    with connection.transaction(force_rollback=True):
        connection.execute(
            "update landing.files set as_of_date = '2012-09-11' "
            f"where as_of_date = '2012-09-12' and file_id <> ({one})"
        )
        assert read_status(connection, published, newest).repeated == []


def test_a_purge_that_has_not_ended_needs_somebody_to_act(
    connection: psycopg.Connection, newest: date
) -> None:
    connection.execute("insert into privacy.purges (partner_id, found) values ('gone', '{}')")
    code, output = run("status", "--as-of", newest)
    assert code == 3
    assert "unfinished purge gone: unless it is running, run `outcomes purge --partner gone`" in (
        output
    )
    connection.execute("update privacy.purges set finished_at = clock_timestamp()")
    assert as_json(newest)[1]["unfinished_purges"] == []


def test_a_steward_may_run_status(
    connection: psycopg.Connection, newest: date, published: Settings
) -> None:
    make_login(connection, "ana", "a good one", STEWARD)
    try:
        with connect(replace(published, user="ana", password="a good one")) as steward:
            assert read_status(steward, published, newest).is_well
    finally:
        connection.execute("drop owned by ana; drop role ana")


def test_before_the_first_build(database: Settings) -> None:
    code, output = run("status")
    assert code == 3
    assert "Nothing is published here: run `outcomes weekly`." in output


Reports = list[dict[str, Any]]


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reports]:
    """The reports posted to the webhook in the environment."""
    posted: Reports = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/secret"
        monkeypatch.setenv("OUTCOMES_FAILURE_WEBHOOK", url)
        yield posted
        server.shutdown()


class Interrupted:
    """A dbt that is stopped when it begins."""

    def __init__(self, callbacks: list[Callable[[Any], None]]) -> None: ...

    def invoke(self, _: list[str]) -> dbtRunnerResult:
        return dbtRunnerResult(success=False, exception=KeyboardInterrupt())


def test_the_webhook_gets_a_report_of_a_failure(
    webhook: Reports, database: Settings, demo_drops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutcomesError):
        run("weekly", "no such folder")
    monkeypatch.setattr("dbt.cli.main.dbtRunner", Interrupted)
    with pytest.raises(OutcomesError, match="Interrupted"):
        run("weekly", min((demo_drops / "clairton").iterdir()))
    assert [(report["step"], report["exit_code"]) for report in webhook] == [
        ("land", 1), ("build", 1),
    ]  # fmt: skip
    assert set(webhook[0]) == {"command", "step", "exit_code", "run_id", "text"}


def test_events_are_logged_as_json_without_names(
    database: Settings, demo_drops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_LOG_FILE", str(tmp_path / "log"))
    monkeypatch.setattr("dbt.cli.main.dbtRunner", Interrupted)
    delivery = min((demo_drops / "clairton").iterdir())
    with pytest.raises(OutcomesError, match="Interrupted"):
        run("weekly", delivery)
    lines = (tmp_path / "log").read_text().splitlines()
    *files, built, week = [json.loads(line) for line in lines]
    assert len(files) == 4  # the sheets of the workbook
    assert {file["status"] for file in files} == {"loaded"}
    assert sum(file["rows_loaded"] for file in files) > 0
    assert (built["event"], built["status"]) == ("build", "failed")
    assert (week["event"], week["step"], week["exit_code"]) == ("weekly", "build", 1)
    assert not any(file.name in line for line in lines for file in delivery.iterdir())


def test_a_dry_run_logs_nothing(
    database: Settings, demo_drops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_LOG_FILE", str(tmp_path / "log"))
    run("land", min((demo_drops / "clairton").iterdir()), "--dry-run")
    assert not (tmp_path / "log").exists()


def test_a_log_that_cannot_be_written_stops_nothing(
    database: Settings, demo_drops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_LOG_FILE", str(tmp_path))
    code, output = run("land", min((demo_drops / "clairton").iterdir()))
    assert code == 0
    assert "warning: OUTCOMES_LOG_FILE: Is a directory" in output


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/secret", "file:///etc/secret", "secret"])
def test_an_unreachable_webhook_keeps_the_exit_code(
    url: str, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_FAILURE_WEBHOOK", url.format(port=free_port()))
    done = CliRunner().invoke(cli, ["weekly", "no such folder"])
    assert isinstance(done.exception, OutcomesError)
    assert "warning: OUTCOMES_FAILURE_WEBHOOK was not reached" in done.output
    assert "secret" not in done.output
