"""dbt's manifest of a project, parsed once for all databases that the tests make."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from outcomes.config import PROJECT_DIR

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

# Kept for the next run of the tests, in which dbt parses only changed files.
_KEPT = PROJECT_DIR / "target" / "tests"
# dbt's other files, for each process of the tests.
SCRATCH = _KEPT / os.environ.get("PYTEST_XDIST_WORKER", "alone")

# The database's name in a parsed manifest.
_DATABASE = "outcomes"
_CONNECTION = {"HOST": "127.0.0.1", "PORT": "5432", "USER": "outcomes", "DATABASE": _DATABASE}

_manifests: dict[str, Manifest | None] = {}
# Warnings and errors of parsing our project, by target.
complaints: dict[str, list[str]] = {}


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage: that takes a fifth of the time of a run of dbt, and frees little."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@uncollected()
def parsed(project: Path, database: str) -> Manifest | None:
    """The manifest of a project, with its relations in `database`; None if dbt refuses it.

    A project is parsed again for another target, and on `dev` for another prefix of the
    schemas. Other variables do not matter, because none of ours changes the parsed project.
    """
    target = os.environ.get("OUTCOMES_TARGET", "dev")
    if target == "dev":
        target += "-" + os.environ.get("OUTCOMES_SCHEMA_PREFIX", "")
    if project != PROJECT_DIR:
        manifest = _parse(project, target)
    else:
        if target not in _manifests:
            _manifests[target] = _parse(project, target)
        # A run changes its manifest, for example by compiled statements.
        known = _manifests[target]
        manifest = known.deepcopy() if known else None
    if manifest is None:
        return None
    relations = (
        manifest.nodes.values(),
        manifest.sources.values(),
        manifest.functions.values(),
        (model.node_relation for model in manifest.semantic_models.values()),
    )
    for node in chain(*relations):
        node.database = database
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{_DATABASE}"', f'"{database}"', 1)
    manifest.build_flat_graph()
    return manifest


@uncollected()
def invoke_dbt(
    arguments: Sequence[str],
    manifest: Manifest | None = None,
    complaints: list[str] | None = None,
) -> dbtRunnerResult:
    """Run dbt in a thread of its own, and add its warnings and errors to `complaints`.

    For each of its flags dbt reads the source of all callers (`inspect.stack`). Below pytest
    that takes up to a second a run, and more with every module that the tests have loaded.
    """
    from dbt.cli.main import dbtRunner

    def listen(event: Any) -> None:
        if complaints is not None and event.info.level in ("warn", "error"):
            complaints.append(event.info.msg)

    runner = dbtRunner(manifest, callbacks=[listen])
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(runner.invoke, list(arguments)).result()


@contextmanager
def parsed_for_outcomes(database: str) -> Iterator[None]:
    """Let `outcomes build` use the parsed project, too, for one build."""
    from dbt.cli.main import dbtRunner

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTCOMES_TARGET", "prod")
        manifest = parsed(PROJECT_DIR, database)
        patch.setattr("dbt.cli.main.dbtRunner", partial(dbtRunner, manifest))
        yield


def folders(project: Path) -> list[str]:
    """dbt's options for the project's folder and the example profile."""
    profiles = SCRATCH / "profile"
    profiles.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_DIR / "profiles.example.yml", profiles / "profiles.yml")
    return ["--project-dir", str(project), "--profiles-dir", str(profiles)]


def _parse(project: Path, target: str) -> Manifest | None:
    ours = _KEPT / target
    folder = ours
    if project != PROJECT_DIR:
        # A copy of the project differs in a few files, so parsing starts from ours.
        parsed(PROJECT_DIR, _DATABASE)
        folder = project / "target"
        folder.mkdir(exist_ok=True)
    with _alone(ours), pytest.MonkeyPatch.context() as environment:
        if project == PROJECT_DIR:
            _forget_changed_yaml(ours / "partial_parse.msgpack")
        else:
            shutil.copy(ours / "partial_parse.msgpack", folder)
        for name, value in _CONNECTION.items():
            environment.setenv(f"OUTCOMES_PG_{name}", value)
        found: list[str] = []
        options = [*folders(project), "--target-path", str(folder)]
        done = invoke_dbt(["--quiet", "parse", *options], complaints=found)
        if project == PROJECT_DIR:
            complaints[target] = found
            if found:
                # dbt complains of a file only when it parses it.
                (ours / "partial_parse.msgpack").unlink(missing_ok=True)
    # Not collected either: the modules and manifests of the whole run.
    gc.freeze()
    return done.result if done.success else None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process parse into a folder; the next one finds all its files parsed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _forget_changed_yaml(kept: Path) -> None:
    """dbt keeps unit tests that a YAML file no longer has, so parse such a project anew."""
    described = (
        path
        for folder in ("models", "seeds", "functions")
        for path in (PROJECT_DIR / folder).rglob("*")
        if path.suffix == ".yml" or path.is_dir()
    )
    if kept.exists() and max(path.stat().st_mtime for path in described) > kept.stat().st_mtime:
        kept.unlink()
