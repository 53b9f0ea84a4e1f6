"""What the commands of several subjects share: options, and the terminal."""

from __future__ import annotations

from collections.abc import Iterable
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


def show_without_usable_contract(partner_ids: Iterable[str], console: Console) -> None:
    """Print which partners' contracts are not in force; a warning has said what is wrong."""
    for partner_id in partner_ids:
        console.print(
            f"[red]no usable contract[/] {partner_id}: correct or restore it, or purge the "
            "partner. Until then its data stay as they are, and nothing of it lands."
        )
