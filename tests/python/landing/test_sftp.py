"""Deliveries from a real SFTP server in this process."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
import psycopg
import pytest

from outcomes.errors import OutcomesError
from outcomes.landing.sftp import fetched

from .commands import run
from .deliveries import clairton, events, ledger

PASSWORD = "invented"


class Account(paramiko.ServerInterface):
    """Accepts one user, by password."""

    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == ("warehouse", PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def get_allowed_auths(self, username: str) -> str:
        return "password"


def files_below(root: Path, writes: list[str]) -> type[paramiko.SFTPServerInterface]:
    """Serves a folder and records attempts to change it."""

    class Files(paramiko.SFTPServerInterface):
        def list_folder(self, path: str) -> list[paramiko.SFTPAttributes]:
            return [
                paramiko.SFTPAttributes.from_stat(entry.lstat(), entry.name)
                for entry in (root / path.strip("/")).iterdir()
            ]

        def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
            try:
                return paramiko.SFTPAttributes.from_stat((root / path.strip("/")).lstat())
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno or 0)

        stat = lstat

        def open(self, path: str, flags: int, attr: object) -> paramiko.SFTPHandle:
            if flags & (os.O_WRONLY | os.O_RDWR):
                writes.append(path)
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = (root / path.strip("/")).open("rb")  # type: ignore[attr-defined]
            return handle

        def remove(self, path: str) -> int:
            writes.append(path)
            return paramiko.SFTP_OK

    return Files


@dataclass
class Server:
    port: int
    root: Path
    known_hosts: Path
    writes: list[str]

    def url(self, path: str = "/") -> str:
        return f"sftp://warehouse@127.0.0.1:{self.port}{path}"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    key = paramiko.ECDSAKey.generate()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    root = tmp_path / "served"
    root.mkdir()
    writes: list[str] = []
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connected)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files_below(root, writes))
            transports.append(transport)
            try:
                transport.start_server(server=Account())
            except (paramiko.SSHException, EOFError, OSError):
                continue  # the client has disconnected, as expected

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    monkeypatch.setenv("OUTCOMES_SFTP_KNOWN_HOSTS", str(known_hosts))
    monkeypatch.setenv("OUTCOMES_SFTP_PASSWORD", PASSWORD)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield Server(port, root, known_hosts, writes)
    # Closing alone would leave the thread waiting for another client.
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for transport in transports:
        transport.close()
    thread.join(5)
    assert not thread.is_alive()


def test_deliveries_are_copied_from_the_server(
    connection: psycopg.Connection, server: Server
) -> None:
    file = events(server.root, {})
    clairton(server.root)
    assert run("land", server.url())[0] == 0
    assert {row[1] for row in ledger(connection)} == {"loaded"}
    assert len(ledger(connection)) == 5
    assert file.exists()
    assert server.writes == []
    assert run("land", server.url("/pittsburgh/2012-10-01"))[0] == 0, "known already"
    assert len(ledger(connection)) == 5


def test_one_file_keeps_its_partner_and_date(server: Server) -> None:
    file = events(server.root, {})
    with fetched(server.url("/" + file.relative_to(server.root).as_posix())) as local:
        assert local.parts[-3:] == ("pittsburgh", "2012-10-01", file.name)
        assert local.read_bytes() == file.read_bytes()
        private = next(p for p in local.parents if p.name.startswith("outcomes-sftp-"))
        assert private.stat().st_mode & 0o777 == 0o700
    assert not private.exists()


def test_links_on_the_server_are_named_and_not_followed(
    server: Server, connection: psycopg.Connection
) -> None:
    events(server.root, {})
    (server.root / "pittsburgh" / "loop").symlink_to(server.root)
    code, output = run("land", server.url())
    assert code == 3
    assert "loop: expected a file; it is a link, a pipe or a device" in output
    assert [status for _, status in ledger(connection)] == ["loaded"]


def test_an_unknown_host_key_is_refused(server: Server) -> None:
    server.known_hosts.write_text("")
    with pytest.raises(OutcomesError, match=rf"not known(.|\n)*ssh-keyscan -p {server.port}"):
        run("land", server.url())
    assert server.known_hosts.read_text() == "", "never added"


def test_another_host_key_is_refused(server: Server) -> None:
    other = paramiko.ECDSAKey.generate()
    server.known_hosts.write_text(
        f"[127.0.0.1]:{server.port} {other.get_name()} {other.get_base64()}\n"
    )
    with pytest.raises(OutcomesError, match="another host key"):
        run("land", server.url())


def test_a_wrong_password_is_refused_and_not_shown(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_SFTP_PASSWORD", "secret-of-another")
    with pytest.raises(OutcomesError, match="refuses the login of warehouse") as caught:
        run("land", server.url())
    assert "secret-of-another" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sftp://u:secret@host/x", "OUTCOMES_SFTP_PASSWORD"),
        ("sftp:///x", "Expected sftp://"),
        ("sftp://host:port/x", "Expected sftp://"),
        ("sftp://host/../x", "Expected sftp://"),
    ],
)
def test_an_invalid_url_is_an_error(url: str, problem: str) -> None:
    with pytest.raises(OutcomesError, match=problem) as caught:
        run("land", url)
    assert "secret" not in str(caught.value)


def test_a_missing_path_and_a_stopped_server_are_errors(server: Server) -> None:
    with pytest.raises(OutcomesError, match="has no /nowhere"):
        run("land", server.url("/nowhere"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(OutcomesError, match=r"transfer from .* failed"):
        run("land", f"sftp://warehouse@127.0.0.1:{port}/")
