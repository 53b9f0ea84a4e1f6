"""The `outcomes` command."""

from __future__ import annotations

import logging
import sys
import traceback
from importlib.metadata import version
from typing import Annotated, NoReturn

import psycopg
import typer
from rich.markup import escape

from outcomes.cli.access import access_app
from outcomes.cli.landing import district_app, land, release, replay
from outcomes.cli.linkage import link_app
from outcomes.cli.operations import purge, weekly
from outcomes.cli.publishing import build, revise_year, rollback
from outcomes.cli.reports import dashboards, report_app, status
from outcomes.cli.shared import console
from outcomes.cli.warehouse import warehouse_app
from outcomes.config import PROJECT_DIR, load_settings
from outcomes.errors import OutcomesError
from outcomes.publishing.build import BuildError
from outcomes.publishing.runs import DISTRIBUTION, code_version

cli = typer.Typer(
    help="Student Outcomes Warehouse: land deliveries, build marts, link, report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.add_typer(warehouse_app, name="warehouse")
cli.add_typer(district_app, name="district")
cli.add_typer(link_app, name="link")
cli.add_typer(report_app, name="report")
cli.add_typer(access_app, name="access")
for _command in (
    land, release, replay, build, rollback, revise_year, weekly, purge, dashboards, status,
):  # fmt: skip
    cli.command()(_command)


def _show_version(wanted: bool) -> None:
    if wanted:
        release, code = version(DISTRIBUTION), code_version()
        typer.echo(f"outcomes {release}" + (f", code {code}" if code != release else ""))
        raise typer.Exit


@cli.callback()
def main(
    _: Annotated[
        bool,
        typer.Option(
            "--version", help="Show release and code.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Land deliveries, build marts, link, report."""
    logging.getLogger("outcomes").addHandler(_warnings)


class _Warnings(logging.Handler):
    """Shows the library's warnings."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.secho(record.getMessage(), fg="yellow", err=True)


_warnings = _Warnings(logging.WARNING)


def app() -> None:
    """Run the command; show errors that a person can solve without a traceback."""
    if not (PROJECT_DIR / "dbt_project.yml").exists():
        _fail("`outcomes` works in a checkout of the project: run `make install` in one.")
    try:
        sys.exit(cli(standalone_mode=False))
    except BuildError as error:
        for node in error.failed:
            console.print(f"[red]{node.status}[/] {node.name}: {escape(node.reason)}")
        _fail(str(error))
    except OutcomesError as error:
        _fail(str(error))
    except typer.TyperException as error:
        message = error.format_message()
        if not message:  # a group without a command has shown its help
            sys.exit(error.exit_code)
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "outcomes"
        _fail(f"{message.rstrip('.')}. See `{command} --help`.", error.exit_code)
    except typer.Abort:
        _fail("Stopped: the question was not answered.")
    except psycopg.errors.InsufficientPrivilege as error:
        _fail(
            f"The login {load_settings().user} may not do this: {error.diag.message_primary}. "
            "docs/security.md lists the roles' rights; `outcomes access apply` creates the roles."
        )
    except psycopg.errors.ReadOnlySqlTransaction as error:
        _fail(
            f"The server is read-only: {error.diag.message_primary}. "
            "Connect to the primary server, not to a replica."
        )
    except OSError as error:
        # For example a folder that is a file, a missing right, or a full disk.
        _fail(f"A file could not be read or written: {error}")
    except UnicodeEncodeError:
        _fail("An argument is not valid UTF-8. Rename the file that it names.")
    except (psycopg.OperationalError, psycopg.errors.InternalError_) as error:
        # The second if a worker of a cluster was lost.
        # The lines after the first can quote a row.
        _fail(f"The connection to PostgreSQL broke: {str(error).strip().splitlines()[0]}")
    except psycopg.Error as error:
        # A fault of our own, where the place helps; the message can quote a row.
        traceback.print_tb(error.__traceback__)
        where = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
        _fail(
            f"A fault of the project: {type(error).__name__} (SQLSTATE {error.sqlstate})"
            + "".join(f", {name}" for name in where if name)
            + ". PostgreSQL's log has its message. Report it with the lines above."
        )


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    # One line, and the last one, so that scripts and people find it.
    typer.secho(f"error: {' '.join(message.split(chr(10)))}", fg="red", err=True)
    sys.exit(exit_code)
