"""Only a complete `dbt build` that passed is published, and only one runs at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import psycopg
import pytest
from dbt.cli.main import dbtRunnerResult
from tests.python.access.acting import acting_as
from tests.python.conftest import TESTED, WITH_SEEDS, run_dbt, try_dbt
from tests.python.landing.commands import run
from tests.python.parsed_projects import parsed_for_outcomes
from tests.python.pipeline.content import content_hashes
from tests.python.publishing.warehouse import definitions, pretend_build

from outcomes.access.logins import make_login
from outcomes.access.roles import DEVELOPER
from outcomes.cli import app
from outcomes.config import PROJECT_DIR, Settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect, session_options


def newest_status(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "select status from publishing.runs order by run_number desc limit 1"
    ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    "partial",
    [
        ("run", "--select", "dim_districts"),
        pytest.param((*TESTED, "--exclude-resource-type", "function"), marks=pytest.mark.slow),
    ],
)
def test_a_partial_run_is_not_published(
    partial: tuple[str, ...], published: Settings, connection: psycopg.Connection
) -> None:
    # The functions in the copy name the original database.
    run_dbt(published, "build", "--resource-type", "function")
    before = content_hashes(connection)
    done = try_dbt(published, *partial)
    assert "Not published: " in done.output
    assert newest_status(connection) == "partial"
    assert content_hashes(connection) == before


def test_a_failed_test_publishes_nothing(
    published: Settings, connection: psycopg.Connection
) -> None:
    before, defined = content_hashes(connection), definitions(connection)
    # Nearly everything reads stg_files and is skipped, which saves the test a whole build.
    connection.execute("alter table landing.files alter column received_at drop not null")
    connection.execute("update landing.files set received_at = null where file_id = 1")
    done = try_dbt(published, "build")
    assert not done.success
    assert "Not published: something failed." in done.output
    assert newest_status(connection) == "failed"
    ((failed,),) = connection.execute(
        "select failed_nodes from publishing.runs where failed_nodes is not null"
    ).fetchall()
    (name,) = failed
    assert name.startswith("unique_combination_stg_files_file_id_")
    assert content_hashes(connection) == before
    assert definitions(connection) == defined


def test_a_developers_build_publishes_nothing(
    published: Settings, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, defined = content_hashes(connection), definitions(connection)
    monkeypatch.delenv("OUTCOMES_TARGET")
    monkeypatch.setenv("OUTCOMES_SCHEMA_PREFIX", "ana_")
    make_login(connection, "dana", "dana", DEVELOPER)
    try:
        run_dbt(published, *WITH_SEEDS, "--select", "+dim_districts", "program_groups", role="dana")
        # The key of development, because the warehouse's is secret.
        run_dbt(published, "test", "--select", "stg_pseudonym_key", role="dana")
        schemas = {
            schema
            for (schema,) in connection.execute(
                "select nspname from pg_namespace where nspowner = 'dana'::regrole"
            )
        }
        assert {"ana_marts", "ana_policy", "ana_staging"} <= schemas
        assert all(schema.startswith("ana_") for schema in schemas)
        assert newest_status(connection) == "published"
        assert content_hashes(connection) == rows
        # Nobody else may read these schemas.
        others = connection.execute(
            """
            select rolname, nspname
            from pg_namespace cross join pg_roles
            where
                nspowner = 'dana'::regrole and rolname <> 'dana'
                and not rolsuper and rolname !~ '^pg_'
                and has_schema_privilege(pg_roles.oid, pg_namespace.oid, 'usage')
            union all
            select relname, grantee::regrole::text
            from pg_class cross join aclexplode(relacl)
            where relowner = 'dana'::regrole and grantee <> relowner
            """
        ).fetchall()
        assert others == []
    finally:
        connection.execute("drop owned by dana cascade; drop role dana")
    assert definitions(connection) == defined


def test_make_dev_builds_what_changed_and_reads_the_rest_from_what_is_published(
    published: Settings, connection: psycopg.Connection, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", PROJECT_DIR, checkout], check=True)
    with (checkout / "models/marts/district/district_dim_students.sql").open("a") as model:
        model.write("-- changed\n")
    installed = Path(sys.prefix) / "installed"
    done = subprocess.run(
        ["make", "dev", "BASE=HEAD", f"VENV={sys.prefix}", f"--old-file={installed}"],
        cwd=checkout,
        env=os.environ | {"OUTCOMES_PG_DATABASE": published.database, "OUTCOMES_TARGET": "dev"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    own, published_rows = (
        connection.execute(f"select count(*) from {schema}.dim_students".encode()).fetchone()
        for schema in ("dev_outcomes_marts_district", "marts_district")
    )
    assert own == published_rows
    built = connection.execute(
        """
        select nspname, relname from pg_class
        inner join pg_namespace on relnamespace = pg_namespace.oid
        where nspname like 'dev\\_%' and relkind in ('r', 'v')
        """
    ).fetchall()
    assert built == [("dev_outcomes_marts_district", "dim_students")]


def test_an_unknown_target_cannot_overwrite_published_relations(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_TARGET", "in_place")
    output = try_dbt(published, "run", "--select", "int_file_statuses").output
    assert "the target in_place would build over it" in output


def test_a_day_before_the_first_delivery_is_refused(
    published: Settings, connection: psycopg.Connection
) -> None:
    (first,) = connection.execute("select min(as_of_date) from landing.files").fetchall()[0]
    with (
        parsed_for_outcomes(published.database),
        pytest.raises(
            OutcomesError,
            match=f"On 1999-01-01 nothing had been delivered. Expected an as-of date of {first}",
        ),
    ):
        run("build", "--as-of", "1999-01-01")
    assert newest_status(connection) == "published"


class FakeDbt:
    """Stands in for dbt: a run, what failed in it, and how dbt was called."""

    status = "passed"
    hook_error = model_error = ""
    failed_tests: Sequence[SimpleNamespace] = ()
    called: ClassVar[list[tuple[list[str], str | None]]] = []

    def __init__(self, callbacks: list[Callable[[Any], None]]) -> None:
        self._follow = callbacks[0]

    def invoke(self, arguments: list[str]) -> dbtRunnerResult:
        self.called.append((arguments, os.environ.get("OUTCOMES_SCHEMA_PREFIX")))
        with connect() as connection:
            run_id = pretend_build(connection)
            connection.execute(
                "update publishing.runs set status = %s where run_id = %s", [self.status, run_id]
            )
        started = SimpleNamespace(name="LogStartLine", invocation_id=run_id)
        self._follow(SimpleNamespace(info=started, data=SimpleNamespace(total=1)))
        hook = SimpleNamespace(name="student_outcomes-on-run-end-1", resource_type="operation")
        model = SimpleNamespace(name="dim_students", resource_type="model")
        results = [
            SimpleNamespace(status="error", message=message, node=node)
            for node, message in ((model, self.model_error), (hook, self.hook_error))
            if message
        ]
        results += self.failed_tests
        return dbtRunnerResult(
            success=not results,
            result=SimpleNamespace(results=results),  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("passed", r"All models and tests passed, but the publication failed: .*"),
        ("running", r"dbt could not build: .*"),
    ],
)
def test_a_failed_hook_says_why(
    status: str, message: str, published: Settings, connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("dbt.cli.main.dbtRunner", FakeDbt)
    monkeypatch.setattr(FakeDbt, "status", status)
    error = (
        "cannot drop table [marts].x\nDETAIL:  view ana.v depends on it\nCONTEXT:  SQL statement"
    )
    monkeypatch.setattr(FakeDbt, "hook_error", f"on-run-end.1 failed, error:\n {error}")
    reason = r"cannot drop table \[marts\]\.x DETAIL:  view ana\.v depends on it"
    with pytest.raises(OutcomesError, match=message + reason) as raised:
        run("build")
    assert "tests failed" not in str(raised.value)
    assert "CONTEXT" not in str(raised.value)
    values = "\nDETAIL:  Key (last_name)=(Canary) already exists.\nCONTEXT:  SQL statement"
    monkeypatch.setattr(FakeDbt, "hook_error", f"on-run-end.1 failed, error:\n twice{values}")
    with pytest.raises(OutcomesError, match=f"{message}twice") as raised:
        run("build")
    assert "Canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("duplicate key\n  DETAIL:  Key (last_name)=(Canary) exists.", "duplicate key"),
        (
            'invalid input syntax for type integer: "Canary\nCanary"\n  compiled code at x.sql',
            'invalid input syntax for type integer: "…"',
        ),
        ('value "987654320" is out of range for type smallint',
         'value "…" is out of range for type smallint'),
        ('invalid value "Ca" for "YYYY"\n  DETAIL:  Value must be an integer.',
         'invalid value "…" for "YYYY" DETAIL:  Value must be an integer'),
        ('invalid input syntax for type json\n  DETAIL:  Token "Canary" is invalid.',
         'invalid input syntax for type json DETAIL:  Token "…" is invalid'),
        ('column "last_name" does not exist', 'column "last_name" does not exist'),
    ],
)  # fmt: skip
def test_a_failed_model_is_named_without_its_rows(
    published: Settings, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], words: str, shown: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("dbt.cli.main.dbtRunner", FakeDbt)
    monkeypatch.setattr(FakeDbt, "status", "failed")
    monkeypatch.setattr(FakeDbt, "model_error", f"Database Error\n  {words}")
    monkeypatch.setattr("sys.argv", ["outcomes", "build"])
    with pytest.raises(SystemExit):
        app()
    written = capsys.readouterr()
    assert f"error dim_students: Database Error {shown}\n" in written.out
    assert written.err.startswith("error: 1 of 1 models and tests failed.")


def test_a_failed_test_of_a_seed_names_its_rows(
    published: Settings, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def failed(tested: str) -> SimpleNamespace:
        node = SimpleNamespace(
            name="known", resource_type="test", attached_node=tested,
            compiled_code="select 'grade' as domain, '50%' as code from generate_series(1, 9)",
        )  # fmt: skip
        return SimpleNamespace(status="fail", message="Got 9 results.", node=node)

    tests = [failed("seed.student_outcomes.codes"), failed("model.student_outcomes.dim_students")]
    monkeypatch.setattr("dbt.cli.main.dbtRunner", FakeDbt)
    monkeypatch.setattr(FakeDbt, "status", "failed")
    monkeypatch.setattr(FakeDbt, "failed_tests", tests)
    monkeypatch.setattr("sys.argv", ["outcomes", "build"])
    with pytest.raises(SystemExit):
        app()
    of_seed, of_model = capsys.readouterr().out.splitlines()
    row = "domain grade, code 50%"
    assert of_seed == f"fail known: Got 9 results: {row}; {row}; {row}"
    assert of_model == "fail known: Got 9 results"


def test_a_build_of_an_earlier_day_goes_aside(
    published: Settings, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbt.cli.main.dbtRunner", FakeDbt)
    connection.execute("create schema as_of_2012_08_30_marts")
    before = content_hashes(connection)
    code, output = run("build", "--as-of", "2012-08-30")
    arguments, prefix = FakeDbt.called[-1]
    assert (code, prefix) == (0, "as_of_2012_08_30_")
    assert arguments[arguments.index("--target") + 1] == "dev"
    assert "Not published: it is in as_of_2012_08_30_marts." in output
    assert content_hashes(connection) == before
    with pytest.raises(OutcomesError, match="say --publish, too"):
        run("build", "--as-of", "2012-08-30", "--accept-loss", "a test")


def test_plain_dbt_publishes_no_earlier_day_by_accident(published: Settings) -> None:
    output = try_dbt(published, "build", "--vars", "{as_of: 2012-08-30}").output
    assert "A build as of 2012-08-30 would replace what people read" in output


@pytest.mark.slow
def test_nobody_else_reads_an_earlier_day(
    published: Settings, connection: psycopg.Connection
) -> None:
    rows, defined = content_hashes(connection), definitions(connection)
    code, output = run("build", "--as-of", "2012-08-30")
    assert code == 0, output
    assert "as_of_2012_08_30_marts" in output
    assert connection.execute(
        "select max(as_of_date) <= '2012-08-30' from as_of_2012_08_30_deliveries.int_deliveries"
    ).fetchone() == (True,)
    assert connection.execute(
        "select count(*) > 0 from as_of_2012_08_30_marts.dim_students"
    ).fetchone() == (True,)
    connection.execute(
        "do $$ declare s text; begin for s in select nspname from pg_namespace "
        "where nspname like 'as\\_of\\_%' loop "
        "execute format('drop schema %I cascade', s); end loop; end $$"
    )
    assert content_hashes(connection) == rows
    assert definitions(connection) == defined


@pytest.mark.slow
def test_a_build_of_an_earlier_day_is_held(
    published: Settings, connection: psycopg.Connection
) -> None:
    def marts() -> dict[str, str]:
        hashes = content_hashes(connection)
        return {name: rows for name, rows in hashes.items() if name.startswith("marts")}

    rows = marts()
    code, output = run("build", "--as-of", "2012-08-30", "--publish")
    assert code == 3, output
    assert "Held, not published. " in output
    assert newest_status(connection) == "held"
    assert marts() == rows


@pytest.mark.slow
def test_an_accepted_build_of_an_earlier_day_is_published(
    published: Settings, connection: psycopg.Connection
) -> None:
    loss = ("--accept-loss", "it's a test")
    code, output = run("build", "--as-of", "2012-08-30", "--publish", *loss)
    assert code == 0, output
    assert connection.execute(
        "select loss_accepted_because, missing_rows <> '' from publishing.runs "
        "where run_id = publishing.published_run()"
    ).fetchone() == ("it's a test", True)


@pytest.mark.slow
def test_a_second_run_is_refused_and_a_killed_one_does_not_block(
    published: Settings, connection: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "profiles.yml").write_text((PROJECT_DIR / "profiles.example.yml").read_text())
    first = subprocess.Popen(
        [str(Path(sys.executable).with_name("dbt")), "build", "--project-dir", str(PROJECT_DIR),
         "--profiles-dir", str(tmp_path), "--target-path", str(tmp_path / "target"),
         "--log-path", str(tmp_path / "logs"), "--threads", "1"],
        stdout=subprocess.DEVNULL,
        env=os.environ
        | {
            "OUTCOMES_PG_DATABASE": published.database,
            "PGOPTIONS": session_options(role="outcomes_builder"),
        },
    )  # fmt: skip
    # Delayed, or a fast machine ends the build before the second run gives up.
    with connect(published) as holder, holder.transaction():
        holder.execute("lock table raw.gpas")
        try:
            while newest_status(connection) != "running":
                assert first.poll() is None
                time.sleep(0.2)
            with pytest.raises(
                psycopg.errors.RaiseException, match="Another run is in progress: dbt build"
            ):
                pretend_build(connection)
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait()
    assert newest_status(connection) == "running"

    pretend_build(connection)

    statuses = connection.execute(
        "select status from publishing.runs order by run_number"
    ).fetchall()
    assert statuses == [("published",), ("abandoned",), ("passed",)]


def test_a_run_that_waited_while_another_ended_is_refused(
    published: Settings, connection: psycopg.Connection
) -> None:
    def begin() -> None:
        with connect(published) as second:
            pretend_build(second)

    with ThreadPoolExecutor() as threads, connect(published) as dbt:
        dbt.execute("set application_name = 'dbt'")
        with acting_as(connection, "outcomes_builder"):
            connection.execute("select publishing.begin_run('first', 'build', '', '', '', '')")
        waiting = threads.submit(begin)
        sleeping = (
            "select exists (select from pg_stat_activity "
            "where datname = current_database() and wait_event = 'PgSleep')"
        )
        while connection.execute(sleeping).fetchone() != (True,):
            assert not waiting.done()
            time.sleep(0.02)
        connection.execute("update publishing.runs set status = 'failed' where run_id = 'first'")
        dbt.close()
        # dbt knows the tables as they were before, so models would be made twice.
        with pytest.raises(psycopg.errors.RaiseException, match="Another run ended while"):
            waiting.result()
    assert newest_status(connection) == "failed"
    pretend_build(connection)
