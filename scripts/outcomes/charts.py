"""Charts as SVG images: sharp in print, without script or network."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from outcomes.errors import OutcomesError

try:
    import altair as alt
    import vl_convert
except ImportError:
    raise OutcomesError("Charts need Altair: pip install -e '.[reports]' and try again.") from None

# Also distinguishable by the color-blind, and dark enough on white (WCAG 2.2, 1.4.11).
# Orange are students with services, blue all others, gray both together.
ORANGE, BLUE, GREEN, GRAY = "#b04a00", "#0072b2", "#00795a", "#5b5b5b"

_STYLE = {
    "background": "white",
    # Browsers' fonts can be wider than the one measured here.
    "padding": {"left": 40, "right": 5, "top": 5, "bottom": 5},
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 260,
        "gridColor": "#dddddd",
        "labelColor": "#222222",
        "titleColor": "#222222",
    },
    "header": {"labelFontSize": 12, "labelFontWeight": "bold", "labelColor": "#222222"},
    "legend": {
        "labelFontSize": 12,
        "symbolSize": 90,
        "symbolOpacity": 1,
        "orient": "top",
        "columnPadding": 30,
        "title": None,
        "labelColor": "#222222",
    },
}


def svg(chart: alt.TopLevelMixin) -> str:
    """Draw a chart."""
    return vl_convert.vegalite_to_svg(chart.to_dict() | {"config": _STYLE})


def image(drawn: str, alternative: str) -> str:
    """An HTML image of a drawn chart, with its alternative text."""
    encoded = b64encode(drawn.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{encoded}" alt="{escape(alternative)}">'
