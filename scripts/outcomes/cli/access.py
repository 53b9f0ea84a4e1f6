"""`outcomes access …`."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated

import typer

from outcomes.access.logins import make_login, readable_schemas, require_free
from outcomes.access.rights import require_access
from outcomes.access.roles import apply_access, district_role
from outcomes.config import load_settings
from outcomes.contracts.reader import district_ids, load_contracts, require_district
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect


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
def apply(
    details: Annotated[bool, typer.Option("--details", help="Print each change.")] = False,
) -> None:
    """Create the roles and the grants that dbt does not give; say how many changes it made.

    Safe to repeat, and needed again for a new district. The roles are groups: `outcomes access
    login` adds people to them. docs/operations.md says which rights the login needs.

    Example:
        outcomes access apply
        outcomes access apply --details
    """
    districts = district_ids(load_contracts().values())
    with connect() as connection:
        require_access(connection)
        changes = apply_access(connection, districts)
    if details:
        for change in changes:
            typer.echo(change)
    if changes:
        verbs = Counter(change.partition(" ")[0] for change in changes)
        typer.echo("Changes: " + ", ".join(f"{verb} {n}" for verb, n in verbs.items()) + ".")
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
