"""`outcomes warehouse …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outcomes.cli.shared import console
from outcomes.config import EMBEDDED_HOST, load_settings
from outcomes.errors import OutcomesError
from outcomes.exit_codes import NEEDS_A_PERSON
from outcomes.operations import backup as backups
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer, program_path
from outcomes.warehouse.tables import unread_columns
from outcomes.warehouse.tables import upgrade as upgrade_tables

warehouse_app = typer.Typer(help="The embedded server; upgrade, backup.", no_args_is_help=True)


def _server() -> EmbeddedServer:
    settings = load_settings()
    if settings.host != EMBEDDED_HOST:
        raise OutcomesError(
            f"OUTCOMES_PG_HOST is {settings.host}, and this command is for the embedded server "
            "only. Unset it, or start and stop your own server by its own means."
        )
    return EmbeddedServer(settings)


@warehouse_app.command()
def start() -> None:
    """Start the embedded server and create the tables of landing; safe to repeat.

    Example:
        outcomes warehouse start
    """
    server = _server()
    server.start()
    typer.echo(f"PostgreSQL is running on {_address(server)}")


@warehouse_app.command()
def stop() -> None:
    """Stop the embedded server and keep its data.

    Example:
        outcomes warehouse stop
    """
    typer.echo("PostgreSQL stopped." if _server().stop() else "PostgreSQL was not running.")


@warehouse_app.command()
def status() -> None:
    """Show whether the embedded server runs and how to connect; exit code 3 if it does not.

    Example:
        outcomes warehouse status
    """
    server = _server()
    port = server.running_port()
    if port is None:
        typer.echo("PostgreSQL is not running. Start it with `outcomes warehouse start`.")
        raise typer.Exit(NEEDS_A_PERSON)
    if port != server.settings.port:
        typer.echo(
            f"PostgreSQL is running on port {port}, not on {server.settings.port}: set "
            f"OUTCOMES_PG_PORT={port}."
        )
        raise typer.Exit(NEEDS_A_PERSON)
    typer.echo(f"PostgreSQL is running on {_address(server)}")
    typer.echo(f"psql:  {program_path('psql')}, with a login of `outcomes access login`")
    typer.echo(f"owner: {server.settings.password_file} holds the password; not for readers")
    typer.echo(f"data:  {server.data_dir}")


@warehouse_app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the embedded server's data, all landed rows and marts, but not the archive.

    Example:
        outcomes warehouse reset --yes
    """
    server = _server()
    if not yes:
        typer.confirm(f"Delete everything under {server.data_dir}?", abort=True)
    server.reset()
    typer.echo("The embedded warehouse was deleted. `outcomes warehouse start` makes a new one.")


@warehouse_app.command()
def upgrade(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
) -> None:
    """Upgrade the ledger and raw to this release; landed rows and published tables stay.

    The missing migrations run in order, each in one transaction, and cannot be reversed. Tables
    that a build makes again are dropped, so build afterwards. A column that would become narrower
    is an error, and nothing changes. Works on any PostgreSQL.

    Example:
        outcomes warehouse upgrade --dry-run
        outcomes warehouse upgrade
    """
    with connect() as connection, console.status("Upgrading"):
        changes = upgrade_tables(connection, dry_run=dry_run)
        unread = unread_columns(connection)
    if changes:
        console.print("Would change:" if dry_run else "Changed:")
    else:
        console.print("Nothing to change.")
    for change in changes:
        console.print(f"  {change}", markup=False)
    if changes and not dry_run:
        console.print(
            "Run `outcomes access apply` for rights on what is new, then `outcomes build`."
        )
    if unread:
        console.print("No longer in raw.yml, but kept with their data; drop unneeded columns:")
    for column in unread:
        console.print(f"  {column}", markup=False)


@warehouse_app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder, for encrypted data.")],
    keys_folder: Annotated[Path, typer.Argument(help="A new folder elsewhere, for the keys.")],
) -> None:
    """Back up what a build cannot remake: raw, the ledger, persons' history, the archive.

    The first folder is useless without the second: store them apart. Works on any PostgreSQL.

    Example:
        outcomes warehouse backup /backups/2012-10-05 /safe/2012-10-05
    """
    with console.status("Backing up"):
        backups.back_up(load_settings(), folder, keys_folder)
    console.print(f"The backup is in {folder}, its keys in {keys_folder}.")


@warehouse_app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of the backup.")],
    keys_folder: Annotated[Path, typer.Argument(help="The folder of its keys.")],
) -> None:
    """Restore a backup into an empty database; then create the roles and build the marts.

    Example:
        outcomes warehouse restore /backups/2012-10-05 /safe/2012-10-05
    """
    with console.status("Restoring"):
        backups.restore(load_settings(), folder, keys_folder)
    console.print(
        "Restored. Run `outcomes access apply` for the roles, then `outcomes build` for the marts."
    )


def _address(server: EmbeddedServer) -> str:
    return server.settings.address_of(server.settings.user)
