"""The state of the warehouse for operators: counts and names of feeds, no personal data."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import psycopg
from psycopg.rows import class_row

from outcomes.config import Settings
from outcomes.contracts.reader import load_contracts
from outcomes.landing.ledger import WaitingFile, waiting_files, without_usable_contract
from outcomes.linkage.review_queue import count_queue
from outcomes.publishing.runs import why_not_newest
from outcomes.queries import query
from outcomes.warehouse.tables import require_release

# As long as publishing.begin_run waits for a running dbt.
PATIENCE_SECONDS = 8.0
# A county's build takes minutes. One that has not ended after this time hangs.
LONGEST_BUILD = timedelta(hours=3)

# The name of a running week's session, and its step in the ledger until it ends.
WEEKLY = "outcomes weekly"
STARTED = "started"


@dataclass(frozen=True)
class Run:
    """A run of dbt on the target prod, from the ledger."""

    run_id: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    published_at: datetime | None
    as_of_date: date | None
    code_version: str
    failed_nodes: list[str] | None
    verdict: str


@dataclass(frozen=True)
class FailedWeek:
    """The last `outcomes weekly`, if it failed or was killed, and no build has made up for it."""

    step: str
    finished_at: datetime


@dataclass(frozen=True)
class LateFeed:
    """A kind of file whose agreed day and latency have passed."""

    partner_id: str
    contract_object: str
    source_id: str | None
    expected_on: date
    days_late: int


@dataclass(frozen=True)
class RepeatedDelivery:
    """The newest delivery of a partner, if all of its files had come before."""

    partner_id: str
    as_of_date: date


@dataclass(frozen=True)
class Status:
    """The result of `outcomes status`."""

    as_of: date
    last_run: Run | None
    published_run: Run | None
    # Why people do not read the newest state; empty if they do.
    not_newest: list[str]
    is_running: bool
    week_is_running: bool
    failed_week: FailedWeek | None
    # Files that the last week could not even record, such as those of an unknown partner.
    not_landed: int
    # Known partners whose contract cannot be used or is gone.
    without_usable_contract: list[str]
    # Partners whose purge has begun and not ended: some of their data may be left.
    unfinished_purges: list[str]
    late: list[LateFeed]
    # Partners of whom nothing has come. When their first delivery is due, nobody has agreed.
    never_delivered: list[str]
    repeated: list[RepeatedDelivery]
    waiting: list[WaitingFile]
    links_in_review: int
    database_bytes: int
    archive_bytes: int

    @property
    def hangs(self) -> bool:
        """Whether a build is running that should have ended long ago."""
        return (
            self.is_running
            and self.last_run is not None
            and self.last_run.started_at < datetime.now(UTC) - LONGEST_BUILD
        )

    @property
    def is_well(self) -> bool:
        """Whether nobody has to act. Links in review are everyday work."""
        is_newest = not self.hangs and (self.is_running or not self.not_newest)
        is_built = is_newest and self.failed_week is None
        is_landed = not (self.waiting or self.not_landed or self.without_usable_contract)
        is_delivered = not (self.late or self.repeated)
        return is_built and is_landed and is_delivered and not self.unfinished_purges


def read_status(connection: psycopg.Connection, settings: Settings, as_of: date | None) -> Status:
    """Read the ledger, the publication, and the sizes of database and archive.

    `as_of` is the day on which a delivery is late or not; by default today, or for a demo the day
    of its newest delivery.

    Raises:
        OutcomesError: the warehouse is of another release than this code.
    """
    require_release(connection)
    as_of = as_of or _usual_day(connection)
    last_run = _run(connection, "run_number = (select max(run_number) from publishing.runs)")
    week_is_running = _has_session(connection, WEEKLY)
    is_built = _count(connection, "select count(to_regclass('quality.feed_freshness'))") == 1
    return Status(
        as_of=as_of,
        last_run=last_run,
        published_run=_run(connection, "run_id = publishing.published_run()"),
        not_newest=why_not_newest(connection),
        is_running=last_run is not None
        and last_run.status in ("running", "passed")
        and _dbt_is_at_work(connection),
        week_is_running=week_is_running,
        # Until it ends, a week is in the ledger as failed.
        failed_week=None if week_is_running else _failed_week(connection),
        not_landed=_count(
            connection,
            "select coalesce((select files_not_landed from publishing.weeks "
            "order by week_id desc limit 1), 0)",
        ),
        without_usable_contract=without_usable_contract(connection, load_contracts()),
        unfinished_purges=_unfinished_purges(connection),
        late=_late(connection, as_of) if is_built else [],
        never_delivered=_never_delivered(connection) if is_built else [],
        repeated=_repeated(connection),
        waiting=waiting_files(connection),
        links_in_review=count_queue(connection).waiting if is_built else 0,
        database_bytes=_count(connection, "select pg_database_size(current_database())"),
        archive_bytes=sum(file.stat().st_size for file in settings.archive_dir.rglob("*.age")),
    )


def _run(connection: psycopg.Connection, condition: str) -> Run | None:
    with connection.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(
            f"""
            select
                run_id, status, started_at, finished_at, published_at, as_of_date, code_version,
                failed_nodes, publishing.verdict(run_id)
            from publishing.runs
            where {condition}
            """.encode()  # noqa: S608 - conditions are those of this module
        ).fetchone()


def _failed_week(connection: psycopg.Connection) -> FailedWeek | None:
    with connection.cursor(row_factory=class_row(FailedWeek)) as cursor:
        return cursor.execute(
            """
            select step, finished_at from publishing.weeks
            where exit_code = 1 and week_id = (select max(week_id) from publishing.weeks)
            and (step <> 'build' or not exists (
                select from publishing.runs where published_at > weeks.finished_at
            ))
            """
        ).fetchone()


def _dbt_is_at_work(connection: psycopg.Connection) -> bool:
    """Whether dbt has a session, or gets one soon: between two steps it has none."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        if _has_session(connection, "dbt"):
            return True
        time.sleep(0.1)
    return False


