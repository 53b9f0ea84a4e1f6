"""A match model in Splink's file format: comparisons, levels, m, u, and term frequencies.

The file is written by `linker.misc.save_model_to_json`. It has no term frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from outcomes.errors import OutcomesError


@dataclass(frozen=True)
class TermFrequency:
    """How far a value's own frequency replaces the level's u, and its lower bound."""

    column: str
    weight: float
    minimum: float


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
    name = given["output_column_name"]
    made = []
    for level in given["comparison_levels"]:
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
                _term_frequency(level, place),
            )
        )
    if not made or made[-1].condition is not None:
        raise OutcomesError(f"{origin}: comparison {name} must end with a level ELSE.")
    return Comparison(str(name), tuple(made))


def _condition(level: dict[str, Any]) -> str | None:
    condition = str(level["sql_condition"])
    return None if condition.strip().upper() == "ELSE" else condition


def _term_frequency(level: dict[str, Any], place: str) -> TermFrequency | None:
    column = level.get("tf_adjustment_column")
    # Splink omits a weight of 0 when it writes the file, and reads a missing weight as 1.
    weight = float(level.get("tf_adjustment_weight", 1))
    if not column or weight == 0:
        return None
    # Splink adjusts the u of the level that is an exact match; here it is the level itself.
    exact = f"{column}_l = {column}_r"
    if level["sql_condition"] != exact:
        raise OutcomesError(
            f"{place} adjusts for the frequency of {column}. Only the level with the condition "
            f"{exact} can do that."
        )
    return TermFrequency(column, weight, float(level.get("tf_minimum_u_value", 0)))
