"""The destruction of a partner's data, and its certificate.

Every step can be repeated, and `privacy.purges` records the findings, so the same command
finishes an interrupted purge.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from outcomes.access.logins import connect_as
from outcomes.access.rights import require_purge
from outcomes.access.roles import BUILDER
from outcomes.config import PROJECT_DIR, Settings, load_settings
from outcomes.errors import OutcomesError
from outcomes.feeds import raw_feeds
from outcomes.landing.archive import Archive, require_own_archive
from outcomes.progress import Progress, no_progress
from outcomes.publishing.build import build
from outcomes.queries import query
from outcomes.warehouse.connection import connect
from outcomes.warehouse.tables import create_tables

# Relations that name a partner but hold no personal data: they stay as a record. What was
# public stays public: if a figure of several districts changed, it would show the purged one's.
_KEPT = {
    "disclosures", "purges", "measure_history", "stg_measure_history", "rpt_measure_history",
    "stg_released_outcome_gaps", "int_outcome_gaps_released",
}  # fmt: skip
_KEPT_SCHEMAS = ("crosswalks", "policy", "releases", "marts_public", "next_marts_public")
# How long other sessions may take to end what they are reading.
PATIENCE_SECONDS = 300
# The dictionaries of linking (docs/linking.md).
DICTIONARIES = ("identity.int_identities", "identity.int_identity_comparisons")


@dataclass(frozen=True)
class Found:
    """The partner's data that were found."""

    # relation → rows, of the relations that name a partner or a district
    rows: dict[str, int] = field(default_factory=dict)
    # SHA-256 → as-of date of every delivered file
    files: dict[str, str] = field(default_factory=dict)
    archive_entries: int = 0
    # other partner → its archived files about the district's students
    others_entries: dict[str, int] = field(default_factory=dict)
    reports: int = 0

    def plus(self, other: Found) -> Found:
        """These findings and those of a repeated step."""
        return Found(
            rows={
                relation: max(self.rows.get(relation, 0), other.rows.get(relation, 0))
                for relation in self.rows | other.rows
            },
            files=self.files | other.files,
            archive_entries=self.archive_entries + other.archive_entries,
            others_entries={
                partner: self.others_entries.get(partner, 0) + other.others_entries.get(partner, 0)
                for partner in self.others_entries | other.others_entries
            },
            reports=self.reports + other.reports,
        )


@dataclass(frozen=True)
class Purge:
    """One purge of a partner, with its entry in `privacy.purges`."""

    connection: psycopg.Connection
    settings: Settings
    partner_id: str
    purge_id: int
    started_at: datetime

    def remember(self, found: Found) -> None:
        """Add findings to the entry."""
        self._store(found, finished=False)

    def finish(self, left_in_log: list[str]) -> Path:
        """Write the certificate and close the entry.

        Raises:
            OutcomesError: data of the partner are left.
        """
        left = [
            f"{relation} ({count:,} rows)"
            for relation, count in rows_of(self.connection, self.partner_id).items()
        ]
        if Archive.of(self.settings).key_file(self.partner_id).exists():
            left.append("a new archive")
        if left:
            raise OutcomesError(
                f"Data of {self.partner_id} are left: {', '.join(left)}. Drop the schemas of "
                "developers and of earlier days. If files have landed meanwhile, remove the "
                "contract. Then run the same command again: it finishes this purge."
            )
        found = self._store(Found(), finished=True)
        return _write_certificate(self, found, left_in_log)

    def _store(self, more: Found, *, finished: bool) -> Found:
        with self.connection.transaction():
            row = self.connection.execute(
                "select found from privacy.purges where purge_id = %s for update", [self.purge_id]
            ).fetchone()
            found = Found(**(row[0] if row else {})).plus(more)
            self.connection.execute(
                "update privacy.purges set found = %s, "
                "finished_at = case when %s then clock_timestamp() end where purge_id = %s",
                [json.dumps(asdict(found)), finished, self.purge_id],
            )
        return found


@dataclass(frozen=True)
class Purged:
    """What is left of a partner: its certificate, and what could not be destroyed, in words."""

    certificate: Path
    left: list[str]


