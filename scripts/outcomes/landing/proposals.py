"""Guesses the layout and columns of sample files, for a person to confirm.

The loader itself never guesses. A proposal has no value that could be personal: codes are
proposed only for columns whose name or values look like codes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from outcomes.contracts.formats import DateFormat

Rows = list[list[str]]

# An id or a date: a header has neither, almost every student's record has one.
DATA = re.compile(r"\d{5}|\d[-/.]\d")

_NULL_MARKERS = {
    "n/a", "na", "#n/a", "null", "none", ".", "-", "--", "00000000", "0000-00-00", "00/00/0000",
    "99999999",
}  # fmt: skip
_DATE_FORMATS = (
    "yyyy-MM-dd", "MM/dd/yyyy", "M/d/yyyy", "M/d/yy", "MM-dd-yyyy", "yyyyMMdd", "MMddyyyy",
    "dd-MMM-yyyy", "dd-MMM-yy",
)  # fmt: skip
_TIME_FORMATS = ("yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss", "MM/dd/yyyy HH:mm:ss")
# The crosswalk's domain, by parts of a column's name.
_DOMAINS = {
    "grade": "grade", "gr": "grade", "sex": "gender", "gender": "gender", "race": "race",
    "ethnic": "race", "ell": "english_learner", "lep": "english_learner",
    "english": "english_learner", "iep": "special_education", "special": "special_education",
    "sped": "special_education", "disab": "disability", "lunch": "economic_status",
    "econ": "economic_status", "homeless": "yes_no", "attend": "attendance",
    "absen": "attendance", "entry": "enrollment_code", "exit": "enrollment_code",
    "withdr": "enrollment_code", "excused": "yes_no", "session": "yes_no",
    "level": "performance_level", "subject": "subject", "mark": "mark_result",
    "action": "discipline_action",
}  # fmt: skip
# Another word could be a person's name, and a trailer's words get into the contract.
_TRAILER_WORDS = {
    "count", "date", "end", "eof", "file", "for", "lines", "number", "of", "on", "record",
    "records", "row", "rows", "run", "student", "students", "total", "trailer", "trl",
}  # fmt: skip
_CODE_NAME = re.compile(r"code|status|type|flag|school|bldg|building|reason", re.IGNORECASE)
_MOST_CODES = 40


@dataclass(frozen=True)
class Layout:
    """The position of a table among the rows of a file or sheet."""

    header: int | None
    first: int
    last: int
    footer: str | None = None
    is_trailed: bool = False


@dataclass
class Column:
    """A guess about a column, as keys of a contract's property."""

    property: dict[str, Any]
    custom: dict[str, Any] = field(default_factory=dict)
    domain: str | None = None
    codes: list[str] = field(default_factory=list)


