"""`outcomes build`, `rollback` and `revise-year`."""

from __future__ import annotations

from typing import Annotated

import typer

from outcomes.access.logins import connect_as
from outcomes.access.roles import BUILDER
from outcomes.cli.progress import progress_bar
from outcomes.cli.shared import console, given_date
from outcomes.config import load_settings
from outcomes.exit_codes import NEEDS_A_PERSON
from outcomes.publishing.build import build as build_warehouse
from outcomes.publishing.releases import request_revision
from outcomes.publishing.runs import roll_back
from outcomes.warehouse.connection import connect


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


def rollback() -> None:
    """Restore the previous publication, all at once.

    Only one earlier publication is kept. Grants and policies stay as they are.

    Example:
        outcomes rollback
    """
    with connect_as(BUILDER) as connection:
        typer.echo(roll_back(connection))


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
        revision = request_revision(connection, school_year, reason, load_settings().user)
    typer.echo(
        f"Revision {revision} of school year {school_year} is recorded. The next publication makes "
        "it: run `outcomes build`."
    )
