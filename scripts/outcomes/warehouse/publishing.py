"""The state of runs, and the rollback of a publication."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import version

import psycopg

from outcomes.config import PROJECT_DIR
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect


def roll_back(connection: psycopg.Connection) -> str:
    """Restore the publication before the last one.

    Returns:
        The restored publication, in a sentence.

    Raises:
        OutcomesError: no earlier publication is kept, or the database refused.
    """
    try:
        row = connection.execute("select landing.verdict(landing.roll_back())").fetchone()
    except psycopg.Error as error:
        words = (error.diag.message_primary, error.diag.message_detail)
        raise OutcomesError(
            f"Nothing was rolled back: {' '.join(word for word in words if word) or error}"
        ) from None
    assert row is not None  # noqa: S101 - the function always returns a row
    return f"Rolled back. {row[0]}"


def require_published(connection: psycopg.Connection) -> None:
    """Check that the inner tables of linking belong to the published run.

    They are built in place, so after a rollback or a failed build they do not.

    Raises:
        OutcomesError: they belong to another run.
    """
    row = connection.execute(
        "select run_id, status from landing.runs order by started_at desc limit 1"
    ).fetchone()
    if row is not None and row[1] != "published":
        raise OutcomesError(
            f"The links in the warehouse are of run {row[0]}, which is {row[1]}, not of the "
            "published run. Run `outcomes build` first."
        )


def is_up_to_date(connection: psycopg.Connection) -> bool:
    """Whether the publication was made by this code, from the ledger as it is now.

    A requested revision of a school year is a reason to build, too.
    """
    code = code_version()
    row = connection.execute(
        """
        select exists (
            select from landing.runs
            where
                run_id = landing.published_run()
                and started_at = (select max(started_at) from landing.runs)
                and code_version = %s
                and as_of_date = (select max(as_of_date) from landing.files where status = 'loaded')
                and ledger_content = landing.content()
                and not exists (select from releases.school_years where released_at is null)
        )
        """,
        [code],
    ).fetchone()
    return row == (True,) and not code.endswith("-dirty")


def record_week(exit_code: int, step: str, run_id: str | None) -> None:
    """Record the end of `outcomes weekly`, if the database can be reached."""
    with suppress(OutcomesError, psycopg.Error), connect() as connection:
        connection.execute(
            "insert into landing.weeks (exit_code, step, run_id) values (%s, %s, %s)",
            [exit_code, step, run_id],
        )


def code_version() -> str:
    """The commit, marked if files differ from it; outside a checkout, the release.

    `OUTCOMES_CODE_VERSION` replaces both, for example in an image.
    """
    if given := os.environ.get("OUTCOMES_CODE_VERSION"):
        return given
    if shutil.which("git") and _git("rev-parse", "--show-toplevel") == str(PROJECT_DIR):
        commit = _git("describe", "--always", "--long")
        if commit:
            return f"{commit}-dirty" if _git("status", "--porcelain") else commit
    return version("student-outcomes-warehouse")


def _git(*arguments: str) -> str:
    # git refuses a checkout of another user, as in a container, without this.
    trusted = ["-c", f"safe.directory={PROJECT_DIR}", "-C", str(PROJECT_DIR)]
    done = subprocess.run(
        ["git", *trusted, *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
