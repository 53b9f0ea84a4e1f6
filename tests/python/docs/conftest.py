"""The project as dbt reads it."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from tests.python.docs.dbt_runs import DbtCommand, DbtRun
from tests.python.parsed_projects import parsed as parsed_for
from tests.python.parsed_projects import uncollected

from outcomes.config import PROJECT_DIR, Settings


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> DbtCommand:
    """Runs dbt with the example profile as it is, writing outside the project."""

    def run(*command: str, manifest: Manifest | None = None) -> DbtRun:
        folder = tmp_path_factory.mktemp("dbt")
        shutil.copyfile(PROJECT_DIR / "profiles.example.yml", folder / "profiles.yml")
        complaints: list[str] = []

        def listen(event: Any) -> None:
            if event.info.level in ("warn", "error"):
                complaints.append(event.info.msg)

        places = {
            "--project-dir": PROJECT_DIR,
            "--profiles-dir": folder,
            "--target-path": folder / "target",
            "--log-path": folder / "logs",
        }
        with uncollected():
            outcome = dbtRunner(manifest, callbacks=[listen]).invoke(
                ["--quiet", "--no-partial-parse", *command]
                + [str(part) for place in places.items() for part in place]
            )
        if outcome.exception is not None:
            complaints.append(str(outcome.exception))
        return DbtRun(bool(outcome.success), complaints, folder / "target")

    return run


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("manifest") / "manifest.json"
    project = parsed_for(PROJECT_DIR, "outcomes")
    assert project is not None
    project.write(str(file))
    read: dict[str, Any] = json.loads(file.read_text())
    return read


@pytest.fixture(scope="session")
def documented(dbt: DbtCommand, built_demo: Settings) -> DbtRun:
    """`dbt docs generate` on the built demo: the catalog and all compiled SQL."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OUTCOMES_PG_DATABASE", built_demo.database)
        return dbt("docs", "generate", manifest=parsed_for(PROJECT_DIR, built_demo.database))
