"""Reports a weekly run that needs somebody to a webhook, without personal data."""

from __future__ import annotations

import json
import logging
import os
import urllib.request

VARIABLE = "OUTCOMES_FAILURE_WEBHOOK"

_log = logging.getLogger(__name__)


def report_failure(step: str, exit_code: int, run_id: str | None) -> None:
    """Post step, exit code and run to the URL in the environment, if there is one.

    A report that cannot be delivered is only a warning and does not change the exit code.
    """
    url = os.environ.get(VARIABLE)
    if not url:
        return
    run = f", run {run_id}" if run_id else ""
    report = {
        "command": "outcomes weekly",
        "step": step,
        "exit_code": exit_code,
        "run_id": run_id,
        # Shown by chat systems.
        "text": f"outcomes weekly: exit code {exit_code} in the step {step}{run}. "
        "`outcomes status` shows more.",
    }
    try:
        if not url.startswith(("https://", "http://")):
            raise ValueError("expected a URL that begins with https://")
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            url, json.dumps(report).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
    except Exception as error:  # any error: the exit code must still reach the scheduler
        # Some messages quote the URL, which is a secret.
        why = str(error) if url not in str(error) else type(error).__name__
        _log.warning("warning: %s was not reached: %s", VARIABLE, why)
