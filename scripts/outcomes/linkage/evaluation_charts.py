"""The charts of an evaluation of the linkage."""

from __future__ import annotations

from math import isnan

import altair as alt
import pandas as pd

from outcomes.charts import BLUE, GREEN, ORANGE, svg
from outcomes.linkage.evaluate import Evaluation, Measured, Share

COLORS = {"precision": BLUE, "recall": ORANGE, "f1": GREEN}


def by_threshold(evaluation: Evaluation, unit: str) -> str:
    """Curves over the link weight, with bands; a line marks the weight in force."""
    frame = _long(evaluation.by_threshold, unit)
    frame["weight"] = frame["label"].astype(float)
    x = alt.X("weight:Q", title="Link weight, bits", axis=alt.Axis(grid=False))
    base = alt.Chart(frame).encode(x=x, color=_color())
    band = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    line = base.mark_line(point=True).encode(
        y=alt.Y("value:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(zero=False))
    )
    in_force = (
        alt.Chart(pd.DataFrame({"weight": [evaluation.link_weight]}))
        .mark_rule(strokeDash=[4, 4], color="#555555")
        .encode(x="weight:Q")
    )
    return svg((band + line + in_force).properties(width=620, height=240))


def by_group(evaluation: Evaluation) -> str:
    """Dots with intervals for each group, with the number of its true pairs."""
    frame = _long(evaluation.by_group, "pairs")
    frame["label"] = [f"{row.label} ({row.true:,})" for row in frame.itertuples()]
    base = alt.Chart(frame).encode(
        y=alt.Y("label:N", title=None, sort=None),
        yOffset=alt.YOffset("measure:N", sort=list(COLORS)),
        color=_color(),
    )
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(zero=False)),
        x2="high:Q",
    )
    dots = base.mark_point(filled=True, size=50, opacity=1).encode(x="value:Q")
    return svg((bars + dots).properties(width=420, height=alt.Step(12)))


def _color() -> alt.Color:
    scale = alt.Scale(domain=list(COLORS), range=list(COLORS.values()))
    return alt.Color("measure:N", scale=scale)


def _long(rows: list[Measured], unit: str) -> pd.DataFrame:
    """One row per label and measure, without empty groups."""
    found = []
    for row in rows:
        quality = getattr(row, unit)
        for measure in COLORS:
            share: Share = getattr(quality, measure)
            if not isnan(share.value):
                found.append((row.label, quality.true, measure, share.value, share.low, share.high))
    return pd.DataFrame(found, columns=["label", "true", "measure", "value", "low", "high"])
