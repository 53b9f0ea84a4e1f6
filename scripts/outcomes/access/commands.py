"""`outcomes access …` and `outcomes purge`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from outcomes.access.logins import make_login, readable_schemas, require_free
from outcomes.access.purge import (
    begin,
    delete_files,
    delete_rows,
    destroy_archive,
    drop_copies,
    is_known,
    rewrite_storage,
)
from outcomes.access.roles import apply_access, district_role, has_roles
from outcomes.config import load_settings
from outcomes.contracts.reader import district_ids, load_contracts, require_district
from outcomes.errors import OutcomesError
from outcomes.warehouse.build import build
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables


class Role(StrEnum):
    """The roles by the names that commands take."""

    PUBLIC = "public"
    ANALYST = "analyst"
    CASEWORKER = "caseworker"
    DISTRICT = "district"
    STEWARD = "steward"
    LOADER = "loader"
    BUILDER = "builder"


access_app = typer.Typer(help="Who may read what.", no_args_is_help=True)


@access_app.callback()
def _group() -> None:
    """Who may read what."""


@access_app.command()
def apply() -> None:
    """Make the roles and what they need beside dbt's grants; print what changed.

    Safe to repeat, and needed again for a new district. The login needs the attribute
    createrole. The roles are groups: `outcomes access login` puts people into them.

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


@access_app.command()
def login(
    name: Annotated[str, typer.Argument(help="Name of the login.")],
    role: Annotated[Role, typer.Option(help="What it may read: docs/security.md.")],
    district: Annotated[str, typer.Option(help="With --role district: the contract's id.")] = "",
) -> None:
    """Make a login for a person, asking for its password, and say how to connect.

    Example:
        outcomes access login ana --role analyst
        outcomes access login dana --role district --district clairton
    """
    if (role is Role.DISTRICT) != bool(district):
        raise OutcomesError("Expected --district with --role district, and with no other role.")
    if district:
        require_district(district)
    group = district_role(district) if district else f"outcomes_{role}"
    settings = load_settings()
    with connect(settings) as connection:
        require_free(connection, name, group)
        password = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
        make_login(connection, name, group, password)
        schemas = readable_schemas(connection, group)
    typer.echo(f"{name} may log in and has the rights of {group}.")
    typer.echo(f"reads:    {', '.join(schemas) or 'nothing before the next `outcomes build`'}")
    typer.echo(f"psql:     psql {settings.address_of(name)}")
    typer.echo(
        f"BI tool:  PostgreSQL, host {settings.host}, port {settings.port}, "
        f"database {settings.database}, user {name}, and the password"
    )


def purge(
    partner: Annotated[str, typer.Option(help="Whose data are destroyed: the contract's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy every trace of a partner, build anew what is shared, write a certificate.

    Rows, history, identities, links, decisions, marts, the archive and its key, reports
    and dbt's artifacts. Tables are written anew, so readers wait for a while. Interrupted,
    it is finished by the same command. First end the contract, or take it away: what
    still lies in the drops would land again.

    Example:
        outcomes purge --partner clairton
    """
    settings, console = load_settings(), Console(highlight=False, soft_wrap=True)
    with connect(settings) as connection:
        create_tables(connection)
        if not is_known(connection, settings, partner):
            raise OutcomesError(
                f"There is nothing of a partner {partner!r}. landing.partners lists them."
            )
        if not yes:
            typer.confirm(
                f"Destroy all data of {partner} in {settings.database}, its archive and its key? "
                "Nothing brings them back.",
                abort=True,
            )
        destruction = begin(connection, settings, partner)
        for told, step in (
            ("Destroying the archive", destroy_archive),
            ("Deleting rows", delete_rows),
            ("Deleting files", delete_files),
        ):
            with console.status(told):
                step(destruction)
    # Without a connection in the way of dbt.
    build(console, accept_loss=f"purge of {partner}")
    with connect(settings) as connection:
        destruction = begin(connection, settings, partner)
        with console.status("Writing the tables anew"):
            drop_copies(destruction)
            if has_roles(connection):
                # What the build has made belongs to whoever ran this command.
                apply_access(connection, district_ids(load_contracts().values()))
            left_in_log = rewrite_storage(destruction)
        certificate = destruction.finish(left_in_log)
    for what in left_in_log:
        console.print(f"Still there: {what}.")
    nothing = "Nothing else" if left_in_log else "Nothing"
    console.print(f"{nothing} of {partner} is left. The certificate is in {certificate}")
