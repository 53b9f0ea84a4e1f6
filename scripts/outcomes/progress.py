"""How a long step tells how far it is. The library only tells; the command shows a bar."""

from __future__ import annotations

from collections.abc import Callable

# Called with the number of done parts, the number of all (None while it is unknown), and the part
# in work.
Progress = Callable[[int, int | None, str], None]


def no_progress(_done: int, _total: int | None, _part: str) -> None:
    """Tell nobody."""
