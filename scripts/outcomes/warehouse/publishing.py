"""Puts in place what a build has made and tests have passed, and takes it back."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import version

import psycopg

from outcomes.config import PROJECT_DIR
from outcomes.errors import OutcomesError
from outcomes.suppression.repair import make_safe


def audit_run(connection: psycopg.Connection, run_id: str, rebuild: Callable[[], None]) -> None:
    """Make a complete run that passed safe to be published, and enter that it is.

    Args:
        connection: to the warehouse that was built.
        run_id: dbt's invocation id.
        rebuild: builds what depends on the rows that the audit withholds.

    Raises:
        OutcomesError: small counts can be worked out even so.
    """
    make_safe(connection, "next_marts_public", rebuild)
    connection.execute(
        "update landing.runs set audited_at = clock_timestamp() where run_id = %s", [run_id]
    )


def has_passed(connection: psycopg.Connection, run_id: str) -> bool:
    """Whether it is a complete run on the target prod, passed and not yet published."""
    # A database where nothing has landed has no runs either.
    if connection.execute("select to_regclass('landing.runs')").fetchone() == (None,):
        return False
    query = "select from landing.runs where run_id = %s and status = 'passed'"
    return connection.execute(query, [run_id]).fetchone() is not None


def publish(connection: psycopg.Connection, run_id: str, rebuild: Callable[[], None]) -> str:
    """Audit a run and put it in place if it passed and is complete.

    Args:
        connection: to the warehouse that was built.
        run_id: dbt's invocation id.
        rebuild: builds what depends on the rows that the audit withholds.

    Returns:
        What became of the run, in a sentence.

    Raises:
        OutcomesError: an audit found something, or the database refused.
    """
    row = connection.execute(
        "select status from landing.runs where run_id = %s", [run_id]
    ).fetchone()
    if row is None:
        return "Built in place: only the target prod publishes."
    if row[0] == "passed":
        audit_run(connection, run_id, rebuild)
        try:
            connection.execute("select landing.publish_run(%s)", [run_id])
        except psycopg.Error as error:
            raise OutcomesError(
                f"Built and tested, but not published: {_words_of(error)}\n"
                "What people read is as it was."
            ) from None
    verdict = connection.execute("select landing.verdict(%s)", [run_id]).fetchone()
    assert verdict is not None  # noqa: S101 - the function always returns a row
    return str(verdict[0])


def roll_back(connection: psycopg.Connection) -> str:
    """Put back what was public before the last publication.

    Returns:
        What is public now, in a sentence.

    Raises:
        OutcomesError: nothing older is kept, or the database refused.
    """
    try:
        row = connection.execute("select landing.verdict(landing.roll_back())").fetchone()
    except psycopg.Error as error:
        raise OutcomesError(f"Nothing was rolled back: {_words_of(error)}") from None
    assert row is not None  # noqa: S101 - the function always returns a row
    return f"Rolled back. {row[0]}"


def code_version() -> str:
    """The commit, marked where files differ from it; the release outside a checkout."""
    if shutil.which("git"):
        described = subprocess.run(
            ["git", "-C", str(PROJECT_DIR), "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            check=False,
        )
        if described.returncode == 0:
            return described.stdout.strip()
    return version("student-outcomes-warehouse")


def _words_of(error: psycopg.Error) -> str:
    words = (error.diag.message_primary, error.diag.message_detail)
    return " ".join(word for word in words if word) or str(error)
