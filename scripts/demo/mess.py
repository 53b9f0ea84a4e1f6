"""Errors and variants in the identity of a record.

`garble` works on whole columns: each kind of error rewrites randomly chosen rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from demo.columns import text

UNKNOWN_BIRTH_DATE = date(1900, 1, 1)
PLACEHOLDER_SSNS = ("000000000", "999999999", "111111111", "123456789", "666000000")
ACCENTED, PLAIN = list("áéíóúñüÁÉÍÓÚÑÜ"), list("aeiounuAEIOUNU")
LETTERS = np.array(list("abcdefghijklmnoprstuvwy"), dtype=object)
DIGITS = np.array(list("0123456789"), dtype=object)


@dataclass(frozen=True)
class Rates:
    """Share of records with each kind of error."""

    former_name: float = 0.0
    previous_address: float = 0.0
    address_spelled_out: float = 0.0
    nickname: float = 0.0
    middle_as_first: float = 0.0
    middle_initial: float = 0.5
    middle_missing: float = 0.3
    suffix_missing: float = 0.3
    half_surname: float = 0.0
    no_hyphen: float = 0.0
    no_accents: float = 0.0
    typo_last: float = 0.0
    typo_first: float = 0.0
    day_month_swapped: float = 0.0
    birth_digit: float = 0.0
    birth_unknown: float = 0.0
    ssn_missing: float = 0.0
    ssn_placeholder: float = 0.0
    ssn_shared: float = 0.0
    ssn_digit: float = 0.0
    sex_unknown: float = 0.0


# School offices see a birth certificate; programs often register by telephone.
STUDENT_RATES = Rates(
    nickname=0.02, middle_as_first=0.008, middle_initial=0.4, middle_missing=0.35,
    half_surname=0.1, no_hyphen=0.1, no_accents=0.4, typo_last=0.012, typo_first=0.012,
    day_month_swapped=0.006, birth_digit=0.008, ssn_missing=0.55, ssn_placeholder=0.01,
    ssn_shared=0.004, ssn_digit=0.008,
)  # fmt: skip
CLIENT_RATES = Rates(
    former_name=0.4, previous_address=0.5, address_spelled_out=0.1, nickname=0.06,
    middle_as_first=0.015, middle_initial=0.35, middle_missing=0.45, suffix_missing=0.4,
    half_surname=0.25, no_hyphen=0.25, no_accents=0.8, typo_last=0.025, typo_first=0.025,
    day_month_swapped=0.01, birth_digit=0.015, birth_unknown=0.012, ssn_missing=0.35,
    ssn_placeholder=0.02, ssn_shared=0.006, ssn_digit=0.012, sex_unknown=0.01,
)  # fmt: skip


def _typo(column: str, n: int, chance: np.random.Generator) -> pl.Expr:
    """A letter dropped, doubled or changed, or two exchanged; rarely the first letter."""
    word = pl.col(column)
    place = pl.Series(chance.random(n))
    at = (1 + (place * (word.str.len_chars().cast(pl.Float64) - 1).clip(0)).floor()).cast(pl.Int64)
    before, here = word.str.slice(0, at), word.str.slice(at, 1)
    after, rest = word.str.slice(at + 1, 1), word.str.slice(at + 1)
    letter = text(LETTERS[chance.integers(0, len(LETTERS), n)])
    kind = pl.Series(chance.integers(0, 4, n))
    return (
        pl.when(word.str.len_chars() < 3)
        .then(pl.concat_str(word, letter))
        .when(kind == 0)
        .then(pl.concat_str(before, rest))
        .when(kind == 1)
        .then(pl.concat_str(before, here, here, rest))
        .when(kind == 2)
        .then(pl.concat_str(before, letter, rest))
        .otherwise(pl.concat_str(before, after, here, word.str.slice(at + 2)))
    )


def garble(
    people: pl.DataFrame, rates: Rates, chance: np.random.Generator, counts: Counter[str]
) -> pl.DataFrame:
    """The identity columns of `people` as written in records.

    `people` has one row per record, with the columns of `Population.people`. The number of
    records with each kind of error is added to `counts`.
    """
    frame = people

    def change(kind: str, possible: pl.Expr, **values: pl.Expr | Callable[[int], pl.Expr]) -> None:
        """Rewrite columns of some rows; a function gives the values of so many rows."""
        nonlocal frame
        can = frame.select(possible.fill_null(False)).to_series().to_numpy()
        rows = np.flatnonzero((chance.random(len(people)) < getattr(rates, kind)) & can)
        counts[kind] += len(rows)
        if len(rows):
            new = {name: v(len(rows)) if callable(v) else v for name, v in values.items()}
            changed = frame[rows].select(**new)
            frame = frame.with_columns(
                frame[name].clone().scatter(rows, changed[name]).alias(name) for name in new
            )

    def has(column: str) -> pl.Expr:
        return pl.col(column).is_not_null()

    first, middle, last = pl.col("first_name"), pl.col("middle_name"), pl.col("last_name")
    nothing = pl.lit(None, pl.String)
    change("former_name", has("former_last_name"), last_name=pl.col("former_last_name"))
    change(
        "previous_address",
        pl.col("previous_street") != pl.col("street"),
        street=pl.col("previous_street"),
        city=pl.col("previous_city"),
        zip=pl.col("previous_zip"),
    )
    street = pl.col("street")
    for short, long in (("St", "Street"), ("Ave", "Avenue"), ("Apt ", "# ")):
        street = street.str.replace(rf"\b{short}\b", long)
    change("address_spelled_out", has("street"), street=street)
    change(
        "middle_as_first", has("middle_name"), first_name=middle, middle_name=first.str.slice(0, 1)
    )
    change("nickname", has("nickname"), first_name=pl.col("nickname"))
    change("middle_initial", has("middle_name"), middle_name=middle.str.slice(0, 1))
    change("middle_missing", has("middle_name"), middle_name=nothing)
    change("suffix_missing", has("suffix"), suffix=nothing)
    change("half_surname", last.str.contains("[- ]"), last_name=last.str.extract("[- ](.+)$"))
    change("no_hyphen", last.str.contains("-"), last_name=last.str.replace("-", " "))
    change(
        "no_accents",
        last.str.contains_any(ACCENTED) | first.str.contains_any(ACCENTED),
        last_name=last.str.replace_many(ACCENTED, PLAIN),
        first_name=first.str.replace_many(ACCENTED, PLAIN),
    )
    change("typo_last", has("last_name"), last_name=lambda n: _typo("last_name", n, chance))
    change("typo_first", has("first_name"), first_name=lambda n: _typo("first_name", n, chance))

    birth = pl.col("birth_date")
    change(
        "day_month_swapped",
        (birth.dt.day() <= 12) & (birth.dt.day() != birth.dt.month()),
        birth_date=pl.date(birth.dt.year(), birth.dt.day(), birth.dt.month()),
    )

    def drawn(values: Sequence[str]) -> Callable[[int], pl.Expr]:
        return lambda n: pl.lit(pl.Series(chance.choice(values, n)))

    shifts = drawn(["1d", "-1d", "10d", "-10d", "1y", "-1y", "1mo"])
    change("birth_digit", has("birth_date"), birth_date=lambda n: birth.dt.offset_by(shifts(n)))
    change("birth_unknown", has("birth_date"), birth_date=pl.lit(UNKNOWN_BIRTH_DATE))

    change("ssn_shared", has("parent_ssn"), ssn=pl.col("parent_ssn"))
    change("ssn_digit", has("ssn"), ssn=lambda n: _wrong_digit(n, chance))
    change("ssn_placeholder", has("ssn"), ssn=drawn(PLACEHOLDER_SSNS))
    change("ssn_missing", has("ssn"), ssn=nothing)
    change("sex_unknown", has("sex"), sex=pl.lit("U"))
    return frame


def _wrong_digit(n: int, chance: np.random.Generator) -> pl.Expr:
    at = pl.Series(chance.integers(3, 9, n))
    digit = text(DIGITS[chance.integers(0, 10, n)])
    ssn = pl.col("ssn")
    return pl.concat_str(ssn.str.slice(0, at), digit, ssn.str.slice(at + 1))
