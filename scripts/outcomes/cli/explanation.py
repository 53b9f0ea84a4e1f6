"""Shows why a student's candidates were linked or not, as waterfalls of evidence."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outcomes.linkage.explain import Candidate, Step, waterfall
from outcomes.linkage.shares import share_in_words

# Width of a waterfall's bars, in columns of the terminal.
BAR_WIDTH = 24


def show_explanation(
    student: str, candidates: list[Candidate], shown: list[list[Step]], console: Console
) -> None:
    """Print a waterfall for each of the heaviest candidates, of which `shown` has the steps.

    Shows ids, levels and weights, but no names or dates.
    """
    console.print(f"{student} was compared with {len(candidates):,} others.", highlight=False)
    for candidate, steps in zip(candidates, shown, strict=False):
        console.print()
        console.print(_waterfall(candidate, steps))
    if len(candidates) > len(shown):
        more = len(candidates) - len(shown)
        console.print(f"\n{more:,} more have a lower weight.", highlight=False)


def _waterfall(candidate: Candidate, steps: list[Step]) -> Table:
    table = Table(
        title=_title(candidate),
        title_justify="left",
        caption=_caption(candidate),
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("compared")
    table.add_column("level")
    table.add_column("bits", justify="right")
    table.add_column("", width=BAR_WIDTH, no_wrap=True)
    bars = waterfall(candidate, steps)
    if candidate.match_weight is None:
        return table
    low, high = min(0.0, *(bar.end for bar in bars)), max(0.0, *(bar.end for bar in bars))
    scale = BAR_WIDTH / (high - low or 1)
    for bar in bars:
        table.add_row(
            bar.step.comparison.replace("_", " "),
            bar.step.level,
            f"{bar.step.weight:+.1f}",
            _bar(bar.start - low, bar.end - low, scale),
        )
    table.add_section()
    table.add_row(
        "total",
        share_in_words(candidate.share),
        f"{candidate.match_weight:+.1f}",
        _bar(-low, candidate.match_weight - low, scale),
        style="bold",
    )
    return table


def _bar(start: float, end: float, scale: float) -> Text:
    """A bar from `start` to `end`: green for evidence for a match, red for evidence against."""
    left = round(min(start, end) * scale)
    length = max(1, round(max(start, end) * scale) - left)
    left = min(left, BAR_WIDTH - length)
    return Text(" " * left + "█" * length, style="green" if end >= start else "red")


def _title(candidate: Candidate) -> Text:
    records = "" if candidate.record_count == 1 else f" and {candidate.record_count - 1} more"
    return Text.assemble(
        (candidate.decision, "bold"),
        f" (by {candidate.decided_by}): {candidate.record_type} {candidate.record}{records}",
    )


def _caption(candidate: Candidate) -> str:
    parts = []
    if candidate.reason:
        parts.append(candidate.reason)
    if candidate.runner_up_person_id and candidate.runner_up_weight is not None:
        parts.append(
            f"Runner-up {candidate.runner_up_person_id} at {candidate.runner_up_weight:+.1f} bits"
        )
    return ". ".join(parts)
