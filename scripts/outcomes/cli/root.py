"""The `outcomes` command."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import psycopg
import typer
from rich.console import Console
from rich.markup import escape

from outcomes.access.logins import connect_as
from outcomes.access.rights import require_week
from outcomes.access.roles import BUILDER
from outcomes.cli.access import access_app, purge
from outcomes.cli.landing import district_app, land, release, replay
from outcomes.cli.linkage import link_app
from outcomes.cli.options import NEEDS_A_PERSON, given_date
from outcomes.cli.progress import progress_bar
from outcomes.cli.reports import (
    dashboards,
    report_app,
    status,
    summary,
    write_all_districts,
)
from outcomes.cli.warehouse import warehouse_app
from outcomes.config import PROJECT_DIR, load_settings
from outcomes.errors import OutcomesError
from outcomes.event_log import log_event
from outcomes.linkage.decisions import reviewer_name
from outcomes.publishing.build import BuildError
from outcomes.publishing.build import build as build_warehouse
from outcomes.publishing.releases import request_revision
from outcomes.publishing.runs import (
    DISTRIBUTION,
    code_version,
    is_up_to_date,
    record_week,
    roll_back,
)
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import require_release
from outcomes.webhook import report_failure

console = Console(highlight=False, soft_wrap=True)
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
cli.command()(land)
cli.command()(release)
cli.command()(replay)
cli.command()(purge)
cli.command()(dashboards)
cli.command()(status)


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


@cli.command()
def build(
    as_of: Annotated[
        str, typer.Option(help="Rebuild the warehouse as known on this day, yyyy-mm-dd.")
    ] = "",
    publish: Annotated[
        bool, typer.Option("--publish", help="With --as-of: let everybody read that day.")
    ] = False,
    accept_loss: Annotated[
        str, typer.Option(help="Why missing rows or a new key are accepted; recorded.")
    ] = "",
) -> None:
    """Build the marts from the landed files, test them, and publish them all at once.

    Published tables do not change before all tests have passed. A build is held, with exit
    code 3, if more rows are missing than policy.publication_loss_limits allows, or if the key
    of the pseudonyms is another.

    A build as of an earlier day goes into schemas of its own, as_of_2012_09_12_marts and others,
    unless you say --publish. Readers may not read these.

    Example:
        outcomes build
        outcomes build --as-of 2012-09-12
        outcomes build --as-of 2012-09-12 --publish --accept-loss "as known when the year began"
    """
    day = given_date(as_of)
    with progress_bar("Building", console) as progress:
        result = build_warehouse(
            day, accept_loss, publish=publish or day is None, progress=progress
        )
    typer.echo(f"Built and tested: {result.nodes} models and tests passed.")
    typer.echo(result.verdict)
    if result.status == "held":
        raise typer.Exit(NEEDS_A_PERSON)


@cli.command()
def rollback() -> None:
    """Restore the previous publication, all at once.

    Only one earlier publication is kept. Grants and policies stay as they are.

    Example:
        outcomes rollback
    """
    with connect_as(BUILDER) as connection:
        typer.echo(roll_back(connection))


@cli.command()
def revise_year(
    school_year: Annotated[int, typer.Argument(help="A released school year, by its spring.")],
    reason: Annotated[str, typer.Option(help="Why; the public figures show it.")],
) -> None:
    """Replace the released public figures of a school year, at the next publication.

    A school year is released once: later services and corrections do not change its public
    figures. A revision gives all of them new noise. Who compares it with the figures before
    learns more than from either, so revise seldom.

    Example:
        outcomes revise-year 2012 --reason "Clairton's attendance of May was missing"
    """
    with connect() as connection:
        revision = request_revision(connection, school_year, reason, reviewer_name())
    typer.echo(
        f"Revision {revision} of school year {school_year} is recorded. The next publication makes "
        "it: run `outcomes build`."
    )


@cli.command()
def weekly(
    path: Annotated[str, typer.Argument(help="A path or URL, as for `outcomes land`.")],
    force: Annotated[bool, typer.Option("--force", help="Build even if nothing changed.")] = False,
) -> None:
    """Do the weekly run: land new files, build, test, publish, report.

    Each district gets a workbook in <warehouse>/reports/<as-of date>/.

    Quarantined and held files do not stop the run: the partner's earlier snapshot stays in
    force. The exit code is then 3, and 1 if the run itself failed. If it is not 0, the webhook
    in OUTCOMES_FAILURE_WEBHOOK is called.

    Example:
        outcomes weekly drops
    """
    step, waits_in, run_id = "land", "", None
    try:
        with connect() as connection:
            require_week(connection, load_settings())
        try:
            land(path)
        except typer.Exit:
            waits_in = step
        step = "build"
        with connect() as connection:
            is_needed = force or not is_up_to_date(connection)
        if is_needed:
            with progress_bar("Building", console) as progress:
                result = build_warehouse(progress=progress)
            typer.echo(result.verdict)
            run_id = result.run_id
            waits_in = step if result.status == "held" else waits_in
        else:
            typer.echo("Nothing has changed since the last publication. --force builds anyway.")
        step = "report"
        summary()
        write_all_districts()
    except BaseException as error:
        run_id = getattr(error, "run_id", run_id)
        log_event("weekly", exit_code=1, step=step, run_id=run_id)
        record_week(1, step, run_id)
        report_failure(step, 1, run_id)
        raise
    exit_code = NEEDS_A_PERSON if waits_in else 0
    log_event("weekly", exit_code=exit_code, step=waits_in or step, run_id=run_id)
    record_week(exit_code, waits_in or step, run_id)
    if waits_in:
        report_failure(waits_in, exit_code, run_id)
        raise typer.Exit(exit_code)


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
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.InvalidSchemaName,
    ) as error:
        _require_release()
        _fail(
            f"The warehouse is not built, or not by this release: {error.diag.message_primary}. "
            "Run `outcomes build` first."
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


def _require_release() -> None:
    try:
        with connect() as connection:
            require_release(connection)
    except OutcomesError as error:
        _fail(str(error))


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    # One line, and the last one, so that scripts and people find it.
    typer.secho(f"error: {' '.join(message.split(chr(10)))}", fg="red", err=True)
    sys.exit(exit_code)
