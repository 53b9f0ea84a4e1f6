"""Date and time formats of contracts: JDK patterns, as the contract standard requires.

The loader needs each pattern as a regular expression, to check a value, and as a `strptime`
format, to read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

# JDK letter → (regular expression, strptime directive). Years outside 1900-2099 were typos in
# every file so far, so the expression does not accept them.
_TOKENS = {
    "yyyy": (r"(?:19|20)[0-9]{2}", "%Y"),
    "yy": (r"[0-9]{2}", "%y"),
    "MMM": (r"(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)", "%b"),
    "MM": (r"(?:0[1-9]|1[0-2])", "%m"),
    "M": (r"(?:0?[1-9]|1[0-2])", "%m"),
    "dd": (r"(?:0[1-9]|[12][0-9]|3[01])", "%d"),
    "d": (r"(?:0?[1-9]|[12][0-9]|3[01])", "%d"),
    "HH": (r"(?:[01][0-9]|2[0-3])", "%H"),
    "mm": (r"[0-5][0-9]", "%M"),
    "ss": (r"[0-5][0-9]", "%S"),
}
_SCANNER = re.compile(r"'(?P<quoted>[^']+)'|(?P<token>([A-Za-z])\3*)|(?P<literal>[^A-Za-z'])")


@dataclass(frozen=True)
class DateFormat:
    """One JDK pattern, for example `MM/dd/yyyy` or `yyyy-MM-dd'T'HH:mm:ss`."""

    pattern: str
    regex: str
    strptime: str

    @property
    def has_two_digit_year(self) -> bool:
        """Whether the century has to be inferred."""
        return "%y" in self.strptime

    @property
    def is_padded(self) -> bool:
        """Whether every part has a fixed width."""
        return "0?" not in self.regex

    @classmethod
    def parse(cls, pattern: str) -> DateFormat:
        """Read a JDK pattern.

        Raises:
            ValueError: a letter is not supported.
        """
        regex, strptime, position = "", "", 0
        for match in _SCANNER.finditer(pattern):
            if match.start() != position:
                break
            position = match.end()
            if token := match["token"]:
                if token not in _TOKENS:
                    raise ValueError(f"{token!r} is not one of {', '.join(_TOKENS)}")
                regex += _TOKENS[token][0]
                strptime += _TOKENS[token][1]
            else:
                literal = match["quoted"] or match["literal"]
                regex += re.escape(literal)
                strptime += literal.replace("%", "%%")
        if position != len(pattern) or not pattern:
            raise ValueError("not a date pattern such as yyyy-MM-dd or MM/dd/yyyy")
        return cls(pattern, regex, strptime)


def spring_year(day: date) -> int:
    """The school year (July 1 – June 30) of a day, named by its spring."""
    return day.year + (day.month >= 7)