def require_purgeable(partner_id: str) -> None:
    """Check, before somebody is asked, that the partner has data and that the login may purge.

    Raises:
        OutcomesError: it has none, or rights are missing.
    """
    settings = load_settings()
    with connect(settings) as connection:
        require_purge(connection, settings)
        require_own_archive(connection, settings)
        create_tables(connection)
        if not is_known(connection, settings, partner_id):
            raise OutcomesError(
                f"There are no data of a partner {partner_id!r}. landing.partners lists the "
                "partners."
            )


def purge(partner_id: str, progress: Progress = no_progress) -> Purged:
    """Destroy all data of a partner, rebuild the shared tables, and certify that.

    Raises:
        OutcomesError: as `require_purgeable`, or something is left; the same purge again
            finishes it.
    """
    require_purgeable(partner_id)
    settings = load_settings()
    with connect(settings) as connection:
        entry = begin(connection, settings, partner_id)
        for part, step in (
            ("Destroying the archive", destroy_archive),
            ("Deleting rows", delete_rows),
            ("Deleting files", delete_files),
        ):
            progress(0, None, part)
            step(entry)
    # dbt needs the locks of this connection, so it is closed.
    build(accept_loss=f"purge of {partner_id}", progress=progress)
    with connect(settings) as connection:
        entry = begin(connection, settings, partner_id)
        progress(0, None, "Rewriting the tables")
        drop_copies(entry)
        left = rewrite_storage(entry)
        return Purged(entry.finish(left), left)


def begin(connection: psycopg.Connection, settings: Settings, partner_id: str) -> Purge:
    """Open an entry in `privacy.purges`, or continue the interrupted one."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('outcomes.purge'))")
        row = connection.execute(
            "select purge_id, started_at from privacy.purges "
            "where partner_id = %s and finished_at is null",
            [partner_id],
        ).fetchone()
        if row is None:
            row = connection.execute(
                "insert into privacy.purges (partner_id, found) values (%s, '{}') "
                "returning purge_id, started_at",
                [partner_id],
            ).fetchone()
    if row is None:
        raise RuntimeError("insert into privacy.purges returned no row")
    return Purge(connection, settings, partner_id, *row)


def is_known(connection: psycopg.Connection, settings: Settings, partner_id: str) -> bool:
    """Whether there are data of the partner, or an interrupted purge of it.

    Raises:
        OutcomesError: it cannot be a partner's id.
    """
    return (
        Archive.of(settings).holds(partner_id)
        or bool(rows_of(connection, partner_id))
        or connection.execute(
            "select from privacy.purges where partner_id = %s and finished_at is null",
            [partner_id],
        ).fetchone()
        is not None
    )


def rows_of(connection: psycopg.Connection, partner_id: str) -> dict[str, int]:
    """Rows of the partner in every table that names partners, districts or students."""
    columns = connection.execute(
        query("outcomes.operations", "columns_of_partners"),
        [list(_KEPT_SCHEMAS), list(_KEPT)],
    ).fetchall()
    found = {}
    for schema, table, names in columns:
        conditions = [
            sql.SQL("starts_with({}, {})").format(sql.Identifier(n), sql.Literal(f"{partner_id}:"))
            if n.endswith("_key")
            else sql.SQL("{} = {}").format(sql.Identifier(n), sql.Literal(partner_id))
            for n in names
        ]
        row = connection.execute(
            sql.SQL("select count(*) from {} where {}").format(
                sql.Identifier(schema, table), sql.SQL(" or ").join(conditions)
            )
        ).fetchone()
        if row and row[0]:
            found[f"{schema}.{table}"] = row[0]
    return found


def destroy_archive(purge: Purge) -> None:
    """Delete the key, without which no copy of the entries can be read, then the entries.

    Files of other partners about the district's students are destroyed completely: the archive
    keeps files as sent, and cannot remove single rows.
    """
    archive, partner_id = Archive.of(purge.settings), purge.partner_id
    others: dict[str, set[tuple[str, str]]] = {}
    for other, as_of_date, file_name in purge.connection.execute(
        """
        select distinct files.partner_id, files.as_of_date::text, files.file_name
        from raw.intervention_rosters as rosters
        inner join landing.files on rosters.load_id = files.file_id
        where rosters.district_id = %(partner_id)s and files.partner_id <> %(partner_id)s
        """,
        {"partner_id": partner_id},
    ):
        others.setdefault(other, set()).add((as_of_date, file_name))
    destroyed = {other: archive.destroy_files(other, files) for other, files in others.items()}
    purge.remember(Found(archive_entries=archive.destroy(partner_id), others_entries=destroyed))
    shutil.rmtree(archive.folder / "replaying", ignore_errors=True)


def delete_rows(purge: Purge) -> None:
    """Delete landed rows and reviewers' decisions in one transaction, then what linking kept."""
    connection, partner = purge.connection, {"id": purge.partner_id}
    files: dict[str, str] = dict(
        connection.execute(
            "select sha256, as_of_date::text from landing.files where partner_id = %(id)s", partner
        ).fetchall()
    )
    purge.remember(Found(rows=rows_of(connection, purge.partner_id), files=files))
    with connection.transaction():
        # Keeps loaders from adding a file of the partner meanwhile.
        connection.execute("lock table landing.files in share row exclusive mode")
        connection.execute(
            query("outcomes.operations", "delete_decisions"),
            partner,
        )
        for feed, columns in raw_feeds().items():
            about = " or district_id = %(id)s" if "district_id" in columns else ""
            connection.execute(
                f"delete from raw.{feed} where partner_id = %(id)s{about}".encode(),  # noqa: S608 - of raw.yml
                partner,
            )
        for table in (
            "files",
            "partners",
            "contract_objects",
            "replaced_objects",
            "contract_calendars",
        ):
            connection.execute(
                f"delete from landing.{table} where partner_id = %(id)s".encode(),  # noqa: S608 - listed above
                partner,
            )
    # The incremental tables: the history, and the dictionaries, which keep values of deleted
    # records. The next build fills them again.
    with connect_as(BUILDER, purge.settings) as builder:
        if _is_built(builder, "identity.int_identity_assignments"):
            builder.execute(
                "delete from identity.int_identity_assignments "
                "where starts_with(student_key, %(id)s || ':')",
                partner,
            )
        for dictionary in DICTIONARIES:
            if _is_built(builder, dictionary):
                builder.execute(f"delete from {dictionary}".encode())  # noqa: S608 - DICTIONARIES is a constant


