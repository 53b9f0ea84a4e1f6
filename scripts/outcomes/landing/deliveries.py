"""Finds delivered files: `<partner>/<yyyy-mm-dd>/…` below any folder."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from outcomes.errors import OutcomesError
from outcomes.landing.reasons import FileError, Reason

# Size, time of the last change, and the place on the disk.
FileState = tuple[int, int, int]


def state_of(path: Path) -> FileState:
    """The state of a file on disk.

    Raises:
        FileError: it is gone, or cannot be read.
    """
    with reading_errors():
        found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


@contextmanager
def reading_errors() -> Iterator[None]:
    """Turn an error of the system while a delivered file is read into the file's fault."""
    try:
        yield
    except OSError as error:
        raise FileError(
            Reason.UNREADABLE_FILE, f"cannot be read: {error.strerror or type(error).__name__}"
        ) from None


def file_changed() -> FileError:
    """The fault of a file that somebody is still writing."""
    return FileError(
        Reason.UNREADABLE_FILE,
        "changed while it was read. When it has arrived completely, run the same command again",
    )


@dataclass(frozen=True, order=True)
class DeliveredFile:
    """A file in its delivery folder, whose date is the as-of date.

    `received_at` and `state` are set for an archived file. A file with a `fault` could not be
    archived, or not be restored, and does not land.
    """

    partner_id: str
    as_of_date: date
    name: str
    path: Path = field(compare=False)
    received_at: datetime | None = field(default=None, compare=False)
    state: FileState | None = field(default=None, compare=False)
    fault: FileError | None = field(default=None, compare=False)

    def require_unchanged(self, state: FileState) -> None:
        """Refuse a file that differs from an earlier state: somebody is still writing it.

        Raises:
            FileError: it changed, or is gone.
        """
        if state_of(self.path) != state:
            raise file_changed()


@dataclass(frozen=True)
class Deliveries:
    """The files below a path: those of known partners in landing order, and the others."""

    files: list[DeliveredFile]
    unplaced: list[str]


def find_deliveries(path: Path, partners: Collection[str]) -> Deliveries:
    """Find every file at or below `path`; partner and date come from its folders.

    Hidden files (`.DS_Store`) are skipped. The order is by partner, date and name, so that a
    landing can be repeated exactly.

    Raises:
        OutcomesError: the path does not exist, or has no file below it.
    """
    try:
        path.stat()
    except OSError as error:
        problem = "does not exist" if isinstance(error, FileNotFoundError) else error.strerror
        raise OutcomesError(
            f"{printable(path)}: {problem}. Give a drops folder, a delivery or a file."
        ) from None
    path = path.absolute()
    candidates, unplaced = _files_below(path)
    if not candidates and not unplaced:
        raise OutcomesError(f"{printable(path)} holds no file.")
    files: list[DeliveredFile] = []
    for candidate in sorted(candidates):
        delivered = _placed_by_folders(candidate)
        if delivered is None:
            unplaced.append(
                f"{printable(candidate)}: expected a file in a folder <partner>/<yyyy-mm-dd>/"
            )
        elif not _is_inside(delivered):
            unplaced.append(
                f"{printable(candidate)}: a link that leads out of the delivery's folder"
            )
        elif delivered.partner_id in getattr(partners, "unusable", {}):
            unplaced.append(
                f"{printable(candidate)}: the contract of {delivered.partner_id} cannot be used yet"
            )
        elif delivered.partner_id not in partners:
            unplaced.append(
                f"{printable(candidate)}: no contract for partner {delivered.partner_id!r}; "
                f"known are {', '.join(sorted(partners))}"
            )
        else:
            files.append(delivered)
    return Deliveries(sorted(files), unplaced)


def delivered_file(path: Path, partner_id: str, as_of_date: date | None = None) -> DeliveredFile:
    """A partner's file anywhere, of the given day, else of its folder's day, else of today."""
    file = _placed_by_folders(path.absolute())
    if file is None:
        file = DeliveredFile(partner_id, datetime.now(UTC).date(), printable(path.name), path)
    return replace(file, partner_id=partner_id, as_of_date=as_of_date or file.as_of_date)


def delivery_date(folder: Path) -> date | None:
    """The as-of date of a folder that is named `yyyy-mm-dd`."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", folder.name):
        return None
    try:
        return date.fromisoformat(folder.name)
    except ValueError:
        return None


def printable(path: Path | str) -> str:
    """A name that can be printed and stored, whatever characters a partner used."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _files_below(path: Path) -> tuple[list[Path], list[str]]:
    """Readable files, and messages about the others; links to folders are not followed."""
    if not path.is_dir():
        entries = [path]
    else:
        entries, refused = [], []
        walk = os.walk(path, onerror=lambda error: refused.append(Path(error.filename)))
        for folder, folders, names in walk:
            folders[:] = [name for name in folders if not name.startswith(".")]
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            entries += [Path(folder) / name for name in (*names, *links)]
        entries += refused
    readable, unplaced = [], []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if problem := _unreadable(entry):
            unplaced.append(f"{printable(entry)}: {problem}")
        else:
            readable.append(entry)
    return readable, unplaced


def _unreadable(path: Path) -> str | None:
    """Why a file cannot be read; checked first, because opening a pipe waits for a writer."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not (stat.S_ISDIR(mode) and not path.is_symlink()):
            return "expected a file; it is a link, a pipe or a device"
        with os.scandir(path) if stat.S_ISDIR(mode) else path.open("rb"):
            return None
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _is_inside(delivered: DeliveredFile) -> bool:
    """Whether a file is in its delivery's folder after following links."""
    depth = delivered.name.count("/") + 1
    folder = delivered.path.parents[depth - 1]
    return delivered.path.resolve().is_relative_to(folder.resolve())


def _placed_by_folders(path: Path) -> DeliveredFile | None:
    for folder in path.parents:
        as_of_date = delivery_date(folder)
        if as_of_date is not None:
            name = printable(path.relative_to(folder).as_posix())
            return DeliveredFile(folder.parent.name, as_of_date, name, path)
    return None
