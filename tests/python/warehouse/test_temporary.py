"""A temporary warehouse leaves nothing behind, however its command ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Says its folder and the server's process, then works for a long time, or fails.
COMMAND = """
import sys, time
from outcomes.warehouse.temporary import temporary_warehouse
with temporary_warehouse() as warehouse:
    path = warehouse.execute("show data_directory").fetchone()[0]
    print(path, open(f"{path}/postmaster.pid").readline().strip(), flush=True)
    time.sleep(60 if sys.argv[1] == "works" else 0)
    raise ValueError
"""


@pytest.mark.parametrize(
    ("what", "end"), [("fails", None), ("works", signal.SIGTERM), ("works", signal.SIGKILL)]
)
def test_nothing_is_left(what: str, end: signal.Signals | None) -> None:
    command = [sys.executable, "-c", COMMAND, what]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stdout
        path, server = running.stdout.readline().split()
        if end:
            running.send_signal(end)
    folder = Path(path).parents[1]
    assert folder.name.startswith("outcomes-")
    for _ in range(300):
        if not folder.exists() and not Path(f"/proc/{server}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the server or its folder is still there")
