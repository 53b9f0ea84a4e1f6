"""`make demo`: one warehouse holds one demo."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from outcomes.config import PROJECT_DIR


def check(warehouse: Path, size: str, **environment: str) -> str:
    """What `make demo` says before it begins; empty if it would go on."""
    done = subprocess.run(
        ["make", "--no-print-directory", "alone", f"SIZE={size}"],
        cwd=PROJECT_DIR,
        env=os.environ | {"OUTCOMES_WAREHOUSE_DIR": str(warehouse)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PG_DATABASE", "ARCHIVE_DIR"):
        monkeypatch.delenv(f"OUTCOMES_{name}", raising=False)


def test_a_demo_is_made_in_an_empty_warehouse_and_again(tmp_path: Path) -> None:
    assert check(tmp_path, "small") == ""
    (tmp_path / "demo-small" / "drops").mkdir(parents=True)
    (tmp_path / "archive").mkdir()
    assert check(tmp_path, "small") == ""


@pytest.mark.parametrize(("there", "size"), [("demo", "small"), ("demo-small", "sample")])
def test_a_demo_of_another_size_is_not_mixed_in(tmp_path: Path, there: str, size: str) -> None:
    (tmp_path / there).mkdir()
    assert f"other deliveries are in this warehouse: {tmp_path / there}." in check(tmp_path, size)
    # Another database of the server has files of its own.
    assert check(tmp_path, size, OUTCOMES_PG_DATABASE="other") == ""


def test_a_demo_is_not_mixed_with_what_has_landed(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    assert f"{tmp_path / 'archive'}. Give the demo" in check(tmp_path, "small")
