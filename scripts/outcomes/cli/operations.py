"""`outcomes weekly` and `outcomes purge`."""

from __future__ import annotations

from typing import Annotated

import typer

from outcomes.cli.landing import show_landing
from outcomes.cli.progress import progress_bar
from outcomes.cli.shared import console
from outcomes.cli.summary import show_summary
from outcomes.config import load_settings
from outcomes.exit_codes import NEEDS_A_PERSON
from outcomes.landing.land import Landing
from outcomes.operations.purge import purge as destroy
from outcomes.operations.purge import require_purgeable
from outcomes.operations.weekly import NothingToBuild, Step, Workbooks, run_week
from outcomes.publishing.build import BuildResult
from outcomes.reports.summary import Summary


def weekly(
    path: Annotated[str, typer.Argument(help="A path or URL, as for `outcomes land`.")],
    force: Annotated[bool, typer.Option("--force", help="Build even if nothing changed.")] = False,
) -> None:
    """Do the weekly run: land new files, build, test, publish, report.

    Each district gets a workbook in <warehouse>/reports/<as-of date>/, and one for its counselors
    below that if its agreement is for coordination of services, too.

    Quarantined and held files do not stop the run: the partner's earlier snapshot stays in
    force. The exit code is then 3, and 1 if the run itself failed. If it is not 0, the webhook
    in OUTCOMES_FAILURE_WEBHOOK is called.

    Example:
        outcomes weekly drops
    """
    with progress_bar("Week", console) as progress:
        week = run_week(path, force=force, show=_show_step, progress=progress)
    if week.waits_in:
        raise typer.Exit(NEEDS_A_PERSON)


def _show_step(step: Step) -> None:
    match step:
        case Landing():
            show_landing(step, "Landed")
        case BuildResult():
            console.print(step.verdict, markup=False)
        case NothingToBuild():
            console.print("Nothing has changed since the last publication. --force builds anyway.")
        case Summary():
            show_summary(step, console)
        case Workbooks():
            for district_id, file in step.files.items():
                console.print(f"Report for {district_id}: {file}")


def purge(
    partner: Annotated[str, typer.Option(help="The partner whose data are destroyed.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy all data of a partner, rebuild the shared tables, write a certificate.

    It destroys rows, history, identities, links, decisions, marts, the archive and its key,
    reports and dbt's artifacts. Tables are rewritten, so readers wait for a while. If it is
    interrupted, run the same command again. First end or remove the contract, or files that
    are still in the drops folder would land again. The exit code is 3 if something is left that
    PostgreSQL removes later.

    Example:
        outcomes purge --partner clairton
    """
    if not yes:
        require_purgeable(partner)
        typer.confirm(
            f"Destroy all data of {partner} in {load_settings().database}, its archive and its "
            "key? They cannot be restored.",
            abort=True,
        )
    with progress_bar("Purging", console) as progress:
        purged = destroy(partner, progress)
    for what in purged.left:
        console.print(f"Not destroyed: {what}.")
    nothing = "Nothing else" if purged.left else "Nothing"
    console.print(f"{nothing} of {partner} is left. The certificate is in {purged.certificate}")
    if purged.left:
        raise typer.Exit(NEEDS_A_PERSON)
