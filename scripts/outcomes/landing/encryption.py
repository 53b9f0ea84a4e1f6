"""Encrypted files, written completely or not at all, and their keys.

The format is age (https://age-encryption.org/v1), so the `age` program can open the files. The
plain text is one line of JSON, the header, followed by a body of any length.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from pyrage.x25519 import Identity

from outcomes.errors import OutcomesError
from outcomes.landing.deliveries import reading_errors
from outcomes.landing.private_folders import make_private
from outcomes.landing.reasons import FileError


def make_key(file: Path) -> None:
    """Create a secret key that only its owner can read."""
    make_private(file.parent)
    with _durable(file, file.with_suffix(".part")) as part:
        part.write(f"{Identity.generate()}\n".encode())


def read_key(file: Path) -> Identity:
    """The secret key in a file.

    Raises:
        OutcomesError: the file has none.
    """
    try:
        return Identity.from_str(file.read_text(encoding="ascii").strip())
    except (pyrage.IdentityError, UnicodeDecodeError):
        raise OutcomesError(
            f"{file} has no key: expected one line AGE-SECRET-KEY-1… Restore it from its backup."
        ) from None


def write_encrypted(
    path: Path,
    key: Identity,
    header: Mapping[str, Any],
    body: BinaryIO,
    accept: Callable[[str], None] = lambda _: None,
) -> None:
    """Write an encrypted file; it gets its name when it is complete and on the disk.

    Before that, `accept` is called with the SHA-256 of the body, and may raise. Only one
    writer at a time may use a folder.

    Raises:
        FileError: the body cannot be read.
        OSError: the file cannot be written.
    """
    plain = _Plain(header, body)
    with _durable(path, path.with_name("unfinished.part")) as part:
        try:
            pyrage.encrypt_io(plain, part, [key.to_public()])
        except pyrage.EncryptError as error:
            raise plain.fault or OSError(str(error)) from None
        accept(plain.sha256.hexdigest())


def read_encrypted(path: Path, key: Identity, body: BinaryIO) -> dict[str, Any]:
    """Decrypt a file: the body is written to `body`, the header returned.

    Raises:
        OutcomesError: the file is damaged, or encrypted with another key.
        OSError: the body cannot be written.
    """
    split = _Split(body)
    try:
        with path.open("rb") as file:
            pyrage.decrypt_io(file, split, [key])
    except (pyrage.DecryptError, OSError) as error:
        if split.fault:
            raise split.fault from None
        raise OutcomesError(
            f"{path} cannot be decrypted: {error}. Restore it, or the key of its partner, from a "
            "backup."
        ) from None
    header: dict[str, Any] = json.loads(split.header)
    return header


class _Plain:
    """Header and body as one stream that hashes the body while it is read.

    Keeps an error, because pyrage keeps only its text.
    """

    def __init__(self, header: Mapping[str, Any], body: BinaryIO) -> None:
        self._header = io.BytesIO(json.dumps(header).encode() + b"\n")
        self._body = body
        self.sha256 = hashlib.sha256()
        self.fault: FileError | None = None

    def read(self, size: int, /) -> bytes:
        if chunk := self._header.read(size):
            return chunk
        try:
            with reading_errors():
                chunk = self._body.read(size)
        except FileError as fault:
            self.fault = fault
            raise
        self.sha256.update(chunk)
        return chunk


class _Split:
    """Splits the stream again. Keeps an error, because pyrage keeps only its text."""

    def __init__(self, body: BinaryIO) -> None:
        self._body = body
        self._in_header = True
        self.header = b""
        self.fault: OSError | None = None

    def write(self, chunk: bytes, /) -> int:
        rest = chunk
        if self._in_header:
            line, end, rest = chunk.partition(b"\n")
            self.header += line
            self._in_header = not end
        try:
            self._body.write(rest)
        except OSError as fault:
            self.fault = fault
            raise
        return len(chunk)

    def flush(self) -> None:
        self._body.flush()


@contextmanager
def _durable(path: Path, part: Path) -> Iterator[BinaryIO]:
    """A new file that gets its name when it is complete, so that it survives a power cut."""
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
