"""`outcomes report …` and `outcomes status`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from outcomes.access.logins import connect_as, limited_login
from outcomes.access.roles import BUILDER
from outcomes.cli.shared import console, given_date
from outcomes.cli.status import show_status
from outcomes.cli.summary import show_summary
from outcomes.config import changed_environment, load_settings
from outcomes.contracts.reader import require_district
from outcomes.exit_codes import NEEDS_A_PERSON
from outcomes.publishing.runs import reading_built
from outcomes.reports.counselors import write_counselors
from outcomes.reports.district import report_file, write_report
from outcomes.reports.status import read_status
from outcomes.reports.summary import read_summary

report_app = typer.Typer(help="Write reports.", no_args_is_help=True)


@report_app.command()
def summary() -> None:
    """Summarize landing, linking and the gaps.

    Example:
        outcomes report summary
    """
    with connect_as(BUILDER) as connection:
        found = read_summary(connection)
    show_summary(found, console)


@report_app.command()
def district(
    district_id: Annotated[str, typer.Argument(metavar="ID", help="The district's id.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The file; default: <warehouse>/reports/<as-of date>/<ID>.xlsx."),
    ] = None,
) -> None:
    """Write a workbook of a district's faults: on which line, and what to do.

    Example:
        outcomes report district pittsburgh
        outcomes report district pittsburgh --out pittsburgh.xlsx
    """
    require_district(district_id)
    with connect_as(BUILDER) as connection:
        file = out or report_file(connection, district_id)
        write_report(connection, district_id, file)
    console.print(f"The report is in {file}")


@report_app.command()
def counselors(
    district_id: Annotated[str, typer.Argument(metavar="ID", help="The district's id.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file; default: <warehouse>/reports/<as-of date>/counselors/<ID>.xlsx."
        ),
    ] = None,
) -> None:
    """Write a workbook of a district's students with an early warning, for its counselors.

    Only if the agreement is for coordination of services, too. The students' names are in it.

    Example:
        outcomes report counselors pittsburgh
    """
    require_district(district_id)
    with connect_as(BUILDER) as connection:
        file = out or report_file(connection, f"counselors/{district_id}")
        write_counselors(connection, district_id, file)
    console.print(f"The report is in {file}")


@report_app.command()
def public(
    district_id: Annotated[
        str | None,
        typer.Option("--district", metavar="ID", help="Report on one district's students only."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file; default: public.html, or public-ID.html, beside the workbooks."
        ),
    ] = None,
) -> None:
    """Write the public report: one HTML file with the finding, charts, tables and limits.

    It reads only public tables, so a login of the role outcomes_public is enough.

    Example:
        outcomes report public
        outcomes report public --district clairton
        outcomes report public --out gaps.html
    """
    if district_id:
        require_district(district_id)
    with console.status("Drawing the charts"):
        # Charts need an optional package, which takes a second to load.
        from outcomes.reports.public import ALL, public_report

        as_of_date, page = public_report(district_id or ALL)
        name = f"public-{district_id}.html" if district_id else "public.html"
        file = out or load_settings().files_dir / "reports" / str(as_of_date) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page, encoding="utf-8")
    console.print(f"The report is in {file}")


def dashboards(
    port: Annotated[int | None, typer.Option(help="The port; default: a free one.")] = None,
) -> None:
    """Serve the dashboards in a browser, until Ctrl-C.

    Only the printed address with its token opens them. Each reads as the role that it is for,
    through your login; what is for another role says so.

    Example:
        outcomes dashboards
        outcomes dashboards --port 8080
    """
    settings = load_settings()
    with console.status("Starting"):
        # Charts and the server need optional packages, which take a second to load.
        from outcomes.dashboards.site import ROLES_OF_PAGES, pages
        from outcomes.web.server import serve
    with (
        limited_login(settings, *ROLES_OF_PAGES) as limited,
        changed_environment(OUTCOMES_PG_USER=limited.user, OUTCOMES_PG_PASSWORD=limited.password),
    ):
        routes, render = pages(party=settings.user)
        serve(
            routes, render, port,
            lambda address: console.print(f"The dashboards are on {address} (stop with Ctrl-C)"),
        )  # fmt: skip


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: one JSON object.")] = False,
    as_of: Annotated[
        str,
        typer.Option(
            help="The day on which deliveries are late, yyyy-mm-dd; default: today, "
            "or for a demo its newest delivery."
        ),
    ] = "",
) -> None:
    """Show the state of the warehouse: the last run, late feeds, waiting files, sizes.

    The exit code is 3 if somebody has to act: the last run is not published, a delivery is
    late, or a file is quarantined or held.

    Example:
        outcomes status
        outcomes status --json
    """
    settings = load_settings()
    with connect_as(BUILDER, settings) as connection, reading_built(connection):
        found = read_status(connection, settings, given_date(as_of))
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"is_well": found.is_well}, default=str))
    else:
        show_status(found, console)
    if not found.is_well:
        raise typer.Exit(NEEDS_A_PERSON)
