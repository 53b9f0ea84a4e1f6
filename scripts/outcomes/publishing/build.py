"""Builds the whole project with dbt, and publishes."""

from __future__ import annotations

import gc
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg

from outcomes.access.logins import limited_login
from outcomes.access.rights import require_build
from outcomes.access.roles import BUILDER, builds_as
from outcomes.config import PROJECT_DIR, Settings, changed_environment, load_settings
from outcomes.errors import OutcomesError
from outcomes.event_log import log_event
from outcomes.progress import Progress, no_progress
from outcomes.publishing.runs import code_version
from outcomes.warehouse.connection import connect, session_options
from outcomes.warehouse.tables import create_tables

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

# A value in PostgreSQL's words, such as `invalid input syntax for type date: "x"`. Before a name
# it has other words, such as `column "x"`.
_VALUE = re.compile(
    r'(: |\bvalue |\bToken )".*?"(?=\s*$| is out of range| is invalid| for ")',
    re.DOTALL | re.MULTILINE,
)
# Of those that fail a test of a seed.
_ROWS_SHOWN = 3

PROFILES_FILE = PROJECT_DIR / "profiles.yml"


@dataclass(frozen=True)
class BuildResult:
    """The result of a build: the number of nodes, and the run's status and verdict.

    The status is published, held, or aside: in schemas of its own.
    """

    run_id: str
    nodes: int
    status: str
    verdict: str


@dataclass(frozen=True)
class FailedNode:
    """What failed, and why, in one line: without a row's values, unless it is a row of a seed."""

    name: str
    status: str
    reason: str
    is_hook: bool = False


class BuildError(OutcomesError):
    """A build that failed, its run, and the models and tests that failed in it."""

    def __init__(self, message: str, run_id: str, failed: Sequence[FailedNode]) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.failed = failed


def build(
    as_of: date | None = None,
    accept_loss: str = "",
    *,
    publish: bool = True,
    progress: Progress = no_progress,
) -> BuildResult:
    """Build and test everything, and publish it.

    With `as_of` the warehouse is rebuilt as it was known on that day; `accept_loss` says why
    missing rows or another key are accepted. Without `publish` it is built aside, in schemas that
    are named for the day.

    Raises:
        BuildError: a model, a test or the publication failed, and nothing was published.
        OutcomesError: the login may not build, or the warehouse is of another release.
    """
    if accept_loss and not publish:
        raise OutcomesError(
            "--accept-loss is about a publication, and a build of an earlier day is not "
            "published: say --publish, too, or leave it out."
        )
    # Imported here, because loading dbt takes three seconds.
    from dbt.cli.main import dbtRunner

    if not PROFILES_FILE.exists():
        shutil.copyfile(PROJECT_DIR / "profiles.example.yml", PROFILES_FILE)
    with connect() as connection:
        require_build(connection, load_settings())
        create_tables(connection)
    run_id, nodes, total = "", 0, None

    def follow(event: Any) -> None:
        nonlocal run_id, nodes, total
        name = event.info.name
        if name == "LogStartLine":
            run_id, total = event.info.invocation_id, event.data.total
            progress(nodes, total, "")
        elif name == "NodeFinished":
            nodes += 1
            progress(nodes, total, event.data.node_info.node_name[:48])

    day = str(as_of or "")
    prefix = f"as_of_{day.replace('-', '_')}_"
    aside = {} if publish else {"OUTCOMES_SCHEMA_PREFIX": prefix}
    variables = {"as_of": day, "accept_loss": accept_loss, "publish": publish}
    with (
        limited_login(load_settings(), BUILDER) as settings,
        # What is built aside belongs to the login.
        dbt_environment(settings, aside, takes_role=publish),
    ):
        outcome = dbtRunner(callbacks=[follow]).invoke(
            [
                # The result has the failures.
                "--log-level", "none", "build", "--target", "prod" if publish else "dev",
                "--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR),
                # CI runs the unit tests: they do not depend on the landed files.
                "--exclude-resource-type", "unit_test",
                "--vars", json.dumps(variables),
            ]
        )  # fmt: skip
        failed = _failed_nodes(outcome, settings)
    with connect() as connection:
        if publish:
            status, verdict = _verdict(connection, run_id)
        else:
            status = "aside" if outcome.success else "failed"
            verdict = f"Not published: it is in {_schemas(connection, prefix)}."
    log_event("build", run_id=run_id, status=status, nodes=nodes)
    if status not in ("published", "held", "aside"):
        raise _build_error(outcome, failed, status, run_id)
    return BuildResult(run_id, nodes, status, verdict)


