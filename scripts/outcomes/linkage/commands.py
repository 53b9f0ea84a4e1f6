"""`outcomes link …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from outcomes.config import PROJECT_DIR
from outcomes.linkage.evaluate import evaluate, read_truth
from outcomes.linkage.evaluation_report import show_evaluation, write_chart
from outcomes.linkage.explain import explain
from outcomes.warehouse.connection import connect

CHART_FILE = PROJECT_DIR / "target" / "link_evaluation.html"

link_app = typer.Typer(
    help="Explain, review and measure the links between records.", no_args_is_help=True
)


@link_app.command("explain")
def explain_student(
    student: Annotated[str, typer.Argument(help="<district>:<district_student_id>.")],
    limit: Annotated[int, typer.Option(help="Candidates to show, the heaviest first.")] = 5,
) -> None:
    """Show what speaks for and against each candidate of a student, in bits.

    Example:
        outcomes link explain pittsburgh:100000001
    """
    with connect() as connection:
        explain(connection, student, limit, Console())


@link_app.command("evaluate")
def evaluate_links(
    truth: Annotated[
        Path,
        typer.Option(
            help="Folder with student_person and client_person (.parquet, .csv), or one file "
            "with the columns record_type, partner_id, record_id and person_id."
        ),
    ],
) -> None:
    """Measure precision, recall and F1 of the links against the truth, with a chart.

    Example:
        outcomes link evaluate --truth .warehouse/demo/truth
    """
    console = Console()
    true_persons = read_truth(truth)
    with console.status("Measuring"), connect() as connection:
        evaluation = evaluate(connection, true_persons)
    show_evaluation(evaluation, console)
    write_chart(evaluation, CHART_FILE)
    console.print(f"The chart is in {CHART_FILE}.", soft_wrap=True, highlight=False)
