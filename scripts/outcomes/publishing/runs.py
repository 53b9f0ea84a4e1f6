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
from outcomes.queries import query
from outcomes.warehouse.connection import connect

# The name of the installed package.
DISTRIBUTION = "student-outcomes-warehouse"


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
        "select run_id, status from landing.runs order by run_number desc limit 1"
    ).fetchone()
    if row is not None and row[1] != "published":
        raise OutcomesError(
            f"The links in the warehouse are of run {row[0]}, which is {row[1]}, not of the "
            "published run. Run `outcomes build` first."
        )


def is_up_to_date(connection: psycopg.Connection) -> bool:
    """Whether the publication was made by this code, from the ledger as it is now."""
    code = code_version()
    row = connection.execute(
        "select exists (select from landing.runs "
        "where run_id = landing.published_run() and code_version = %s)",
        [code],
    ).fetchone()
    return row == (True,) and not code.endswith("-dirty") and not why_not_newest(connection)


def why_not_newest(connection: psycopg.Connection) -> list[str]:
    """Why people do not read the newest state, in words; empty if they do."""
    row = connection.execute(query("outcomes.publishing", "publication_state")).fetchone()
    if row is None:
        return ["nothing is published"]
    read_as_of, status, last_as_of, is_last, delivered, has_read_all = row
    reasons = []
    if status == "withdrawn":
        reasons.append(f"the newest publication, as of {last_as_of}, was rolled back")
    elif not is_last:
        reasons.append("a later run was not published")
    if read_as_of != delivered:
        reasons.append(f"the newest delivery is of {delivered}")
    elif not has_read_all:
        reasons.append("files, releases, decisions, revisions or contracts have changed since")
    return reasons


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
    return version(DISTRIBUTION)


def _git(*arguments: str) -> str:
    # git refuses a checkout of another user, as in a container, without this.
    trusted = ["-c", f"safe.directory={PROJECT_DIR}", "-C", str(PROJECT_DIR)]
    done = subprocess.run(
        ["git", *trusted, *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
