"""Clean delimited files of several shapes, and every way in which files get polluted.

A polluted file is text whose meaning is known: `truth` are the rows that were written. A
change that leaves a well-formed file of another meaning cannot be noticed by any reader:
an added pair of quotes around a field, a field that lost its first letter. Where that is
so, `rows` holds what the strict reading of RFC 4180 gives, by the plain reference below,
and a row that both hold is no wrong row.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True)
class Polluted:
    """One file: how it was polluted, its bytes, the rows as they were meant."""

    name: str
    header: Row
    data: bytes
    delimiter: str
    truth: list[Row]


@dataclass(frozen=True)
class Shape:
    """A kind of clean file."""

    name: str
    header: Row
    make: Callable[[random.Random, int], Row]
    quote_all: bool = False


def _person(random_: random.Random, number: int) -> Row:
    name = random_.choice(["Nuñez", "O'Hara", "Null", "van der Berg", "Lee"])
    return (f"{number:05}", name, f"0{number % 9 + 1}/12/2004", f"{number % 4}.50")


def _free_text(random_: random.Random, number: int) -> Row:
    notes = ["plain", "with, comma", 'with "quotes"', "two\nlines", "", " padded ", "=1+1"]
    return (f"id{number}", random_.choice(notes), random_.choice(notes), "end")


def _wide(random_: random.Random, number: int) -> Row:
    return tuple(f"{number}-{column}" for column in range(30))


SHAPES = [
    Shape("people", ("StudentID", "Last Name", "Birth Date", "GPA"), _person),
    Shape("quoted_people", ("StudentID", "Last Name", "Birth Date", "GPA"), _person, True),
    Shape("free_text", ("id", "note", "Größe", "last"), _free_text),
    Shape("wide", tuple(f"column {n}" for n in range(30)), _wide),
    Shape("two_columns", ("key", "value"), lambda _, n: (f"k{n}", f"v{n}")),
]


def write(
    rows: list[Row], delimiter: str = ",", end: str = "\n", *, quote_all: bool = False
) -> list[str]:
    """Rows by RFC 4180, each with its line end."""

    def field(value: str) -> str:
        needs_quotes = any(mark in value for mark in (delimiter, '"', "\n", "\r"))
        return '"' + value.replace('"', '""') + '"' if quote_all or needs_quotes else value

    return [delimiter.join(map(field, row)) + end for row in rows]


def corpus(seed: int, rows: int = 12) -> Iterator[Polluted]:
    """Every pollution of every shape, at places that the seed chooses."""
    random_ = random.Random(seed)
    for shape in SHAPES:
        truth = [shape.make(random_, number) for number in range(rows)]
        yield from _pollute(random_, shape, truth)


def _pollute(random_: random.Random, shape: Shape, truth: list[Row]) -> Iterator[Polluted]:
    def file(name: str, text: str | bytes, delimiter: str = ",") -> Polluted:
        data = text if isinstance(text, bytes) else text.encode()
        return Polluted(f"{shape.name}-{name}", shape.header, data, delimiter, truth)

    def written(delimiter: str = ",", end: str = "\n") -> list[str]:
        return write([shape.header, *truth], delimiter, end, quote_all=shape.quote_all)

    lines = written()
    clean = "".join(lines)
    header, body = lines[0], "".join(lines[1:])
    yield file("clean", clean)

    # A character too many or too few, anywhere; at the ends of fields; in header and rows.
    for mark, called in (('"', "quote"), (",", "delimiter"), ("\n", "newline"), ("\r", "cr")):
        for number in range(6):
            place = random_.randrange(len(clean) + 1)
            yield file(f"extra_{called}_{number}", clean[:place] + mark + clean[place:])
        places = [n for n, character in enumerate(clean) if character == mark]
        for number, place in enumerate(random_.sample(places, min(6, len(places)))):
            yield file(f"missing_{called}_{number}", clean[:place] + clean[place + 1 :])
    for number in range(3):
        row = random_.randrange(1, len(lines))
        line = lines[row].removesuffix("\n")
        fields = line.split(",")
        cut = random_.randrange(len(fields))
        for name, changed in (
            ("extra_field", ",".join([*fields[:cut], "extra", *fields[cut:]])),
            ("missing_field", ",".join(fields[:cut] + fields[cut + 1 :])),
            ("trailing_delimiter", f"{line},"),
            ("leading_delimiter", f",{line}"),
            ("quote_before_line", f'"{line}'),
            ("quote_after_line", f'{line}"'),
            ("backslash_quote", f'{line}\\"'),
            ("quote_after_space", line.replace(",", ', "', 1)),
            ("nul", f"{line}\0"),
            ("tab_for_comma", line.replace(",", "\t")),
            ("text_after_quote", f'"{line.replace(chr(34), "")}" x'),
        ):
            changed_lines = [*lines[:row], f"{changed}\n", *lines[row + 1 :]]
            yield file(f"{name}_{number}", "".join(changed_lines))
        both = [*lines[:row], lines[row].removesuffix("\n"), *lines[row + 1 :]]
        yield file(f"rows_run_together_{number}", "".join(both))
        cut_off = clean[: random_.randrange(len(header), len(clean))]
        yield file(f"cut_off_{number}", cut_off)
        bad = clean.encode()
        place = random_.randrange(len(bad))
        yield file(f"lone_byte_{number}", bad[:place] + b"\xff" + bad[place:])

    # Other dialects than the declared one.
    for delimiter, called in (
        (";", "semicolon"), ("\t", "tab"), (" ", "space"), (", ", "comma_space"),
        ("|", "pipe"), ("§", "section"), ("||", "double_pipe"),
    ):  # fmt: skip
        yield file(f"undeclared_{called}", "".join(written(delimiter)))
        yield file(f"declared_{called}", "".join(written(delimiter)), delimiter)
    for end, called in (
        ("\r\n", "crlf"),
        ("\r", "cr"),
        ("\n\n", "blank_lines"),
        ("\r\r\n", "crcrlf"),
    ):
        yield file(f"line_end_{called}", "".join(written(end=end)))
    mixed = "".join(
        line.removesuffix("\n") + random_.choice(["\n", "\r\n", "\r"]) for line in lines
    )
    yield file("line_end_mixed", mixed)
    yield file("backslash_escapes", clean.replace('""', '\\"'))
    yield file("single_quotes", clean.replace('"', "'"))
    yield file("curly_quotes", clean.replace('"', "”"))
    yield file("unescaped_quotes", clean.replace('""', '"'))

    # Around the rows.
    yield file("no_final_newline", clean.removesuffix("\n"))
    yield file("no_header", body)
    yield file("header_only", header)
    yield file("empty", "")
    yield file("only_newlines", "\n\n\n")
    yield file("byte_order_mark", b"\xef\xbb\xbf" + clean.encode())
    yield file("utf_16", clean.encode("utf-16"))
    yield file("utf_16_without_mark", clean.encode("utf-16-le"))
    yield file("cp1252", clean.encode("cp1252", "replace"))
    yield file("preamble", f"Report of the week\n\n{clean}")
    yield file("preamble_of_the_same_width", ",".join(["x"] * len(shape.header)) + f"\n{clean}")
    yield file("blank_first", f"\n\n{clean}")
    yield file("footnote", f"{clean}Source: the district\n")
    yield file("header_twice", header + clean)
    yield file("header_in_the_middle", clean + header + body)
    yield file("header_with_mark_in_the_middle", f"{clean}\ufeff{header}")
    yield file("second_table", f"{clean}\na,b,c,d,e\n1,2,3,4,5\n")
    yield file("duplicate_header", header.replace(shape.header[0], shape.header[1], 1) + body)
    yield file("blank_header", header.replace(shape.header[0], "", 1) + body)
    yield file("renamed_header", header.replace(shape.header[0], "other", 1) + body)
    yield file("ctrl_z", f"{clean}\x1a")


def strict_rows(text: str, delimiter: str) -> set[Row]:
    """Rows of each record that RFC 4180 allows, by a plain automaton: the reference.

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
