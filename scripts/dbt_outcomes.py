"""Lets plain `dbt build` audit what it has built, before it publishes.

dbt loads every module whose name begins with `dbt_`, and starts its `plugins`. The audit
takes more than SQL, so no hook of the project could run it. Without this module, or where
dbt's plugins work otherwise, a run is not audited and therefore not published.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from dbt.flags import get_flags
from dbt.plugins.manager import dbtPlugin
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager_client import add_callback_to_manager
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note

PROJECT = "student_outcomes"
# Ends with the run in landing.runs; the next one publishes it.
FINISH_RUN = f"{PROJECT}.on-run-end.0"


class Audit(dbtPlugin):
    """Audits after the first of the hooks on-run-end."""

    def initialize(self) -> None:
        """Listen to the hooks of this project; nothing to do for others."""
        if self.project_name == PROJECT:
            add_callback_to_manager(_follow)


plugins = [Audit]


def _follow(event: Any) -> None:
    if (
        event.info.name == "LogHookEndLine"
        and event.data.statement == FINISH_RUN
        # `outcomes build` shows the audit's progress itself.
        and _flags().VARS.get("publish", True)
    ):
        _audit(event.info.invocation_id)


def _flags() -> Any:
    return get_flags()  # type: ignore[no-untyped-call]


def _audit(run_id: str) -> None:
    # Not for dbt commands that end no run.
    from outcomes.errors import OutcomesError
    from outcomes.warehouse.connection import connect
    from outcomes.warehouse.publishing import audit_run, has_passed

    try:
        with connect() as connection:
            if has_passed(connection, run_id):
                fire_event(Note(msg="Auditing the public gaps"), EventLevel.INFO)
                audit_run(connection, run_id, _rebuild)
    except OutcomesError as error:
        fire_event(Note(msg=str(error)), EventLevel.WARN)


def _rebuild() -> None:
    """Build what depends on the withheld rows, as a part of this run.

    Raises:
        OutcomesError: dbt failed.
    """
    from outcomes.errors import OutcomesError

    flags = _flags()
    done = subprocess.run(
        # A process of its own: dbt does not run within dbt.
        [
            sys.executable, "-c", "from dbt.cli.main import cli; cli()",
            "--quiet", "build", "--select", "stg_withheld_gaps+",
            "--exclude-resource-type", "unit_test",
            "--project-dir", flags.PROJECT_DIR, "--profiles-dir", flags.PROFILES_DIR,
            *(["--target", flags.TARGET] if flags.TARGET else []),
            # YAML has made a day of `as_of`, which JSON does not know.
            "--vars", json.dumps(flags.VARS | {"is_repair": True}, default=str),
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise OutcomesError(f"The audit could not build the gaps again:\n{done.stdout[-2000:]}")
