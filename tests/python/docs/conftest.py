"""The project as dbt reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.python.docs.dbt_runs import DbtRun
from tests.python.parsed_projects import folders, invoke_dbt
from tests.python.parsed_projects import parsed as parsed_for

from outcomes.config import PROJECT_DIR, Settings


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("manifest") / "manifest.json"
    project = parsed_for(PROJECT_DIR, "outcomes")
    assert project is not None
    project.write(str(file))
    read: dict[str, Any] = json.loads(file.read_text())
    return read


@pytest.fixture(scope="session")
def documented(built_demo: Settings, tmp_path_factory: pytest.TempPathFactory) -> DbtRun:
    """`dbt docs generate` on the built demo: the catalog and the compiled SQL of the models."""
    folder = tmp_path_factory.mktemp("dbt")
    complaints: list[str] = []
    command = ["--quiet", "docs", "generate", "--select", "resource_type:model"]
    places = [*folders(PROJECT_DIR), "--target-path", str(folder)]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OUTCOMES_PG_DATABASE", built_demo.database)
        project = parsed_for(PROJECT_DIR, built_demo.database)
        done = invoke_dbt([*command, *places], project, complaints)
    return DbtRun(done.success, complaints, folder)
