"""Settings from the environment: folders, and the connection to the warehouse."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from outcomes.errors import OutcomesError

PROJECT_DIR = Path(__file__).resolve().parents[2]
CONTRACTS_DIR = PROJECT_DIR / "contracts"
RAW_SOURCES_FILE = PROJECT_DIR / "models" / "sources" / "raw.yml"

DEFAULT_DATABASE = "outcomes"
# Not PostgreSQL's own 5432, so that the embedded server does not collide with an installed one.
DEFAULT_PORT = 54329
EMBEDDED_HOST = "127.0.0.1"
SHORTEST_PSEUDONYM_KEY = 32


@dataclass(frozen=True)
class Settings:
    """The connection (`OUTCOMES_PG_*`), the folders, and the pseudonyms' key."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    warehouse_dir: Path
    archive_dir: Path
    archive_keys_dir: Path
    pseudonym_key: str = field(repr=False)
    # Whether the database is the coordinator of a Citus cluster.
    is_distributed: bool
    # Whom a district asks about its workbook.
    contact: str

    @property
    def files_dir(self) -> Path:
        """The folder of this database's archive, keys, reports and certificates."""
        return files_dir(self.warehouse_dir, self.database)

    @property
    def password_file(self) -> Path:
        """The embedded server's generated password (mode 0600)."""
        return self.warehouse_dir / "password"

    def address_of(self, login: str) -> str:
        """Where a login connects, as a URI that psql takes."""
        return f"postgresql://{login}@{self.host}:{self.port}/{self.database}"


def load_settings() -> Settings:
    """Read the settings from the environment; the defaults are the embedded server's.

    Raises:
        OutcomesError: `OUTCOMES_PG_PORT` is not a port number, or `OUTCOMES_PSEUDONYM_KEY` is
            too short.
    """
    warehouse_dir = _folder("OUTCOMES_WAREHOUSE_DIR", PROJECT_DIR / ".warehouse")
    port = os.environ.get("OUTCOMES_PG_PORT") or str(DEFAULT_PORT)
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise OutcomesError(f"OUTCOMES_PG_PORT must be a port number (1-65535), not {port!r}.")
    password = os.environ.get("OUTCOMES_PG_PASSWORD", "")
    host = os.environ.get("OUTCOMES_PG_HOST") or EMBEDDED_HOST
    password_file = warehouse_dir / "password"
    # The embedded server's password is not sent to any other server.
    if not password and host == EMBEDDED_HOST and password_file.exists():
        password = password_file.read_text().strip()
    database = os.environ.get("OUTCOMES_PG_DATABASE") or DEFAULT_DATABASE
    files = files_dir(warehouse_dir, database)
    pseudonym_key = os.environ.get("OUTCOMES_PSEUDONYM_KEY", "")
    if 0 < len(pseudonym_key) < SHORTEST_PSEUDONYM_KEY:
        raise OutcomesError(
            f"OUTCOMES_PSEUDONYM_KEY has {len(pseudonym_key)} characters. Expected at least "
            f"{SHORTEST_PSEUDONYM_KEY} of a random text, for instance from `openssl rand -hex 32`."
        )
    return Settings(
        host=host,
        port=int(port),
        user=os.environ.get("OUTCOMES_PG_USER") or "outcomes",
        password=password,
        database=database,
        warehouse_dir=warehouse_dir,
        archive_dir=_folder("OUTCOMES_ARCHIVE_DIR", files / "archive"),
        archive_keys_dir=_folder("OUTCOMES_ARCHIVE_KEYS_DIR", files / "keys"),
        pseudonym_key=pseudonym_key,
        is_distributed=bool(os.environ.get("OUTCOMES_DISTRIBUTED")),
        contact=os.environ.get("OUTCOMES_CONTACT", ""),
    )


def files_dir(warehouse_dir: Path, database: str) -> Path:
    """The files of a database: two databases of one server share none."""
    if database == DEFAULT_DATABASE:
        return warehouse_dir
    return warehouse_dir / "databases" / database.replace("/", "_")


@contextmanager
def changed_environment(**variables: str) -> Iterator[None]:
    """Set variables of the environment, and restore them afterwards."""
    given = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in given.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _folder(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable) or default).resolve()
