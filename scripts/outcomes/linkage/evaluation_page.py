"""Writes the charts of an evaluation of the linkage as one HTML file."""

from __future__ import annotations

from pathlib import Path

# First, because it says which optional package is missing.
from outcomes.charts import image
from outcomes.linkage.evaluate import Evaluation
from outcomes.linkage.evaluation_charts import by_group, by_threshold


def write_page(evaluation: Evaluation, file: Path) -> None:
    """Write one HTML file: pairs and clusters by threshold, and by group."""
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
