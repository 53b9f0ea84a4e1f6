"""Runs dbt over the whole project, with progress a person can follow, and publishes."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from dbt.cli.main import dbtRunner, dbtRunnerResult
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from outcomes.config import PROJECT_DIR, load_settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect
from outcomes.warehouse.publishing import code_version, publish
from outcomes.warehouse.tables import create_tables

PROFILES_FILE = PROJECT_DIR / "profiles.yml"


@dataclass(frozen=True)
class BuildResult:
    """What `dbt build` did: nodes by status (`success`, `pass`, …), and whether it is public."""

    statuses: Counter[str]
    verdict: str

    @property
    def nodes(self) -> int:
        """Models, seeds, functions and tests that ran."""
        return sum(self.statuses.values())


def build(console: Console, as_of: str = "") -> BuildResult:
    """Build and test everything, and publish it.

    Args:
        console: where progress and failures are shown.
        as_of: rebuild the warehouse as it was known on this day (yyyy-mm-dd).

    Raises:
        OutcomesError: a model or a test failed; failures have been shown.
            Nothing has been published then.
    """
    _provide_profile()
    with connect() as connection:
        create_tables(connection)
    progress = Progress(
        TextColumn("Building"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
    )
    task = progress.add_task("", total=None)
    run_id = ""

    def follow(event: Any) -> None:
        nonlocal run_id
        name = event.info.name
        if name == "LogStartLine":
            if not run_id:
                run_id = event.info.invocation_id
                # By its sessions another build sees that this one is alive: dbt's own end
                # before the publication does. Not before the first node, as
                # the hook that looks for others would take it for one.
                held.enter_context(connect()).execute("set application_name = 'dbt'")
            progress.update(task, total=event.data.total)
        elif name == "NodeFinished":
            progress.update(task, advance=1, description=event.data.node_info.node_name[:48])

    variables = {"publish": False} | ({"as_of": as_of} if as_of else {})

    with ExitStack() as held:
        with progress:
            outcome = _invoke(dbtRunner(callbacks=[follow]), variables)
        statuses = _statuses(outcome, console)
        with console.status("Publishing"), connect() as connection:
            return BuildResult(statuses, publish(connection, run_id))


def _invoke(runner: dbtRunner, variables: dict[str, Any]) -> dbtRunnerResult:
    folder = str(PROJECT_DIR)
    arguments = ["--quiet", "build", "--project-dir", folder, "--profiles-dir", folder]
    # Unit tests are about the code, not about what has landed: CI runs them.
    arguments += ["--exclude-resource-type", "unit_test"]
    with dbt_environment():
        return runner.invoke([*arguments, "--vars", json.dumps(variables)])


def _statuses(outcome: dbtRunnerResult, console: Console) -> Counter[str]:
    """Nodes by status.

    Raises:
        OutcomesError: some failed; they have been shown.
    """
    if outcome.exception is not None:
        raise OutcomesError(f"dbt could not build: {outcome.exception}")
    results = getattr(outcome.result, "results", [])
    if not outcome.success:
        failed = [r for r in results if r.status in ("error", "fail", "runtime error")]
        for result in failed:
            console.print(f"[red]{result.status}[/] {result.node.name}: {result.message}")
        raise OutcomesError(
            f"{len(failed)} of {len(results)} models and tests failed. The first of them "
            "explains the others; `dbt build` shows the whole log."
        )
    return Counter(str(result.status) for result in results)


def _provide_profile() -> None:
    if not PROFILES_FILE.exists():
        shutil.copyfile(PROJECT_DIR / "profiles.example.yml", PROFILES_FILE)


@contextmanager
def dbt_environment() -> Iterator[None]:
    """What dbt's profile and macros look for, for as long as dbt runs."""
    settings = load_settings()
    provided = {
        "OUTCOMES_PG_PASSWORD": settings.password,
        "OUTCOMES_CODE_VERSION": os.environ.get("OUTCOMES_CODE_VERSION") or code_version(),
    }
    if settings.pseudonym_key:
        # As a setting of dbt's sessions, which stands in no statement, log or artifact.
        escaped = re.sub(r"([\\\s])", r"\\\1", settings.pseudonym_key)
        options = [os.environ.get("PGOPTIONS", ""), f"-c outcomes.pseudonym_key={escaped}"]
        provided["PGOPTIONS"] = " ".join(options).strip()
    given = {name: os.environ.get(name) for name in provided}
    os.environ.update(provided)
    try:
        yield
    finally:
        for name, value in given.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
