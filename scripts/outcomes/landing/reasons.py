"""The reason codes of the ledger: one fixed code for everything that can be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto


class Reason(StrEnum):
    """Why a file, a row or a value was not loaded as it was sent.

    `seeds/policy/reason_codes.csv` says what each code means and who fixes it.
    """

    # Files as a whole
    UNKNOWN_FILE = auto()
    NAME_DATE_MISMATCH = auto()
    DATE_IN_THE_FUTURE = auto()
    AGREEMENT_NOT_IN_FORCE = auto()
    EMPTY_FILE = auto()
    WRONG_ENCODING = auto()
    CORRUPT_ARCHIVE = auto()
    ENCRYPTED_ARCHIVE = auto()
    UNSAFE_ARCHIVE = auto()
    DUPLICATE_MEMBER = auto()
    ARCHIVE_TOO_LARGE = auto()
    UNREADABLE_WORKBOOK = auto()
    UNREADABLE_PARQUET = auto()
    MISSING_SHEET = auto()
    HEADER_NOT_FOUND = auto()
    HEADER_MISSING_COLUMN = auto()
    HEADER_DUPLICATE_COLUMN = auto()
    HEADER_BLANK_COLUMN = auto()
    WRONG_LAYOUT = auto()
    RECORD_TOO_LONG = auto()
    TRAILER_MISSING = auto()
    TRAILER_COUNT_MISMATCH = auto()
    TRAILER_DATE_MISMATCH = auto()
    FAILED_TRANSFORM = auto()
    TOO_MANY_REJECTED_ROWS = auto()
    SHRUNKEN_SNAPSHOT = auto()
    UNREADABLE_FILE = auto()
    READER_FAILED = auto()
    ARCHIVE_FAILED = auto()
    DUPLICATE_CONTENT = auto()

    # Rows that cannot be read
    WRONG_FIELD_COUNT = auto()
    BAD_JSON = auto()
    STRAY_QUOTE = auto()
    UNCLOSED_QUOTE = auto()
    STRAY_CARRIAGE_RETURN = auto()
    NUL_CHARACTER = auto()
    UNDECODABLE_BYTES = auto()
    REPEATED_HEADER = auto()

    # Values
    MISSING_VALUE = auto()
    UNREADABLE_CELL = auto()
    BAD_FORMAT = auto()
    UNKNOWN_CODE = auto()
    BAD_DATE = auto()
    BAD_TIMESTAMP = auto()
    BAD_NUMBER = auto()
    BAD_BOOLEAN = auto()
    BAD_SCHOOL_YEAR = auto()
    OUT_OF_RANGE = auto()
    WRONG_SCHOOL_YEAR = auto()
    END_BEFORE_START = auto()
    CODE_OF_ANOTHER_SOURCE = auto()


@dataclass
class FileError(Exception):
    """A fault of a whole file; `detail` is for people and never holds a person's data.

    `error` names the exception and its place in the code, if a reader failed.
    """

    reason: Reason
    detail: str
    error: str | None = None

    def __str__(self) -> str:
        """Code and detail."""
        return f"{self.reason.value}: {self.detail}"