def _verdict(connection: psycopg.Connection, run_id: str) -> tuple[str, str]:
    """The status of a run and its outcome in a sentence, from the ledger."""
    row = connection.execute(
        "select status, publishing.verdict(run_id) from publishing.runs where run_id = %s", [run_id]
    ).fetchone()
    return row or ("failed", "")


def _schemas(connection: psycopg.Connection, prefix: str) -> str:
    rows = connection.execute(
        "select nspname from pg_namespace where starts_with(nspname, %s) order by 1", [prefix]
    )
    return ", ".join(name for (name,) in rows)


def _failed_nodes(outcome: dbtRunnerResult, settings: Settings) -> list[FailedNode]:
    """The models, tests and hooks that failed, with what is wrong in a seed."""
    return [
        FailedNode(
            result.node.name,
            result.status,
            _reason(result.message) + _rows_of_seed(result, settings),
            is_hook=result.node.resource_type == "operation",
        )
        for result in getattr(outcome.result, "results", [])
        if result.status in ("error", "fail", "runtime error")
    ]


def _rows_of_seed(result: Any, settings: Settings) -> str:
    """The first rows that fail a test of a seed: policy, not personal data."""
    tested = getattr(result.node, "attached_node", None) or ""
    if result.status != "fail" or not tested.startswith("seed."):
        return ""
    with suppress(psycopg.Error), connect(settings) as connection:
        cursor = connection.execute(result.node.compiled_code.encode())
        names = [column.name for column in cursor.description or []]
        rows = [
            ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True))
            for row in cursor.fetchmany(_ROWS_SHOWN)
        ]
        return f": {'; '.join(rows)}"
    return ""


def _build_error(
    outcome: dbtRunnerResult, failed: Sequence[FailedNode], status: str, run_id: str
) -> BuildError:
    results = getattr(outcome.result, "results", [])
    nodes = [node for node in failed if not node.is_hook]
    reason = "; ".join(node.reason for node in failed if node.is_hook)
    if isinstance(outcome.exception, KeyboardInterrupt):
        message = "Interrupted. Nothing was published."
    elif outcome.exception is not None:
        message = f"dbt could not build: {_reason(str(outcome.exception))}"
    elif nodes:
        message = (
            f"{len(nodes)} of {len(results)} models and tests failed. Fix the first one first; "
            "`dbt build` shows the whole log."
        )
    elif status == "passed":  # from the last test to the publication
        message = (
            f"All models and tests passed, but the publication failed: {reason}. The published "
            "tables have not changed."
        )
    else:
        message = f"dbt could not build: {reason or 'see `dbt build --target prod`'}."
    return BuildError(message, run_id, nodes)


def _reason(message: str | None) -> str:
    """An error of dbt or PostgreSQL in one line, without the values that it may quote."""
    told = []
    for line in _VALUE.sub(r'\1"…"', message or "").splitlines():
        words = line.strip()
        if words.startswith(("CONTEXT:", "LINE ", "> in macro", "compiled code")):
            break
        # "<hook> failed, error:" stands before the error of a hook.
        if words.startswith(("DETAIL:  Key (", "DETAIL:  Failing row")) or words.endswith("error:"):
            continue
        told.append(words)
    return " ".join(filter(None, told)).rstrip(".")


@contextmanager
def dbt_environment(
    settings: Settings, more: Mapping[str, str] | None = None, *, takes_role: bool = False
) -> Iterator[None]:
    """Set the variables of dbt's profile and macros while dbt runs, and collect no garbage.

    With `takes_role` dbt acts as the role that builds, otherwise with the login's own rights.
    Collecting takes a fifth of its time, and frees little.
    """
    session = {}
    if takes_role:
        with connect(settings) as connection:
            session["role"] = builds_as(connection)
    if settings.pseudonym_key:
        # A setting of dbt's sessions does not appear in statements, logs or artifacts.
        session["outcomes.pseudonym_key"] = settings.pseudonym_key
    provided = {
        "OUTCOMES_PG_USER": settings.user,
        "OUTCOMES_PG_PASSWORD": settings.password,
        "OUTCOMES_CODE_VERSION": code_version(),
        "PGOPTIONS": session_options(**session),
        **(more or {}),
    }
    gc.disable()
    try:
        with changed_environment(**provided):
            yield
    finally:
        gc.enable()
