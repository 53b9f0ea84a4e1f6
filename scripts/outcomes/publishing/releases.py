"""Revisions of school years whose public figures were released."""

from __future__ import annotations

import psycopg

from outcomes.errors import OutcomesError
from outcomes.warehouse.tables import require_release


def request_revision(
    connection: psycopg.Connection, school_year: int, reason: str, decided_by: str
) -> int:
    """Ask the next publication to replace the released figures of a school year.

    Returns:
        The number of the revision; the first release is 0.

    Raises:
        OutcomesError: the year is not released, or a revision of it waits already.
    """
    if not reason.strip():
        raise OutcomesError("--reason is empty. Say why the year is revised: readers will see it.")
    require_release(connection)
    with connection.transaction():
        connection.execute("lock table releases.school_years in share row exclusive mode")
        rows = connection.execute(
            "select school_year, max(revision), bool_and(released_at is not null) "
            "from releases.school_years group by school_year order by school_year"
        ).fetchall()
        revisions: dict[int, tuple[int, bool]] = {year: (last, done) for year, last, done in rows}
        if school_year not in revisions:
            years = ", ".join(map(str, revisions)) or "none"
            raise OutcomesError(
                f"School year {school_year} is not released, so there is nothing to revise. "
                f"Released: {years}. A school year is named by its spring."
            )
        revision, is_released = revisions[school_year]
        if not is_released:
            raise OutcomesError(
                f"Revision {revision} of school year {school_year} waits for the next "
                "publication: run `outcomes build`."
            )
        connection.execute(
            "insert into releases.school_years (school_year, revision, reason, decided_by) "
            "values (%s, %s, %s, %s)",
            [school_year, revision + 1, reason.strip(), decided_by],
        )
    return revision + 1
