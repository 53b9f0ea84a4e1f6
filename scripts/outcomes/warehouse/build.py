"""Runs dbt over the whole project, with progress a person can follow."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dbt.cli.main import dbtRunner
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from outcomes.config import PROJECT_DIR, load_settings
from outcomes.errors import OutcomesError

PROFILES_FILE = PROJECT_DIR / "profiles.yml"


@dataclass(frozen=True)
class BuildResult:
    """What `dbt build` did: nodes by status (`success`, `pass`, `fail`, …)."""

    statuses: Counter[str]

    @property
    def nodes(self) -> int:
        """Models, seeds, functions and tests that ran."""
        return sum(self.statuses.values())


def build(console: Console, as_of: str = "") -> BuildResult:
    """Build and test everything; the same as plain `dbt build`.

    Args:
        console: where progress and failures are shown.
        as_of: rebuild the warehouse as it was known on this day (yyyy-mm-dd).

    Raises:
        OutcomesError: a model or a test failed; the failures have been shown.
    """
    _provide_profile()
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

    def follow(event: Any) -> None:
        name = event.info.name
        if name == "LogStartLine":
            progress.update(task, total=event.data.total)
        elif name == "NodeFinished":
            progress.update(task, advance=1, description=event.data.node_info.node_name[:48])

    arguments = [
        "--quiet",
        "build",
        "--project-dir",
        str(PROJECT_DIR),
        "--profiles-dir",
        str(PROJECT_DIR),
    ]
    if as_of:
        arguments += ["--vars", f"{{as_of: {as_of}}}"]
    with progress, password_in_environment():
        outcome = dbtRunner(callbacks=[follow]).invoke(arguments)
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
    return BuildResult(Counter(str(result.status) for result in results))


def _provide_profile() -> None:
    if not PROFILES_FILE.exists():
        shutil.copyfile(PROJECT_DIR / "profiles.example.yml", PROFILES_FILE)


@contextmanager
def password_in_environment() -> Iterator[None]:
    """Where dbt's profile looks for it, for as long as dbt runs."""
    given = os.environ.get("OUTCOMES_PG_PASSWORD")
    os.environ["OUTCOMES_PG_PASSWORD"] = load_settings().password
    try:
        yield
    finally:
        if given is None:
            del os.environ["OUTCOMES_PG_PASSWORD"]
        else:
            os.environ["OUTCOMES_PG_PASSWORD"] = given
