"""The archive of a test of landing."""

from __future__ import annotations

from pathlib import Path

import pytest

from outcomes.landing.archive import Archive


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """An archive of the test's own; the environment points at it."""
    monkeypatch.setenv("OUTCOMES_ARCHIVE_DIR", str(tmp_path / "archive"))
    monkeypatch.setenv("OUTCOMES_ARCHIVE_KEYS_DIR", str(tmp_path / "keys"))
    return Archive(tmp_path / "archive", tmp_path / "keys")
