"""A match model in Splink's file format: comparisons, levels, m, u, and term frequencies.

The file is written by `linker.misc.save_model_to_json`. It has no term frequencies, and does
not say which u a term frequency replaces; this module has the rules for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from outcomes.errors import OutcomesError
from outcomes.linkage.dialect import exactly_matched_column


@dataclass(frozen=True)
class TermFrequency:
    """How far a value's own frequency replaces u.

    `u_probability` is the u of the level on which the column agrees exactly.
    """

    column: str
    weight: float
    minimum: float
    u_probability: float


@dataclass(frozen=True)
class Level:
    """How far two records agree.

    `condition` is DuckDB's SQL; None for ELSE. `is_null` is the level of a missing value.
    """

    is_null: bool
    label: str
    condition: str | None
    m_probability: float
    u_probability: float
    term_frequency: TermFrequency | None


@dataclass(frozen=True)
class Comparison:
    """A comparison, with its levels in the order in which they are tried."""

    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class MatchModel:
    """Everything that gives two records a match weight, except the term frequencies."""

    probability_two_random_records_match: float
    comparisons: tuple[Comparison, ...]


def parse_model(content: dict[str, Any], origin: str) -> MatchModel:
    """Read a model from the file's content; `origin` names it in errors.

    Raises:
        OutcomesError: something is missing, or a level is not trained.
    """
    try:
        probability = float(content["probability_two_random_records_match"])
        comparisons = tuple(_comparison(given, origin) for given in content["comparisons"])
    except (KeyError, TypeError, AttributeError) as error:
        raise OutcomesError(
            f"{origin}: expected a Splink model as `save_model_to_json` writes it; {error} is "
            "missing or of another type."
        ) from None
    if not 0 < probability < 1:
        raise OutcomesError(
            f"{origin}: probability_two_random_records_match must lie between 0 and 1."
        )
    return MatchModel(probability, comparisons)


def _comparison(given: dict[str, Any], origin: str) -> Comparison:
    levels = given["comparison_levels"]
    name = given.get("output_column_name") or next(
        (level["tf_adjustment_column"] for level in levels if level.get("tf_adjustment_column")),
        given.get("comparison_description"),
    )
    exact_u: dict[str, float | None] = {}
    for level in levels:
        condition = _condition(level)
        column = exactly_matched_column(condition) if condition else None
        # The first such level counts, as in Splink.
        if column is not None and not level.get("is_null_level"):
            exact_u.setdefault(column, level.get("u_probability"))
    made = []
    for level in levels:
        place = f"{origin}: comparison {name}, level {level.get('label_for_charts')!r}"
        label = str(level.get("label_for_charts") or "")
        if level.get("is_null_level"):
            made.append(Level(True, label, _condition(level), 1, 1, None))
            continue
        for part in ("m_probability", "u_probability"):
            value = level.get(part)
            if not isinstance(value, int | float) or not 0 < value <= 1:
                raise OutcomesError(
                    f"{place} has no trained {part}. A model with an untrained level would "
                    "weigh pairs by a default: train it on data where the level occurs, or fix "
                    f"its value and set fix_{part}."
                )
        made.append(
            Level(
                False,
                label,
                _condition(level),
                float(level["m_probability"]),
                float(level["u_probability"]),
                _term_frequency(level, exact_u, place),
            )
        )
    if not made or made[-1].condition is not None:
        raise OutcomesError(f"{origin}: comparison {name} must end with a level ELSE.")
    return Comparison(str(name), tuple(made))


def _condition(level: dict[str, Any]) -> str | None:
    condition = str(level["sql_condition"])
    return None if condition.strip().upper() == "ELSE" else condition


def _term_frequency(
    level: dict[str, Any], exact_u: dict[str, float | None], place: str
) -> TermFrequency | None:
    column = level.get("tf_adjustment_column")
    # Splink omits a weight of 0 when it writes the file, and reads a missing weight as 1.
    weight = float(level.get("tf_adjustment_weight", 1))
    if not column or weight == 0 or _condition(level) is None:
        return None
    column = str(column).strip('"').lower()
    if level.get("disable_tf_exact_match_detection"):
        u_probability = level["u_probability"]
    else:
        u_probability = exact_u.get(column)
    if u_probability is None:
        raise OutcomesError(
            f"{place} adjusts for the frequency of {column}, but no level of the comparison is "
            f"an exact match on {column} with a trained u_probability."
        )
    return TermFrequency(
        column, weight, float(level.get("tf_minimum_u_value", 0)), float(u_probability)
    )
