"""compose.yaml and the image pass on what the commands read."""

from __future__ import annotations

import re

import pytest
import yaml
from tests.python.landing.commands import run

from outcomes.config import PROJECT_DIR

# Settings that a container does not need: compose.yaml's server has the default login and
# database, and is one node; nobody develops or serves dashboards in it; the paths of archive
# and dbt are in the image.
NOT_PASSED_ON = {
    "OUTCOMES_ARCHIVE_DIR",
    "OUTCOMES_DISTRIBUTED",
    "OUTCOMES_PG_DATABASE",
    "OUTCOMES_PG_USER",
    "OUTCOMES_SCHEMA_PREFIX",
    "OUTCOMES_TARGET",
}


def test_a_container_gets_every_setting() -> None:
    read = {
        name
        for pattern in ("scripts/outcomes/**/*.py", "macros/*.sql", "profiles.example.yml")
        for file in PROJECT_DIR.glob(pattern)
        for name in re.findall(r"OUTCOMES_[A-Z_]*[A-Z]", file.read_text("utf-8"))
    } - {"OUTCOMES_PG"}
    services = yaml.safe_load((PROJECT_DIR / "compose.yaml").read_text("utf-8"))["services"]
    passed_on = set(services["outcomes"]["environment"])
    in_image = re.findall(r"OUTCOMES_\w+(?==)", (PROJECT_DIR / "Dockerfile").read_text("utf-8"))
    assert read - passed_on - set(in_image) == NOT_PASSED_ON


def test_a_container_says_its_release_and_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCOMES_CODE_VERSION", "v0.1.0-3-gabc1234")
    code, output = run("--version")
    assert code == 0
    assert re.fullmatch(r"outcomes \d+\.\d+\.\d+, code v0\.1\.0-3-gabc1234\n", output)
