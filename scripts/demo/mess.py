"""Errors and variants in the identity of a record.

`garble` works on whole columns: each kind of error rewrites randomly chosen rows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from demo.columns import text

# The columns of a record's identity, as `garble` expects and returns them.
IDENTITY = (
    "last_name", "first_name", "middle_name", "suffix", "birth_date", "sex", "ssn",
    "street", "city", "zip",
)  # fmt: skip
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


def _rewrite(frame: pl.DataFrame, rows: np.ndarray, **values: pl.Expr) -> pl.DataFrame:
    """`frame` with new values of some columns in `rows`."""
    index = np.flatnonzero(rows)
    if not len(index):
        return frame
    changed = frame[index].select(**values)
    return frame.with_columns(
        frame[name].clone().scatter(index, changed[name]).alias(name) for name in values
    )


def _typo(column: str, n: int, letters: np.ndarray, chance: np.random.Generator) -> pl.Expr:
    """A letter dropped, doubled or changed, or two exchanged; rarely the first letter."""
    word = pl.col(column)
    place = pl.Series(chance.random(n))
    at = (1 + (place * (word.str.len_chars().cast(pl.Float64) - 1).clip(0)).floor()).cast(pl.Int64)
    before, here = word.str.slice(0, at), word.str.slice(at, 1)
    after, rest = word.str.slice(at + 1, 1), word.str.slice(at + 1)
    letter = text(letters[chance.integers(0, len(letters), n)])
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

    Args:
        people: one row per record, with the columns of `Population.people` and, for
            `ssn_shared`, `parent_ssn`.
        rates: share of records with each kind.
        chance: the job's random generator.
        counts: number of records with each kind of error; updated.

    Returns:
        `people` with the columns of `IDENTITY` rewritten.
    """
    n = len(people)
    frame = people

    def pick(kind: str, possible: pl.Expr) -> np.ndarray:
        share: float = getattr(rates, kind)
        can = frame.select(possible.fill_null(False)).to_series().to_numpy()
        rows: np.ndarray = (chance.random(n) < share) & can
        counts[kind] += int(rows.sum())
        return rows

    def has(column: str) -> pl.Expr:
        return pl.col(column).is_not_null()

    frame = _rewrite(
        frame, pick("former_name", has("former_last_name")), last_name=pl.col("former_last_name")
    )
    frame = _rewrite(
        frame,
        pick("previous_address", pl.col("previous_street") != pl.col("street")),
        street=pl.col("previous_street"),
        city=pl.col("previous_city"),
        zip=pl.col("previous_zip"),
    )
    street = pl.col("street")
    for short, long in (("St", "Street"), ("Ave", "Avenue"), ("Apt ", "# ")):
        street = street.str.replace(rf"\b{short}\b", long)
    frame = _rewrite(frame, pick("address_spelled_out", has("street")), street=street)
    frame = _rewrite(
        frame,
        pick("middle_as_first", has("middle_name")),
        first_name=pl.col("middle_name"),
        middle_name=pl.col("first_name").str.slice(0, 1),
    )
    frame = _rewrite(
        frame,
        pick("nickname", has("nickname")),
        first_name=pl.col("nickname"),
    )
    frame = _rewrite(
        frame,
        pick("middle_initial", has("middle_name")),
        middle_name=pl.col("middle_name").str.slice(0, 1),
    )
    nothing = pl.lit(None, pl.String)
    frame = _rewrite(frame, pick("middle_missing", has("middle_name")), middle_name=nothing)
    frame = _rewrite(frame, pick("suffix_missing", has("suffix")), suffix=nothing)

    last = pl.col("last_name")
    compound = last.str.contains("[- ]")
    frame = _rewrite(frame, pick("half_surname", compound), last_name=last.str.extract("[- ](.+)$"))
    frame = _rewrite(
        frame, pick("no_hyphen", last.str.contains("-")), last_name=last.str.replace("-", " ")
    )
    accented = last.str.contains_any(ACCENTED) | pl.col("first_name").str.contains_any(ACCENTED)
    frame = _rewrite(
        frame,
        pick("no_accents", accented),
        last_name=last.str.replace_many(ACCENTED, PLAIN),
        first_name=pl.col("first_name").str.replace_many(ACCENTED, PLAIN),
    )
    for kind, column in (("typo_last", "last_name"), ("typo_first", "first_name")):
        rows = pick(kind, has(column))
        typo = _typo(column, int(rows.sum()), LETTERS, chance)
        frame = _rewrite(frame, rows, **{column: typo})

    birth = pl.col("birth_date")
    frame = _rewrite(
        frame,
        pick("day_month_swapped", (birth.dt.day() <= 12) & (birth.dt.day() != birth.dt.month())),
        birth_date=pl.date(birth.dt.year(), birth.dt.day(), birth.dt.month()),
    )
    rows = pick("birth_digit", has("birth_date"))
    typos = pl.Series(chance.choice(["1d", "-1d", "10d", "-10d", "1y", "-1y", "1mo"], rows.sum()))
    frame = _rewrite(frame, rows, birth_date=birth.dt.offset_by(pl.lit(typos)))
    frame = _rewrite(
        frame, pick("birth_unknown", has("birth_date")), birth_date=pl.lit(UNKNOWN_BIRTH_DATE)
    )

    frame = _rewrite(frame, pick("ssn_shared", has("parent_ssn")), ssn=pl.col("parent_ssn"))
    rows = pick("ssn_digit", has("ssn"))
    frame = _rewrite(frame, rows, ssn=_wrong_digit(int(rows.sum()), chance))
    rows = pick("ssn_placeholder", has("ssn"))
    placeholders = pl.Series(chance.choice(PLACEHOLDER_SSNS, int(rows.sum())))
    frame = _rewrite(frame, rows, ssn=pl.lit(placeholders))
    frame = _rewrite(frame, pick("ssn_missing", has("ssn")), ssn=nothing)
    return _rewrite(frame, pick("sex_unknown", has("sex")), sex=pl.lit("U"))


def _wrong_digit(n: int, chance: np.random.Generator) -> pl.Expr:
    at = pl.Series(chance.integers(3, 9, n))
    digit = text(DIGITS[chance.integers(0, 10, n)])
    ssn = pl.col("ssn")
    return pl.concat_str(ssn.str.slice(0, at), digit, ssn.str.slice(at + 1))
