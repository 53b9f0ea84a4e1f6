"""A school year is released once: only a person's revision changes its public figures."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from tests.python.conftest import run_dbt
from tests.python.pipeline.content import content_hashes
from tests.python.publishing.warehouse import pretend_build, publish, roll_back
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.publishing.runs import is_up_to_date

# What the figures are made of, from the pseudonyms on.
FIGURES = (
    "resource_type:function", "pseudonyms", "int_outcome_gap_strata+",
    "stg_school_year_releases+", "stg_released_outcome_gaps",
)  # fmt: skip
CORRECTION = """
    update next_marts.fct_student_years
    set involved_ever = not involved_ever, gpa = least(gpa + 0.5, 4),
        is_chronically_absent_federal = not is_chronically_absent_federal
    where district_student_id like '%7'
"""
# Public numbers of students that are the same as before the revision.
SAME_NUMBERS = """
    select count(*) from (
        select n_involved, n_not_involved, district_id, involvement, measure
        from marts_public.rpt_outcome_gaps where school_year = 2012
        intersect
        select n_involved, n_not_involved, district_id, involvement, measure
        from releases.outcome_gaps where school_year = 2012 and revision = 0
    ) as same
"""
OTHER_KEY = "update privacy.pseudonym_key set key = sha256('another key')"
OTHER_NOISE = "update policy.perturbation_table set noise = -noise where true_count > 12"


@pytest.fixture
def republish(published: Settings, connection: psycopg.Connection) -> Callable[..., None]:
    """Make changes, build the figures again and publish them."""

    def make(*changes: str) -> None:
        for change in changes:
            connection.execute(change.encode())
        run_dbt(
            published, "build", "--resource-type", "model", "--resource-type", "function",
            "--select", *FIGURES,
        )  # fmt: skip
        publish(connection, pretend_build(connection))

    return make


def public_rows(connection: psycopg.Connection, *school_years: int) -> list[tuple[object, ...]]:
    """The public figures byte by byte, in any order."""
    return sorted(
        connection.execute(
            """
            select gaps::text from marts_public.rpt_outcome_gaps as gaps
            where cardinality(%(years)s::integer []) = 0 or school_year = any(%(years)s::integer [])
            union all
            select gaps::text from marts_public.rpt_outcome_gaps_by_group as gaps
            where cardinality(%(years)s::integer []) = 0 or school_year = any(%(years)s::integer [])
            """,
            {"years": list(school_years)},
        )
    )


def exact_rows(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return sorted(
        connection.execute("select gaps::text from marts_pseudonymized.rpt_outcome_gaps as gaps")
    )


def revise(school_year: int, reason: str = "late deliveries") -> str:
    done = CliRunner().invoke(
        cli, ["revise-year", str(school_year), "--reason", reason], catch_exceptions=False
    )
    assert done.exit_code == 0
    return done.output


def test_the_first_publication_releases_all_ended_years(connection: psycopg.Connection) -> None:
    released = connection.execute(
        """
        select school_year, revision, run_id = publishing.published_run(), as_of_date
        from releases.school_years order by school_year
        """
    ).fetchall()
    public = connection.execute(
        """
        select distinct school_year, revision, true, released_on
        from marts_public.rpt_outcome_gaps order by school_year
        """
    ).fetchall()
    assert released == public
    assert len(released) >= 1
    kept = connection.execute("select count(*) from releases.outcome_gaps").fetchone()
    assert kept == (len(public_rows(connection)),)


def test_corrections_keys_and_noise_change_no_released_year(
    connection: psycopg.Connection, republish: Callable[..., None]
) -> None:
    released, exact = public_rows(connection), exact_rows(connection)
    everything = content_hashes(connection)
    republish()
    assert public_rows(connection) == released
    assert exact_rows(connection) == exact
    # Nothing has changed, so no row has, but for those that name the publication.
    again = content_hashes(connection)
    differing = {table for table in everything if again[table] != everything[table]}
    assert {table for table in differing if not table.endswith(".publications")} == set()

    republish(CORRECTION, OTHER_KEY, OTHER_NOISE)

    assert public_rows(connection) == released
    assert exact_rows(connection) != exact


def test_a_revision_replaces_one_year_for_a_public_reason(
    connection: psycopg.Connection, republish: Callable[..., None]
) -> None:
    released = public_rows(connection)
    assert "Revision 1 of school year 2012" in revise(2012)
    assert not is_up_to_date(connection)
    assert public_rows(connection) == released

    republish(CORRECTION)

    revised = public_rows(connection)
    assert public_rows(connection, 2012) != [row for row in released if row[0][1:5] == "2012"]  # type: ignore[index]
    assert (
        [row for row in revised if row[0][1:5] != "2012"]
        == [  # type: ignore[index]
            row
            for row in released
            if row[0][1:5] != "2012"  # type: ignore[index]
        ]
    )
    assert connection.execute(
        "select distinct revision, revision_reason from marts_public.rpt_outcome_gaps "
        "where school_year = 2012"
    ).fetchall() == [(1, "late deliveries")]
    assert connection.execute(
        "select decided_by, released_at is not null from releases.school_years where revision = 1"
    ).fetchall() == [(connection.info.user, True)]
    republish(OTHER_KEY)
    assert public_rows(connection) == revised


def test_a_revision_draws_new_noise_and_stays_released_after_a_rollback(
    connection: psycopg.Connection, republish: Callable[..., None]
) -> None:
    """Without new noise, the figures that move would name the children who were corrected."""
    released = public_rows(connection)
    revise(2012)
    republish()
    revised = public_rows(connection)
    (same,) = connection.execute(SAME_NUMBERS.encode()).fetchall()[0]
    assert same < 0.3 * len(public_rows(connection, 2012))
    roll_back(connection)
    assert public_rows(connection) == released
    republish(CORRECTION)
    assert public_rows(connection) == revised


def test_only_released_years_are_revised_and_with_a_reason(
    connection: psycopg.Connection,
) -> None:
    for year, reason, expected in (
        (1999, "late", "School year 1999 is not released.*Released: .*2012"),
        (2012, "  ", "--reason is empty"),
    ):
        with pytest.raises(OutcomesError, match=expected):
            revise(year, reason)
    revise(2012)
    with pytest.raises(OutcomesError, match="Revision 1 of school year 2012 waits"):
        revise(2012)
