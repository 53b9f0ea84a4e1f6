"""Results of a run of dbt in a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DbtRun:
    """The result of a dbt command: its artifacts and warnings."""

    succeeded: bool
    complaints: list[str]
    target_dir: Path

    def artifact(self, name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.target_dir / name).read_text())
        return loaded
