"""A PostgreSQL for the tests: one embedded server a session, one database a test."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from dbt.cli.main import dbtRunner
from psycopg import sql

from outcomes.access.roles import apply_access
from outcomes.config import PROJECT_DIR, Settings, load_settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.demo.generate import Progress as DemoProgress
from outcomes.demo.generate import generate
from outcomes.demo.plan import Plan
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer
from outcomes.warehouse.tables import create_tables

_numbers = itertools.count(1)

# `dbt build` without its unit tests, which do not read the warehouse: `built_demo` runs them.
TESTED = ("build", "--exclude-resource-type", "unit_test")
# `dbt build` without any tests, for a warehouse that is only compared with a tested one.
UNTESTED = (*TESTED, "--exclude-resource-type", "test")

# Warehouses that take long to make, beginning with the one that most tests read.
SHARED = ("built_demo", "first_publication", "built_sample")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, each of those is made by one of them, and no file is torn apart.

    The longest comes first, so that no worker is left with it at the end.
    """
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    places = {group: place for place, group in enumerate(SHARED)}
    items.sort(key=lambda item: places.get(groups[item], len(SHARED)))


def _group(item: pytest.Item) -> str:
    assert isinstance(item, pytest.Function)
    named = item.callspec.params.values() if hasattr(item, "callspec") else ()
    used = [*item.fixturenames, *named]
    return next((name for name in SHARED if name in used), item.path.stem)


@pytest.fixture(scope="session", autouse=True)
def target() -> Iterator[None]:
    """Build in place, as most tests only read the result; those of publishing say otherwise."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OUTCOMES_TARGET", "ci")
        environment.delenv("OUTCOMES_SCHEMA_PREFIX", raising=False)
        yield


@pytest.fixture(scope="session")
def warehouse() -> Iterator[Settings]:
    """An embedded server on a free port, in a folder of its own; the environment points at it.

    Use `database` for a test that writes; this one is shared by the whole session.
    """
    folder = Path(tempfile.mkdtemp(prefix="outcomes-tests-"))
    # Run by root, the server belongs to another user, who has to get through.
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as environment:
        for name in ("PG_HOST", "PG_USER", "PG_PASSWORD", "PG_DATABASE"):
            environment.delenv(f"OUTCOMES_{name}", raising=False)
        for name in ("ARCHIVE_DIR", "ARCHIVE_KEYS_DIR"):
            environment.delenv(f"OUTCOMES_{name}", raising=False)
        environment.setenv("OUTCOMES_WAREHOUSE_DIR", str(folder / "warehouse"))
        environment.setenv("OUTCOMES_PG_PORT", str(free_port()))
        environment.setenv("PGPASSFILE", str(folder / "pgpass"))
        server = EmbeddedServer(load_settings())
        try:
            server.start()
            settings = load_settings()
            with connect(settings) as connection:
                # Nothing here has to outlive a power cut.
                connection.execute("alter system set fsync = off")
                connection.execute("select pg_reload_conf()")
            yield settings
        finally:
            server.reset()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A new database with the ledger and empty raw tables; the environment points at it."""
    name = f"test_{next(_numbers)}"
    with connect(warehouse) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        settings = replace(warehouse, database=name)
        monkeypatch.setenv("OUTCOMES_PG_DATABASE", name)
        try:
            with connect(settings) as connection:
                create_tables(connection)
            yield settings
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def connection(database: Settings) -> Iterator[psycopg.Connection]:
    """A connection to the test's own database."""
    with connect(database) as opened:
        yield opened


@pytest.fixture
def another_database(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], psycopg.Connection]]:
    """Make one more empty database, connect to it, and point the environment at it."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(connect(database))

        def make() -> psycopg.Connection:
            name = f"test_{next(_numbers)}"
            identifier = sql.Identifier(name)
            server.execute(sql.SQL("create database {}").format(identifier))
            drop = sql.SQL("drop database {} with (force)").format(identifier)
            stack.callback(server.execute, drop)
            monkeypatch.setenv("OUTCOMES_PG_DATABASE", name)
            opened = stack.enter_context(connect(replace(database, database=name)))
            create_tables(opened)
            return opened

        yield make


@contextlib.contextmanager
def copied(built: Settings, name: str) -> Iterator[Settings]:
    """A copy of a built warehouse, to change; nobody may be connected to the original."""
    settings = replace(built, database=name)
    copy = sql.Identifier(name)
    with connect(replace(built, database="postgres")) as server:
        server.execute(
            sql.SQL("create database {} template {}").format(copy, sql.Identifier(built.database))
        )
        try:
            # A copy does not have the rights on the database.
            with connect(settings) as connection:
                apply_access(connection, district_ids(load_contracts().values()))
            yield settings
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(copy))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the sample deliveries and their truth; the test is skipped without."""
    folder = PROJECT_DIR.parent / "shared"
    if not folder.exists():
        pytest.skip("the sample deliveries are not here")
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def make_warehouse(warehouse: Settings) -> Iterator[Callable[..., Settings]]:
    """Make a warehouse from deliveries, with plain dbt and nothing around it.

    The loader lands and the builder builds, so every such warehouse shows that their
    grants are enough.
    """
    with _making(warehouse, "built") as make:
        yield make


