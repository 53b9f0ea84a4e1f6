"""Adopts a match model: writes the seeds and the macro that dbt applies.

All of them are generated from `seeds/identity/match_model.json`, never edited by hand.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from outcomes.errors import OutcomesError
from outcomes.linkage.dialect import to_warehouse
from outcomes.linkage.match_model import Level, MatchModel, parse_model

MODEL_FILE = Path("seeds/identity/match_model.json")
TRAINING_FILE = Path("seeds/identity/match_training.json")
WEIGHTS_FILE = Path("seeds/identity/match_weights.csv")
FREQUENCIES_FILE = Path("seeds/identity/match_term_frequencies.csv")
PROVENANCE_FILE = Path("seeds/identity/match_model.csv")
MACRO_FILE = Path("macros/match_level.sql")

# The comparisons that `match_rule_conditions` and the review use.
_COMPARISONS = {
    "last_name", "first_name", "middle_name", "suffix", "birth_date", "gender", "ssn", "address",
    "state_id",
}  # fmt: skip
# A lower probability was hardly seen in a million pairs, and is not trained.
_RAREST_TAUGHT = 1e-6
_MACRO_HEAD = """{#
    The level of a comparison between the records `students` and `others`. Written by
    `outcomes link train` from seeds/identity/match_model.json: change it there.
#}
{% macro match_level(comparison) %}
"""


def adopt(
    project: Path,
    content: dict[str, Any],
    frequencies: Iterable[tuple[str, str, float]],
    provenance: dict[str, str | int | float],
) -> None:
    """Write a trained model, and everything that dbt needs of it, into a project.

    `content` is the model, as in Splink's file; `frequencies` are column, value and the share of
    the identities that have it; `provenance` is day, data and versions of the training.

    Raises:
        OutcomesError: the warehouse's rules cannot work with the model.
    """
    model = parse_model(content, str(MODEL_FILE))
    _check(model)
    macro = match_level_macro(model)
    (project / MODEL_FILE).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    (project / MACRO_FILE).write_text(macro, "utf-8")
    _write(project / WEIGHTS_FILE, *weight_rows(model))
    _write(
        project / FREQUENCIES_FILE,
        ("comparison", "term", "frequency"),
        sorted(frequencies),
    )
    _write(
        project / PROVENANCE_FILE,
        ("probability_two_random_records_match", *provenance),
        [(model.probability_two_random_records_match, *provenance.values())],
    )


def _check(model: MatchModel) -> None:
    names = {comparison.name for comparison in model.comparisons}
    if names != _COMPARISONS:
        raise OutcomesError(
            f"{MODEL_FILE}: expected the comparisons {', '.join(sorted(_COMPARISONS))}, which the "
            f"rules use; found {', '.join(sorted(names))}."
        )
    for comparison in model.comparisons:
        labels = [level.label for level in comparison.levels]
        if len(set(labels)) < len(labels):
            raise OutcomesError(
                f"{MODEL_FILE}: two levels of {comparison.name} have the same label_for_charts."
            )
        for level in comparison.levels:
            if min(level.m_probability, level.u_probability) < _RAREST_TAUGHT:
                raise OutcomesError(
                    f"{MODEL_FILE}: {comparison.name}, level {level.label}, is too rare in the "
                    f"data: with m {level.m_probability:.1g} and u {level.u_probability:.1g} it "
                    "outweighs all other evidence. Train on more data, or fix the probability in "
                    f"{TRAINING_FILE}."
                )
            tf = level.term_frequency
            if tf and (comparison.name, level.label) != (tf.column, "exact"):
                raise OutcomesError(
                    f"{MODEL_FILE}: only the level exact of last_name and first_name can be "
                    f"adjusted for frequency, not {level.label} of {comparison.name}."
                )


def match_level_macro(model: MatchModel) -> str:
    """The macro `match_level`: an expression for the level of each comparison."""

    def name(level: Level) -> str:
        return "null" if level.is_null else f"'{level.label}'"

    branches: list[str] = []
    for comparison in model.comparisons:
        levels = [
            f"        when {to_warehouse(level.condition)} then {name(level)}\n"
            for level in comparison.levels
            if level.condition is not None
        ]
        branches.append(
            f"    {{%- {'elif' if branches else 'if'} comparison == '{comparison.name}' -%}}\n"
            f"        case\n{''.join(levels)}"
            f"        else {name(comparison.levels[-1])}\n        end\n"
        )
    return f"{_MACRO_HEAD}{''.join(branches)}    {{%- endif -%}}\n{{% endmacro %}}\n"


def weight_rows(model: MatchModel) -> tuple[Sequence[str], list[Sequence[object]]]:
    """Header and rows of the seed `match_weights`."""
    header = (
        "comparison", "level", "m_probability", "u_probability", "term_frequency_weight",
        "term_frequency_minimum", "term_frequency_u_probability",
    )  # fmt: skip
    rows: list[Sequence[object]] = []
    for comparison in model.comparisons:
        for level in comparison.levels:
            if level.is_null:
                continue
            tf = level.term_frequency
            rows.append(
                (
                    comparison.name,
                    level.label,
                    level.m_probability,
                    level.u_probability,
                    *((tf.weight, tf.minimum, level.u_probability) if tf else ("", "", "")),
                )
            )
    return header, rows


def _write(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
