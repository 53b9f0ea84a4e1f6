"""Clean delimited files of several shapes, and many ways to damage them.

The correct rows of a damaged file are known as `truth`. If the result is a well-formed file
with another meaning, no reader can notice the damage: for example quotes around a field, or a
missing first letter. Then `strict_rows` gives the rows by RFC 4180, computed by a simple
reference reader, and a row in either is not wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

Row = tuple[str, ...]
# Draws a value from a strategy, so that Hypothesis can choose and simplify it.
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Polluted:
    """One file: its bytes and its correct rows."""

    header: Row
    data: bytes
    truth: list[Row] = field(default_factory=list)
    delimiter: str = ","
    shape: str = ""


@dataclass(frozen=True)
class Shape:
    """A kind of clean file."""

    name: str
    header: Row
    make: Callable[[Draw, int], Row]
    quote_all: bool = False


def _person(draw: Draw, number: int) -> Row:
    name = draw(st.sampled_from(["Lee", "Nuñez", "O'Hara", "Null", "van der Berg"]))
    return (f"{number:05}", name, f"0{number % 9 + 1}/12/2004", f"{number % 4}.50")


def _free_text(draw: Draw, number: int) -> Row:
    texts = ["plain", "with, comma", 'with "quotes"', "two\nlines", "", " padded ", "=1+1"]
    notes = st.sampled_from(texts)
    return (f"id{number}", draw(notes), draw(notes), "end")


def _wide(_: Draw, number: int) -> Row:
    return tuple(f"{number}-{column}" for column in range(30))


PEOPLE = ("StudentID", "Last Name", "Birth Date", "GPA")
SHAPES = {
    shape.name: shape
    for shape in (
        Shape("people", PEOPLE, _person),
        Shape("quoted_people", PEOPLE, _person, quote_all=True),
        Shape("free_text", ("id", "note", "Größe", "last"), _free_text),
        Shape("wide", tuple(f"column {n}" for n in range(30)), _wide),
        Shape("two_columns", ("key", "value"), lambda _, n: (f"k{n}", f"v{n}")),
    )
}


def write(
    rows: list[Row], delimiter: str = ",", end: str = "\n", *, quote_all: bool = False
) -> list[str]:
    """Rows by RFC 4180, each with its line end."""

    def field(value: str) -> str:
        needs_quotes = any(mark in value for mark in (delimiter, '"', "\n", "\r"))
        return '"' + value.replace('"', '""') + '"' if quote_all or needs_quotes else value

    return [delimiter.join(map(field, row)) + end for row in rows]


@dataclass(frozen=True)
class Clean:
    """A clean file, to be damaged at places that `draw` chooses."""

    draw: Draw
    shape: Shape
    truth: list[Row]

    def written(self, delimiter: str = ",", end: str = "\n") -> list[str]:
        """Header and rows in another dialect."""
        rows = [self.shape.header, *self.truth]
        return write(rows, delimiter, end, quote_all=self.shape.quote_all)

    @property
    def text(self) -> str:
        """The whole file."""
        return "".join(self.written())

    @property
    def header(self) -> str:
        """The first line."""
        return self.written()[0]

    @property
    def body(self) -> str:
        """All other lines."""
        return "".join(self.written()[1:])

    def number(self, first: int, last: int) -> int:
        """A number from the first to the last."""
        return int(self.draw(st.integers(first, last)))


Pollute = Callable[[Clean], "str | bytes"]


def _extra(mark: str, clean: Clean) -> str:
    place = clean.number(0, len(clean.text))
    return clean.text[:place] + mark + clean.text[place:]


def _missing(mark: str, clean: Clean) -> str:
    places = [n for n, character in enumerate(clean.text) if character == mark]
    assume(places)
    place = clean.draw(st.sampled_from(places))
    return clean.text[:place] + clean.text[place + 1 :]


def _in_a_line(change: Callable[[str], str], clean: Clean) -> str:
    lines = clean.written()
    row = clean.number(1, len(lines) - 1)
    lines[row] = change(lines[row].removesuffix("\n")) + "\n"
    return "".join(lines)


def _field(clean: Clean, *, extra: bool) -> str:
    def change(line: str) -> str:
        fields = line.split(",")
        cut = clean.number(0, len(fields) - 1)
        return ",".join(
            fields[:cut] + (["extra", fields[cut]] if extra else []) + fields[cut + 1 :]
        )

    return _in_a_line(change, clean)


def _rows_run_together(clean: Clean) -> str:
    lines = clean.written()
    row = clean.number(1, len(lines) - 1)
    return "".join([*lines[:row], lines[row].removesuffix("\n"), *lines[row + 1 :]])


def _lone_byte(clean: Clean) -> bytes:
    data = clean.text.encode()
    place = clean.number(0, len(data) - 1)
    return data[:place] + b"\xff" + data[place:]


def _mixed_ends(clean: Clean) -> str:
    ends = st.sampled_from(["\n", "\r\n", "\r"])
    return "".join(line.removesuffix("\n") + clean.draw(ends) for line in clean.written())


def _header(old: int, new: Callable[[Row], str], clean: Clean) -> str:
    names = clean.shape.header
    return clean.header.replace(names[old], new(names), 1) + clean.body


# A character too many or too few, anywhere: at the ends of fields, in header and rows.
IN_A_PLACE: dict[str, Pollute] = {
    "extra_quote": partial(_extra, '"'),
    "extra_delimiter": partial(_extra, ","),
    "extra_newline": partial(_extra, "\n"),
    "extra_cr": partial(_extra, "\r"),
    "missing_quote": partial(_missing, '"'),
    "missing_delimiter": partial(_missing, ","),
    "missing_newline": partial(_missing, "\n"),
    "cut_off": lambda clean: clean.text[: clean.number(len(clean.header), len(clean.text) - 1)],
    "lone_byte": _lone_byte,
}
IN_A_LINE: dict[str, Pollute] = {
    "extra_field": partial(_field, extra=True),
    "missing_field": partial(_field, extra=False),
    "rows_run_together": _rows_run_together,
    **{
        name: partial(_in_a_line, change)
        for name, change in {
            "trailing_delimiter": lambda line: f"{line},",
            "leading_delimiter": lambda line: f",{line}",
            "quote_before_line": lambda line: f'"{line}',
            "quote_after_line": lambda line: f'{line}"',
            "backslash_quote": lambda line: f'{line}\\"',
            "quote_after_space": lambda line: line.replace(",", ', "', 1),
            "nul": lambda line: f"{line}\0",
            "tab_for_comma": lambda line: line.replace(",", "\t"),
            "text_after_quote": lambda line: f'"{line.replace(chr(34), "")}" x',
        }.items()
    },
}
DELIMITERS = {
    "semicolon": ";", "tab": "\t", "space": " ", "comma_space": ", ", "pipe": "|",
    "section": "§", "double_pipe": "||",
}  # fmt: skip
DIALECTS: dict[str, Pollute] = {
    **{
        f"undeclared_{name}": lambda clean, mark=mark: "".join(clean.written(mark))
        for name, mark in DELIMITERS.items()
    },
    **{
        f"line_end_{name}": lambda clean, end=end: "".join(clean.written(end=end))
        for name, end in {
            "crlf": "\r\n", "cr": "\r", "blank_lines": "\n\n", "crcrlf": "\r\r\n",
        }.items()
    },
    "line_end_mixed": _mixed_ends,
    "backslash_escapes": lambda clean: clean.text.replace('""', '\\"'),
    "single_quotes": lambda clean: clean.text.replace('"', "'"),
    "curly_quotes": lambda clean: clean.text.replace('"', "”"),
    "unescaped_quotes": lambda clean: clean.text.replace('""', '"'),
}  # fmt: skip
AROUND_THE_ROWS: dict[str, Pollute] = {
    "no_final_newline": lambda clean: clean.text.removesuffix("\n"),
    "no_header": lambda clean: clean.body,
    "header_only": lambda clean: clean.header,
    "empty": lambda clean: "",
    "only_newlines": lambda clean: "\n\n\n",
    "byte_order_mark": lambda clean: b"\xef\xbb\xbf" + clean.text.encode(),
    "utf_16": lambda clean: clean.text.encode("utf-16"),
    "utf_16_without_mark": lambda clean: clean.text.encode("utf-16-le"),
    "cp1252": lambda clean: clean.text.encode("cp1252", "replace"),
    "preamble": lambda clean: f"Report of the week\n\n{clean.text}",
    "preamble_of_the_same_width": (
        lambda clean: ",".join(["x"] * len(clean.shape.header)) + f"\n{clean.text}"
    ),
    "blank_first": lambda clean: f"\n\n{clean.text}",
    "footnote": lambda clean: f"{clean.text}Source: the district\n",
    "header_twice": lambda clean: clean.header + clean.text,
    "header_in_the_middle": lambda clean: clean.text + clean.header + clean.body,
    "header_with_mark_in_the_middle": lambda clean: f"{clean.text}\ufeff{clean.header}",
    "second_table": lambda clean: f"{clean.text}\na,b,c,d,e\n1,2,3,4,5\n",
    "duplicate_header": partial(_header, 0, lambda names: names[1]),
    "blank_header": partial(_header, 0, lambda names: ""),
    "renamed_header": partial(_header, 0, lambda names: "other"),
    "ctrl_z": lambda clean: f"{clean.text}\x1a",
}
POLLUTIONS = {**IN_A_PLACE, **IN_A_LINE, **DIALECTS, **AROUND_THE_ROWS}
# These are not damage: the contract or every reader allows them.
HARMLESS: dict[str, Pollute] = {
    "clean": lambda clean: clean.text,
    **{
        name: POLLUTIONS[name]
        for name in ("byte_order_mark", "blank_first", "no_final_newline", "line_end_crlf")
    },
}


def _clean(draw: Draw, shapes: tuple[str, ...] = tuple(SHAPES), rows: int = 12) -> Clean:
    """A clean file of one of the shapes."""
    shape = SHAPES[draw(st.sampled_from(shapes))]
    return Clean(draw, shape, [shape.make(draw, number) for number in range(rows)])


@st.composite
def polluted(draw: Draw, pollute: Pollute, shapes: tuple[str, ...] = tuple(SHAPES)) -> Polluted:
    """A file of one of the shapes, damaged in one way."""
    clean = _clean(draw, shapes)
    data = pollute(clean)
    data = data if isinstance(data, bytes) else data.encode()
    return Polluted(clean.shape.header, data, clean.truth, shape=clean.shape.name)


@st.composite
def declared(draw: Draw, delimiter: str) -> Polluted:
    """A clean file with a delimiter declared in its contract."""
    clean = _clean(draw)
    data = "".join(clean.written(delimiter)).encode()
    return Polluted(clean.shape.header, data, clean.truth, delimiter, clean.shape.name)


def strict_rows(text: str, delimiter: str) -> set[Row]:
    """The rows of a text by RFC 4180, from a simple automaton.

    A record that breaks a rule is skipped up to the next line end, as a reader that
    rejects it would.
    """
    found: set[Row] = set()
    position = 0
    while position < len(text):
        fields, position = _record(text, position, delimiter)
        if fields is not None:
            found.add(tuple(fields))
    return found


def _record(text: str, position: int, delimiter: str) -> tuple[list[str] | None, int]:
    fields: list[str] = []
    while True:
        if text.startswith('"', position):
            value, position = "", position + 1
            while True:
                closing = text.find('"', position)
                if closing < 0:
                    return None, len(text)
                value += text[position:closing]
                position = closing + 1
                if not text.startswith('"', position):
                    break
                value, position = value + '"', position + 1
        else:
            start = position
            while position < len(text) and not text.startswith((delimiter, "\n", "\r"), position):
                position += 1
            value = text[start:position]
            if '"' in value:
                return None, _after_line(text, position)
        fields.append(value)
        if text.startswith(delimiter, position):
            position += len(delimiter)
            continue
        for end in ("\r\n", "\n", "\r"):
            if text.startswith(end, position):
                return fields, position + len(end)
        if position == len(text):
            return fields, position
        return None, _after_line(text, position)


def _after_line(text: str, position: int) -> int:
    ends = [n for n in (text.find("\n", position), text.find("\r", position)) if n >= 0]
    return min(ends) + 1 if ends else len(text)
