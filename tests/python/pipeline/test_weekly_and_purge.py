"""A warehouse from its first weekly run to the purge of a partner.

A purge leaves no data of the partner in tables, files, logs or artifacts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from tests.python.access.acting import acting_as
from tests.python.access.canaries import places_in_files, places_in_tables
from tests.python.conftest import own_server
from tests.python.landing.commands import run
from tests.python.parsed_projects import parsed_for_outcomes
from tests.python.publishing.warehouse import pretend_build, publish

from demo.generate import Progress, generate
from demo.plan import Plan
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import Decision, Pair, record_decisions
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer

PARTNER = "clairton"
# Given to every student of the partner, because students share the demo's names.
PLANTED = {"last_name": "Zyqvanter", "street": "77 Qwyxolm Lane"}

HOLDING = {
    "raw.students", "deliveries.int_students_accepted", "dbt_test__audit.failed",
    "identity.int_identity_records", "identity.int_identities", "identity.pseudonyms",
    f"district_{PARTNER}.dim_students",
    *(f"{schema}marts.dim_students" for schema in ("", "next_", "previous_")),
    *(f"{schema}marts_district.dim_students" for schema in ("", "next_", "previous_")),
    *(f"{schema}marts_pseudonymized.fct_student_years" for schema in ("", "next_", "previous_")),
}  # fmt: skip
# What was public stays public, byte by byte.
PUBLIC = "select gaps::text from marts_public.rpt_outcome_gaps as gaps order by 1"
DISCLOSED = f"select count(*) from privacy.disclosures where partner_id = '{PARTNER}'"


def number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def student_years(connection: psycopg.Connection) -> dict[str, int]:
    """The number of student-years of each other district."""
    return dict(
        connection.execute(
            "select district_id, count(*) from marts.fct_student_years "
            "where district_id <> %s group by 1",
            [PARTNER],
        ).fetchall()
    )


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@dataclass(frozen=True)
class Weekly:
    """The result of the first `outcomes weekly`, on a server of its own."""

    settings: Settings
    artifacts: list[Path]
    code: int
    output: str


@pytest.fixture(scope="module")
def weekly(
    environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Weekly]:
    folder = tmp_path_factory.mktemp("weekly")
    # Few people, because the county is built twice.
    plan = Plan(students=200, clients=500, weeks=2, school_years=2, seed=11)
    generate(plan, folder / "demo", Progress(lambda _: None, lambda _: None))
    drops, artifacts = folder / "demo" / "drops", [folder / "target", folder / "logs"]
    newest = max((drops / PARTNER).iterdir())
    (newest / "minutes of a meeting.txt").write_text("not a delivery")
    environment.setenv("OUTCOMES_TARGET", "prod")
    environment.setenv("DBT_TARGET_PATH", str(artifacts[0]))
    environment.setenv("DBT_LOG_PATH", str(artifacts[1]))
    with own_server(environment) as settings:
        run("land", drops / PARTNER)
        run("access", "apply")
        with connect(settings) as connection:
            for column, value in PLANTED.items():
                connection.execute(f"update raw.students set {column} = %s".encode(), [value])
            # An abandoned run does not block this one.
            with acting_as(connection, "outcomes_builder"):
                connection.execute("select publishing.begin_run('killed', 'build', '', '', '', '')")
        with parsed_for_outcomes(settings.database):
            code, output = run("weekly", drops)
        yield Weekly(settings, artifacts, code, output)


def test_weekly_publishes_and_exits_with_3_if_somebody_has_to_act(weekly: Weekly) -> None:
    assert weekly.code == 3, weekly.output
    for words in ("unknown_file", "What was linked", "Published: "):
        assert words in weekly.output
    with connect(weekly.settings) as connection:
        runs = connection.execute(
            "select status from publishing.runs order by run_number"
        ).fetchall()
    assert runs == [("abandoned",), ("published",)]


def test_weekly_shows_nobodys_name_or_number(weekly: Weekly) -> None:
    with connect(weekly.settings) as connection:
        students = connection.execute(
            "select first_name, last_name, state_student_id from marts.dim_students"
        ).fetchall()
    assert len(students) > 100
    for first, last, state_id in students:
        assert f"{first} {last}" not in weekly.output
        assert not state_id or state_id not in weekly.output


@dataclass(frozen=True)
class Spread:
    """Everything that holds data of the partner before the purge."""

    folders: list[Path]
    canaries: set[str]
    others_files: list[Path]
    others_years: dict[str, int]
    public: list[tuple[str]]
    disclosures: int


@pytest.fixture(scope="module")
def spread(weekly: Weekly) -> Spread:
    """The partner's data in all kinds of tables and files."""
    others_files = [folder / "notes.txt" for folder in weekly.artifacts]
    for file in others_files:
        file.parent.mkdir(exist_ok=True)
        file.write_text("not dbt's")
    for file in (weekly.artifacts[0] / "compiled" / "failed.sql", weekly.artifacts[1] / "dbt.log"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(PLANTED["last_name"])
    run("report", "district", PARTNER)
    # As if its agreement had been for coordination of services.
    counselors = weekly.settings.files_dir / "reports" / "2012-10-05" / "counselors"
    counselors.mkdir(parents=True, exist_ok=True)
    (counselors / f"{PARTNER}.xlsx").write_text(PLANTED["last_name"])
    with connect(weekly.settings) as connection:
        # Published again, so that there is a copy for a rollback.
        made = "update next_marts.rpt_measure_history set run_id = '{run_id}'"
        publish(connection, pretend_build(connection, made))
        own, others = (
            {
                value
                for (value,) in connection.execute(
                    "select state_student_id from raw.students "
                    f"where state_student_id is not null and partner_id {sign} %s".encode(),
                    [PARTNER],
                )
            }
            for sign in ("=", "<>")
        )
        pseudonym, student = connection.execute(
            "select min(pseudonym), min(key) from identity.pseudonyms where starts_with(key, %s)",
            [f"{PARTNER}:"],
        ).fetchone() or ("", "")
        pair = Pair(student, "client", "mental_health:1")
        record_decisions(connection, [Decision(pair, "no_link", PLANTED["last_name"])], "ana")
        connection.execute("create schema dbt_test__audit")
        connection.execute(
            "create table dbt_test__audit.failed as table deliveries.int_students_accepted"
        )
        connection.execute("checkpoint")
        return Spread(
            folders=[EmbeddedServer(weekly.settings).home, *weekly.artifacts],
            canaries={"zyqvanter", "qwyxolm", pseudonym, *sorted(own - others)[:10]},
            others_files=others_files,
            others_years=student_years(connection),
            public=connection.execute(PUBLIC.encode()).fetchall(),
            disclosures=number(connection, DISCLOSED),
        )


def test_before_a_purge_its_data_are_in_many_places(spread: Spread, weekly: Weekly) -> None:
    assert len(spread.canaries) == 13
    with connect(weekly.settings) as connection:
        assert places_in_tables(connection, spread.canaries) >= HOLDING
    assert spread.disclosures > 1
    found = {file.name for file in places_in_files(spread.folders, spread.canaries)}
    assert found >= {"failed.sql", "dbt.log"}


@pytest.fixture(scope="module")
def purged(spread: Spread, weekly: Weekly) -> Settings:
    """The warehouse after a purge that was interrupted and repeated."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as interrupted:
        # All landed rows are deleted then, and nothing is rebuilt.
        interrupted.setattr("outcomes.operations.purge.build", interrupt)
        assert run("purge", "--partner", PARTNER, "--yes")[0] != 0
    with parsed_for_outcomes(weekly.settings.database):
        code, output = run("purge", "--partner", PARTNER, "--yes")
    assert code == 0, output
    return weekly.settings


def test_no_table_holds_data_of_a_purged_partner(purged: Settings, spread: Spread) -> None:
    with connect(purged) as connection:
        assert places_in_tables(connection, {*spread.canaries, f"{PARTNER}:"}) == set()
        copies = "select count(*) from pg_namespace where nspname like 'previous\\_%'"
        assert number(connection, copies) == 0
        assert number(connection, "select count(*) from linking.decisions") == 0
        rosters = "select count(*) from raw.intervention_rosters where district_id = '{}'"
        assert number(connection, rosters.format(PARTNER)) == 0


def test_no_file_holds_data_of_a_purged_partner(purged: Settings, spread: Spread) -> None:
    assert places_in_files(spread.folders, spread.canaries) == set()
    assert not list(purged.archive_dir.glob(f"{PARTNER}*"))
    assert not list(purged.archive_keys_dir.glob(f"{PARTNER}*"))
    assert not list((purged.files_dir / "reports").glob(f"**/{PARTNER}.xlsx"))


def test_a_purge_leaves_what_is_not_the_partners(purged: Settings, spread: Spread) -> None:
    with connect(purged) as connection:
        assert student_years(connection) == spread.others_years
        assert connection.execute(PUBLIC.encode()).fetchall() == spread.public
        assert number(connection, DISCLOSED) == spread.disclosures
    assert len(spread.others_years) == 3
    assert any(PARTNER in row for (row,) in spread.public)
    assert all(file.exists() for file in spread.others_files)


def test_a_purge_is_certified(purged: Settings, spread: Spread) -> None:
    (certificate,) = (purged.files_dir / "certificates").glob("*.md")
    text, seal = certificate.read_text().split("\nSHA-256 of the text above: ")
    assert sha256(text.encode()).hexdigest() in seal
    assert re.search(r"`raw\.students`: [1-9]", text)
    assert re.search(r"`archive`: [1-9]\d* entries", text)
    assert not any(canary in text for canary in spread.canaries)


def test_a_purged_partner_is_unknown(purged: Settings) -> None:
    with pytest.raises(OutcomesError, match="There are no data of a partner 'clairton'"):
        run("purge", "--partner", PARTNER, "--yes")
