"""`outcomes warehouse …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from outcomes.config import EMBEDDED_HOST, load_settings
from outcomes.errors import OutcomesError
from outcomes.warehouse import backup as backups
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer, program_path
from outcomes.warehouse.tables import create_tables, unread_columns

warehouse_app = typer.Typer(help="The embedded server; upgrade, backup.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)


def _server() -> EmbeddedServer:
    settings = load_settings()
    if settings.host != EMBEDDED_HOST:
        raise OutcomesError(
            f"OUTCOMES_PG_HOST is {settings.host}, and this command is for the embedded server "
            "only. Unset it, or leave starting and stopping to your own server."
        )
    return EmbeddedServer(settings)


@warehouse_app.command()
def start() -> None:
    """Start the embedded server and create what landing needs; safe to repeat.

    Example:
        outcomes warehouse start
    """
    server = _server()
    server.start()
    typer.echo(f"PostgreSQL is running on {_address(server)}")


@warehouse_app.command()
def stop() -> None:
    """Stop the embedded server; the data stay.

    Example:
        outcomes warehouse stop
    """
    typer.echo("PostgreSQL stopped." if _server().stop() else "PostgreSQL was not running.")


@warehouse_app.command()
def status() -> None:
    """Say whether the embedded server runs and how to connect; exit code 3 if it does not.

    Example:
        outcomes warehouse status
    """
    server = _server()
    port = server.running_port()
    if port is None:
        typer.echo("PostgreSQL is not running. Start it with `outcomes warehouse start`.")
        raise typer.Exit(3)
    if port != server.settings.port:
        typer.echo(
            f"PostgreSQL is running on port {port}, not on {server.settings.port}: set "
            f"OUTCOMES_PG_PORT={port}."
        )
        raise typer.Exit(3)
    typer.echo(f"PostgreSQL is running on {_address(server)}")
    typer.echo(f"psql:  {program_path('psql')}, with a login of `outcomes access login`")
    typer.echo(f"owner: {server.settings.password_file} holds the password; not for readers")
    typer.echo(f"data:  {server.data_dir}")


@warehouse_app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the embedded server's data: every landed row, every mart; not the archive.

    Example:
        outcomes warehouse reset --yes
    """
    server = _server()
    if not yes:
        typer.confirm(f"Delete everything under {server.data_dir}?", abort=True)
    server.reset()
    typer.echo("The embedded warehouse is gone. `outcomes warehouse start` makes a new one.")


@warehouse_app.command()
def upgrade(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; change nothing.")
    ] = False,
) -> None:
    """Give raw and the ledger the tables and columns of this release; the rows stay.

    It is one transaction, and forward only. `land`, `build` and `access apply` do the same
    first; here you see it. A column that would become narrower is an error, before anything
    changes. On any PostgreSQL.

    Example:
        outcomes warehouse upgrade --dry-run
        outcomes warehouse upgrade
    """
    with connect() as connection, console.status("Upgrading"):
        changes = create_tables(connection, dry_run=dry_run)
        unread = unread_columns(connection)
    if changes:
        console.print("Would change:" if dry_run else "Changed:")
    else:
        console.print("Nothing to change.")
    for told in changes:
        console.print(f"  {told}", markup=False)
    if unread:
        console.print("No longer in raw.yml, kept with their data; drop what nobody needs:")
    for column in unread:
        console.print(f"  {column}", markup=False)


@warehouse_app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder, for encrypted data.")],
    keys_folder: Annotated[Path, typer.Argument(help="A new folder elsewhere, for the keys.")],
) -> None:
    """Back up what cannot be made again: raw, the ledger, persons' history, the archive.

    The first folder is useless without the second: keep them apart. On any PostgreSQL.

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
    """Restore a backup into an empty database. Roles and marts are made anew afterwards.

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
