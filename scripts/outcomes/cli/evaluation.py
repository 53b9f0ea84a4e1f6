"""Shows an evaluation of the linkage on the terminal."""

from __future__ import annotations

from math import isnan

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from outcomes.linkage.evaluate import Evaluation, Measured, Quality, Share

MEASURES = ("precision", "recall", "f1")


def show_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Print the tables by threshold and by group: percent, with 95 % intervals."""
    in_force = f"{evaluation.link_weight:g}"
    for unit in ("pairs", "clusters"):
        title = f"{unit.capitalize()} by link weight; {in_force} bits are in force"
        console.print(_table(title, evaluation.by_threshold, unit))
    for unit in ("pairs", "clusters"):
        console.print(_table(f"{unit.capitalize()} by group", evaluation.by_group, unit))
    blocking = evaluation.blocking_recall
    console.print(
        f"Blocking finds {100 * blocking.value:.2f} % of the {blocking.n:,} true pairs "
        f"({100 * blocking.low:.3g}–{100 * blocking.high:.3g}). No other pair can be linked."
    )
    console.print(
        "Percent, with Wilson's 95 % intervals. Pairs of one person are not independent, so "
        "their true intervals are somewhat wider."
    )


def _table(title: str, rows: list[Measured], unit: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for column in ("true", *MEASURES):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        quality: Quality = getattr(row, unit)
        shares = [_percent(getattr(quality, measure)) for measure in MEASURES]
        table.add_row(row.label, f"{quality.true:,}", *shares)
    return table


def _percent(share: Share) -> str:
    if isnan(share.value):
        return "–"
    return f"{100 * share.value:.2f}\n{100 * share.low:.3g}–{100 * share.high:.3g}"