def _is_built(connection: psycopg.Connection, table: str) -> bool:
    return connection.execute("select to_regclass(%s) is not null", [table]).fetchone() == (True,)


def delete_files(purge: Purge) -> None:
    """Delete the partner's reports, and dbt's artifacts of earlier runs."""
    reports = list((purge.settings.files_dir / "reports").glob(f"**/{purge.partner_id}.xlsx"))
    for report in reports:
        report.unlink()
    purge.remember(Found(reports=len(reports)))
    # Only dbt's own files: a configured folder may hold others.
    for variable, folder, written in (
        ("DBT_TARGET_PATH", "target", ("compiled", "run", "*.json", "*.msgpack", "*.gpickle")),
        ("DBT_LOG_PATH", "logs", ("dbt.log*",)),
    ):
        for pattern in written:
            for path in Path(os.environ.get(variable) or PROJECT_DIR / folder).glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def drop_copies(purge: Purge) -> None:
    """Drop the publication that is kept for a rollback, and the rows of failed tests."""
    for (schema,) in purge.connection.execute(
        "select nspname from pg_namespace "
        "where nspname like 'previous\\_%' or nspname like '%dbt\\_test\\_\\_audit'"
    ).fetchall():
        purge.connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))


def rewrite_storage(purge: Purge) -> list[str]:
    """Rewrite every table without its deleted rows, and release the server's log.

    Returns:
        The parts of the log that may still hold rows, in words.

    Raises:
        OutcomesError: another session still sees the deleted rows, or a worker of a cluster
            holds remains of them.
    """
    connection = purge.connection
    wait = query("outcomes.operations", "wait_for_readers").decode()
    wait = wait.replace("patience", str(PATIENCE_SECONDS))

    def value(query: str) -> str:
        row = connection.execute(query.encode()).fetchone()
        return str(row[0]) if row else ""

    def on_every_node(command: str) -> None:
        connection.execute(command.encode())
        if purge.settings.is_distributed:
            failed = connection.execute(
                "select nodename || ':' || nodeport || ': ' || result "
                "from run_command_on_workers(%s) where not success",
                [command],
            ).fetchone()
            if failed:
                raise OutcomesError(
                    f"The rows are deleted, but a worker still holds remains of them: {failed[0]}. "
                    "Run the same command again: it finishes this purge."
                )

    try:
        on_every_node(wait)
        connection.execute("vacuum (full, analyze)")  # Citus passes it to the workers
        # Statistics hold values, and so do their deleted rows.
        on_every_node(wait)
        on_every_node("vacuum (full) pg_catalog.pg_statistic")
    except psycopg.errors.RaiseException as error:
        raise OutcomesError(
            f"The rows are deleted, but {error.diag.message_primary} in a transaction from before "
            "that, so their remains cannot be removed. Wait for it or end it, then run the same "
            "command again: it finishes this purge."
        ) from None
    last = value("select pg_walfile_name(pg_current_wal_lsn())")
    # Repeated, because another checkpoint may just have begun in an older segment.
    for _ in range(3):
        on_every_node("select pg_switch_wal()")
        on_every_node("checkpoint")
    kept = value(
        "select count(*) from pg_ls_waldir() "  # noqa: S608 - `last` is PostgreSQL's
        f"where name ~ '^[0-9A-F]{{24}}$' and name <= '{last}'"
    )
    left = []
    if kept != "0":
        left.append(
            f"{kept} segments of the server's log, up to {last}: a replica, a slot or the log's "
            "archive needs them"
        )
    if value("show wal_recycle") == "on":
        left.append("recycled segments of the server's log: wal_recycle is on")
    return left


