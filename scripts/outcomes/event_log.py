"""What happened, as one line of JSON per event, for a log collector. No personal data."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

VARIABLE = "OUTCOMES_LOG_FILE"

_log = logging.getLogger(__name__)


def log_event(event: str, **facts: object) -> None:
    """Append an event to the file in the environment, if there is one.

    A file that cannot be written is only a warning and does not stop the week.
    """
    if path := os.environ.get(VARIABLE):
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        try:
            with Path(path).open("a", encoding="utf-8") as log:
                log.write(json.dumps(line | facts, default=str) + "\n")
        except OSError as error:
            _log.warning("warning: %s: %s", VARIABLE, error.strerror)
