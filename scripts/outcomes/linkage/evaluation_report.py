"""Shows an evaluation of the linkage: tables on the terminal, a chart in a file."""

from __future__ import annotations

from html import escape
from math import isnan
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from outcomes.linkage.evaluate import Evaluation, Measured, Quality, Share

MEASURES = ("precision", "recall", "f1")
COLORS = {"precision": "#1b6ca8", "recall": "#c2571a", "f1": "#4a7c3a"}


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
        f"Blocking brings {100 * blocking.value:.2f} % of the {blocking.n:,} true pairs together "
        f"({100 * blocking.low:.3g}–{100 * blocking.high:.3g}); what it misses, no weight finds."
    )
    console.print(
        "Percent, with Wilson's 95 % intervals. Pairs of one person are not independent, so "
        "their true intervals are somewhat wider."
    )


def write_chart(evaluation: Evaluation, file: Path) -> None:
    """Write one HTML file: pairs and clusters by threshold, and by group."""
    parts = [
        _curves("Pairs by link weight", evaluation, "pairs"),
        _curves("Clusters by link weight", evaluation, "clusters"),
        _dots("Pairs by group", evaluation.by_group),
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Linkage quality</title>"
        "<style>body{font:14px sans-serif;margin:2em;max-width:760px}svg{width:100%}"
        "text{font:12px sans-serif}</style><h1>Linkage quality</h1>"
        f"<p>Bands and bars are 95 % intervals; the link weight in force is "
        f"{evaluation.link_weight:g} bits.</p>{_legend()}{''.join(parts)}</html>",
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


def _legend() -> str:
    return "<p>" + " ".join(f"<b style='color:{COLORS[m]}'>■ {m}</b>" for m in MEASURES) + "</p>"


def _floor(rows: list[Measured], units: tuple[str, ...]) -> float:
    """The lowest bound shown, rounded down to a tenth: where the axis begins."""
    lows = [
        getattr(getattr(row, unit), measure).low
        for row in rows
        for unit in units
        for measure in MEASURES
    ]
    known = [low for low in lows if not isnan(low)]
    return min((int(low * 10) / 10 for low in known), default=0.0)


def _curves(title: str, evaluation: Evaluation, unit: str) -> str:
    rows = evaluation.by_threshold
    left, top, width, height = 50, 10, 640, 240
    weights = [float(row.label) for row in rows]
    floor = min(_floor(rows, (unit,)), 0.9)

    def x(weight: float) -> float:
        return left + width * (weight - weights[0]) / (weights[-1] - weights[0])

    def y(share: float) -> float:
        return top + height * (1 - share) / (1 - floor)

    shapes = [_axis(left, top, width, height, floor)]
    for weight in weights:
        shapes.append(
            f"<text x='{x(weight):.1f}' y='{top + height + 18}' text-anchor='middle'>"
            f"{weight:g}</text>"
        )
    in_force = x(evaluation.link_weight)
    shapes.append(
        f"<line x1='{in_force:.1f}' x2='{in_force:.1f}' y1='{top}' y2='{top + height}' "
        "stroke='#888' stroke-dasharray='4'/>"
    )
    for measure in MEASURES:
        known = [
            (weight, share)
            for weight, row in zip(weights, rows, strict=True)
            if not isnan((share := getattr(getattr(row, unit), measure)).value)
        ]
        band = [(x(w), y(s.high)) for w, s in known] + [(x(w), y(s.low)) for w, s in known[::-1]]
        line = [(x(w), y(s.value)) for w, s in known]
        color = COLORS[measure]
        shapes.append(f"<polygon points='{_points(band)}' fill='{color}' opacity='0.15'/>")
        shapes.append(
            f"<polyline points='{_points(line)}' fill='none' stroke='{color}' stroke-width='2'/>"
        )
    return f"<h2>{title}</h2><svg viewBox='0 0 720 280'>{''.join(shapes)}</svg>"


def _dots(title: str, rows: list[Measured]) -> str:
    left, top, width, step = 210, 10, 480, 30
    height = step * len(rows)
    floor = min(_floor(rows, ("pairs",)), 0.9)
    shapes = [
        f"<text x='{left}' y='{top + height + 18}' text-anchor='middle'>{floor:.0%}</text>",
        f"<text x='{left + width}' y='{top + height + 18}' text-anchor='middle'>100%</text>",
    ]
    for number, row in enumerate(rows):
        middle = top + step * number + step / 2
        label = escape(f"{row.label} ({row.pairs.true:,})")
        shapes.append(f"<text x='{left - 10}' y='{middle + 4}' text-anchor='end'>{label}</text>")
        for offset, measure in enumerate(MEASURES):
            share: Share = getattr(row.pairs, measure)
            if isnan(share.value):
                continue
            line_y = middle + 7 * (offset - 1)
            low, value, high = (
                left + width * (bound - floor) / (1 - floor)
                for bound in (share.low, share.value, share.high)
            )
            shapes.append(
                f"<line x1='{low:.1f}' x2='{high:.1f}' y1='{line_y}' y2='{line_y}' "
                f"stroke='{COLORS[measure]}'/><circle cx='{value:.1f}' cy='{line_y}' r='3' "
                f"fill='{COLORS[measure]}'/>"
            )
    return f"<h2>{title}</h2><svg viewBox='0 0 720 {height + 40}'>{''.join(shapes)}</svg>"


def _axis(left: int, top: int, width: int, height: int, floor: float) -> str:
    lines = []
    for tick in range(6):
        share = floor + (1 - floor) * tick / 5
        line_y = top + height * (1 - tick / 5)
        lines.append(
            f"<line x1='{left}' x2='{left + width}' y1='{line_y}' y2='{line_y}' stroke='#ddd'/>"
            f"<text x='{left - 6}' y='{line_y + 4}' text-anchor='end'>{share:.0%}</text>"
        )
    return "".join(lines)


def _points(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
