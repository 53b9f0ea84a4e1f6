"""A warehouse for the length of a command: an empty database on a server of its own."""

from __future__ import annotations

import os
import secrets
import shlex
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from outcomes.config import EMBEDDED_HOST, load_settings
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer

# Waits until we end, even if we are killed (its standard input then ends), and leaves nothing
# behind: neither the server nor its files, which hold records.
_CLEAN_UP = """
trap '' INT TERM HUP
cat > /dev/null
pid=$(head -n 1 {home}/data/postmaster.pid 2> /dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid"
    while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
fi
rm -rf {home} {folder}
"""


@contextmanager
def temporary_warehouse() -> Iterator[psycopg.Connection]:
    """A connection to an empty warehouse, which is deleted at the end of the block.

    Raises:
        OutcomesError: PostgreSQL does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="outcomes-", dir=memory_folder()))
    # Started by root, the server runs as another user, who must get through to its own folder.
    folder.chmod(0o711)
    settings = replace(
        load_settings(),
        host=EMBEDDED_HOST,
        port=_free_port(),
        user="outcomes",
        database="outcomes",
        password=secrets.token_urlsafe(24),
        warehouse_dir=folder / "warehouse",
    )
    server = EmbeddedServer(settings)
    script = _CLEAN_UP.format(home=shlex.quote(str(server.home)), folder=shlex.quote(str(folder)))
    cleaner = subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE)
    try:
        server.run()
        with connect(settings) as connection:
            yield connection
    finally:
        cleaner.communicate()


def memory_folder() -> Path | None:
    """Linux's folder in memory, if it has room for a server and lets its programs run.

    It is quicker than a disk, and records leave no trace in it.
    """
    memory = Path("/dev/shm")  # noqa: S108
    if not memory.is_dir():
        return None
    found = os.statvfs(memory)
    has_room = found.f_bavail * found.f_frsize > 4 << 30
    return memory if has_room and not found.f_flag & os.ST_NOEXEC else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((EMBEDDED_HOST, 0))
        return int(probe.getsockname()[1])
