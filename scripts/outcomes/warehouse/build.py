"""Builds the whole project with dbt, shows progress, and publishes."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console

from outcomes.access.logins import limited_login
from outcomes.access.roles import BUILDER
from outcomes.config import PROJECT_DIR, Settings, changed_environment, load_settings
from outcomes.errors import OutcomesError
from outcomes.event_log import log_event
from outcomes.progress import progress_bar
from outcomes.warehouse.connection import connect
from outcomes.warehouse.publishing import code_version
from outcomes.warehouse.tables import create_tables

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

PROFILES_FILE = PROJECT_DIR / "profiles.yml"


@dataclass(frozen=True)
class BuildResult:
    """The result of a build: the number of nodes, and the run's status and verdict."""

    run_id: str
    nodes: int
    status: str
    verdict: str


class BuildError(OutcomesError):
    """A build that failed, and its run."""

    def __init__(self, message: str, run_id: str) -> None:
        super().__init__(message)
        self.run_id = run_id


def build(console: Console, as_of: str = "", accept_loss: str = "") -> BuildResult:
    """Build and test everything on the target prod, which publishes it.

    With `as_of` (yyyy-mm-dd) the warehouse is rebuilt as it was known on that day; `accept_loss`
    says why missing rows or another key are accepted. The result was published or held.

    Raises:
        BuildError: a model, a test or the publication failed; the failures were printed and
            nothing was published.
    """
    # Imported here, because loading dbt takes three seconds.
    from dbt.cli.main import dbtRunner

    if not PROFILES_FILE.exists():
        shutil.copyfile(PROJECT_DIR / "profiles.example.yml", PROFILES_FILE)
    with connect() as connection:
        create_tables(connection)
    progress = progress_bar("Building", console)
    task = progress.add_task("", total=None)
    run_id = ""

    def follow(event: Any) -> None:
        nonlocal run_id
        name = event.info.name
        if name == "LogStartLine":
            run_id = event.info.invocation_id
            progress.update(task, total=event.data.total)
        elif name == "NodeFinished":
            progress.update(task, advance=1, description=event.data.node_info.node_name[:48])

    with progress, limited_login(load_settings(), BUILDER) as settings, dbt_environment(settings):
        outcome = dbtRunner(callbacks=[follow]).invoke(
            [
                # Failures are shown below.
                "--log-level", "none", "build", "--target", "prod",
                "--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR),
                # CI runs the unit tests: they do not depend on the landed files.
                "--exclude-resource-type", "unit_test",
                "--vars", json.dumps({"as_of": as_of, "accept_loss": accept_loss}),
            ]
        )  # fmt: skip
    with connect() as connection:
        status, verdict = connection.execute(
            "select max(status), max(landing.verdict(run_id)) from landing.runs where run_id = %s",
            [run_id],
        ).fetchone() or (None, None)
    results = getattr(outcome.result, "results", [])
    log_event("build", run_id=run_id, status=status or "failed", nodes=len(results))
    if status not in ("published", "held"):
        raise BuildError(_show_failure(outcome, console), run_id)
    return BuildResult(run_id, len(results), status, verdict)


def _show_failure(outcome: dbtRunnerResult, console: Console) -> str:
    """Show what failed; what it comes to, in a sentence."""
    if isinstance(outcome.exception, KeyboardInterrupt):
        return "Interrupted. Nothing was published."
    if outcome.exception is not None:
        return f"dbt could not build: {outcome.exception}"
    results = getattr(outcome.result, "results", [])
    failed = [r for r in results if r.status in ("error", "fail", "runtime error")]
    for result in failed:
        console.print(f"[red]{result.status}[/] {result.node.name}: {result.message}")
    return (
        f"{len(failed)} of {len(results)} models and tests failed. Fix the first one first; "
        "`dbt build` shows the whole log."
    )


@contextmanager
def dbt_environment(settings: Settings) -> Iterator[None]:
    """Set the variables of dbt's profile and macros while dbt runs, and collect no garbage.

    Collecting takes a fifth of dbt's time, and frees little.
    """
    provided = {
        "OUTCOMES_PG_USER": settings.user,
        "OUTCOMES_PG_PASSWORD": settings.password,
        "OUTCOMES_CODE_VERSION": code_version(),
    }
    if settings.pseudonym_key:
        # A setting of dbt's sessions does not appear in statements, logs or artifacts.
        escaped = re.sub(r"([\\\s])", r"\\\1", settings.pseudonym_key)
        options = [os.environ.get("PGOPTIONS", ""), f"-c outcomes.pseudonym_key={escaped}"]
        provided["PGOPTIONS"] = " ".join(options).strip()
    gc.disable()
    try:
        with changed_environment(**provided):
            yield
    finally:
        gc.enable()
