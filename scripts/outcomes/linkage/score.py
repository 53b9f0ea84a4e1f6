"""Applies a Splink model in PostgreSQL: the weights that Splink's `predict()` would give."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from outcomes.errors import OutcomesError
from outcomes.linkage.dialect import place_functions, to_postgres
from outcomes.linkage.match_model import BlockingRule, Comparison, Level, MatchModel

_TYPES: dict[Any, str] = {
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "timestamp",
    pl.Float32: "double precision",
    pl.Float64: "double precision",
    pl.String: "text",
}

# Splink's, between the name of a data set and an id.
_KEY_SEPARATOR = "-__-"


@dataclass(frozen=True)
class Side:
    """Records to compare: a relation in the database, and which of its columns are arrays."""

    relation: str
    columns: frozenset[str]
    arrays: frozenset[str]


def read_records(path: Path) -> pl.DataFrame:
    """Records out of a file; those of a .csv are text, and empty fields null.

    Raises:
        OutcomesError: there is no such file, or it is of another kind.
    """
    if not path.exists():
        raise OutcomesError(f"{path} does not exist: expected a .parquet or .csv file of records.")
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    if path.suffix == ".csv":
        return pl.read_csv(path, infer_schema=False)
    raise OutcomesError(f"{path}: expected a .parquet or .csv file of records.")


def copy_records(connection: psycopg.Connection, records: pl.DataFrame, name: str) -> Side:
    """Copy records to a temporary table, for `score`."""
    records = records.rename(str.lower)
    arrays = frozenset(
        n for n, kind in records.schema.items() if isinstance(kind, pl.List | pl.Array)
    )
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_type(kind)))
        for column, kind in records.schema.items()
    )
    table = sql.Identifier(name)
    connection.execute(sql.SQL("create temporary table {} ({})").format(table, columns))
    with connection.cursor().copy(sql.SQL("copy {} from stdin").format(table)) as copy:
        for row in records.iter_rows():
            copy.write_row(row)
    connection.execute(sql.SQL("analyze {}").format(table))
    return Side(name, frozenset(records.columns), arrays)


def _type(kind: Any) -> str:
    if isinstance(kind, pl.List | pl.Array):
        return f"{_type(kind.inner)}[]"
    if kind.is_integer():
        return "bigint"
    return _TYPES.get(type(kind), "text")


def score(
    connection: psycopg.Connection, model: MatchModel, left: Side, right: Side | None = None
) -> pl.DataFrame:
    """Weigh the pairs that the model's blocking rules make, as Splink's `predict()` does.

    Args:
        connection: to a built warehouse, for its functions.
        model: any trained model.
        left: records; term frequencies are counted over both sides.
        right: records of the other data set; None to compare `left` with itself.

    Returns:
        unique_id_l, unique_id_r, match_weight, match_probability; and of every comparison
        gamma_<name>, Splink's number of the level, and mw_<name>, its bits. Of a model that
        both links and finds duplicates also source_dataset_l and source_dataset_r, left or
        right.

    Raises:
        OutcomesError: the model needs a column that is not there, or a condition that
            PostgreSQL does not know.
    """
    expected = ["dedupe_only"] if right is None else ["link_only", "link_and_dedupe"]
    if model.link_type not in expected:
        raise OutcomesError(
            f"The model's link_type is {model.link_type}, but {1 if right is None else 2} file(s) "
            f"were given: that is {' or '.join(expected)}."
        )
    if not model.blocking_rules:
        raise OutcomesError("The model has no blocking_rules_to_generate_predictions.")
    if model.link_type == "link_and_dedupe" and right is not None:
        left, right = _stacked(connection, model.unique_id_column.lower(), left, right), None
    query = scoring_query(model, left, right)
    try:
        with connection.transaction(), connection.cursor() as cursor:
            # Compiling the long expressions takes longer than the few pairs.
            cursor.execute("set local jit = off")
            cursor.execute(query.encode())
            names = [column.name for column in cursor.description or []]
            rows = cursor.fetchall()
    except (psycopg.ProgrammingError, psycopg.DataError) as error:
        raise OutcomesError(
            "PostgreSQL cannot apply the model: "
            f"{error.diag.message_primary}. Expected conditions on columns of the records, of "
            "functions that docs/match_model.md lists."
        ) from None
    scores = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    if model.link_type != "link_and_dedupe":
        return scores
    keys = [
        pl.col(f"unique_id_{side}")
        .str.splitn(_KEY_SEPARATOR, 2)
        .struct.rename_fields([f"source_dataset_{side}", f"unique_id_{side}"])
        .struct.unnest()
        for side in "lr"
    ]
    return scores.select(*keys, pl.exclude("unique_id_l", "unique_id_r"))


def _stacked(connection: psycopg.Connection, unique_id: str, left: Side, right: Side) -> Side:
    """Both data sets as one, in which an id carries the name of its data set."""
    columns = left.columns & right.columns
    names = sql.SQL(", ").join(map(sql.Identifier, sorted(columns - {unique_id})))
    halves = sql.SQL(" union all ").join(
        sql.SQL("select {} || {} as {}, {} from {}").format(
            name + _KEY_SEPARATOR, id_column, id_column, names, sql.Identifier(side.relation)
        )
        for name, side in (("left", left), ("right", right))
        for id_column in [sql.Identifier(unique_id)]
    )
    connection.execute(sql.SQL("create temporary table all_records as {}").format(halves))
    connection.execute("analyze all_records")
    return Side("all_records", columns, left.arrays & right.arrays)


def scoring_query(model: MatchModel, left: Side, right: Side | None) -> str:
    """The query that weighs the model's pairs, all of it PostgreSQL's SQL."""
    others = left if right is None else right
    arrays = left.arrays | others.arrays
    unique_id = f'"{model.unique_id_column.lower()}"'

    def compiled(condition: str, exploded: Collection[str] = ()) -> str:
        found = to_postgres(condition, arrays=arrays.difference(exploded))
        return place_functions(found, "functions.{}")

    frequencies = []
    for column in model.term_frequency_columns:
        values = f'select "{column}" as term from {left.relation}'
        if right is not None:
            values += f' union all select "{column}" from {right.relation}'
        frequencies.append(
            f'"tf_{column}" as (\n'
            "    select term, count(*) / (sum(count(*)) over ())::double precision as tf\n"
            f"    from ({values}) as terms where term is not null group by term\n)"
        )
    apart = f"l.{unique_id} < r.{unique_id}" if right is None else "true"
    pairs = "\n    union\n    ".join(
        f"select distinct l.{unique_id} as unique_id_l, r.{unique_id} as unique_id_r\n"
        f"    from {_exploded(left, rule)} as l inner join {_exploded(others, rule)} as r\n"
        f"        on {apart} and ({compiled(rule.condition, rule.exploded)})"
        for rule in model.blocking_rules
    )
    levels = [
        f'{level_case(comparison, compiled)} as "gamma_{comparison.name}"'
        for comparison in model.comparisons
    ]
    terms = [
        f'{side}."{column}" as "{column}_{side}"'
        for column in model.term_frequency_columns
        for side in ("l", "r")
    ]
    joins = [
        f'left join "tf_{column}" as "tf_{column}_{side}"'
        f' on levels."{column}_{side}" = "tf_{column}_{side}".term'
        for column in model.term_frequency_columns
        for side in ("l", "r")
    ]
    weights = [
        f'{_weight_case(comparison)} as "mw_{comparison.name}"' for comparison in model.comparisons
    ]
    total = " + ".join(f'"mw_{comparison.name}"' for comparison in model.comparisons)
    prior = (
        f"functions.evidence_weight({model.probability_two_random_records_match!r}, "
        f"1 - {model.probability_two_random_records_match!r}::double precision, "
        "null, null, null, null, null)"
    )
    gammas = ", ".join(f'"gamma_{comparison.name}"' for comparison in model.comparisons)
    parts = ", ".join(f'"mw_{comparison.name}"' for comparison in model.comparisons)
    separator = ",\n        "
    ctes = ",\n\n".join(
        [
            *frequencies,
            f"pairs as (\n    {pairs}\n)",
            "levels as (\n    select\n        unique_id_l,\n        unique_id_r,\n        "
            f"{separator.join(levels + terms)}\n    from pairs\n"
            f"    inner join {left.relation} as l on pairs.unique_id_l = l.{unique_id}\n"
            f"    inner join {others.relation} as r on pairs.unique_id_r = r.{unique_id}\n)",
            "weights as (\n    select\n        levels.*,\n        "
            f"{separator.join(weights)}\n    from levels\n    " + "\n    ".join(joins) + "\n)",
            f"scores as (\n    select *, {prior} + {total} as match_weight\n    from weights\n)",
        ]
    )
    return (
        f"with\n\n{ctes}\n\nselect\n    unique_id_l,\n    unique_id_r,\n    match_weight,\n"
        "    functions.match_probability(match_weight) as match_probability,\n"
        f"    {gammas},\n    {parts}\nfrom scores"
    )


def _exploded(side: Side, rule: BlockingRule) -> str:
    """The relation, with a row for each element of the arrays that the rule explodes."""
    if not rule.exploded:
        return side.relation
    columns = ", ".join(
        f'unnest("{column}") as "{column}"' if column in rule.exploded else f'"{column}"'
        for column in sorted(side.columns)
    )
    return f"(select {columns} from {side.relation})"


def level_case(
    comparison: Comparison,
    compiled: Callable[[str], str],
    name: Callable[[Level], str] = lambda level: str(level.number),
) -> str:
    """The expression that finds a comparison's level; `name` says what the level is called."""
    tried = [
        f"when {compiled(level.condition)} then {name(level)}"
        for level in comparison.levels
        if level.condition is not None
    ]
    return f"case {' '.join(tried)} else {name(comparison.levels[-1])} end"


def _weight_case(comparison: Comparison) -> str:
    weighed = []
    for level in comparison.levels:
        if level.is_null:
            continue
        tf = level.term_frequency
        adjustment = (
            "null, null, null, null, null"
            if tf is None
            else f"{tf.weight!r}, {tf.u_probability!r}, {tf.minimum!r}, "
            f'"tf_{tf.column}_l".tf, "tf_{tf.column}_r".tf'
        )
        weighed.append(
            f"when {level.number} then functions.evidence_weight("
            f"{level.m_probability!r}, {level.u_probability!r}, {adjustment})"
        )
    return f'case levels."gamma_{comparison.name}" {" ".join(weighed)} else 0 end'
