"""Tells a failure of the database, the disk or the network from the fault of one file."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from outcomes.errors import OutcomesError
from outcomes.landing.reasons import FileError, Reason


def fault_of(error: BaseException) -> FileError:
    """What went wrong while one file was processed, as the fault of that file.

    Anything that a library raises counts: the next file may be readable. The text of an unknown
    error is left out, because it can quote a row.

    Raises:
        BaseException: the error itself, if it concerns all files: the database is lost, a disk is
            full, somebody stopped the command.
    """
    match error:
        case FileError():
            return error
        case OutcomesError():
            return FileError(Reason.ARCHIVE_FAILED, str(error))
        case psycopg.DataError() | psycopg.IntegrityError():
            pass
        case psycopg.Error() | KeyboardInterrupt() | SystemExit() | GeneratorExit():
            raise error
        case OSError() if _is_full(error):
            raise error
        case OSError():
            problem = error.strerror or type(error).__name__
            return FileError(Reason.UNREADABLE_FILE, f"cannot be read: {problem}")
    where = f"{type(error).__name__} in {_failing_line(error)}"
    return FileError(
        Reason.READER_FAILED,
        f"this release cannot read it ({where}). Please report that; every landing tries again",
        where,
    )


def _failing_line(error: BaseException) -> str:
    """The line of this package in which an error arose."""
    package = Path(__file__).parent.parent
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(package)
    ]  # fmt: skip
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "a library"


def _is_full(error: OSError) -> bool:
    # The archive's library passes on the text of an error, but not its number.
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or f"os error {errno.ENOSPC}" in str(error)


@contextmanager
def explain_failures() -> Iterator[None]:
    """Turn such a failure into an error that says what failed and what to do.

    Raises:
        OutcomesError: something other than a delivered file failed.
    """
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise _run_again(
            f"PostgreSQL has no space left: {_first_line(error)}", make_space=True
        ) from None
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.errors.InternalError_,  # a worker of a cluster was lost
    ) as error:
        raise _run_again(f"The connection to PostgreSQL broke: {_first_line(error)}") from None
    except OSError as error:
        raise _run_again(
            f"A file could not be read or written: {error}", make_space=_is_full(error)
        ) from None


def _run_again(what: str, *, make_space: bool = False) -> OutcomesError:
    advice = "free some space and run" if make_space else "run"
    return OutcomesError(
        f"{what}\nEvery file has landed completely or not at all: {advice} the same command again."
    )


def _first_line(error: psycopg.Error) -> str:
    # Later lines can quote the row that was being written.
    return str(error).strip().split("\n")[0]
