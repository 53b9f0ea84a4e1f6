"""`outcomes access …`."""

from __future__ import annotations

import typer

from outcomes.access.roles import apply_access
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.warehouse.connection import connect

access_app = typer.Typer(help="Who may read what.", no_args_is_help=True)


@access_app.callback()
def _group() -> None:
    """Who may read what."""


@access_app.command()
def apply() -> None:
    """Make the roles and what they need beside dbt's grants; print what changed.

    Safe to repeat, and needed again for a new district. The login needs the attribute
    createrole. The roles are groups: grant them to your own logins.

    Example:
        outcomes access apply
    """
    districts = district_ids(load_contracts().values())
    with connect() as connection:
        changes = apply_access(connection, districts)
    for change in changes:
        typer.echo(change)
    if changes:
        typer.echo("The next `outcomes build` grants the roles the tables that it makes.")
    else:
        typer.echo("Nothing to change.")
