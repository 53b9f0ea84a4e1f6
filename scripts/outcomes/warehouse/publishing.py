"""Puts in place what a build has made and tests have passed, and takes it back."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import version

import psycopg

from outcomes.config import PROJECT_DIR
from outcomes.errors import OutcomesError


def publish(connection: psycopg.Connection, run_id: str) -> str:
    """Put a run in place if it passed and is complete.

    Returns:
        What became of the run, in a sentence.

    Raises:
        OutcomesError: the database refused.
    """
    row = connection.execute(
        "select status from landing.runs where run_id = %s", [run_id]
    ).fetchone()
    if row is None:
        return "Built in place: only the target prod publishes."
    if row[0] == "passed":
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
