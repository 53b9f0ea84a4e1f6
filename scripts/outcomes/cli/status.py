"""Shows the status of the warehouse on the terminal."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape

from outcomes.cli.shared import show_without_usable_contract
from outcomes.reports.status import STARTED, Status


def show_status(status: Status, console: Console) -> None:
    """Print the status for people."""
    run, published = status.last_run, status.published_run
    if status.is_running and run is not None:
        console.print(f"A build is running since {run.started_at:%Y-%m-%d %H:%M}.")
    if status.hangs:
        console.print("[red]It should have ended long ago[/]: stop it, and run `outcomes build`.")
    if status.week_is_running:
        console.print("A week is running.")
    if published is None:
        command = "outcomes weekly" if run is None else "outcomes build"
        console.print(f"[red]Nothing is published here[/]: run `{command}`.")
    else:
        console.print(
            f"People read run {published.run_id}, as of {published.as_of_date}, by code "
            f"{escape(published.code_version)}, published {published.published_at:%Y-%m-%d %H:%M}."
        )
        for reason in status.not_newest:
            console.print(f"  [red]not the newest[/]: {escape(reason)}")
    if run is not None and run.status != "published" and not status.is_running:
        # A killed run keeps this status until the next run begins.
        state = "killed" if run.status == "running" else run.status
        console.print(f"[red]Last run[/]: {state}, started {run.started_at:%Y-%m-%d %H:%M}.")
        console.print(f"  {escape(run.verdict)}")
        for node in run.failed_nodes or []:
            console.print(f"  failed: {escape(node)}")
    if week := status.failed_week:
        end = "was killed, started" if week.step == STARTED else f"failed in the step {week.step},"
        console.print(
            f"[red]Last week[/]: {end} {week.finished_at:%Y-%m-%d %H:%M}. Run `outcomes weekly` "
            "again."
        )
    if status.not_landed:
        files = "1 file" if status.not_landed == 1 else f"{status.not_landed:,} files"
        console.print(
            f"[red]Last week[/]: {files} did not land. Run `outcomes weekly` again: it says why."
        )
    show_without_usable_contract(status.without_usable_contract, console)
    for partner_id in status.unfinished_purges:
        console.print(
            f"[red]unfinished purge[/] {partner_id}: unless it is running, run "
            f"`outcomes purge --partner {partner_id}` again."
        )
    if status.as_of != date.today():
        what = "these deliveries are" if status.late else "no delivery is"
        console.print(f"On {status.as_of} {what} late.")
    for (partner_id, expected_on), feeds in groupby(
        status.late, key=lambda feed: (feed.partner_id, feed.expected_on)
    ):
        late = list(feeds)
        names = [
            f"{feed.contract_object} of {feed.source_id}"
            if feed.source_id
            else feed.contract_object
            for feed in late
        ]
        console.print(
            f"[red]late[/] {partner_id}: expected on {expected_on}, "
            f"{late[0].days_late:,} days late: {escape(', '.join(names))}"
        )
    if status.never_delivered:
        console.print(f"Nothing has come yet from {', '.join(status.never_delivered)}.")
    for delivery in status.repeated:
        console.print(
            f"[red]repeated[/] {delivery.partner_id} {delivery.as_of_date}: all files had come "
            "before. Ask whether it is an old export."
        )
    for file in status.waiting:
        console.print(
            f"[red]{file.status}[/] {file.partner_id} {file.as_of_date} "
            f"{escape(file.contract_object or 'of an unknown kind')}: {file.reason_code}"
        )
    console.print(f"Links in review: {status.links_in_review:,}.")
    console.print(
        f"Database: {decimal(status.database_bytes)}, archive: {decimal(status.archive_bytes)}."
    )
    console.print("All is well." if status.is_well else "Somebody has to act.")
