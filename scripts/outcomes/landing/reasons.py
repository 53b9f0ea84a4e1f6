"""The reason codes of the ledger: one fixed code for everything that can be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Scope(Enum):
    """What a reason applies to, and so what happens."""

    FILE = "the file is quarantined"
    SNAPSHOT = "the file is held until it is released"
    REPEAT = "noted as a duplicate, nothing is loaded"
    ROW = "the row is rejected; in an optional column the value becomes null"


class Reason(Enum):
    """Why a file, a row or a value was not taken as it came.

    Each member's value is (code, scope, meaning, who puts it right). The table in
    `docs/reason_codes.md` is this list.
    """

    code: str
    scope: Scope
    meaning: str
    fixed_by: str

    def __init__(self, code: str, scope: Scope, meaning: str, fixed_by: str) -> None:
        self.code = code
        self.scope = scope
        self.meaning = meaning
        self.fixed_by = fixed_by

    # Files as a whole
    UNKNOWN_FILE = (
        "unknown_file",
        Scope.FILE,
        "No object of the partner's contract has a file, member or sheet of this name.",
        "partner, or us: extend the contract",
    )
    NAME_DATE_MISMATCH = (
        "name_date_mismatch",
        Scope.FILE,
        "The date in the file's name is not the delivery's as-of date.",
        "partner",
    )
    DATE_IN_THE_FUTURE = (
        "date_in_the_future",
        Scope.FILE,
        "The delivery's as-of date had not yet come when it was received.",
        "partner",
    )
    AGREEMENT_NOT_IN_FORCE = (
        "agreement_not_in_force",
        Scope.FILE,
        "The agreement does not cover the delivery's as-of date.",
        "us: renew the agreement, or delete the file",
    )
    EMPTY_FILE = (
        "empty_file",
        Scope.FILE,
        "The file holds nothing, not even the header or byte-order mark of an empty export.",
        "partner",
    )
    WRONG_ENCODING = (
        "wrong_encoding",
        Scope.FILE,
        "The file is not in the encoding that the contract declares.",
        "partner",
    )
    CORRUPT_ARCHIVE = (
        "corrupt_archive",
        Scope.FILE,
        "The archive cannot be unpacked: truncated, damaged, or no archive at all.",
        "partner: send it again",
    )
    ENCRYPTED_ARCHIVE = (
        "encrypted_archive",
        Scope.FILE,
        "The archive asks for a password.",
        "partner",
    )
    UNSAFE_ARCHIVE = (
        "unsafe_archive",
        Scope.FILE,
        "A member's name leads outside the archive, or a member is a link.",
        "partner",
    )
    DUPLICATE_MEMBER = (
        "duplicate_member",
        Scope.FILE,
        "The archive holds two members of one name.",
        "partner",
    )
    ARCHIVE_TOO_LARGE = (
        "archive_too_large",
        Scope.FILE,
        "Unpacked, the archive is out of all proportion to its size.",
        "partner",
    )
    UNREADABLE_WORKBOOK = (
        "unreadable_workbook",
        Scope.FILE,
        "The workbook cannot be opened: damaged, protected by a password, or no workbook.",
        "partner",
    )
    MISSING_SHEET = (
        "missing_sheet",
        Scope.FILE,
        "The workbook lacks a sheet of the contract.",
        "partner",
    )
    HEADER_NOT_FOUND = (
        "header_not_found",
        Scope.FILE,
        "The first line is not the header: none of the contract's columns is in it.",
        "partner",
    )
    HEADER_MISSING_COLUMN = (
        "header_missing_column",
        Scope.FILE,
        "A column of the contract was removed or renamed.",
        "partner, or us: change the contract",
    )
    HEADER_DUPLICATE_COLUMN = (
        "header_duplicate_column",
        Scope.FILE,
        "Two columns of the header have one name.",
        "partner",
    )
    HEADER_BLANK_COLUMN = (
        "header_blank_column",
        Scope.FILE,
        "A column of the header has no name.",
        "partner",
    )
    WRONG_LAYOUT = (
        "wrong_layout",
        Scope.FILE,
        "Every row has the wrong number of fields: another delimiter, or another layout.",
        "partner, or us: change the contract",
    )
    RECORD_TOO_LONG = (
        "record_too_long",
        Scope.FILE,
        "A record or line is longer than a megabyte, as after a quote that is never closed.",
        "partner",
    )
    TRAILER_MISSING = (
        "trailer_missing",
        Scope.FILE,
        "The last line is not the trailer: the file was cut off.",
        "partner: send it again",
    )
    TRAILER_COUNT_MISMATCH = (
        "trailer_count_mismatch",
        Scope.FILE,
        "The trailer counts other rows than the file holds.",
        "partner: send it again",
    )
    TRAILER_DATE_MISMATCH = (
        "trailer_date_mismatch",
        Scope.FILE,
        "The trailer's date is not the delivery's as-of date.",
        "partner",
    )
    FAILED_TRANSFORM = (
        "failed_transform",
        Scope.FILE,
        "The contract's SQL cannot be applied to the file and those that it looks into.",
        "us: change the contract",
    )
    SHRUNKEN_SNAPSHOT = (
        "shrunken_snapshot",
        Scope.SNAPSHOT,
        "The snapshot lost more rows than the contract's share against the one before.",
        "us: ask the partner, then release it or not",
    )
    DUPLICATE_CONTENT = (
        "duplicate_content",
        Scope.REPEAT,
        "The same content is in the same delivery under another name.",
        "nobody",
    )

    # Rows that cannot be read
    WRONG_FIELD_COUNT = (
        "wrong_field_count",
        Scope.ROW,
        "The row has more or fewer fields than the header or the layout.",
        "partner",
    )
    STRAY_QUOTE = (
        "stray_quote",
        Scope.ROW,
        'A quote inside an unquoted field, or text after a closing quote; `"` is written `""`.',
        "partner",
    )
    UNCLOSED_QUOTE = (
        "unclosed_quote",
        Scope.ROW,
        "A quote is never closed, so that the record swallows all lines to the end.",
        "partner",
    )
    STRAY_CARRIAGE_RETURN = (
        "stray_carriage_return",
        Scope.ROW,
        "A carriage return inside an unquoted field.",
        "partner",
    )
    NUL_CHARACTER = (
        "nul_character",
        Scope.ROW,
        "The row holds a NUL character.",
        "partner",
    )
    UNDECODABLE_BYTES = (
        "undecodable_bytes",
        Scope.ROW,
        "The row holds bytes that are no text in the declared encoding.",
        "partner",
    )
    REPEATED_HEADER = (
        "repeated_header",
        Scope.ROW,
        "The header again, in the middle of the file.",
        "partner",
    )

    # Values
    MISSING_VALUE = (
        "missing_value",
        Scope.ROW,
        "A required column is empty.",
        "partner",
    )
    UNREADABLE_CELL = (
        "unreadable_cell",
        Scope.ROW,
        "A workbook's cell holds an error, a formula without its value, or is merged.",
        "partner",
    )
    BAD_FORMAT = (
        "bad_format",
        Scope.ROW,
        "An id or code is not written as the contract says.",
        "partner",
    )
    UNKNOWN_CODE = (
        "unknown_code",
        Scope.ROW,
        "A code that is not in the contract's list.",
        "partner, or us: extend the contract",
    )
    BAD_DATE = (
        "bad_date",
        Scope.ROW,
        "Not a date of the calendar in the contract's format.",
        "partner",
    )
    BAD_TIMESTAMP = (
        "bad_timestamp",
        Scope.ROW,
        "Not a date and time in the contract's format.",
        "partner",
    )
    BAD_NUMBER = (
        "bad_number",
        Scope.ROW,
        "Not a plain number.",
        "partner",
    )
    BAD_BOOLEAN = (
        "bad_boolean",
        Scope.ROW,
        "Neither true nor false.",
        "partner",
    )
    BAD_SCHOOL_YEAR = (
        "bad_school_year",
        Scope.ROW,
        "Not a school year in the contract's way of writing it.",
        "partner",
    )
    OUT_OF_RANGE = (
        "out_of_range",
        Scope.ROW,
        "A number or date outside the contract's bounds.",
        "partner",
    )
    WRONG_SCHOOL_YEAR = (
        "wrong_school_year",
        Scope.ROW,
        "The row belongs to another school year than its snapshot.",
        "partner",
    )
    END_BEFORE_START = (
        "end_before_start",
        Scope.ROW,
        "The end lies before the start.",
        "partner",
    )
    CODE_OF_ANOTHER_SOURCE = (
        "code_of_another_source",
        Scope.ROW,
        "A code that the contract lists for another source than the row's.",
        "partner",
    )


@dataclass
class FileError(Exception):
    """A fault that concerns a whole file; `detail` is for people, never a person's data."""

    reason: Reason
    detail: str

    def __str__(self) -> str:
        """Code and detail."""
        return f"{self.reason.code}: {self.detail}"
