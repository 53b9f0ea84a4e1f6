"""With the same model, the warehouse's weights equal Splink's to 1e-9 bits."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import psycopg
import pytest
from splink import DuckDBAPI, Linker

from outcomes.config import PROJECT_DIR, Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.adopt import MODEL_FILE, match_level_macro, weight_rows
from outcomes.linkage.match_model import parse_model
from outcomes.warehouse.connection import connect


def _linker(frames: list[pl.DataFrame], settings: Any) -> Linker:
    memory = duckdb.connect()
    # Splink 5.0 still uses the lambda syntax that DuckDB has deprecated.
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


def test_match_weights_of_the_demo_are_splinks(built_demo: Settings) -> None:
    with connect(built_demo) as connection:
        assert_same_weights(connection, PROJECT_DIR)


def assert_same_weights(connection: psycopg.Connection, project: Path) -> None:
    """Compare the weights of dbt with Splink's, which gets the same term frequencies."""
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
    content = json.loads((project / MODEL_FILE).read_text())
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
    # The warehouse has more blocking keys than the file.
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


def test_similarities_equal_duckdbs(built_demo: Settings) -> None:
    letters = pl.Series(["a", "b", "c", "é"])
    texts = ["".join(letters.sample(1 + n % 9, with_replacement=True, seed=n)) for n in range(6000)]
    pairs = pl.DataFrame({"one": texts[::2], "other": texts[1::2]})
    memory = duckdb.connect()
    memory.register("pairs", pairs.to_arrow())
    expected = memory.sql(
        "select jaro_winkler_similarity(one, other), jaro_winkler_similarity(one, other) >= 0.88, "
        "jaro_winkler_similarity(one, other) >= 0.9 from pairs"
    ).fetchall()
    with connect(built_demo) as connection:
        found = connection.execute(
            "select functions.jaro_winkler_similarity(one, other), "
            "functions.is_similar_text(one, other, 0.88), "
            "functions.is_similar_text(one, other, 0.9) "
            "from unnest(%s::text[], %s::text[]) with ordinality as pairs (one, other, n) "
            "order by n",
            [texts[::2], texts[1::2]],
        ).fetchall()
    assert [row[1:] for row in found] == [row[1:] for row in expected]
    assert [row[0] for row in found] == pytest.approx([row[0] for row in expected], abs=1e-12)


def test_near_texts_have_duckdbs_distance_of_one(built_demo: Settings) -> None:
    """All short texts of three letters: one or two typos or swaps, at either end."""
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


def test_seeds_and_macro_are_generated_from_the_model_file() -> None:
    model = parse_model(json.loads((PROJECT_DIR / MODEL_FILE).read_text()), "match_model.json")
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
            "Only the level with the condition last_name_l = last_name_r",
        ),
    ],
)
def test_an_incomplete_model_is_refused(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(OutcomesError, match=message):
        parse_model(_broken(change), "model.json")


def test_a_condition_that_the_warehouse_cannot_apply_is_refused() -> None:
    model = _broken(
        lambda m: m["comparisons"][0]["comparison_levels"][2].update(
            sql_condition="jaccard(last_name_l, last_name_r) > 0.5"
        )
    )
    with pytest.raises(OutcomesError, match="expected damerau_levenshtein"):
        match_level_macro(parse_model(model, "model.json"))
