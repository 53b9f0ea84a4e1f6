"""`outcomes land`, `release`, `replay` and `outcomes district check`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from outcomes.config import load_settings
from outcomes.contracts.reader import load_contract, load_contracts
from outcomes.contracts.standards import STANDARDS
from outcomes.errors import OutcomesError
from outcomes.event_log import log_event
from outcomes.landing.archive import Archive, require_own_archive
from outcomes.landing.check import FileReport, Finding, check_files
from outcomes.landing.deliveries import (
    DeliveredFile,
    delivered_file,
    find_deliveries,
    shown,
)
from outcomes.landing.interruption import explained
from outcomes.landing.loader import (
    ALREADY_LANDED,
    NOT_LANDED,
    Outcome,
    land_deliveries,
    release_file,
)
from outcomes.landing.replaced import refuse_unsaid
from outcomes.landing.replay import replay as replay_archive
from outcomes.landing.sftp import SCHEME, fetched
from outcomes.landing.skeleton import crosswalk_of, write_skeleton, write_standard
from outcomes.landing.snapshots import releases
from outcomes.progress import progress_bar
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables

district_app = typer.Typer(help="Partners and their contracts.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)

# Not 1, which means that the command itself failed.
NEEDS_A_PERSON = 3


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
    or held, or of an unknown partner.

    From an SFTP server, everything below the path is first copied into a temporary folder that
    only you can read. The server's host key must be in known_hosts; nothing is changed on the
    server.

    Example:
        outcomes land drops
        outcomes land drops/pittsburgh/2012-10-01 --dry-run
        outcomes land sftp://warehouse@files.example.org/drops
    """
    # An empty path is an unset variable of a script, not the current folder.
    if not path:
        raise OutcomesError("The path is empty. Give a drops folder or a file.")
    with fetched(path) if path.startswith(SCHEME) else nullcontext(Path(path)) as local:
        _land(local, dry_run=dry_run)


def _land(path: Path, *, dry_run: bool) -> None:
    contracts = load_contracts()
    deliveries = find_deliveries(path, contracts)
    archive = Archive.of(load_settings())
    outcomes: list[Outcome] = []
    with explained(), connect() as connection:
        require_own_archive(connection, load_settings())
        undo = connection.transaction(force_rollback=True) if dry_run else nullcontext()
        with undo, progress_bar("Landing", console) as progress:
            create_tables(connection)
            deliveries = refuse_unsaid(connection, contracts, deliveries)
            files = deliveries.files if dry_run else archive.keep_all(contracts, deliveries.files)
            task = progress.add_task("", total=len(deliveries.files))
            for delivered, landed in land_deliveries(connection, contracts, files):
                outcomes += landed
                for outcome in landed if not dry_run else ():
                    _log(outcome)
                progress.update(
                    task,
                    advance=1,
                    description=f"{delivered.partner_id} {delivered.as_of_date}",
                )
        unkept = [] if dry_run else _keep_releases(connection, archive)
    _show_problems(outcomes, [*deliveries.unplaced, *unkept])
    console.print(counts_table(outcomes, "Would be landed" if dry_run else "Landed"))
    if deliveries.unplaced or unkept or any(outcome.needs_a_person for outcome in outcomes):
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
    archive = Archive.of(load_settings())
    with explained(), connect() as connection:
        outcomes = release_file(connection, load_contracts(), file_name, given_date(as_of), reason)
        unkept = _keep_releases(connection, archive)
    for outcome in outcomes:
        console.print(
            f"{outcome.status} {outcome.partner_id} {outcome.as_of_date} "
            f"{escape(outcome.file_name)}"
        )
    _show_problems([], unkept)
    if unkept:
        raise typer.Exit(NEEDS_A_PERSON)


def replay() -> None:
    """Fill an empty database from the archive: raw.*, landing.*, and the releases.

    Run `outcomes build` afterwards. An interrupted replay leaves the database empty. The exit
    code is 3 if an entry could not be restored or read: all others are.

    Example:
        outcomes replay
    """
    contracts, archive = load_contracts(), Archive.of(load_settings())
    with explained(), connect() as connection, progress_bar("Replaying", console) as progress:
        create_tables(connection)
        task = progress.add_task("")

        def follow(done: int, total: int, file: DeliveredFile) -> None:
            where = f"{file.partner_id} {file.as_of_date}"
            progress.update(task, completed=done, total=total, description=where)

        outcomes = replay_archive(connection, contracts, archive, follow)
    failed = [outcome for outcome in outcomes if outcome.status == NOT_LANDED or outcome.error]
    for outcome in failed:
        _log(outcome)
    _show_problems(failed, [])
    console.print(counts_table(outcomes, "Replayed"))
    if failed:
        raise typer.Exit(NEEDS_A_PERSON)