def _has_session(connection: psycopg.Connection, application: str) -> bool:
    row = connection.execute(
        "select exists (select from pg_stat_activity "
        "where datname = current_database() and application_name = %s)",
        [application],
    ).fetchone()
    return row == (True,)


def _usual_day(connection: psycopg.Connection) -> date:
    """The day on which deliveries are late or not: today.

    Where every file was more than a year old when it landed, as in the demo, nobody delivers
    today: the clock stands at the newest delivery.
    """
    row = connection.execute(
        """
        select case
            when min(received_at::date - as_of_date) > 365 then max(as_of_date)
            else current_date
        end
        from landing.files
        """
    ).fetchone()
    return row[0] if row else date.today()


def _late(connection: psycopg.Connection, as_of: date) -> list[LateFeed]:
    """The late feeds of the published schedule, without those that have landed since."""
    with connection.cursor(row_factory=class_row(LateFeed)) as cursor:
        return cursor.execute(
            query("outcomes.reports", "late_feeds"),
            {"as_of": as_of},
        ).fetchall()


def _never_delivered(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        """
        select distinct partner_id from quality.feed_freshness
        where partner_id not in (select partner_id from landing.files)
        order by partner_id
        """
    )
    return [partner_id for (partner_id,) in rows]


def _unfinished_purges(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "select distinct partner_id from privacy.purges where finished_at is null order by 1"
    )
    return [partner_id for (partner_id,) in rows]


def _repeated(connection: psycopg.Connection) -> list[RepeatedDelivery]:
    with connection.cursor(row_factory=class_row(RepeatedDelivery)) as cursor:
        return cursor.execute(query("outcomes.reports", "repeated_deliveries")).fetchall()


def _count(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
