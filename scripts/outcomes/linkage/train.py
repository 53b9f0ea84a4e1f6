"""Trains the match model with Splink on the warehouse's identities."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata, util
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from outcomes.errors import OutcomesError
from outcomes.linkage.adopt import MODEL_FILE, TRAINING_FILE, adopt

_COLUMNS: dict[str, Any] = {
    "identity_id": pl.String,
    "last_name": pl.String,
    "last_name_tokens": pl.List(pl.String),
    "last_name_sound": pl.String,
    "first_name": pl.String,
    "first_name_forms": pl.List(pl.String),
    "first_name_sound": pl.String,
    "middle_name": pl.String,
    "suffix": pl.String,
    "birth_date": pl.Date,
    "gender": pl.String,
    "ssn": pl.String,
    "street": pl.String,
    "zip": pl.String,
    "state_student_id": pl.String,
}


class FixedLevel(BaseModel):
    """Fixed probabilities of a level that the data cannot train."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    m_probability: float | None = Field(default=None, gt=0, le=1)
    u_probability: float | None = Field(default=None, gt=0, le=1)


class Recipe(BaseModel):
    """How to train: the content of `seeds/identity/match_training.json`.

    `fixed` is by comparison and label of the level.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    deterministic_rules: list[str] = Field(min_length=1)
    recall: float = Field(gt=0, le=1)
    max_pairs: int = Field(gt=0)
    seed: int
    em_rules: list[str] = Field(min_length=1)
    rarest_frequency: float = Field(gt=0, lt=1)
    fewest_identities: int = Field(gt=0)
    fixed: dict[str, dict[str, FixedLevel]]

    @property
    def sha256(self) -> str:
        """Hash of the content, whatever the file's format."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True)
class Trained:
    """Result of a training: sizes, λ, the model's version and the files of its charts."""

    version: str
    students: int
    clients: int
    probability_two_random_records_match: float
    charts: list[Path]


