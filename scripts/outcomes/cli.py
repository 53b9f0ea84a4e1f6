"""The `outcomes` command."""

from __future__ import annotations

import sys

import typer

from outcomes.errors import OutcomesError
from outcomes.landing.commands import district_app, land, release
from outcomes.warehouse.commands import warehouse_app

cli = typer.Typer(
    help="Student Outcomes Warehouse: land deliveries, build marts, link, report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.add_typer(warehouse_app, name="warehouse")
cli.add_typer(district_app, name="district")
cli.command()(land)
cli.command()(release)


def app() -> None:
    """Run the command; a problem a person can solve is shown without a traceback."""
    try:
        cli()
    except OutcomesError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