def _write_certificate(purge: Purge, found: Found, left_in_log: list[str]) -> Path:
    row = purge.connection.execute(
        "select finished_at from privacy.purges where purge_id = %s", [purge.purge_id]
    ).fetchone()
    finished_at = row[0] if row else datetime.now(UTC)
    folder = purge.settings.files_dir / "certificates"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{purge.partner_id}-{finished_at:%Y-%m-%d}-{purge.purge_id}.md"
    text = "\n".join(_certificate(purge, found, finished_at, left_in_log)) + "\n"
    digest = sha256(text.encode()).hexdigest()
    file.write_text(f"{text}\nSHA-256 of the text above: `{digest}`\n", encoding="utf-8")
    return file


def _certificate(
    purge: Purge, found: Found, finished_at: datetime, left_in_log: list[str]
) -> list[str]:
    def listed(title: str, entries: dict[str, Any]) -> list[str]:
        return ["", f"## {title}", "", *(f"- `{name}`: {what}" for name, what in entries.items())]

    others = {
        f"archive of {partner}": f"{count} files about the district's students, all their rows"
        for partner, count in found.others_entries.items()
    }
    return [
        f"# Certificate of destruction: {purge.partner_id}",
        "",
        f"Purge {purge.purge_id} of the database {purge.connection.info.dbname}, begun "
        f"{purge.started_at:%Y-%m-%d %H:%M:%S %Z}, finished {finished_at:%Y-%m-%d %H:%M:%S %Z}. "
        "No schema has a row that names the partner or one of its students. The public figures "
        "of its released school years stay; they name no student.",
        *listed("Rows found and destroyed", {k: f"{v:,}" for k, v in sorted(found.rows.items())}),
        *listed(
            "Files destroyed",
            {
                "archive": f"{found.archive_entries:,} entries, and their key",
                **others,
                "reports": f"{found.reports:,} workbooks",
                "target, logs": "dbt's artifacts of earlier runs",
            },
        ),
        *listed(
            "Delivered files, by SHA-256 of their content",
            {digest: f"delivery of {day}" for digest, day in sorted(found.files.items())},
        ),
        "",
        "## Outside the reach of this command",
        "",
        *(f"- {what}" for what in left_in_log),
        "- backups of the database and of the archive; without its key the archive is unreadable",
        "- replicas and archived logs of the server, and free blocks of its disks",
        "- the drops folder, workbooks that were handed out, and copies that others may keep by "
        "the partner's agreement; `privacy.disclosures` names them",
    ]