@pytest.fixture
def make_own_warehouse(warehouse: Settings) -> Iterator[Callable[..., Settings]]:
    """Make a warehouse that goes with the test; by its name dbt knows what it parsed before."""
    with _making(warehouse, "own") as make:
        yield make


@contextlib.contextmanager
def _making(warehouse: Settings, name: str) -> Iterator[Callable[..., Settings]]:
    made: list[str] = []

    def make(drops: Path, *dbt: str, files: Sequence[Path] | None = None) -> Settings:
        settings = replace(warehouse, database=f"{name}_{len(made) + 1}")
        with connect(warehouse) as server:
            server.execute(f"create database {settings.database}".encode())
        made.append(settings.database)
        contracts = load_contracts()
        with connect(settings) as opened:
            apply_access(opened, district_ids(contracts.values()))
            opened.execute("set role outcomes_loader")
            create_tables(opened)
            for path in [drops] if files is None else files:
                delivered = find_deliveries(path, contracts)
                assert not delivered.unplaced
                for _ in land_deliveries(opened, contracts, delivered.files):
                    pass
        run_dbt(settings, *(dbt or ["build"]))
        return settings

    try:
        yield make
    finally:
        with connect(warehouse) as server:
            for database in made:
                server.execute(f"drop database {database} with (force)".encode())


def run_dbt(
    built: Settings,
    *arguments: str,
    role: str = "outcomes_builder",
    project: Path = PROJECT_DIR,
    options: str = "",
) -> str:
    """Run plain dbt on a warehouse, as the builder would; fail the test if dbt fails."""
    done = try_dbt(built, *arguments, role=role, project=project, options=options)
    assert done.success, done.said[-6000:]
    return done.said


@dataclass(frozen=True)
class DbtRun:
    """How a run of dbt ended, and what it said."""

    success: bool
    said: str


def try_dbt(
    built: Settings,
    *arguments: str,
    role: str = "outcomes_builder",
    project: Path = PROJECT_DIR,
    options: str = "",
) -> DbtRun:
    """Run plain dbt on a warehouse, whether it fails or not.

    In this process: to start one takes four seconds, and there are a hundred runs.

    Args:
        built: the warehouse.
        arguments: dbt's.
        role: whose rights dbt has; empty for those of the login.
        project: the folder of the project.
        options: more settings of the sessions, as libpq takes them.
    """
    # Kept as long as the server: dbt parses only what has changed since it was here, or
    # everything where it had other variables.
    variables = arguments[arguments.index("--vars") + 1] if "--vars" in arguments else ""
    name = "-".join([built.database, project.name, *re.findall(r"\w+", variables)])
    folder = built.warehouse_dir.parent / "dbt" / name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_DIR / "profiles.example.yml", folder / "profiles.yml")
    with pytest.MonkeyPatch.context() as environment, redirect_stdout(io.StringIO()) as said:
        environment.setenv("OUTCOMES_PG_DATABASE", built.database)
        environment.setenv("PGOPTIONS", f"{f'-c role={role}' if role else ''} {options}")
        environment.setenv("DBT_TARGET_PATH", str(folder / "target"))
        # Writing artifacts and every statement into its log takes dbt a fifth of its time.
        environment.setenv("DBT_WRITE_JSON", "false")
        environment.setenv("DBT_LOG_LEVEL_FILE", "none")
        done = dbtRunner().invoke(
            ["--no-use-colors", *arguments,
             "--project-dir", str(project), "--profiles-dir", str(folder)]
        )  # fmt: skip
    return DbtRun(done.success, said.getvalue())


@pytest.fixture(scope="session")
def demo_drops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented deliveries, small enough to build in every run of the tests."""
    folder = tmp_path_factory.mktemp("demo")
    plan = Plan(students=400, clients=4000, weeks=3, school_years=2, seed=11)
    generate(plan, folder / "demo", DemoProgress(lambda _: None, lambda _: None))
    return folder / "demo" / "drops"


@pytest.fixture(scope="session")
def built_demo(make_warehouse: Callable[..., Settings], demo_drops: Path) -> Settings:
    """The demo, landed and built."""
    return make_warehouse(demo_drops)


@pytest.fixture(scope="session")
def built_sample(make_warehouse: Callable[..., Settings], shared: Path) -> Settings:
    """The partners' sample, landed and built; skipped where the sample is not there."""
    return make_warehouse(shared / "sample" / "drops", *TESTED)
