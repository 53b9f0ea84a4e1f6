"""`outcomes land`, `release`, `replay` and `outcomes district check`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from outcomes.cli.progress import progress_bar
from outcomes.cli.shared import console, given_date, show_without_usable_contract
from outcomes.contracts.standards import STANDARDS
from outcomes.errors import OutcomesError
from outcomes.exit_codes import NEEDS_A_PERSON
from outcomes.landing.check import FileReport, Finding, check_samples
from outcomes.landing.deliveries import printable
from outcomes.landing.land import Landing, release_held_file, replay_archive
from outcomes.landing.land import land as land_path
from outcomes.landing.loader import ALREADY_LANDED, NOT_LANDED, Outcome
from outcomes.landing.reasons import Reason
from outcomes.landing.skeleton import crosswalk_of, write_skeleton
from outcomes.landing.standards import write_standard

district_app = typer.Typer(help="Partners and their contracts.", no_args_is_help=True)


def land(
    path: Annotated[
        str,
        typer.Argument(
            help="Drops folder, partner, delivery or one file; or sftp://user@host/path to one."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen; store nothing.")
    ] = False,
) -> None:
    """Land delivered files: archive them, and read them by contract into raw.* and landing.*.

    Partner and as-of date come from the folders: <partner>/<yyyy-mm-dd>/<file>. Files that
    landed before are skipped. The exit code is 3 if somebody has to act: a file is quarantined
    or held, or of an unknown partner, or the contract of a known one cannot be used or is gone.

    From an SFTP server, everything below the path is first copied into a temporary folder that
    only you can read. The server's host key must be in known_hosts; nothing is changed on the
    server.

    Example:
        outcomes land drops
        outcomes land drops/pittsburgh/2012-10-01 --dry-run
        outcomes land sftp://warehouse@files.example.org/drops
    """
    with progress_bar("Landing", console) as progress:
        landing = land_path(path, dry_run=dry_run, progress=progress)
    show_landing(landing, "Would be landed" if dry_run else "Landed")
    if landing.needs_a_person:
        raise typer.Exit(NEEDS_A_PERSON)


def release(
    file_name: Annotated[str, typer.Argument(help="The held file's name, as in the ledger.")],
    reason: Annotated[str, typer.Option(help="Why it is correct; kept in the ledger.")],
    as_of: Annotated[str, typer.Option(help="Its as-of date, if several are held.")] = "",
) -> None:
    """Accept a snapshot that is held because it lost many rows.

    Example:
        outcomes release 103029902_STUDENT_201210051930.txt --reason "school closed, asked"
    """
    landing = release_held_file(file_name, given_date(as_of), reason)
    for outcome in landing.outcomes:
        console.print(
            f"{outcome.status} {outcome.partner_id} {outcome.as_of_date} "
            f"{escape(outcome.file_name)}"
        )
    _show_problems([], landing.problems)
    if landing.problems:
        raise typer.Exit(NEEDS_A_PERSON)


def replay() -> None:
    """Fill an empty database from the archive: raw.*, landing.*, and the releases.

    Run `outcomes build` afterwards. An interrupted replay leaves the database empty. The exit
    code is 3 if an entry could not be restored or read: all others are.

    Example:
        outcomes replay
    """
    with progress_bar("Replaying", console) as progress:
        replayed = replay_archive(progress)
    unread = [outcome for outcome in replayed.outcomes if outcome.is_unread]
    _show_problems(unread, [])
    console.print(counts_table(replayed.outcomes, "Replayed"))
    if unread:
        raise typer.Exit(NEEDS_A_PERSON)


@district_app.command()
def new(
    contract: Annotated[Path, typer.Argument(help="The contract to write, *.odcs.yaml.")],
    samples: Annotated[
        list[Path] | None, typer.Argument(help="Files as the partner would send them.")
    ] = None,
    standard: Annotated[
        str, typer.Option(help=f"The standard that the files follow: {', '.join(STANDARDS)}.")
    ] = "",
) -> None:
    """Write a first contract for a new district, with the columns of its sample files.

    Complete it: the agreement, the columns to keep, types, codes and feeds. An existing
    contract is never changed.

    For files of a standard the contract is almost complete. Give the archive of an OneRoster
    export, or one file of each PIMS template that the district sends.

    Example:
        outcomes district new contracts/steel_valley.odcs.yaml roster.csv attendance.zip
        outcomes district new contracts/duquesne.odcs.yaml export.zip --standard oneroster-1.1
        outcomes district new contracts/propel.odcs.yaml samples/*.csv --standard pims
    """
    shown, codes = escape(printable(contract)), escape(printable(crosswalk_of(contract)))
    if standard:
        write_standard(contract, standard, samples or [])
        code_standard = f"{contract.name.removesuffix('.odcs.yaml')},{STANDARDS[standard].family}"
        console.print(
            f"seeds/crosswalks/code_standards.csv: append the row {escape(code_standard)}, so that "
            "the standard's codes hold for the district."
        )
        console.print(f"{shown}: complete every TODO, then run `outcomes district check` with it.")
        return
    if not samples:
        raise OutcomesError("Give sample files, or a --standard.")
    skeleton = write_skeleton(contract, samples)
    for note in skeleton.notes:
        console.print(f"check {escape(note)}")
    if skeleton.codes:
        console.print(
            f"{codes}: {len(skeleton.codes)} codes; complete them and append them to "
            "seeds/crosswalks/code_crosswalk.csv."
        )
    console.print(
        f"{shown}: {len(skeleton.objects)} kinds of files. Complete every TODO, then run "
        "`outcomes district check` with it."
    )


@district_app.command()
def check(
    contract: Annotated[Path, typer.Argument(help="The partner's contract, *.odcs.yaml.")],
    files: Annotated[list[Path], typer.Argument(help="Files as the partner would send them.")],
    as_of: Annotated[
        str, typer.Option(help="As-of date, yyyy-mm-dd; default: from the folder, or today.")
    ] = "",
) -> None:
    """Land files in a temporary warehouse, before a first delivery, and report.

    Your own warehouse is not needed and not changed. Several deliveries land one after another,
    so files of changes are applied. The exit code is 3 if a file would be quarantined or held,
    or a row rejected.

    Example:
        outcomes district check contracts/clairton.odcs.yaml Clairton_DHS_2012-10-03.xlsx
    """
    reports = check_samples(contract, files, given_date(as_of))
    for report in reports:
        _show_report(report)
    reasons = {report.outcome.reason for report in reports}
    if not as_of and Reason.NAME_DATE_MISMATCH in reasons:
        console.print("If the files are of the day in their names, give it: --as-of yyyy-mm-dd.")
    if any(report.needs_a_person for report in reports):
        raise typer.Exit(NEEDS_A_PERSON)


def show_landing(landing: Landing, title: str) -> None:
    """Print what needs a look, and a table of the partners' files and rows."""
    _show_problems(landing.outcomes, landing.problems)
    show_without_usable_contract(landing.without_usable_contract, console)
    console.print(counts_table(landing.outcomes, title))


def _show_problems(outcomes: list[Outcome], others: list[str]) -> None:
    for outcome in outcomes:
        if outcome.needs_a_person or outcome.status == "duplicate" or outcome.detail:
            colour = "red" if outcome.needs_a_person else "yellow"
            console.print(
                f"[{colour}]{outcome.status}[/] {outcome.partner_id} "
                f"{outcome.as_of_date or ''} {escape(outcome.file_name)}: "
                f"{outcome.reason or 'note'} – {escape(outcome.detail or '')}"
            )
    for problem in others:
        console.print(f"[red]{NOT_LANDED}[/] {escape(problem)}")


def counts_table(outcomes: list[Outcome], title: str) -> Table:
    """The files and rows of each partner, by outcome.

    It fits a terminal of 80 columns: if necessary, partners' names are folded.
    """
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("partner", overflow="fold")
    for name in (
        "files", "not\nloaded", "copies", "known\nalready", "rows", "rejected", "values\nnulled",
    ):  # fmt: skip
        table.add_column(name, justify="right", no_wrap=True)
    if has_others := any(outcome.counts.rows_filtered_out for outcome in outcomes):
        table.add_column("filtered\nout", justify="right", no_wrap=True)
    for partner in dict.fromkeys(outcome.partner_id for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.partner_id == partner]
        statuses = [outcome.status for outcome in own]
        numbers = [
            statuses.count("loaded"),
            sum(outcome.needs_a_person for outcome in own),
            statuses.count("duplicate"),
            statuses.count(ALREADY_LANDED),
            sum(outcome.counts.rows_loaded for outcome in own),
            sum(outcome.counts.rows_rejected for outcome in own),
            sum(outcome.issues for outcome in own),
        ]
        if has_others:
            numbers.append(sum(outcome.counts.rows_filtered_out for outcome in own))
        table.add_row(partner, *(f"{number:,}" if number else "–" for number in numbers))
    return table


def _show_report(report: FileReport) -> None:
    outcome, counts = report.outcome, report.outcome.counts
    file_name, detail = escape(outcome.file_name), escape(outcome.detail or "")
    if outcome.status == "loaded":
        is_clean = not (detail or report.rejected or report.issues)
        colour = "green" if is_clean else "yellow"
        console.print(
            f"[{colour}]{file_name}[/]: {counts.lines:,} lines, "
            f"{counts.rows_loaded:,} rows would load, {counts.rows_rejected:,} would be rejected"
            + (f", {counts.rows_filtered_out:,} filtered out" if counts.rows_filtered_out else "")
        )
        if detail:
            console.print(f"  warning: {detail}")
    else:
        colour = "red" if outcome.needs_a_person else "yellow"
        console.print(f"[{colour}]{outcome.status}[/] {file_name}: {outcome.reason}: {detail}")
    _show_findings("row rejected", report.rejected)
    _show_findings("value would become null", report.issues)
    for position in report.unconfirmed:
        console.print(f"  to be confirmed: {escape(str(position))}")


def _show_findings(title: str, findings: Iterable[Finding]) -> None:
    for finding in findings:
        lines = ", ".join(map(str, finding.lines)) + (
            ", …" if finding.rows > len(finding.lines) else ""
        )
        column = f" in {escape(finding.column)}" if finding.column else ""
        console.print(
            f"  {title}: {finding.reason_code}{column}, {finding.rows:,} times: "
            f"{escape(finding.detail)} (lines {lines})"
        )
