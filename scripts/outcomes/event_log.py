"""What happened, as one line of JSON per event, for a log collector. No personal data."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

VARIABLE = "OUTCOMES_LOG_FILE"


def log_event(event: str, **facts: object) -> None:
    """Append an event to the file in the environment, if there is one."""
    if path := os.environ.get(VARIABLE):
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        with Path(path).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line | facts, default=str) + "\n")
