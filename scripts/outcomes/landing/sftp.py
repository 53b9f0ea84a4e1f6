"""Fetches deliveries from an SFTP server with a known host key, without changing the server."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

import paramiko

from outcomes.errors import OutcomesError
from outcomes.landing.deliveries import printable

SCHEME = "sftp://"
_SECONDS = 30


@contextmanager
def fetched(url: str) -> Iterator[Path]:
    """A temporary, private copy of `sftp://user@host[:port]/path`.

    The copy has the same path as on the server, so the folders still name partner and date.
    The host key must be in `~/.ssh/known_hosts`, or in the file named by
    `OUTCOMES_SFTP_KNOWN_HOSTS`. The login uses the SSH agent, the key file
    `OUTCOMES_SFTP_KEY_FILE` or the password `OUTCOMES_SFTP_PASSWORD`.

    Raises:
        OutcomesError: the URL is invalid, the host is unknown, or login or transfer fail.
    """
    parts = _split(url)
    host, port = parts.hostname or "", parts.port or 22
    remote = PurePosixPath("/", unquote(parts.path))
    with tempfile.TemporaryDirectory(prefix="outcomes-sftp-") as folder:
        try:
            with _client(host, port, parts.username) as client, client.open_sftp() as sftp:
                _fetch(sftp, remote, Path(folder, *remote.parts[1:]))
        except FileNotFoundError:
            raise OutcomesError(f"{host} has no {printable(str(remote))}.") from None
        except paramiko.BadHostKeyException:
            raise OutcomesError(
                f"{host} has another host key than the one in known_hosts. It may be another "
                "server, or a new installation: ask its owner before you replace the key."
            ) from None
        except paramiko.AuthenticationException:
            raise OutcomesError(
                f"{host} refuses the login of {parts.username or 'this user'}. Load the key into "
                "the SSH agent, or set OUTCOMES_SFTP_KEY_FILE or OUTCOMES_SFTP_PASSWORD."
            ) from None
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise OutcomesError(
                f"The transfer from {host} failed ({type(error).__name__}). Nothing was landed; "
                "run the same command again."
            ) from None
        yield Path(folder, *remote.parts[1:])


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname and parts.path) and parts.port != 0
    except ValueError:  # the port is not a number
        is_whole = False
    if not is_whole or parts.query or parts.fragment or ".." in unquote(parts.path).split("/"):
        raise OutcomesError("Expected sftp://user@host[:port]/path.")
    if parts.password is not None:
        raise OutcomesError(
            "A password in a URL ends up in the shell's history. Set OUTCOMES_SFTP_PASSWORD."
        )
    return parts


@contextmanager
def _client(host: str, port: int, user: str | None) -> Iterator[paramiko.SSHClient]:
    with paramiko.SSHClient() as client:
        known = os.environ.get("OUTCOMES_SFTP_KNOWN_HOSTS")
        try:
            client.load_system_host_keys(known or None)
        except OSError as error:
            raise OutcomesError(
                f"OUTCOMES_SFTP_KNOWN_HOSTS cannot be read: {error.strerror}."
            ) from None
        client.set_missing_host_key_policy(_Refuse())
        client.connect(
            host,
            port,
            unquote(user) if user else None,
            password=os.environ.get("OUTCOMES_SFTP_PASSWORD") or None,
            key_filename=os.environ.get("OUTCOMES_SFTP_KEY_FILE") or None,
            look_for_keys=False,
            timeout=_SECONDS,
            banner_timeout=_SECONDS,
            auth_timeout=_SECONDS,
        )
        yield client


class _Refuse(paramiko.MissingHostKeyPolicy):
    """Never adds an unknown host."""

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        host, _, port = hostname.strip("[").partition("]:")
        raise OutcomesError(
            f"The host key of {host} is not known. Ask the server's owner for the fingerprint. The "
            f"server has {key.get_name()} {key.fingerprint}. If they are equal, add it:\n"
            f"  ssh-keyscan -p {port or 22} {host} >> ~/.ssh/known_hosts"
        )


def _fetch(sftp: paramiko.SFTPClient, remote: PurePosixPath, local: Path) -> None:
    """Copy a file, or a folder with everything below it.

    Anything else, such as a link, is copied as a device, so that landing reports it.
    """
    mode = sftp.lstat(str(remote)).st_mode or 0
    if stat.S_ISDIR(mode):
        local.mkdir(parents=True, exist_ok=True)
        for name in sftp.listdir(str(remote)):
            # The server chooses the name: it must not lead out of the folder.
            if name in ("", ".", "..") or "/" in name or "\0" in name:
                raise OutcomesError(
                    f"Refused an unsafe file name of the server: {printable(name)!r}."
                )
            _fetch(sftp, remote / name, local / name)
    elif stat.S_ISREG(mode):
        local.parent.mkdir(parents=True, exist_ok=True)
        sftp.get(str(remote), str(local))
    else:
        local.parent.mkdir(parents=True, exist_ok=True)
        local.symlink_to(os.devnull)
