"""`python -m demo`: invented deliveries of any size, to try the warehouse with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from demo.generate import Progress, generate
from demo.plan import CLIENTS_PER_STUDENT, Plan
from outcomes.errors import OutcomesError

app = typer.Typer(add_completion=False)


@app.command()
def main(
    path: Annotated[Path, typer.Argument(help="New folder for deliveries and true persons.")],
    students: Annotated[int, typer.Option(help="Students a year; Cornell's are added.")] = 1200,
    clients: Annotated[
        int | None,
        typer.Option(help=f"Client records; default: {CLIENTS_PER_STUDENT} per student."),
    ] = None,
    weeks: Annotated[int, typer.Option(help="Weekly deliveries of the running year.")] = 6,
    school_years: Annotated[int, typer.Option(help="Finished school years before that.")] = 2,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 7,
) -> None:
    """Write invented deliveries to PATH/drops and their true persons to PATH/truth.

    Example: python -m demo .warehouse/demo --students 1200 --seed 7
    """
    plan = Plan(
        students=students,
        clients=CLIENTS_PER_STUDENT * students if clients is None else clients,
        weeks=weeks,
        school_years=school_years,
        seed=seed,
    )
    console = Console(stderr=True)
    with RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("client records"),
        TimeElapsedColumn(),
        console=console,
    ) as bar:
        task = bar.add_task("Starting", total=sum(part.clients for part in plan.parts()))
        generate(
            plan,
            path,
            Progress(
                step=lambda text: bar.update(task, description=text),
                advance=lambda records: bar.update(task, advance=records),
            ),
        )
    console.print(f"Deliveries are in {path / 'drops'}, their true persons in {path / 'truth'}.")


if __name__ == "__main__":
    try:
        app()
    except OutcomesError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
