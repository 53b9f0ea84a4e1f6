"""A PostgreSQL for the tests: one embedded server a session, one database a test."""

from __future__ import annotations

import contextlib
import io
import itertools
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, sync_playwright
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from tests.python.parsed_projects import SCRATCH, folders, invoke_dbt, parsed

from outcomes.access.roles import apply_access
from outcomes.config import CONTRACTS_DIR, PROJECT_DIR, Settings, load_settings
from outcomes.contracts.reader import district_ids, load_contracts
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect
from outcomes.warehouse.server import EmbeddedServer
from outcomes.warehouse.tables import create_tables
from outcomes.warehouse.temporary import memory_folder

_numbers = itertools.count(1)

# The same examples in every run; `make test-all` runs more of them.
for _profile, _examples in {"few": 10, "many": 300}.items():
    hypothesis_settings.register_profile(
        _profile, derandomize=True, database=None, deadline=None, max_examples=_examples
    )
hypothesis_settings.load_profile("few")

# `dbt build` without its unit tests, which do not read the warehouse.
TESTED = ("build", "--exclude-resource-type", "unit_test")
# `dbt build` without seeds, which each warehouse has before, and without any tests: these run
# once on the demo (`first_publication`) and once on the sample (test_project_tests.py).
UNTESTED = ("build", "--resource-type", "model", "--resource-type", "function")
# For a project whose seeds differ from ours.
WITH_SEEDS = (*UNTESTED, "--resource-type", "seed")

# Deliveries of all partners, with the correct results.
SAMPLE = PROJECT_DIR / "tests" / "sample"

# Fixtures of warehouses, of which each is made by one worker.
SHARED = ("built_demo", "first_publication", "weekly", "built_sample")
# Groups of tests that take long, the longest first.
LONG = (*SHARED, "test_upgrade", "test_incomplete_records", "test_pollution", "test_bad_input")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, each shared warehouse is made by one, and no file is split.

    The longest group comes first, so that the workers end at about the same time.
    """
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    places = {group: place for place, group in enumerate(LONG)}
    items.sort(key=lambda item: places.get(groups[item], len(LONG)))


def _group(item: pytest.Item) -> str:
    assert isinstance(item, pytest.Function)
    named = item.callspec.params.values() if hasattr(item, "callspec") else ()
    used = [*item.fixturenames, *named]
    return next((name for name in SHARED if name in used), item.path.stem)


@pytest.fixture(scope="session", autouse=True)
def target() -> Iterator[None]:
    """Build in place, because most tests only read the result; publishing's tests change this."""
    with pytest.MonkeyPatch.context() as environment:
        # What plain dbt built is of this code, too, and the checkout may change meanwhile.
        environment.setenv("OUTCOMES_CODE_VERSION", "test")
        environment.setenv("OUTCOMES_TARGET", "in_place")
        environment.delenv("OUTCOMES_SCHEMA_PREFIX", raising=False)
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server",
        metavar="URL",
        help="a PostgreSQL to test on, instead of the embedded one, for one process: "
        "postgresql://user:password@host:port",
    )