def train(
    connection: psycopg.Connection,
    project: Path,
    charts: Path,
    keep: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train the project's model and adopt it.

    The project's model defines the comparisons, its recipe how to train and which values are
    fixed. Comparisons to `keep` keep their values, because these identities cannot train them.
    Splink's charts are drawn into the folder `charts`; `say` is called with each step.

    Raises:
        OutcomesError: Splink is not installed, a file is wrong, there are no identities to
            train on, or a level stays untrained.
    """
    if not util.find_spec("splink"):
        raise OutcomesError("Training needs Splink: pip install -e '.[train]' and try again.")
    recipe = _read_recipe(project / TRAINING_FILE)
    old = json.loads((project / MODEL_FILE).read_text("utf-8"))
    _check_keep(old, keep)
    untrained = _untrained(old, recipe)

    say("Reading identities")
    students, clients = (_read(connection, kind) for kind in ("student", "client"))
    if students.is_empty() or clients.is_empty():
        raise OutcomesError(
            "Training needs identities of students and of clients: land deliveries and build first."
        )
    identities = students.height + clients.height
    rarest = max(recipe.rarest_frequency, recipe.fewest_identities / identities)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker = _linker(students, clients, _with_rarest(untrained, rarest))
        _estimate(linker, recipe, say)
        content = _finish(linker.misc.save_model_to_json(), old, keep)
        _refuse_untrained(content)
        say("Drawing charts")
        drawn = _draw(linker, charts)

    version = datetime.now(UTC).date().isoformat()
    adopt(
        project,
        content,
        _frequencies(content, pl.concat([students, clients]), rarest),
        {
            "version": version,
            "student_identities": students.height,
            "client_identities": clients.height,
            "data_sha256": _digest(students, clients),
            "recipe_sha256": recipe.sha256,
            "seed": recipe.seed,
            "splink_version": metadata.version("splink"),
            "duckdb_version": metadata.version("duckdb"),
        },
    )
    return Trained(
        version,
        students.height,
        clients.height,
        content["probability_two_random_records_match"],
        drawn,
    )


def _linker(students: pl.DataFrame, clients: pl.DataFrame, settings: dict[str, Any]) -> Any:
    # Loading both takes seconds.
    import duckdb
    from splink import DuckDBAPI, Linker, SettingsCreator

    # One thread: the order in which numbers are added changes the result.
    memory = duckdb.connect(config={"threads": 1})
    memory.register("student_identities", students.to_arrow())
    memory.register("client_identities", clients.to_arrow())
    database = DuckDBAPI(memory)
    return Linker(
        [
            database.register("student_identities", dataset_display_name="a_students"),
            database.register("client_identities", dataset_display_name="b_clients"),
        ],
        SettingsCreator.from_path_or_dict(settings),
        log_level=logging.ERROR,
    )


def _estimate(linker: Any, recipe: Recipe, say: Callable[[str], None]) -> None:
    say("Estimating the share of pairs that match")
    linker.training.estimate_probability_two_random_records_match(
        [*recipe.deterministic_rules], recall=recipe.recall
    )
    say("Estimating u from random pairs")
    linker.training.estimate_u_using_random_sampling(recipe.max_pairs, seed=recipe.seed)
    for number, rule in enumerate(recipe.em_rules, 1):
        say(f"Estimating m, {number} of {len(recipe.em_rules)}")
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, record_sample_proportion=1.0
        )


def _read_recipe(file: Path) -> Recipe:
    try:
        return Recipe.model_validate_json(file.read_text("utf-8"))
    except OSError as error:
        raise OutcomesError(f"{file}: the recipe cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise OutcomesError(f"{file}: {place}: {first['msg']}.") from None


def _check_keep(model: dict[str, Any], keep: Sequence[str]) -> None:
    names = [comparison["output_column_name"] for comparison in model["comparisons"]]
    for name in keep:
        if name not in names:
            raise OutcomesError(f"--keep {name}: expected one of {', '.join(names)}.")


def _read(connection: psycopg.Connection, record_type: str) -> pl.DataFrame:
    """Identities of the current records, numbered: their own ids depend on definitions."""
    columns = ", ".join(list(_COLUMNS)[1:])
    rows = connection.execute(
        f"""
        select (row_number() over (order by {columns}))::text as identity_id, {columns}
        from identity.int_identities
        where record_type = %s
        and identity_id in (select identity_id from identity.int_identity_records)
        order by {columns}
        """.encode(),  # noqa: S608 - _COLUMNS is a constant
        [record_type],
    ).fetchall()
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def _untrained(model: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """The model without any values but the fixed ones, so that no old value remains."""
    content: dict[str, Any] = json.loads(json.dumps(model))
    unknown = {(name, label) for name, labels in recipe.fixed.items() for label in labels}
    for comparison in content["comparisons"]:
        name = comparison["output_column_name"]
        for level in comparison["comparison_levels"]:
            label = level["label_for_charts"]
            unknown.discard((name, label))
            fixed = recipe.fixed.get(name, {}).get(label, FixedLevel())
            for part, value in fixed.model_dump().items():
                level.pop(part, None)
                level[f"fix_{part}"] = value is not None
                if value is not None:
                    level[part] = value
    if unknown:
        names = ", ".join(f"{name}, level {label}" for name, label in sorted(unknown))
        raise OutcomesError(f"{TRAINING_FILE}: fixed: the model has no {names}.")
    return content


def _with_rarest(content: dict[str, Any], rarest: float) -> dict[str, Any]:
    """The model with a lower bound of term frequencies."""
    for comparison in content["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level.get("tf_adjustment_column"):
                level["tf_minimum_u_value"] = rarest
    return content


def _finish(content: dict[str, Any], old: dict[str, Any], keep: Sequence[str]) -> dict[str, Any]:
    """The trained model, rounded for a review, with the comparisons that keep their values."""
    # Splink gives each model a random name.
    content.pop("linker_uid", None)
    kept = {
        c["output_column_name"]: c for c in old["comparisons"] if c["output_column_name"] in keep
    }
    content["comparisons"] = [
        kept.get(comparison["output_column_name"], comparison)
        for comparison in content["comparisons"]
    ]
    content["probability_two_random_records_match"] = _rounded(
        content["probability_two_random_records_match"]
    )
    for comparison in content["comparisons"]:
        for level in comparison["comparison_levels"]:
            for part in ("m_probability", "u_probability", "tf_minimum_u_value"):
                if isinstance(level.get(part), float):
                    level[part] = _rounded(level[part])
    return content


def _rounded(number: float) -> float:
    return float(f"{number:.6g}")


def _refuse_untrained(content: dict[str, Any]) -> None:
    missing = [
        f"{comparison['output_column_name']}, level {level['label_for_charts']}: {part}"
        for comparison in content["comparisons"]
        for level in comparison["comparison_levels"]
        for part in ("m_probability", "u_probability")
        if not level.get("is_null_level") and part not in level
    ]
    if missing:
        lines = "\n  ".join(missing)
        raise OutcomesError(
            f"The data do not show every level; nothing was changed. Untrained:\n  {lines}\n"
            f"Train on more data; or fix the probability in {TRAINING_FILE}; or keep the values "
            "that a comparison has in the current model: --keep <comparison>."
        )


def _frequencies(
    content: dict[str, Any], identities: pl.DataFrame, rarest: float
) -> list[tuple[str, str, float]]:
    """Frequencies of the common values; a rarer one gets the lower bound.

    Rare values are not written, because they would reveal who is among the identities.
    """
    columns = sorted(
        {
            level["tf_adjustment_column"]
            for comparison in content["comparisons"]
            for level in comparison["comparison_levels"]
            if level.get("tf_adjustment_column")
        }
    )
    found: list[tuple[str, str, float]] = []
    for column in columns:
        values = identities[column].drop_nulls()
        counts = values.value_counts().with_columns(frequency=pl.col("count") / values.len())
        for value, _, frequency in counts.filter(pl.col("frequency") > rarest).rows():
            found.append((column, value, frequency))
    return found


def _digest(*frames: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(frame.write_json().encode())
    return digest.hexdigest()


def _draw(linker: Any, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    charts = {
        "match_weights": linker.visualisations.match_weights_chart(),
        "m_u_parameters": linker.visualisations.m_u_parameters_chart(),
        "unlinkables": linker.evaluation.unlinkables_chart(),
    }
    files = []
    for name, chart in charts.items():
        file = folder / f"{name}.html"
        chart.save_offline_chart(str(file), overwrite=True, print_msg=False)
        files.append(file)
    return files
