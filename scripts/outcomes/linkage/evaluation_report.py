"""Shows an evaluation of the linkage: tables on the terminal, a chart in a file."""

from __future__ import annotations

from math import isnan
from pathlib import Path

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


def write_chart(evaluation: Evaluation, file: Path) -> None:
    """Write one HTML file: pairs and clusters by threshold, and by group.

    Raises:
        OutcomesError: the extra `reports` is not installed.
    """
    from outcomes.charts import image
    from outcomes.linkage.evaluation_charts import by_group, by_threshold

    charts = {
        "Pairs by link weight": by_threshold(evaluation, "pairs"),
        "Clusters by link weight": by_threshold(evaluation, "clusters"),
        "Pairs by group": by_group(evaluation),
    }
    parts = [f"<h2>{title}</h2>{image(chart, title)}" for title, chart in charts.items()]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Linkage quality</title>"
        "<style>body{font:16px sans-serif;margin:2em;max-width:760px}img{max-width:100%}</style>"
        "<main><h1>Linkage quality</h1><p>Bands and bars are 95 % intervals; "
        f"the link weight in force is {evaluation.link_weight:g} bits.</p>"
        f"{''.join(parts)}</main></html>",
        encoding="utf-8",
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