@pytest.fixture(scope="session")
def warehouse(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """An embedded server on a free port, in a folder of its own; the environment points at it.

    Use `database` for a test that writes; this one is shared by the whole session.
    """
    with pytest.MonkeyPatch.context() as environment:
        for name in ("PG_HOST", "PG_USER", "PG_PASSWORD", "ARCHIVE_DIR", "ARCHIVE_KEYS_DIR"):
            environment.delenv(f"OUTCOMES_{name}", raising=False)
        given = request.config.getoption("server")
        with _given(given, environment) if given else own_server(environment) as settings:
            yield settings


@pytest.fixture
def new_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A server of the test's own: roles belong to a whole server."""
    with own_server(monkeypatch) as settings:
        yield settings


@contextlib.contextmanager
def own_server(environment: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An embedded server on a free port, in a folder of its own; the environment points at it."""
    folder = Path(tempfile.mkdtemp(prefix="outcomes-tests-", dir=memory_folder()))
    # Started by root, the server runs as another user, who needs access.
    folder.chmod(0o755)
    environment.setenv("OUTCOMES_WAREHOUSE_DIR", str(folder / "warehouse"))
    environment.setenv("OUTCOMES_PG_PORT", str(free_port()))
    environment.delenv("OUTCOMES_PG_DATABASE", raising=False)
    environment.setenv("PGPASSFILE", str(folder / "pgpass"))
    server = EmbeddedServer(load_settings())
    try:
        server.start()
        with connect() as connection:
            # Durability is not needed.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"alter system set {setting} = off".encode())
            connection.execute("select pg_reload_conf()")
            # Nor is a password that is slow to try: dbt connects anew for every model.
            connection.execute("set scram_iterations = 1")
            password = sql.Literal(connection.info.password)
            connection.execute(sql.SQL("alter role current_user password {}").format(password))
        yield load_settings()
    finally:
        server.reset()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _given(url: str, environment: pytest.MonkeyPatch) -> Iterator[Settings]:
    for name, value in conninfo_to_dict(url).items():
        environment.setenv(f"OUTCOMES_PG_{name.upper()}", str(value))
    with (
        tempfile.TemporaryDirectory(prefix="outcomes-tests-") as folder,
        connect(replace(load_settings(), database="postgres")) as server,
    ):
        environment.setenv("OUTCOMES_WAREHOUSE_DIR", folder)
        environment.setenv("PGPASSFILE", str(Path(folder) / "pgpass"))
        server.execute("create database outcomes")
        try:
            yield load_settings()
        finally:
            server.execute("drop database outcomes with (force)")


@pytest.fixture(scope="session")
def empty(warehouse: Settings) -> Iterator[Settings]:
    """The ledger and empty raw tables, to be copied."""
    settings = replace(warehouse, database="empty")
    with connect(warehouse) as server:
        server.execute("create database empty")
        with connect(settings) as connection:
            create_tables(connection)
        yield settings
        server.execute("drop database empty")


@contextlib.contextmanager
def cloned(original: Settings, name: str) -> Iterator[Settings]:
    """A copy of a database; the original must have no connections."""
    identifier = sql.Identifier(name)
    with connect(replace(original, database="postgres")) as server:
        server.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                identifier, sql.Identifier(original.database)
            )
        )
        try:
            yield replace(original, database=name)
        finally:
            server.execute(sql.SQL("drop database {} with (force)").format(identifier))


@contextlib.contextmanager
def copied(built: Settings, name: str) -> Iterator[Settings]:
    """A copy of a built warehouse, with the rights on the database, which are not copied."""
    with cloned(built, name) as settings:
        with connect(settings) as connection:
            apply_access(connection, district_ids(load_contracts().values()))
        yield settings


@pytest.fixture
def database(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A new database with the ledger and empty raw tables; the environment points at it."""
    with cloned(empty, f"test_{next(_numbers)}") as settings:
        monkeypatch.setenv("OUTCOMES_PG_DATABASE", settings.database)
        yield settings


@pytest.fixture
def connection(database: Settings) -> Iterator[psycopg.Connection]:
    """A connection to the test's own database."""
    with connect(database) as opened:
        yield opened


@pytest.fixture
def another_database(
    empty: Settings, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], psycopg.Connection]]:
    """Make another empty database, connect to it, and point the environment at it."""
    with contextlib.ExitStack() as stack:

        def make() -> psycopg.Connection:
            settings = stack.enter_context(cloned(empty, f"test_{next(_numbers)}"))
            monkeypatch.setenv("OUTCOMES_PG_DATABASE", settings.database)
            return stack.enter_context(connect(settings))

        yield make


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A headless Chromium or Chrome of the system; CI's machines have Chrome."""
    programs = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    program = next(filter(None, programs), None)
    if program is None:
        pytest.skip("neither Chromium nor Chrome is installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def seeded(empty: Settings) -> Iterator[Settings]:
    """An empty warehouse with its roles and seeds, to be copied."""
    with copied(empty, "seeded") as settings:
        with connect(settings) as connection:
            # The same pseudonyms and the same noise in every run of the tests.
            connection.execute("update privacy.pseudonym_key set key = sha256('tests')")
        run_dbt(settings, "seed")
        yield settings


@pytest.fixture(scope="session")
def make_warehouse(seeded: Settings) -> Iterator[Callable[..., Settings]]:
    """Make a warehouse from deliveries with dbt alone.

    The loader lands and the builder builds, so every such warehouse shows that their
    grants are enough.
    """
    with _making(seeded) as make:
        yield make


@pytest.fixture
def make_own_warehouse(seeded: Settings) -> Iterator[Callable[..., Settings]]:
    """Make a warehouse that is dropped after the test."""
    with _making(seeded) as make:
        yield make


@contextlib.contextmanager
def _making(seeded: Settings) -> Iterator[Callable[..., Settings]]:
    with contextlib.ExitStack() as stack:

        def make(
            drops: Path,
            *dbt: str,
            files: Sequence[Path] | None = None,
            contracts: Path = CONTRACTS_DIR,
            project: Path = PROJECT_DIR,
            is_built: bool = True,
        ) -> Settings:
            settings = stack.enter_context(cloned(seeded, f"built_{next(_numbers)}"))
            agreed = load_contracts(contracts)
            with connect(settings) as opened:
                apply_access(opened, district_ids(agreed.values()))
                opened.execute("set role outcomes_loader")
                for path in [drops] if files is None else files:
                    delivered = find_deliveries(path, agreed)
                    assert not delivered.unplaced
                    for _ in land_deliveries(opened, agreed, delivered.files):
                        pass
            if is_built:
                run_dbt(settings, *(dbt or UNTESTED), project=project)
            return settings

        yield make


def run_dbt(
    built: Settings,
    *arguments: str,
    role: str = "outcomes_builder",
    project: Path = PROJECT_DIR,
    options: str = "",
) -> str:
    """Run plain dbt on a warehouse, as the builder would; fail the test if dbt fails."""
    done = try_dbt(built, *arguments, role=role, project=project, options=options)
    assert done.success, done.output[-6000:]
    return done.output


@dataclass(frozen=True)
class DbtRun:
    """Result and output of a run of dbt."""

    success: bool
    output: str


def try_dbt(
    built: Settings,
    *arguments: str,
    role: str = "outcomes_builder",
    project: Path = PROJECT_DIR,
    options: str = "",
) -> DbtRun:
    """Run plain dbt on a warehouse, whether it fails or not.

    It runs in this process, on a project that is parsed once: starting dbt takes five seconds,
    parsing the project ten, and there are a hundred runs.

    Args:
        built: the warehouse.
        arguments: dbt's.
        role: role of dbt's sessions; empty for the login's own rights.
        project: the folder of the project.
        options: more settings of the sessions, as libpq takes them.
    """
    with (
        pytest.MonkeyPatch.context() as environment,
        redirect_stdout(io.StringIO()) as output,
    ):
        # Artifacts and the log of all statements would take a fifth of dbt's time.
        environment.setenv("DBT_WRITE_JSON", "false")
        environment.setenv("DBT_LOG_LEVEL_FILE", "none")
        manifest = None if arguments[0] in ("debug", "parse") else parsed(project, built.database)
        environment.setenv("DBT_TARGET_PATH", str(SCRATCH / "run"))
        environment.setenv("OUTCOMES_PG_DATABASE", built.database)
        environment.setenv("PGOPTIONS", f"{f'-c role={role}' if role else ''} {options}")
        done = invoke_dbt(["--no-use-colors", *arguments, *folders(project)], manifest)
    return DbtRun(done.success, output.getvalue())


@pytest.fixture(scope="session")
def demo_drops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented deliveries, small enough to build in every run of the tests."""
    from demo.generate import Progress, generate
    from demo.plan import Plan

    folder = tmp_path_factory.mktemp("demo")
    plan = Plan(students=400, clients=4000, weeks=3, school_years=2, seed=11)
    generate(plan, folder / "demo", Progress(lambda _: None, lambda _: None))
    return folder / "demo" / "drops"


@pytest.fixture(scope="session")
def built_demo(make_warehouse: Callable[..., Settings], demo_drops: Path) -> Settings:
    """The demo, landed and built."""
    return make_warehouse(demo_drops)


@pytest.fixture(scope="session")
def first_publication(make_warehouse: Callable[..., Settings], demo_drops: Path) -> Settings:
    """The demo, built on the target prod for the first time, and so published."""
    settings = make_warehouse(demo_drops, is_built=False)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OUTCOMES_TARGET", "prod")
        output = run_dbt(settings, *TESTED)
    assert "Published: " in output
    # The data tests of the demo, which no other test runs.
    assert " WARN=0 " in output and " SKIP=0 " in output
    return settings


@pytest.fixture(scope="session")
def built_sample(make_warehouse: Callable[..., Settings]) -> Settings:
    """The sample, landed and built; test_project_tests.py tests it."""
    return make_warehouse(SAMPLE / "drops")
