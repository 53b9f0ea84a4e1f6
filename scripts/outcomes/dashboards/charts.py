"""The charts of the dashboards. What they leave out, the table below them has."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from outcomes.charts import BLUE, GRAY, ORANGE, svg
from outcomes.dashboards.reader import Row
from outcomes.reports.public_charts import INVOLVED, OTHERS, dumbbells

# Narrow enough to be read on a phone.
WIDTH = 430


def bars(rows: Sequence[Row], label: str, value: str, title: str) -> str:
    """A bar for each row in the given order, from 0, with its number."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(f"{label}:N", title=None, sort=None),
        x=alt.X(
            f"{value}:Q", title=title, scale=alt.Scale(domainMin=0), axis=alt.Axis(tickMinStep=1)
        ),
    )
    numbers = base.mark_text(align="left", dx=4).encode(text=f"{value}:Q")
    chart = base.mark_bar(color=GRAY, height=16) + numbers
    return svg(chart.properties(width=WIDTH - 170, height=alt.Step(26)))


def two_groups(rows: Sequence[Row], title: str) -> str:
    """The share of each group of students, in percent, in its color."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("label:N", title=None, sort=None),
        x=alt.X("share:Q", title=title, scale=alt.Scale(domain=[0, 100])),
    )
    numbers = base.mark_text(align="left", dx=4).encode(text=alt.Text("share:Q", format=".0f"))
    bar = base.mark_bar(height=16).encode(
        color=alt.Color(
            "label:N",
            scale=alt.Scale(domain=["With services", "Others"], range=[ORANGE, BLUE]),
            legend=None,
        )
    )
    return svg((bar + numbers).properties(width=WIDTH - 170, height=alt.Step(26)))


def stacked(rows: Sequence[Row], label: str, value: str, part: str, colors: dict[str, str]) -> str:
    """Stacked bars, their parts in the order of `colors`."""
    frame = pd.DataFrame(rows)
    frame["order"] = frame[part].map({name: n for n, name in enumerate(colors)})
    return svg(
        alt.Chart(frame)
        .mark_bar(height=18)
        .encode(
            y=alt.Y(f"{label}:N", title=None, sort=None),
            x=alt.X(f"{value}:Q", title=value.capitalize(), axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                f"{part}:N", scale=alt.Scale(domain=list(colors), range=list(colors.values()))
            ),
            order="order:Q",
        )
        .properties(width=WIDTH - 160, height=alt.Step(28))
    )


def levels(rows: Sequence[Row], label: str, title: str, highest: float) -> str:
    """Both groups of students beside each other, from 0 to the highest level possible."""
    frame = pd.DataFrame(rows).rename(columns={"involved": INVOLVED, "others": OTHERS})
    return svg(dumbbells(frame, label, title, [0, highest]).properties(width=WIDTH - 210))


def shares(rows: Sequence[Row], label: str, title: str) -> str:
    """A share of each row, in percent, with its interval."""
    base = alt.Chart(pd.DataFrame(rows)).encode(y=alt.Y(f"{label}:N", title=None, sort=None))
    interval = base.mark_rule(color=GRAY, strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=alt.Scale(domain=[0, 100])), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=90, opacity=1, color=GRAY).encode(x="share:Q")
    return svg((interval + points).properties(width=WIDTH - 210, height=alt.Step(24)))


def effects(rows: Sequence[Row], title: str) -> str:
    """Effects with their intervals, cut at three times the largest effect.

    A point without an interval is hollow: it would look like the most exact of all.
    """
    frame = pd.DataFrame(rows)
    reach = 3 * frame["effect"].abs().max() or 1.0
    base = alt.Chart(frame).encode(y=alt.Y("label:N", title=None, sort=None))
    x = alt.X("low:Q", title=title, scale=alt.Scale(domain=[-reach, reach], nice=False))
    zero = alt.Chart(frame).mark_rule(color="#555555").encode(x=alt.datum(0))
    interval = base.mark_rule(color=GRAY, strokeWidth=2, clip=True).encode(x=x, x2="high:Q")
    points = base.mark_point(size=90, opacity=1, color=GRAY).encode(
        x="effect:Q",
        fill=alt.when("isValid(datum.low)").then(alt.value(GRAY)).otherwise(alt.value("white")),
    )
    return svg((zero + interval + points).properties(width=WIDTH - 220, height=alt.Step(24)))


def over_years(
    rows: Sequence[Row], value: str, title: str, highest: float, groups: tuple[str, str]
) -> str:
    """Both groups' level by school year, from 0 to the highest level possible."""
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y(f"{value}:Q", title=title, scale=alt.Scale(domain=[0, highest])),
        color=alt.Color("group:N", scale=alt.Scale(domain=groups, range=[ORANGE, BLUE])),
        shape=alt.Shape("group:N", scale=alt.Scale(domain=groups, range=["circle", "diamond"])),
    )
    chart = base.mark_line() + base.mark_point(filled=True, size=90, opacity=1)
    return svg(chart.properties(width=WIDTH - 80, height=180))


def months(rows: Sequence[Row], label: str, title: str) -> str:
    """A share by month, in percent: a small chart for each label, all with one axis from 0."""
    frame = pd.DataFrame(rows)
    chart = (
        alt.Chart(frame)
        .mark_bar(color=GRAY)
        .encode(
            x=alt.X("month:O", title=None, axis=alt.Axis(labelAngle=-90, labelOverlap=True)),
            y=alt.Y("share:Q", title=title, scale=alt.Scale(domainMin=0)),
        )
        .properties(width=WIDTH / 2 - 60, height=90)
    )
    names = list(frame[label].unique())
    return svg(chart.facet(alt.Facet(f"{label}:N", title=None, sort=names), columns=2))
