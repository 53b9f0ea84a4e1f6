"""How large a delivered file may be when it is unpacked: it comes from outside."""

from __future__ import annotations

from outcomes.landing.reasons import FileError, Reason

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
