"""Unpacks a delivered file into logical files: an archive's members, a workbook's sheets.

Archives come from outside, so nothing is extracted to disk, no member's name is used as a
path, and unpacking stops at a limit of size.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from outcomes.contracts.model import Contract, ContractObject
from outcomes.landing import limits, workbook
from outcomes.landing.deliveries import DeliveredFile, printable
from outcomes.landing.reasons import FileError, Reason

# A real delivery has one or two files per feed.
MAX_MEMBERS = 1_000

# Errors that the unpackers and the libraries below them raise on damaged bytes.
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)

OpenFile = Callable[[], BinaryIO]


@dataclass(frozen=True)
class LogicalFile:
    """A file of the ledger: it has one content and is read as one object.

    `file_name` is the delivered name, followed by `/` and the name of the member or sheet.
    `item` is None if the contract has no object for it; then `fault` says why. `part` names a
    sheet that the contract does not know, to distinguish it from the other sheets. `open` gives
    the content, unpacked; opening or reading raises a FileError if the archive is damaged, or
    too large when unpacked.
    """

    delivered: DeliveredFile
    file_name: str
    item: ContractObject | None
    open: OpenFile
    name_values: dict[str, str] = field(default_factory=dict)
    sent_at: datetime | None = None
    fault: FileError | None = None
    part: str | None = None


def logical_files(contract: Contract, delivered: DeliveredFile) -> list[LogicalFile]:
    """All logical files of a delivered file; an unusable archive is one file with a fault."""
    candidates = [
        (item, values)
        for item in contract.objects
        if (values := item.file.name.match(delivered.name)) is not None
        and _known_values(item, values)
    ]
    if not candidates:
        return unknown_files(delivered)
    if fault := _wrong_date(delivered, candidates[0][1]):
        return [whole_file(delivered, fault)]
    compression = candidates[0][0].file.compression
    if compression == "zip":
        return _zip_members(delivered, candidates)
    return _read_as(delivered, delivered.name, _opener(delivered.path, compression), candidates)


NameValues = dict[str, str | datetime]
Candidates = list[tuple[ContractObject, NameValues]]


def _zip_members(delivered: DeliveredFile, candidates: Candidates) -> list[LogicalFile]:
    try:
        members = list_members(delivered.path)
    except FileError as error:
        return [whole_file(delivered, error)]
    if not members:
        return [whole_file(delivered, FileError(Reason.EMPTY_FILE, "the archive holds no file"))]
    found = []
    for member in members:
        opener = _member_opener(delivered.path, member)
        file_name = f"{delivered.name}/{printable(member)}"
        fitting = [
            (item, {**outer, **inner})
            for item, outer in candidates
            if item.file.member and (inner := item.file.member.match(member)) is not None
        ]
        if fitting:
            found += _read_as(delivered, file_name, opener, fitting)
        else:
            expected = [item.file.member.template for item, _ in candidates if item.file.member]
            fault = FileError(
                Reason.UNKNOWN_FILE, f"expected a member named {' or '.join(expected)}"
            )
            found.append(LogicalFile(delivered, file_name, None, opener, fault=fault))
    return found


def _read_as(
    delivered: DeliveredFile, file_name: str, opener: OpenFile, candidates: Candidates
) -> list[LogicalFile]:
    """The sheets of a workbook, one for each object; any other file is the first object's."""
    item, values = candidates[0]
    if item.file.format == "workbook":
        return _sheets(delivered, file_name, opener, candidates)
    return [_of_object(delivered, file_name, opener, item, values)]


def _of_object(
    delivered: DeliveredFile,
    file_name: str,
    opener: OpenFile,
    item: ContractObject,
    values: NameValues,
    fault: FileError | None = None,
) -> LogicalFile:
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return LogicalFile(
        delivered, file_name, item, opener, texts, _sent_at(delivered, values), fault
    )


def _sheets(
    delivered: DeliveredFile, file_name: str, opener: OpenFile, candidates: Candidates
) -> list[LogicalFile]:
    try:
        with opener() as stream:
            names = workbook.sheet_names(stream)
    except FileError as error:
        return [LogicalFile(delivered, file_name, None, opener, fault=error)]
    found = []
    expected = {item.file.sheet for item, _ in candidates}
    for item, values in candidates:
        sheet = item.file.sheet
        fault = None
        if sheet not in names:
            fault = FileError(Reason.MISSING_SHEET, f"expected a sheet named {sheet}")
        found.append(_of_object(delivered, f"{file_name}/{sheet}", opener, item, values, fault))
    for name in names:
        if name not in expected:
            fault = FileError(
                Reason.UNKNOWN_FILE, f"expected the sheets {', '.join(map(str, expected))}"
            )
            named = f"{file_name}/{printable(name)}"
            found.append(LogicalFile(delivered, named, None, opener, fault=fault, part=name))
    return found


