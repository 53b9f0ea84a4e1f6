"""Kinds of values in a contract: dates, patterns, and texts that YAML reads as numbers."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from outcomes.contracts.formats import DateFormat


def _date_format(value: Any) -> Any:
    return DateFormat.parse(value) if isinstance(value, str) else value


JdkFormat = Annotated[
    DateFormat,
    BeforeValidator(_date_format),
    PlainSerializer(lambda value: value.pattern),
]


class Frozen(BaseModel):
    """Immutable, written in camelCase in the contract, and closed to unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, arbitrary_types_allowed=True
    )


def _pattern(value: Any) -> Any:
    """A regular expression, checked by the engine that applies it to lines."""
    if isinstance(value, str):
        try:
            return re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
    return value


Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [text_of(entry) for entry in value]
    if isinstance(value, dict):
        return {text_of(key): text_of(entry) for key, entry in value.items()}
    return value


def text_of(value: Any) -> Any:
    """A number that YAML has read, as the text in the file."""
    if isinstance(value, bool):
        raise ValueError("YAML reads this word as true or false: put it in quotes")
    return str(value) if isinstance(value, int | float) else value


def _year_day(value: Any) -> Any:
    """Month and day of a text such as `08-31`, from July on."""
    if isinstance(value, str):
        day = DateFormat.parse("MM-dd")
        if not re.fullmatch(day.regex, value) or value < "07-01":
            raise ValueError('expected a month and day from "07-01" on, in quotes')
        return int(value[:2]), int(value[3:])
    return value


YearDay = Annotated[tuple[int, int], BeforeValidator(_year_day)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
TextMap = Annotated[dict[str, str], BeforeValidator(_texts)]
