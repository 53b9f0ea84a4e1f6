"""The fields of a pair side by side, with the letters marked in which they differ."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

# Below this similarity, single letters agree by chance.
_SIMILAR = 0.5
# Fields whose values are words of a list: male is not nearly female.
_CODES = ("gender", "suffix")


class Part(NamedTuple):
    """A part of a spelling, and whether the other side lacks it."""

    text: str
    differs: bool


@dataclass(frozen=True)
class ComparedField:
    """All spellings of a field on both sides, in parts."""

    field: str
    student: list[list[Part]]
    other: list[list[Part]]
    agrees: bool

    @property
    def differs(self) -> bool:
        """Whether both sides have a value, and none in common."""
        return not self.agrees and bool(self.student) and bool(self.other)


def compare(
    field: str, student: Iterable[str | None], other: Iterable[str | None]
) -> ComparedField:
    """Compare the spellings of a field; capitals and accents do not count."""
    left, right = _distinct(student), _distinct(other)
    agrees = bool({*map(_folded, left)} & {*map(_folded, right)})

    def parts(text: str, others: list[str]) -> list[Part]:
        differs = bool(others) and not agrees
        is_spelled = differs and field not in _CODES
        found = _parts(text, others) if is_spelled else [Part(text, differs)]
        return _shortened(found) if field == "ssn" else found

    return ComparedField(
        field,
        [parts(text, right) for text in left],
        [parts(text, left) for text in right],
        agrees,
    )


def _distinct(texts: Iterable[str | None]) -> list[str]:
    """The spellings, each once; of those that differ only by capitals or accents, the first."""
    found: dict[tuple[str, ...], str] = {}
    for text in texts:
        if text:
            found.setdefault(_folded(text), text)
    return list(found.values())


def _folded(text: str) -> tuple[str, ...]:
    """Each letter without capitals and accents, so that the places stay the same."""
    return tuple(unicodedata.normalize("NFKD", letter)[0].lower() for letter in text)


def _parts(text: str, others: list[str]) -> list[Part]:
    """The text, in parts that its most similar spelling on the other side has or lacks."""
    own = _folded(text)
    matchers = {other: SequenceMatcher(None, own, other, False) for other in map(_folded, others)}
    nearest, matcher = max(matchers.items(), key=lambda pair: pair[1].ratio())
    is_beginning = own[: len(nearest)] == nearest[: len(own)]
    if matcher.ratio() < _SIMILAR and not is_beginning:
        return [Part(text, differs=True)]
    return [
        Part(text[start:end], differs=operation != "equal")
        for operation, start, end, _, _ in matcher.get_opcodes()
        if end > start
    ]


def last_four(ssn: str) -> str:
    """What may be shown of a social security number: enough to compare by eye."""
    return f"…{ssn[-4:]}"


def _shortened(parts: list[Part]) -> list[Part]:
    """The last four digits; the mark of what stands for the others says whether they differ."""
    digits = [(digit, part.differs) for part in parts for digit in part.text]
    return [
        Part("…", any(differs for _, differs in digits[:-4])),
        *(Part(digit, differs) for digit, differs in digits[-4:]),
    ]