def unknown_files(delivered: DeliveredFile) -> list[LogicalFile]:
    """A file that fits no object of the contract, unpacked if possible.

    Its contents may have landed under their correct name: then they are duplicates.
    """
    fault = FileError(Reason.UNKNOWN_FILE, "no object of the contract has a file of this name")
    if delivered.name.lower().endswith(".zip"):
        try:
            members = list_members(delivered.path)
        except FileError as damage:
            return [whole_file(delivered, damage)]
        return [
            LogicalFile(
                delivered,
                f"{delivered.name}/{printable(member)}",
                None,
                _member_opener(delivered.path, member),
                fault=fault,
            )
            for member in members
        ]
    compression = "gzip" if delivered.name.lower().endswith(".gz") else "none"
    opener = _opener(delivered.path, compression)
    return [LogicalFile(delivered, delivered.name, None, opener, fault=fault)]


def list_members(path: Path) -> list[str]:
    """Names of a zip archive's files.

    Raises:
        FileError: the archive is damaged, needs a password, or is not safe.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except _ARCHIVE_ERRORS as error:
        raise _corrupt(error) from None
    if len(entries) > MAX_MEMBERS:
        raise FileError(
            Reason.ARCHIVE_TOO_LARGE,
            f"expected at most {MAX_MEMBERS} members; found {len(entries)}",
        )
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.allowed_bytes(path.stat().st_size):
        raise limits.too_large()
    names: set[str] = set()
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in entry.filename:
            raise FileError(Reason.UNSAFE_ARCHIVE, "a member's name leads outside the archive")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise FileError(Reason.UNSAFE_ARCHIVE, "a member is a symbolic link")
        if entry.flag_bits & 0x1:
            raise FileError(Reason.ENCRYPTED_ARCHIVE, "a member needs a password")
        if entry.filename.lower() in names:
            raise FileError(
                Reason.DUPLICATE_MEMBER, f"two members named {printable(entry.filename)}"
            )
        names.add(entry.filename.lower())
    return [entry.filename for entry in entries]


def sha256_of(path: Path) -> str:
    """Hash of a file's bytes on disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Capped:
    """A stream that fails when it exceeds the limit for its packed size."""

    def __init__(self, stream: BinaryIO, packed_bytes: int, *parents: BinaryIO) -> None:
        self._stream = stream
        self._parents = parents
        self._left = limits.allowed_bytes(packed_bytes)

    def read(self, size: int = -1, /) -> bytes:
        try:
            chunk = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        except _ARCHIVE_ERRORS as error:
            raise _corrupt(error) from None
        self._left -= len(chunk)
        if self._left < 0:
            raise limits.too_large()
        return chunk

    def __enter__(self) -> _Capped:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._stream, *self._parents):
            stream.close()


def _corrupt(error: Exception) -> FileError:
    return FileError(
        Reason.CORRUPT_ARCHIVE, f"the archive cannot be unpacked ({type(error).__name__})"
    )


def _opener(path: Path, compression: str) -> OpenFile:
    if compression == "gzip":
        return lambda: _Capped(gzip.open(path), path.stat().st_size)  # type: ignore
    return lambda: path.open("rb")


def _member_opener(path: Path, member: str) -> OpenFile:
    def open_member() -> BinaryIO:
        try:
            archive = zipfile.ZipFile(path)
            stream = archive.open(member)
        except _ARCHIVE_ERRORS as error:
            raise _corrupt(error) from None
        return _Capped(stream, path.stat().st_size, archive)  # type: ignore

    return open_member


def whole_file(delivered: DeliveredFile, fault: FileError) -> LogicalFile:
    """A delivered file as one logical file with a fault."""
    opener = _opener(delivered.path, "none")
    return LogicalFile(delivered, delivered.name, None, opener, fault=fault)


def _wrong_date(delivered: DeliveredFile, values: NameValues) -> FileError | None:
    named = values.get("as_of")
    if isinstance(named, datetime) and named.date() != delivered.as_of_date:
        return FileError(
            Reason.NAME_DATE_MISMATCH,
            f"the name has the date {named.date()}, the delivery is of {delivered.as_of_date}",
        )
    return None


def _known_values(item: ContractObject, values: NameValues) -> bool:
    return all(
        prop.values is None or values[prop.name] in prop.values for prop in item.named_by_file
    )


def _sent_at(delivered: DeliveredFile, values: NameValues) -> datetime | None:
    value = values.get("sent_at")
    if not isinstance(value, datetime):
        return None
    # strptime reads a time without a date as one of 1900-01-01.
    is_time = value.date() == date(1900, 1, 1)
    return datetime.combine(delivered.as_of_date, value.time()) if is_time else value
