"""Turns the conditions of a Splink model, written for DuckDB, into PostgreSQL's SQL.

sqlglot knows most of both dialects. What PostgreSQL has no word for (Jaro-Winkler, …) is
a function of the warehouse, in `functions/`, that agrees with DuckDB's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from outcomes.errors import OutcomesError

if TYPE_CHECKING:
    from sqlglot import exp

# A function of the warehouse, until the place is known where it is called.
_MARK = "warehouse_function_"
_UNITS = ("year", "quarter", "month", "day")
# DuckDB's names for what is in `functions/`.
_WAREHOUSE_FUNCTIONS = frozenset(
    {
        "array_cosine_similarity", "damerau_levenshtein", "jaccard", "jaro_similarity",
        "jaro_winkler_similarity", "list_intersect", "list_max", "list_min", "try_strptime",
    }
)  # fmt: skip


def exactly_matched_column(condition: str) -> str | None:
    """The one column, in lower case, on which a condition asks both sides to be equal."""
    from sqlglot import exp

    tree = _parse(condition.lower()).unnest()
    if not isinstance(tree, exp.EQ):
        return None
    one, other = tree.left.unnest(), tree.right.unnest()
    if not (isinstance(one, exp.Column) and isinstance(other, exp.Column)):
        return None
    name = one.name[:-2]
    return name if (one.name, other.name) == (f"{name}_l", f"{name}_r") else None


def to_postgres(
    condition: str, sides: tuple[str, str] = ("l", "r"), arrays: Collection[str] = ()
) -> str:
    """A condition on `<column>_l` and `<column>_r`, or on `l.<column>` and `r.<column>`.

    Args:
        condition: DuckDB's SQL.
        sides: what the two records are called in the result.
        arrays: columns that hold arrays, where DuckDB has one word for text and arrays.

    Returns:
        PostgreSQL's SQL; functions of the warehouse are marked for `place_functions`.

    Raises:
        OutcomesError: the condition cannot be read.
    """
    tree = _parse(condition).copy()
    tree = _lambdas_to_subqueries(tree)
    # The innermost first: what is inside a replaced part has to be replaced as well.
    for node in reversed(list(tree.bfs())):
        replaced = _to_warehouse_functions(node, set(arrays))
        if node is tree:
            tree = replaced
        elif replaced is not node:
            node.replace(replaced)
    return _name_sides(tree, sides).sql(dialect="postgres", normalize_functions=False)


def place_functions(sql: str, call: str) -> str:
    """Name the warehouse's functions in a result of `to_postgres`.

    Args:
        sql: PostgreSQL's SQL.
        call: what stands before the parenthesis, with `{}` for the function's name.
    """
    return re.sub(rf"{_MARK}(\w+)", lambda found: call.replace("{}", found[1]), sql)


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


def _is_one(literal: exp.Expr) -> bool:
    return literal.is_number and float(literal.name) == 1


def _to_warehouse_functions(node: exp.Expr, arrays: set[str]) -> exp.Expr:
    from sqlglot import exp

    match node:
        # The same question, answered by a function in C.
        case exp.LTE(this=exp.Anonymous() as distance) if (
            distance.name == _MARK + "damerau_levenshtein" and _is_one(node.expression)
        ):
            return _warehouse("is_near_text", *distance.expressions)
        # The same question, answered without matching letters for most texts.
        case exp.GTE(this=exp.Anonymous() as similarity, expression=exp.Literal()) if (
            similarity.name == _MARK + "jaro_winkler_similarity"
        ):
            return _warehouse("is_similar_text", *similarity.expressions, node.expression)
        case exp.JarowinklerSimilarity():
            return _warehouse("jaro_winkler_similarity", node.this, node.expression)
        case exp.RegexpExtract():
            group = node.args.get("group") or exp.Literal.number(0)
            return _warehouse("regexp_extract", node.this, node.expression, group)
        case exp.DateDiff():
            unit = str(node.args.get("unit") or "day").lower()
            if unit not in _UNITS:
                raise OutcomesError(f"date_diff: expected {', '.join(_UNITS)}, found {unit}.")
            return _warehouse("date_diff", exp.Literal.string(unit), node.expression, node.this)
        case exp.ArraySize():
            # PostgreSQL's array_length of an empty array is null.
            return exp.Anonymous(this="cardinality", expressions=[node.this])
        case exp.Length() if _is_array(node.this, arrays):
            return exp.Anonymous(this="cardinality", expressions=[node.this])
        case exp.Contains():
            found = exp.StrPosition(this=node.this, substr=node.expression)
            return exp.paren(exp.GT(this=found, expression=exp.Literal.number(0)))
        case exp.DayOfMonth():
            return exp.Extract(this=exp.var("day"), expression=node.this)
        case exp.ArrayIntersect():
            return _warehouse("list_intersect", *node.expressions)
        case exp.ArrayMin() | exp.ArrayMax():
            name = "list_min" if isinstance(node, exp.ArrayMin) else "list_max"
            return _warehouse(name, node.this)
        case exp.Bracket(expressions=[exp.Neg() as index]):
            # Read as 0-based, so that -1 became -2; PostgreSQL counts from the front only.
            back = int(index.this.name) - 2
            length = exp.Anonymous(this="cardinality", expressions=[node.this.copy()])
            position = exp.Sub(this=length, expression=exp.Literal.number(back))
            return exp.Bracket(this=node.this, expressions=[position])
        case exp.Div():
            # DuckDB's answer is no number, PostgreSQL's an error.
            if not isinstance(node.expression, exp.Nullif):
                zero = exp.Literal.number(0)
                node.set("expression", exp.Nullif(this=node.expression, expression=zero))
            return node
        case exp.Round(this=number) if node.args.get("decimals") is None:
            # PostgreSQL rounds half a double to the even number, DuckDB away from zero.
            return exp.Round(this=exp.cast(number, "decimal"))
        case exp.TryCast():
            valid = exp.Anonymous(
                this="pg_input_is_valid",
                expressions=[
                    exp.cast(node.this.copy(), "text"),
                    exp.Literal.string(node.to.sql(dialect="postgres")),
                ],
            )
            return exp.Case(ifs=[exp.If(this=valid, true=exp.cast(node.this, node.to))])
        case exp.Anonymous() if node.name.lower() in _WAREHOUSE_FUNCTIONS:
            return _warehouse(node.name.lower(), *node.expressions)
        case _:
            return node


def _is_array(node: exp.Expr, arrays: set[str]) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Column) and re.sub("_[lr]$", "", node.name.lower()) in arrays


def _lambdas_to_subqueries(tree: exp.Expr) -> exp.Expr:
    """PostgreSQL has no lambdas: `list_transform(a, x -> f(x))` becomes a subquery."""
    from sqlglot import exp

    for node in list(tree.find_all(exp.Transform)):
        if node.parent is None and node is not tree:
            continue
        crossed = _crossed_lists(node)
        if crossed is not None:
            first, second, body = crossed
            query = exp.select(body).from_(f"unnest({first}) as pair_one(one)")
            query = query.join(f"unnest({second}) as pair_other(other)", join_type="cross")
        else:
            function = node.expression
            if not isinstance(function, exp.Lambda) or len(function.expressions) != 1:
                continue
            element = function.expressions[0].name
            query = exp.select(function.this.copy()).from_(
                f"unnest({node.this.sql(dialect='postgres')}) as elements({element})"
            )
        replaced = exp.Array(expressions=[query])
        if node is tree:
            tree = replaced
        else:
            node.replace(replaced)
    return tree


def _crossed_lists(node: exp.Expr) -> tuple[str, str, exp.Expr] | None:
    """Splink's every-element-with-every-element: the two lists and what is made of a pair."""
    from sqlglot import exp

    pairs = node.this
    if not (isinstance(pairs, exp.Flatten) and isinstance(pairs.this, exp.Transform)):
        return None
    outer = pairs.this
    inner = outer.expression.this
    function = node.expression
    if not (isinstance(inner, exp.Transform) and isinstance(inner.expression.this, exp.Array)):
        return None
    pair = function.expressions[0].name
    sides = {0: "pair_one.one", 1: "pair_other.other"}

    def place(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Bracket) and part.this.name == pair:
            return exp.to_column(sides[int(part.expressions[0].name)])
        return part

    body = function.this.copy().transform(place)
    return outer.this.sql(dialect="postgres"), inner.this.sql(dialect="postgres"), body


def _name_sides(tree: exp.Expr, sides: tuple[str, str]) -> exp.Expr:
    from sqlglot import exp

    def place(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        name, table = node.name.lower(), node.table.lower()
        if table in ("l", "r"):
            side = table
        elif not table and name.endswith(("_l", "_r")):
            name, side = name[:-2], name[-1]
        else:
            return node
        plain = re.fullmatch("[a-z_][a-z0-9_]*", name) is not None
        return exp.column(
            exp.to_identifier(name, quoted=not plain), table=sides[0] if side == "l" else sides[1]
        )

    return tree.transform(place)
