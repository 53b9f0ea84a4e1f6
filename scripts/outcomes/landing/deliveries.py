"""Finds delivered files: `<partner>/<yyyy-mm-dd>/…` below any folder."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from outcomes.errors import OutcomesError


@dataclass(frozen=True, order=True)
class DeliveredFile:
    """One file as it lies in its delivery folder, whose date is the as-of date.

    `received_at` is known of a file that the archive keeps.
    """

    partner_id: str
    as_of_date: date
    name: str
    path: Path = field(compare=False)
    received_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Deliveries:
    """What a path holds: files of known partners in landing order, and the rest."""

    files: list[DeliveredFile]
    unplaced: list[str]


def find_deliveries(path: Path, partners: Collection[str]) -> Deliveries:
    """Find every file at or below `path`; partner and date come from its folders.

    Hidden files (`.DS_Store`) are passed over. The order is by partner, date and name, so
    that a landing can be repeated to the letter.

    Raises:
        OutcomesError: there is no such path, or no file below it.
    """
    if not path.exists():
        raise OutcomesError(f"{path} does not exist. Give a drops folder, a delivery or a file.")
    path = path.absolute()
    candidates = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    candidates = [p for p in candidates if not p.name.startswith(".")]
    if not candidates:
        raise OutcomesError(f"{path} holds no file.")
    files: list[DeliveredFile] = []
    unplaced: list[str] = []
    for candidate in sorted(candidates):
        delivered = _place(candidate)
        if delivered is None:
            unplaced.append(f"{candidate}: expected to lie in a folder <partner>/<yyyy-mm-dd>/")
        elif delivered.partner_id not in partners:
            unplaced.append(
                f"{candidate}: no contract for partner {delivered.partner_id!r}; "
                f"known are {', '.join(sorted(partners))}"
            )
        else:
            files.append(delivered)
    return Deliveries(sorted(files), unplaced)


def _place(path: Path) -> DeliveredFile | None:
    for folder in path.parents:
        try:
            as_of_date = date.fromisoformat(folder.name)
        except ValueError:
            continue
        name = path.relative_to(folder).as_posix()
        return DeliveredFile(folder.parent.name, as_of_date, name, path)
    return None
