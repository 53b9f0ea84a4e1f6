"""Tells somebody's webhook that a weekly run needs them: no person's data, and best effort."""

from __future__ import annotations

import json
import os
import urllib.request

import typer

VARIABLE = "OUTCOMES_FAILURE_WEBHOOK"


def report_failure(step: str, exit_code: int, run_id: str | None) -> None:
    """Post step, exit code and run to the URL in the environment; nothing where there is none.

    A report that cannot be delivered is a warning: the failure itself is what counts.
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
        # What chat systems show.
        "text": f"outcomes weekly: exit code {exit_code} in the step {step}{run}. "
        "`outcomes status` says more.",
    }
    try:
        if not url.startswith(("https://", "http://")):
            raise ValueError("it is no URL that begins with https://")
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            url, json.dumps(report).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
    except Exception as error:  # whatever it is, the failure must reach the scheduler
        # Never the URL, which is a secret, and which some messages quote.
        why = str(error) if url not in str(error) else type(error).__name__
        typer.secho(f"warning: {VARIABLE} was not told: {why}", fg="yellow", err=True)
