"""Shows the summary at the end of a run, and what to do next."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from outcomes.config import Settings, load_settings
from outcomes.reports.summary import Gap, Landed, Linked, Summary


def show_summary(summary: Summary, console: Console) -> None:
    """Print the summary, and what to do next."""
    console.print()
    console.print(_landed(summary.landed))
    console.print(_linked(summary.linked))
    if summary.gaps:
        console.print(_gaps(summary.gaps))
    console.print(_what_next(load_settings()))


def _landed(partners: list[Landed]) -> Table:
    table = Table(title="What landed", title_justify="left", title_style="bold", min_width=76)
    for column in ("partner", "deliveries", "files", "not loaded", "rows", "rows rejected"):
        table.add_column(column, justify="left" if column == "partner" else "right")
    for partner in partners:
        table.add_row(
            partner.partner_id,
            f"{partner.deliveries:,}",
            f"{partner.files:,}",
            f"{partner.not_loaded:,}" if partner.not_loaded else "–",
            f"{partner.rows:,}",
            f"{partner.rejected:,}" if partner.rejected else "–",
        )
    return table


def _linked(found: Linked) -> Panel:
    if found.involved_students is None:
        received = "Who has received human services is not known: no agency has delivered."
    else:
        share = found.involved_students / found.students
        received = (
            f"[bold]{share:.0%}[/] of the students have received human services at some point."
        )
    text = Text.assemble(
        (f"{found.students:,}", "bold"), " district students are ",
        (f"{found.people:,}", "bold"), " people.\n",
        (f"{found.linked:,}", "bold"), " client records belong to them; ",
        (f"{found.queued_pairs:,}", "bold"), " pairs wait for a data steward.\n",
        Text.from_markup(received),
    )  # fmt: skip
    return Panel(text, title="What was linked", title_align="left", width=76)


def _gaps(gaps: list[Gap]) -> Table:
    year = gaps[0].school_year
    table = Table(
        title=f"The gap, school year {year - 1}-{year % 100:02d}, all districts",
        title_justify="left",
        title_style="bold",
        min_width=76,
        caption="Students who ever received human services against all others. A gap is not "
        "an effect.",
        caption_justify="left",
    )
    table.add_column("measure")
    for column in ("involved", "others", "gap", "95 % interval"):
        table.add_column(column, justify="right")
    for gap in gaps:
        measure = gap.measure
        worse = gap.gap < 0 if measure.higher_is_better else gap.gap > 0
        table.add_row(
            measure.measure_label,
            measure.value(gap.value_involved),
            measure.value(gap.value_not_involved),
            Text(measure.gap(gap.gap), style="red" if worse else "green"),
            "–"
            if gap.ci_low is None or gap.ci_high is None
            else f"{measure.number(gap.ci_low, signed=True)} to "
            f"{measure.number(gap.ci_high, signed=True)}",
        )
    return table


def _what_next(settings: Settings) -> str:
    return "\n".join(
        [
            "[bold]How to connect[/]",
            "  outcomes access login NAME --role analyst",
            "                   makes a login, and shows how psql and a BI tool connect to "
            f"{settings.host}, port {settings.port}",
            "[bold]What to try[/]",
            "  select * from marts_public.rpt_outcome_gaps where not is_suppressed;",
            "  select * from marts_pseudonymized.fct_student_years;",
            "  make dashboards  gaps, students at risk, action research, deliveries, in a browser",
            "  make docs        the models, their columns and their lineage in a browser",
        ]
    )
