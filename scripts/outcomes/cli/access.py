"""`outcomes access …` and `outcomes purge`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from outcomes.access.logins import make_login, readable_schemas, require_free
from outcomes.access.rights import require_access, require_purge
from outcomes.access.roles import apply_access, district_role
from outcomes.cli.progress import progress_bar
from outcomes.config import load_settings
from outcomes.contracts.reader import district_ids, load_contracts, require_district
from outcomes.errors import OutcomesError
from outcomes.landing.archive import require_own_archive
from outcomes.operations.purge import (
    begin,
    delete_files,
    delete_rows,
    destroy_archive,
    drop_copies,
    is_known,
    rewrite_storage,
)
from outcomes.publishing.build import build
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables


class Role(StrEnum):
    """Roles, as named on the command line."""

    PUBLIC = "public"
    ANALYST = "analyst"
    CASEWORKER = "caseworker"
    DISTRICT = "district"
    STEWARD = "steward"
    LOADER = "loader"
    BUILDER = "builder"
    DEVELOPER = "developer"


access_app = typer.Typer(help="Roles and logins.", no_args_is_help=True)


@access_app.command()
def apply() -> None:
    """Create the roles and the grants that dbt does not give; print each change.

    Safe to repeat, and needed again for a new district. The roles are groups: `outcomes access
    login` adds people to them. docs/operations.md says which rights the login needs.

    Example:
        outcomes access apply
    """
    districts = district_ids(load_contracts().values())
    with connect() as connection:
        require_access(connection)
        changes = apply_access(connection, districts)
    for change in changes:
        typer.echo(change)
    if changes:
        typer.echo("The next `outcomes build` grants its tables to the roles.")
    else:
        typer.echo("Nothing to change.")


@access_app.command()
def login(
    name: Annotated[str, typer.Argument(help="Name of the login.")],
    role: Annotated[Role, typer.Option(help="Its role, see docs/security.md.")],
    district: Annotated[str, typer.Option(help="With --role district: the contract's id.")] = "",
) -> None:
    """Create a login for a person, ask for its password, and print how to connect.

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
        make_login(connection, name, password, group)
        schemas = readable_schemas(connection, group)
    typer.echo(f"{name} may log in and has the rights of {group}.")
    typer.echo(f"reads:    {', '.join(schemas) or 'nothing before the next `outcomes build`'}")
    typer.echo(f"psql:     psql {settings.address_of(name)}")
    typer.echo(
        f"BI tool:  PostgreSQL, host {settings.host}, port {settings.port}, "
        f"database {settings.database}, user {name}, and the password"
    )


def purge(
    partner: Annotated[str, typer.Option(help="The partner whose data are destroyed.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy all data of a partner, rebuild the shared tables, write a certificate.

    It destroys rows, history, identities, links, decisions, marts, the archive and its key,
    reports and dbt's artifacts. Tables are rewritten, so readers wait for a while. If it is
    interrupted, run the same command again. First end or remove the contract, or files that
    are still in the drops folder would land again.

    Example:
        outcomes purge --partner clairton
    """
    settings, console = load_settings(), Console(highlight=False, soft_wrap=True)
    with connect(settings) as connection:
        require_purge(connection, settings)
        require_own_archive(connection, settings)
        create_tables(connection)
        if not is_known(connection, settings, partner):
            raise OutcomesError(
                f"There are no data of a partner {partner!r}. landing.partners lists the partners."
            )
        if not yes:
            typer.confirm(
                f"Destroy all data of {partner} in {settings.database}, its archive and its key? "
                "They cannot be restored.",
                abort=True,
            )
        destruction = begin(connection, settings, partner)
        for message, step in (
            ("Destroying the archive", destroy_archive),
            ("Deleting rows", delete_rows),
            ("Deleting files", delete_files),
        ):
            with console.status(message):
                step(destruction)
    # dbt needs the locks of this connection, so it is closed.
    with progress_bar("Building", console) as progress:
        build(accept_loss=f"purge of {partner}", progress=progress)
    with connect(settings) as connection:
        destruction = begin(connection, settings, partner)
        with console.status("Rewriting the tables"):
            drop_copies(destruction)
            left_in_log = rewrite_storage(destruction)
        certificate = destruction.finish(left_in_log)
    for what in left_in_log:
        console.print(f"Not destroyed: {what}.")
    nothing = "Nothing else" if left_in_log else "Nothing"
    console.print(f"{nothing} of {partner} is left. The certificate is in {certificate}")
