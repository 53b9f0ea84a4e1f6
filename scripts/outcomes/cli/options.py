"""What the commands of several subjects share: options and exit codes."""

from __future__ import annotations

from datetime import date

from outcomes.errors import OutcomesError

# Not 1, which means that the command itself failed.
NEEDS_A_PERSON = 3


def given_date(text: str) -> date | None:
    """The day of an option `--as-of`; None if it is not given.

    Raises:
        OutcomesError: it is not a date.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise OutcomesError(f"--as-of: expected yyyy-mm-dd, found {text!r}.") from None
