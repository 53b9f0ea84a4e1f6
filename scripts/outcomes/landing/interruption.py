"""Errors for a failure of the database, the disk or the network."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from outcomes.errors import OutcomesError


@contextmanager
def explained() -> Iterator[None]:
    """Turn such a failure into an error that says what failed and what to do.

    Raises:
        OutcomesError: something other than a delivered file failed.
    """
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise _again(
            f"PostgreSQL has no space left: {_first_line(error)}", make_space=True
        ) from None
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.errors.InternalError_,  # a worker of a cluster was lost
    ) as error:
        raise _again(f"The connection to PostgreSQL broke: {_first_line(error)}") from None
    except OSError as error:
        # The archive's library passes on the text of an error, but not its number.
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT) or f"os error {errno.ENOSPC}" in str(
            error
        )
        raise _again(f"A file could not be read or written: {error}", make_space=is_full) from None


def _again(what: str, *, make_space: bool = False) -> OutcomesError:
    advice = "free some space and run" if make_space else "run"
    return OutcomesError(
        f"{what}\nEvery file has landed completely or not at all: {advice} the same command again."
    )


def _first_line(error: psycopg.Error) -> str:
    # Later lines can quote the row that was being written.
    return str(error).strip().split("\n")[0]
