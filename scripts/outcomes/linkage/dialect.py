"""Translates the conditions of a Splink model from DuckDB's SQL to that of a dbt model.

sqlglot translates most of it. Functions that PostgreSQL lacks (Jaro-Winkler, …) are functions
of the warehouse, in `functions/`, with the same results as DuckDB's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outcomes.errors import OutcomesError

if TYPE_CHECKING:
    from sqlglot import exp

# The names of the two records in the result, by the end of a column's name in Splink's.
_SIDES = {"_l": "students", "_r": "others"}
# Marks a function of the warehouse, which dbt names.
_MARK = "warehouse_function_"


def to_warehouse(condition: str) -> str:
    """DuckDB's condition on `<column>_l` and `<column>_r`, on the warehouse's `students`, `others`.

    Raises:
        OutcomesError: the condition cannot be read, or uses a function that the warehouse
            lacks.
    """
    tree = _parse(condition).transform(_to_warehouse_functions).transform(_to_side)
    sql = tree.sql(dialect="postgres", normalize_functions=False)
    # In lower case, except what stands between quotes.
    sql = re.sub(r"""'[^']*'|"[^"]*"|[^'"]+""", lambda part: _lower(part[0]), sql)
    return re.sub(rf"{_MARK}(\w+)", r"{{ function('\1') }}", sql)


def _lower(sql: str) -> str:
    return sql if sql[0] in "'\"" else sql.lower()


def _parse(condition: str) -> exp.Expr:
    try:
        import sqlglot
    except ImportError:
        raise OutcomesError(
            "Reading a match model needs the package sqlglot: pip install -e '.[train]'."
        ) from None
    try:
        tree: exp.Expr = sqlglot.parse_one(condition, read="duckdb")
    except sqlglot.ParseError as error:
        raise OutcomesError(f"Expected a condition in DuckDB's SQL: {error}") from None
    return tree


def _warehouse(name: str, *arguments: exp.Expr | None) -> exp.Expr:
    from sqlglot import exp

    return exp.Anonymous(this=_MARK + name, expressions=[a for a in arguments if a is not None])


def _to_warehouse_functions(node: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    match node:
        case exp.LTE(this=exp.Anonymous(name="damerau_levenshtein") as distance) if (
            node.expression.is_number and float(node.expression.name) == 1
        ):
            return _warehouse("is_near_text", *distance.expressions)
        case exp.GTE(this=exp.JarowinklerSimilarity() as similarity, expression=exp.Literal()):
            return _warehouse(
                "is_similar_text", similarity.this, similarity.expression, node.expression
            )
        case exp.DayOfMonth():
            return exp.Extract(this=exp.var("day"), expression=node.this)
        case exp.Anonymous() if not node.name.startswith(_MARK):
            raise OutcomesError(
                f"{node.name}: expected damerau_levenshtein(…) <= 1, "
                "jaro_winkler_similarity(…) >= a number, or a function of PostgreSQL's."
            )
        case _:
            return node


def _to_side(node: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    name = node.name.lower() if isinstance(node, exp.Column) else ""
    side = _SIDES.get(name[-2:])
    return exp.column(name[:-2], table=side) if side else node
