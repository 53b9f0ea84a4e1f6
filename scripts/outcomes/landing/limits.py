"""How large a delivered file may be when it is unpacked, and how many of its rows broken."""

from __future__ import annotations

import csv
from functools import cache

from outcomes.config import PROJECT_DIR
from outcomes.landing.reasons import FileError, Reason

_REJECTION_LIMITS = PROJECT_DIR / "seeds" / "policy" / "rejection_limits.csv"

# Text is usually packed to a tenth of its size, the most repetitive real files to a fiftieth.
MAX_EXPANSION = 100
ALWAYS_ALLOWED_BYTES = 32 << 20


def allowed_bytes(packed_bytes: int) -> int:
    """The most bytes that a file of so many packed bytes may have."""
    return max(ALWAYS_ALLOWED_BYTES, packed_bytes * MAX_EXPANSION)


def too_large() -> FileError:
    """The fault of a file that has more."""
    return FileError(
        Reason.ARCHIVE_TOO_LARGE, f"unpacks to more than {MAX_EXPANSION} times its size"
    )


def too_many_rejected(rejected: int, rows: int) -> bool:
    """Whether so many of a file's rows are rejected that the file is quarantined.

    All of them always are too many; otherwise the seed `rejection_limits` says how many.
    """
    max_share, always_allowed = _rejection_limits()
    return 0 < rejected == rows or rejected > max(max_share * rows, always_allowed)


@cache
def _rejection_limits() -> tuple[float, int]:
    # Landing works before the first build, so it reads the seed itself.
    with _REJECTION_LIMITS.open(encoding="utf-8", newline="") as file:
        [limits] = csv.DictReader(file)
    return float(limits["max_rejected_share"]), int(limits["always_allowed_rows"])
