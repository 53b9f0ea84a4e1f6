"""Folders that only their owner can enter."""

from __future__ import annotations

import stat
from pathlib import Path

from outcomes.errors import OutcomesError


def make_private(folder: Path, top: Path | None = None) -> None:
    """Create a folder and all levels from `top` on, and close those that existed before.

    Folders above `top` are made as usual: they hold other things, too.

    Raises:
        OutcomesError: a level is open to others and belongs to another user.
    """
    top = top or folder
    top.parent.mkdir(parents=True, exist_ok=True)
    for level in (*reversed(folder.parents), folder):
        if level.is_relative_to(top):
            level.mkdir(mode=0o700, exist_ok=True)
            _close(level)


def close_all(top: Path) -> None:
    """Close a folder and all folders below it, of an earlier release or another program.

    Raises:
        OutcomesError: one of them is open to others and belongs to another user.
    """
    for folder in (top, *(path for path in top.rglob("*") if path.is_dir())):
        _close(folder)


def _close(folder: Path) -> None:
    if stat.S_IMODE(folder.stat().st_mode) == 0o700:
        return
    try:
        folder.chmod(0o700)
    except PermissionError:
        raise OutcomesError(
            f"Others may be able to enter {folder}, which belongs to another user. Its owner has "
            f"to run `chmod 700 {folder}`."
        ) from None
