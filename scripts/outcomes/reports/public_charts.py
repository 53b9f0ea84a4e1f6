"""The charts of the public report, as SVG: sharp in print, and without script."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt
import pandas as pd

from outcomes.charts import BLUE, ORANGE, svg
from outcomes.reports.measures import Measure

WIDTH = 470

INVOLVED, OTHERS = "Ever received services", "All other students"
_GROUPS = {INVOLVED: ORANGE, OTHERS: BLUE}
_KINDS = {"As counted": ORANGE, "Among similar students": BLUE}


def levels(values: pd.DataFrame, measures: Iterable[Measure]) -> str:
    """Both groups' values by measure, one chart for each unit and range of values."""
    values = values.dropna(subset=list(_GROUPS), how="all")
    scales: dict[tuple[str, int], list[str]] = {}
    for measure in measures:
        title = "Percent" if measure.unit == "%" else measure.gap_unit.capitalize()
        scale = title, measure.value_range * measure.display_factor
        scales.setdefault(scale, []).append(measure.measure)

    charts = [
        dumbbells(frame, "measure_label", title, [0, highest])
        for (title, highest), names in scales.items()
        if not (frame := values[values["measure"].isin(names)]).empty
    ]
    return svg(alt.vconcat(*charts))


def dumbbells(frame: pd.DataFrame, label: str, title: str, domain: list[float]) -> alt.LayerChart:
    """Both groups' values, a line for each row."""
    long = frame.melt(id_vars=[label], value_vars=list(_GROUPS), var_name="group").dropna()
    y = alt.Y(f"{label}:N", title=None, sort=None)
    line = (
        alt.Chart(long)
        .mark_rule(color="#888888", strokeWidth=2)
        .encode(y=y, x="min(value):Q", x2="max(value):Q")
    )
    points = (
        alt.Chart(long)
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            y=y,
            x=alt.X(
                "value:Q",
                title=title,
                scale=alt.Scale(domain=domain),
                axis=alt.Axis(tickCount=5),
            ),
            **_color_and_shape("group", _GROUPS),
        )
    )
    chart: alt.LayerChart = line + points
    return chart.properties(width=WIDTH - 180, height=alt.Step(34))


def by_year(frame: pd.DataFrame) -> str:
    """The gap of each measure by school year, with its interval."""
    x = alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0))
    base = alt.Chart(frame)
    zero = base.mark_rule(color="#555555").encode(y=alt.datum(0))
    interval = base.mark_rule(color=ORANGE, strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q", title=None), y2="high:Q"
    )
    points = base.mark_point(filled=True, size=90, opacity=1, color=ORANGE).encode(x=x, y="gap:Q")
    chart = (zero + interval + points).properties(width=WIDTH / 2 - 60, height=110)
    return svg(
        chart.facet(
            alt.Facet("measure_label:N", title=None, sort=list(frame["measure_label"].unique())),
            columns=2,
        ).resolve_scale(y="independent")
    )


def adjusted(frame: pd.DataFrame) -> str:
    """The gap as counted and the adjusted gap, in percentage points."""
    long = frame.melt(id_vars=["measure_label"], value_vars=list(_KINDS), var_name="kind").dropna()
    points = (
        alt.Chart(long)
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            y=alt.Y("measure_label:N", title=None, sort=None),
            x=alt.X("value:Q", title="Gap, percentage points"),
            **_color_and_shape("kind", _KINDS),
        )
    )
    return svg((_zero_line(long) + points).properties(width=WIDTH - 180, height=alt.Step(34)))


def intervals(frame: pd.DataFrame, row: str | None = None) -> str:
    """Gaps with their intervals, in percentage points; one panel for each value of `row`."""
    base = alt.Chart(frame)
    y = alt.Y("label:N", title=None, sort=None)
    interval = base.mark_rule(color=ORANGE, strokeWidth=2).encode(
        y=y, x=alt.X("low:Q", title="Gap, percentage points"), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=90, opacity=1, color=ORANGE).encode(y=y, x="gap:Q")
    chart = (_zero_line(frame) + interval + points).properties(
        width=WIDTH - 200, height=alt.Step(22)
    )
    if row is None:
        return svg(chart)
    return svg(
        chart.facet(
            row=alt.Row(
                f"{row}:N",
                title=None,
                sort=list(frame[row].unique()),
                header=alt.Header(labelOrient="top", labelAnchor="start", labelAngle=0),
            ),
            spacing=8,
        ).resolve_scale(y="independent")
    )


def _zero_line(frame: pd.DataFrame) -> alt.Chart:
    zero: alt.Chart = alt.Chart(frame).mark_rule(color="#555555").encode(x=alt.datum(0))
    return zero


def _color_and_shape(field: str, colors: dict[str, str]) -> dict[str, alt.SchemaBase]:
    names = list(colors)
    return {
        "color": alt.Color(
            f"{field}:N", scale=alt.Scale(domain=names, range=list(colors.values()))
        ),
        "shape": alt.Shape(
            f"{field}:N", scale=alt.Scale(domain=names, range=["circle", "diamond"])
        ),
    }
