"""Where in a warehouse's tables and files certain values stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
from tests.python.access.rights import relations_of


def places_in_tables(connection: psycopg.Connection, canaries: set[str]) -> set[str]:
    """Relations, of every schema and the catalog's statistics, that hold a canary."""
    found = set()
    for relation in [*relations_of(connection), "pg_catalog.pg_statistic"]:
        with connection.cursor().copy(f"copy (select * from {relation}) to stdout".encode()) as out:
            if _holds(b"".join(bytes(part) for part in out), canaries):
                found.add(relation)
    return found


def places_in_files(folders: Iterable[Path], canaries: set[str]) -> set[Path]:
    return {file for file, content in files_of(folders) if _holds(content, canaries)}


def files_of(folders: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """All files below the folders, and their content."""
    for file in (file for folder in folders for file in folder.rglob("*") if file.is_file()):
        # A running server deletes files meanwhile.
        with suppress(FileNotFoundError):
            yield file, file.read_bytes()


def _holds(content: bytes, canaries: set[str]) -> bool:
    """Whether a canary is in the content, in any case of letters."""
    lower = content.lower()
    return any(canary.lower().encode() in lower for canary in canaries)
