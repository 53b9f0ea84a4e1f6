"""The longer SQL statements: each is a file `queries/<name>.sql` of the package that runs it."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def query(package: str, name: str) -> bytes:
    """The statement of a package, with psycopg's placeholders."""
    return resources.files(package).joinpath("queries", f"{name}.sql").read_bytes()
