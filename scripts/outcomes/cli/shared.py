"""What the commands of several subjects share: options, and the terminal."""

from __future__ import annotations

from datetime import date

from rich.console import Console

from outcomes.errors import OutcomesError

# One for all, so that what is printed does not disturb a bar of progress.
console = Console(highlight=False, soft_wrap=True)


def given_date(text: str) -> date | None:
    """The day of an option `--as-of`; None if it is not given.

    Raises:
        OutcomesError: it is not a date.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise OutcomesError(f"--as-of: expected yyyy-mm-dd, found {text!r}.") from None
