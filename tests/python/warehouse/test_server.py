"""The commands of the embedded server."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import psycopg
import pytest
from tests.python.conftest import free_port
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import Settings, load_settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer


def test_start_can_be_repeated_and_keeps_the_password(warehouse: Settings) -> None:
    password = warehouse.password_file.read_text()
    done = CliRunner().invoke(cli, ["warehouse", "start"])
    assert done.exit_code == 0
    assert warehouse.password_file.read_text() == password
    assert password.strip() not in done.output


def test_only_the_owner_reads_the_password(warehouse: Settings) -> None:
    for file in (warehouse.password_file, Path(os.environ["PGPASSFILE"])):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_server_listens_on_this_machine_only_and_asks_for_a_password(
    warehouse: Settings,
) -> None:
    with connect(warehouse) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        methods = connection.execute("select distinct auth_method from pg_hba_file_rules")
        assert methods.fetchall() == [("scram-sha-256",)]


def test_the_servers_log_quotes_no_value(warehouse: Settings) -> None:
    with connect(warehouse) as connection:
        for failing in ("select 'Canary'::text::date", "select from marts.canary"):
            with pytest.raises(psycopg.Error):
                connection.execute(failing.encode())
    log = EmbeddedServer(warehouse).log_file.read_text(encoding="utf-8")
    assert "ready to accept connections" in log
    assert "canary" not in log.lower()


def test_status_of_a_stopped_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OUTCOMES_WAREHOUSE_DIR", str(tmp_path))
    done = CliRunner().invoke(cli, ["warehouse", "status"])
    assert done.exit_code == 3
    assert "outcomes warehouse start" in done.output


def test_status_and_start_name_the_servers_port(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_PORT", str(free_port()))
    done = CliRunner().invoke(cli, ["warehouse", "status"])
    assert done.exit_code == 3
    assert f"running on port {warehouse.port}, not on" in done.output
    with pytest.raises(OutcomesError, match=f"already running on port {warehouse.port}"):
        CliRunner().invoke(cli, ["warehouse", "start"], catch_exceptions=False)


def test_a_port_that_is_taken_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("OUTCOMES_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
        monkeypatch.setenv("OUTCOMES_PG_PORT", str(taken.getsockname()[1]))
        with pytest.raises(OutcomesError, match="is taken by another program"):
            CliRunner().invoke(cli, ["warehouse", "start"], catch_exceptions=False)


def test_commands_refuse_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCOMES_PG_HOST", "db.example.org")
    with pytest.raises(OutcomesError, match="for the embedded server"):
        CliRunner().invoke(cli, ["warehouse", "stop"], catch_exceptions=False)


def test_the_embedded_password_is_sent_to_no_other_server(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().password
    monkeypatch.setenv("OUTCOMES_PG_HOST", "db.example.org")
    assert load_settings().password == ""