def find_table(rows: Rows) -> Layout:
    """The header, the rows and the footers of a table with titles above and totals below."""
    widths = [sum(bool(cell.strip()) for cell in row) for row in rows]
    usual = Counter(width for width in widths if width > 1).most_common(1)
    enough = max(2, (usual[0][0] + 1) // 2) if usual else 1
    first = next((n for n, width in enumerate(widths) if width >= enough), None)
    if first is None:
        first = next((n for n, width in enumerate(widths) if width), 0)
    header = None if any(DATA.search(cell) for cell in rows[first]) else first
    last = max((n for n, width in enumerate(widths) if width >= enough), default=first)
    # A row of totals is as full as others, but begins with a word such as "total".
    while last > first and re.match(r"(grand )?total|count|records", _text(rows[last]), re.I):
        last -= 1
    footers = [_text(row) for row in rows[last + 1 :] if any(row)]
    footer = "|".join(dict.fromkeys(_as_pattern(text) for text in footers)) or None
    start = first if header is None else first + 1
    cells = [row for row in rows[start : last + 1] if len(row) > 1]
    is_trailed = bool(cells) and all(not row[-1].strip() for row in cells)
    return Layout(header, start, last, footer, is_trailed)


def find_columns(lines: Sequence[str]) -> list[tuple[int, int]]:
    """The columns of a fixed-width text: between places that are blank in every line."""
    width = max(map(len, lines), default=0)
    used = [any(line[n : n + 1].strip() for line in lines) for n in range(width)]
    starts = [n for n in range(width) if used[n] and (n == 0 or not used[n - 1])]
    ends = [*starts[1:], width]
    return list(zip(starts, ends, strict=True))


def crosses_columns(line: str, lines: Sequence[str]) -> bool:
    """Whether a line has text where all others are blank, or end."""
    gaps = {n for n in range(len(line)) if not any(other[n : n + 1].strip() for other in lines)}
    return bool(lines) and any(line[n].strip() for n in gaps)


def looks_fixed(lines: Sequence[str]) -> bool:
    """Whether all lines have the same length, or blanks at the same places."""
    columns = len(find_columns(lines))
    if len(lines) < 2:
        return bool(DATA.search("".join(lines)))
    common = Counter(len(line.rstrip()) for line in lines).most_common(1)[0][1]
    same = Counter(map(len, lines)).most_common(1)[0][1]
    return columns > 2 or (columns > 1 and max(common, same) >= 0.8 * len(lines))


def find_trailer(line: str, rows: int) -> dict[str, str] | None:
    """The trailer that a line is if it has the number of rows, and perhaps a date; else None."""
    line = line.strip()
    if {*re.findall("[a-z]+", line.lower())} - _TRAILER_WORDS:
        return None
    # A date of eight digits can follow without a gap.
    count = re.search(rf"(?<!\d)0*{rows}(?=\D|\d{{8}}(?!\d)|$)", line)
    if count is None:
        return None
    after = line[count.end() :]
    size = f"{{{len(count[0])}}}" if after[:1].isdigit() else "+"
    pattern = f"{_as_pattern(line[: count.start()])}(?P<rows>[0-9]{size})"
    for written in _DATE_FORMATS:
        if day := re.search(rf"(?<!\d){DateFormat.parse(written).regex}(?!\d)", after):
            before, beyond = _as_pattern(after[: day.start()]), _as_pattern(after[day.end() :])
            return {"pattern": rf"{pattern}{before}(?P<date>\S+){beyond}", "dateFormat": written}
    return {"pattern": pattern + _as_pattern(after)}


def describe(name: str, values: Sequence[str]) -> Column:
    """The guess about a column, from its name and values."""
    sent = [value.strip() for value in values]
    markers = sorted({value for value in sent if value.lower() in _NULL_MARKERS})
    known = [value for value in sent if value and value not in markers]
    column = Column({"logicalType": "string"})
    if markers:
        column.custom["nullMarkers"] = markers
    if known and len(known) == len(sent):
        column.property["required"] = True
    if not known:
        return column
    words = re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    domain = next(
        (d for part, d in _DOMAINS.items() for word in words if _is_part(part, word)), None
    )
    written = next((f for f in (*_DATE_FORMATS, *_TIME_FORMATS) if _is_date(f, known)), None)
    codes = sorted(set(known))
    is_short = max(map(len, codes)) <= 3 and len(known) > 2 * len(codes)
    is_code = domain or _CODE_NAME.search(name) or is_short
    if written:
        kind = "timestamp" if written in _TIME_FORMATS else "date"
        column.property |= {"logicalType": kind, "logicalTypeOptions": {"format": written}}
    elif all(_is_school_year(value) for value in known):
        column.custom["parse"] = "school_year"
    elif all(re.fullmatch(r"-?\d*\.?\d+", value) for value in known) and "." in "".join(known):
        column.property["logicalType"] = "number"
    elif is_code and len(codes) <= _MOST_CODES and max(map(len, codes)) <= 30:
        column.property["enum"] = [{"value": code} for code in codes]
        column.domain, column.codes = domain, codes
    elif all(re.fullmatch(r"\d+", value) for value in known):
        lengths = {len(value) for value in known}
        size = f"{{{min(lengths)}}}" if len(lengths) == 1 else f"{{{min(lengths)},{max(lengths)}}}"
        column.property["logicalTypeOptions"] = {"pattern": f"[0-9]{size}"}
    return column


def suggest(domain: str, code: str) -> str:
    """The warehouse's code for a district's, if it is almost certain; else an empty text."""
    plain = code.lower()
    if domain == "grade":
        kindergarten = {"k": "0", "kg": "0", "kf": "0", "k5f": "0", "pk": "-1", "pr": "-1"}
        number = plain.lstrip("0")
        return kindergarten.get(plain, number if number.isdigit() and int(number) <= 12 else "")
    words = {
        "gender": {"m": "male", "male": "male", "f": "female", "female": "female"},
        "yes_no": {"y": "yes", "yes": "yes", "n": "no", "no": "no"},
        "english_learner": {"y": "yes", "yes": "yes", "n": "no", "no": "no"},
        "performance_level": {
            "advanced": "Advanced", "proficient": "Proficient", "basic": "Basic",
            "below basic": "Below Basic",
        },
    }  # fmt: skip
    return words.get(domain, {}).get(plain, "")


def _is_part(part: str, word: str) -> bool:
    # A short part must be a whole word: `gr` is also in `program`.
    return word == part if len(part) < 4 else word.startswith(part)


def _is_date(written: str, values: Sequence[str]) -> bool:
    regex = DateFormat.parse(written).regex
    return all(re.fullmatch(regex, value) for value in values)


def _is_school_year(value: str) -> bool:
    """Whether a text looks like a school year: two years, or a fiscal one."""
    years = re.fullmatch(r"(?:19|20)?(\d\d)[-/](?:19|20)?(\d\d)", value)
    follows = years is not None and (int(years[1]) + 1) % 100 == int(years[2])
    return follows or re.fullmatch(r"FY ?(?:19|20)?\d\d", value, re.IGNORECASE) is not None


def _text(row: Sequence[str]) -> str:
    return " ".join(cell.strip() for cell in row if cell.strip() and "\0" not in cell)


def _as_pattern(text: str) -> str:
    """A pattern for a footer, with its numbers and dates generalized."""
    parts = re.split(r"\d[\d,./:-]*", text)
    return "[0-9,./:-]+".join(re.escape(part).replace(r"\ ", " ") for part in parts)
