"""The `outcomes` command."""

from __future__ import annotations

import sys

import typer

from outcomes.demo.commands import demo_app
from outcomes.errors import OutcomesError
from outcomes.landing.commands import district_app, land
from outcomes.warehouse.commands import warehouse_app

cli = typer.Typer(
    help="Student Outcomes Warehouse: land deliveries, build marts, link, report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.add_typer(warehouse_app, name="warehouse")
cli.add_typer(district_app, name="district")
cli.add_typer(demo_app, name="demo")
cli.command()(land)


def app() -> None:
    """Run the command; a problem a person can solve is shown without a traceback."""
    try:
        cli()
    except OutcomesError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
