"""The bar of a long step on the terminal; it vanishes when the step is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from outcomes.progress import Progress


@contextmanager
def progress_bar(what: str, console: Console) -> Iterator[Progress]:
    """A bar with counts, time and the part in work, for a step of the library."""
    bar = Bar(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        bar.add_task("", total=None)
        [task] = bar.tasks

        def show(done: int, total: int | None, part: str) -> None:
            task.total = total
            bar.update(task.id, completed=done, description=part)

        yield show