@district_app.command()
def new(
    contract: Annotated[Path, typer.Argument(help="The contract to write, *.odcs.yaml.")],
    samples: Annotated[
        list[Path] | None, typer.Argument(help="Files as the partner would send them.")
    ] = None,
    standard: Annotated[
        str, typer.Option(help=f"The standard that the files follow: {' or '.join(STANDARDS)}.")
    ] = "",
) -> None:
    """Write a first contract for a new district, with the columns of its sample files.

    Complete it: the agreement, the columns to keep, types, codes and feeds. An existing
    contract is never changed.

    For a standard export the contract is almost complete; give one sample for its name.

    Example:
        outcomes district new contracts/steel_valley.odcs.yaml roster.csv attendance.zip
        outcomes district new contracts/duquesne.odcs.yaml export.zip --standard oneroster-1.1
    """
    if standard:
        write_standard(contract, standard, samples or [])
        console.print(
            f"{escape(shown(crosswalk_of(contract)))}: the standard's codes; add the district's "
            "subjects and append them to seeds/crosswalks/code_crosswalk.csv."
        )
        console.print(
            f"{escape(shown(contract))}: complete every TODO, then run `outcomes district check` "
            "with it."
        )
        return
    if not samples:
        raise OutcomesError("Give sample files, or a --standard.")
    skeleton = write_skeleton(contract, samples)
    for note in skeleton.notes:
        console.print(f"check {escape(note)}")
    if skeleton.codes:
        console.print(
            f"{escape(shown(crosswalk_of(contract)))}: {len(skeleton.codes)} codes; complete them "
            "and append them to seeds/crosswalks/code_crosswalk.csv."
        )
    console.print(
        f"{escape(shown(contract))}: {len(skeleton.objects)} kinds of files. Complete every TODO, "
        "then run `outcomes district check` with it."
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
    partner = load_contract(contract)
    if partner.names_districts:
        partner = partner.with_districts(load_contracts().district_ids)
    for file in files:
        if not file.is_file():
            raise OutcomesError(f"{shown(file)} is not a file. Give the files to be checked.")
        try:
            file.open("rb").close()
        except OSError as error:
            raise OutcomesError(f"{shown(file)} cannot be read: {error.strerror}.") from None
    day = given_date(as_of)
    reports = check_files(
        partner, [delivered_file(file, partner.partner_id, day) for file in files]
    )
    for report in reports:
        _show_report(report)
    if any(report.outcome.needs_a_person or report.rejected for report in reports):
        raise typer.Exit(NEEDS_A_PERSON)


def _log(outcome: Outcome) -> None:
    log_event(
        "file",
        # No name: a district may write a child's into it.
        file_id=outcome.file_id,
        partner_id=outcome.partner_id,
        as_of_date=outcome.as_of_date,
        status=outcome.status,
        reason=outcome.reason,
        error=outcome.error,
        rows_loaded=outcome.counts.rows_loaded,
        rows_rejected=outcome.counts.rows_rejected,
    )


def _keep_releases(connection: psycopg.Connection, archive: Archive) -> list[str]:
    """Archive all releases: an interrupted one is in the ledger, but not yet in the archive.

    Returns:
        Messages about those that could not be archived.
    """
    unkept = []
    for known in releases(connection):
        try:
            archive.keep_release(known)
        except OutcomesError as error:
            unkept.append(f"the release of {known.file_name} is not archived: {error}")
    return unkept


def given_date(text: str) -> date | None:
    """The day of an option `--as-of`; None if it is not given.

    Raises:
        OutcomesError: it is not a date.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise OutcomesError(f"--as-of: expected yyyy-mm-dd, found {text!r}.") from None


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
        "files", "set\naside", "copies", "known\nalready", "rows", "rejected", "values\nnulled",
    ):  # fmt: skip
        table.add_column(name, justify="right", no_wrap=True)
    if has_others := any(outcome.counts.rows_not_for_us for outcome in outcomes):
        table.add_column("not\nfor us", justify="right", no_wrap=True)
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
            numbers.append(sum(outcome.counts.rows_not_for_us for outcome in own))
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
            + (f", {counts.rows_not_for_us:,} not for us" if counts.rows_not_for_us else "")
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
