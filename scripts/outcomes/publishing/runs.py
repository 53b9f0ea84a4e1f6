"""The state of runs, what they built, and the rollback of a publication."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import psycopg

from outcomes.config import PROJECT_DIR
from outcomes.errors import OutcomesError
from outcomes.queries import query
from outcomes.warehouse.tables import require_release

# The name of the installed package.
DISTRIBUTION = "student-outcomes-warehouse"

_LOST_INNER_TABLES = "a crash of PostgreSQL or an upgrade has emptied the inner tables"


def roll_back(connection: psycopg.Connection) -> str:
    """Restore the publication before the last one.

    Returns:
        The restored publication, in a sentence.

    Raises:
        OutcomesError: no earlier publication is kept, or the database refused.
    """
    require_release(connection)
    try:
        row = connection.execute("select publishing.verdict(publishing.roll_back())").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        raise  # a fault of this code
    except psycopg.Error as error:
        words = (error.diag.message_primary, error.diag.message_detail)
        raise OutcomesError(
            f"Nothing was rolled back: {' '.join(word for word in words if word) or error}"
        ) from None
    assert row is not None  # noqa: S101 - the function always returns a row
    return f"Rolled back. {row[0]}"


@contextmanager
def reading_built(connection: psycopg.Connection, *relations: str) -> Iterator[None]:
    """Read what a build made: check before that it is there.

    Raises:
        OutcomesError: the warehouse is of another release, a relation was never built, or other
            code than this built it.
    """
    require_release(connection)
    for relation in relations:
        if connection.execute("select to_regclass(%s)", [relation]).fetchone() == (None,):
            raise OutcomesError(
                f"The warehouse is not built: it has no {relation}. Run `outcomes land` and "
                "`outcomes build` first."
            )
    try:
        yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        built_by = _published_code(connection)
        if built_by in (None, code_version()):
            raise  # a fault of this code
        raise OutcomesError(
            f"The warehouse was built by other code, {built_by}: {error.diag.message_primary}. "
            "Run `outcomes build` first."
        ) from error


@contextmanager
def reading_links(connection: psycopg.Connection) -> Iterator[None]:
    """Read the inner tables of linking: check before that the published run left them.

    They are built in place, so after a rollback or a failed build they are of another run.

    Raises:
        OutcomesError: they are, or as `reading_built`.
    """
    with reading_built(connection, "identity.person_crosswalk"):
        row = connection.execute(
            "select run_id, status from publishing.runs order by run_number desc limit 1"
        ).fetchone()
        if row is not None and row[1] != "published":
            raise OutcomesError(
                f"The links in the warehouse are of run {row[0]}, which is {row[1]}, not of the "
                "published run. Run `outcomes build` first."
            )
        require_inner_tables(connection)
        yield


def require_inner_tables(connection: psycopg.Connection) -> None:
    """Refuse to read inner tables that are empty because the server crashed.

    Raises:
        OutcomesError: they are.
    """
    if not _has_inner_tables(connection):
        raise OutcomesError(f"Since the last build, {_LOST_INNER_TABLES}. Run `outcomes build`.")


def _has_inner_tables(connection: psycopg.Connection) -> bool:
    """Whether the inner tables have the rows of a build.

    They are unlogged: a crash of PostgreSQL empties all of them, and an upgrade drops them. The
    day of a build always has a row.
    """
    row = connection.execute("select to_regclass('deliveries.int_as_of')").fetchone()
    if row == (None,):
        return False
    row = connection.execute("select exists (select from deliveries.int_as_of)").fetchone()
    return row == (True,)


def _published_code(connection: psycopg.Connection) -> str | None:
    row = connection.execute(
        "select code_version from publishing.runs where run_id = publishing.published_run()"
    ).fetchone()
    return row[0] if row else None


def is_up_to_date(connection: psycopg.Connection) -> bool:
    """Whether a build would publish what people read already."""
    return not code_version().endswith("-dirty") and not why_not_newest(connection)


def why_not_newest(connection: psycopg.Connection) -> list[str]:
    """Why people do not read what this code makes of the ledger now, in words."""
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
    if (built_by := _published_code(connection)) != code_version():
        reasons.append(f"other code built it, {built_by}: this is {code_version()}")
    if not _has_inner_tables(connection):
        reasons.append(f"{_LOST_INNER_TABLES}, which reviewers and reports read")
    return reasons


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
