"""The weekly run: land, build, test, publish, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from outcomes.access.logins import connect_as
from outcomes.access.rights import require_week
from outcomes.access.roles import BUILDER
from outcomes.config import load_settings
from outcomes.errors import OutcomesError
from outcomes.event_log import log_event
from outcomes.exit_codes import FAILED, NEEDS_A_PERSON
from outcomes.landing.land import Landing, land
from outcomes.progress import Progress, no_progress
from outcomes.publishing.build import BuildResult, build
from outcomes.publishing.runs import is_up_to_date
from outcomes.reports.district import write_all_reports
from outcomes.reports.status import STARTED, WEEKLY
from outcomes.reports.summary import Summary, read_summary
from outcomes.warehouse.connection import connect
from outcomes.webhook import report_failure


@dataclass(frozen=True)
class NothingToBuild:
    """Nothing has changed since the last publication."""


@dataclass(frozen=True)
class Workbooks:
    """The workbook of each district."""

    files: dict[str, Path]


Step = Landing | BuildResult | NothingToBuild | Summary | Workbooks


@dataclass(frozen=True)
class Week:
    """What a weekly run came to."""

    landing: Landing
    built: BuildResult | NothingToBuild
    summary: Summary
    workbooks: Workbooks

    @property
    def waits_in(self) -> str:
        """The step that waits for a person; empty if nobody has to act."""
        if isinstance(self.built, BuildResult) and self.built.status == "held":
            return "build"
        return "land" if self.landing.needs_a_person else ""


def run_week(
    path: str,
    *,
    force: bool = False,
    show: Callable[[Step], None] = lambda _: None,
    progress: Progress = no_progress,
) -> Week:
    """Do the weekly run; `force` builds even if nothing has changed.

    `show` is called with the result of each step as soon as it is there: a later step may fail.
    Every end is logged and recorded; one that needs somebody is also posted to the webhook. Until
    then the week is recorded as failed: one that is killed records no end.

    Raises:
        OutcomesError: a step failed; a `BuildError` has the run.
    """
    step, run_id, not_landed = "land", None, 0
    try:
        with _at_work():
            landing = land(path, progress=progress)
            not_landed = landing.not_landed
            show(landing)
            step = "build"
            built: BuildResult | NothingToBuild = NothingToBuild()
            with connect() as connection:
                is_needed = force or not is_up_to_date(connection)
            if is_needed:
                built = build(progress=progress)
                run_id = built.run_id
            show(built)
            step = "report"
            with connect_as(BUILDER) as connection:
                summary = read_summary(connection)
                show(summary)
                workbooks = Workbooks(write_all_reports(connection))
            show(workbooks)
            week = Week(landing, built, summary, workbooks)
            exit_code = NEEDS_A_PERSON if week.waits_in else 0
            _end(exit_code, week.waits_in or step, run_id, not_landed)
    except BaseException as error:
        _end(FAILED, step, getattr(error, "run_id", run_id), not_landed)
        raise
    return week


@contextmanager
def _at_work() -> Iterator[None]:
    """Let `outcomes status` see that a week is running, and later that it was killed."""
    with connect() as connection:
        require_week(connection, load_settings())
        connection.execute("select set_config('application_name', %s, false)", [WEEKLY])
        with suppress(psycopg.errors.UndefinedTable):  # the first landing makes the ledger
            _record(connection, FAILED, STARTED)
        yield


def _end(exit_code: int, step: str, run_id: str | None, not_landed: int) -> None:
    """Tell the log, the ledger if it can be reached, and the webhook if somebody has to act."""
    log_event("weekly", exit_code=exit_code, step=step, run_id=run_id)
    with suppress(OutcomesError, psycopg.Error), connect() as connection:
        _record(connection, exit_code, step, run_id, not_landed)
    if exit_code:
        report_failure(step, exit_code, run_id)


def _record(
    connection: psycopg.Connection,
    exit_code: int,
    step: str,
    run_id: str | None = None,
    not_landed: int = 0,
) -> None:
    """Add a row to the ledger: as failed when a week begins, with its outcome when it ends."""
    connection.execute(
        "insert into publishing.weeks (exit_code, step, run_id, files_not_landed) "
        "values (%s, %s, %s, %s)",
        [exit_code, step, run_id, not_landed],
    )
