"""`outcomes link …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from outcomes.access.logins import connect_as, limited_login
from outcomes.access.roles import BUILDER, STEWARD
from outcomes.cli.evaluation import show_evaluation
from outcomes.cli.explanation import show_explanation
from outcomes.cli.shared import console
from outcomes.config import PROJECT_DIR, load_settings
from outcomes.errors import OutcomesError
from outcomes.linkage.evaluate import evaluate, read_truth
from outcomes.linkage.explain import find_candidates, find_steps
from outcomes.linkage.review_workbook import export_queue, import_decisions
from outcomes.linkage.train import train
from outcomes.publishing.runs import reading_built, reading_links, require_inner_tables

CHARTS_DIR = PROJECT_DIR / "target" / "link_model"
CHART_FILE = PROJECT_DIR / "target" / "link_evaluation.html"

link_app = typer.Typer(
    help="Explain, review and measure the links between records, and train their model.",
    no_args_is_help=True,
)


@link_app.command("explain")
def explain_student(
    student: Annotated[str, typer.Argument(help="<district>:<district_student_id>.")],
    limit: Annotated[int, typer.Option(help="Candidates to show, the heaviest first.")] = 5,
) -> None:
    """Show the evidence for and against each candidate of a student, in bits.

    Example:
        outcomes link explain pittsburgh:100000001
    """
    with connect_as(BUILDER) as connection, reading_links(connection):
        candidates = find_candidates(connection, student)
        steps = [find_steps(connection, candidate) for candidate in candidates[:limit]]
    show_explanation(student, candidates, steps, Console())


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
    with console.status("Measuring"), connect_as(BUILDER) as connection, reading_links(connection):
        evaluation = evaluate(connection, true_persons)
    show_evaluation(evaluation, console)
    # Charts need an optional package, which takes a second to load.
    from outcomes.linkage.evaluation_page import write_page

    write_page(evaluation, CHART_FILE)
    console.print(f"The chart is in {CHART_FILE}.", soft_wrap=True, highlight=False)


@link_app.command("review")
def review_pairs(
    export_file: Annotated[
        Path | None, typer.Option("--export", help="Write the review queue to a new .xlsx.")
    ] = None,
    import_file: Annotated[
        Path | None, typer.Option("--import", help="Record the decisions of such a workbook.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="The page's port; default: a free one.")] = None,
) -> None:
    """Review the ambiguous pairs in a browser, until Ctrl-C, or in a workbook.

    Only the printed address with its token opens the page. Decisions are kept in
    linking.decisions, with the login of the database as the reviewer, and used by every later
    build. The page and the workbook show personal data.

    Example:
        outcomes link review
        outcomes link review --export review.xlsx
        outcomes link review --import review.xlsx
    """
    if export_file is not None and import_file is not None:
        raise OutcomesError("Expected --export or --import, not both.")
    if export_file is not None:
        with connect_as(STEWARD) as connection:
            count = export_queue(connection, export_file, load_settings().user)
        console.print(
            f"Pairs in {export_file}: {count:,}. It holds personal data: delete it after the "
            "import."
        )
    elif import_file is not None:
        with connect_as(STEWARD) as connection:
            done = import_decisions(connection, import_file, load_settings().user)
        console.print(f"{done.new:,} decisions recorded, {done.known:,} had been recorded before.")
        if done.decided:
            console.print(
                f"Not recorded: {', '.join(f'row {row}' for row in done.decided)}. These pairs are "
                "decided. An unsure takes no decision back, and a workbook overrules no other "
                "reviewer: see Decisions on the page (`outcomes link review`), and decide there."
            )
        if done.new:
            console.print("Run `outcomes build` to apply the decisions.")
    else:
        # Only pages need the server, which takes a while to load.
        from outcomes.linkage.review_page import Review
        from outcomes.web.server import serve

        login = load_settings()
        with limited_login(login, STEWARD) as settings:
            review = Review(settings, login.user)
            serve(review.routes(), review.render, port, _announce)


def _announce(address: str) -> None:
    console.print(f"The review is on {address} (stop with Ctrl-C)")


@link_app.command("train")
def train_model(
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Comparison that is not trained but keeps its values; repeatable."),
    ] = None,
) -> None:
    """Train the match model with Splink on the warehouse's identities, with charts.

    seeds/identity/match_model.json defines the comparisons, match_training.json how to train
    and which values are fixed. The command rewrites the model, its seeds and
    macros/match_level.sql. Review them; the next build applies them. The weekly run does not
    train.

    Example:
        outcomes link train
        outcomes link train --keep middle_name --keep gender
    """
    console = Console()
    with (
        console.status("Training") as status,
        connect_as(BUILDER) as connection,
        reading_built(connection, "identity.int_identities"),
    ):
        require_inner_tables(connection)
        trained = train(connection, PROJECT_DIR, CHARTS_DIR, keep or (), status.update)
    console.print(
        f"Model {trained.version}, trained on {trained.students:,} identities of students and "
        f"{trained.clients:,} of clients. One pair in "
        f"{1 / trained.probability_two_random_records_match:,.0f} matches."
    )
    for chart in trained.charts:
        console.print(str(chart), soft_wrap=True, highlight=False)
    console.print("Look at the charts and at `git diff seeds macros`; then `outcomes build`.")
