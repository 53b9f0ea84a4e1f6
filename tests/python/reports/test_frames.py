"""`import outcomes` in a notebook: correct rows in lossless dtypes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import psycopg
import pytest
from psycopg import sql

import outcomes
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect

STUDENT_YEARS = "marts_pseudonymized.fct_student_years"


def test_tables_lists_what_the_login_may_read(analyst: Settings) -> None:
    tables = outcomes.tables().set_index("table_name")["description"]
    assert STUDENT_YEARS in tables
    assert tables[STUDENT_YEARS].startswith("One row per district student and school year")
    assert {name.split(".")[0] for name in tables.index} == {
        "crosswalks", "marts", "marts_pseudonymized", "marts_public", "policy",
    }  # fmt: skip


@pytest.mark.parametrize(
    "table", ["marts.dim_students", "marts_pseudonymized.nothing", "pg_catalog.pg_class", "x", ""]
)
def test_a_table_that_the_login_may_not_read_is_refused(analyst: Settings, table: str) -> None:
    with pytest.raises(OutcomesError, match="ana may not read a table"):
        outcomes.read(table)


def test_every_table_has_the_values_of_the_database(analyst: Settings) -> None:
    for table in outcomes.tables()["table_name"]:
        frame = outcomes.read(table)
        with connect(analyst) as connection:
            rows = connection.execute(
                sql.SQL("select * from {}").format(sql.Identifier(*table.split(".")))
            ).fetchall()
        read = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
        assert [[comparable(v) for v in row] for row in read] == [
            [comparable(v) for v in row] for row in rows
        ], table


def comparable(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def test_dtypes_are_nullable_and_levels_are_ordered(
    connection: psycopg.Connection,
) -> None:
    connection.execute(
        """
        create schema policy;
        create table policy.performance_levels (level text, rank int);
        insert into policy.performance_levels values ('Advanced', 2), ('Basic', 1);
        create table policy.kinds (
            i int, b boolean, n numeric(5, 4), d date, t timestamptz, s text, math_level text
        );
        comment on table policy.kinds is 'One row per kind.';
        comment on column policy.kinds.n is 'Share of days.';
        insert into policy.kinds values
            (9007199254740993 % 2147483647, false, 0.1250, '1999-12-31', '2012-10-05 12:00+00',
             'it''s', 'Basic'),
            (null, null, null, null, null, null, null)
        """
    )
    frame = outcomes.read("policy.kinds")
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "i": "Int64", "b": "boolean", "n": "Float64", "d": "datetime64[s]",
        "t": "datetime64[us, UTC]", "s": "string", "math_level": "category",
    }  # fmt: skip
    assert list(frame["math_level"].cat.categories) == ["Basic", "Advanced"]
    assert frame["math_level"].cat.ordered
    first, second = frame.itertuples(index=False)
    assert tuple(first) == (
        9007199254740993 % 2147483647, False, 0.125, pd.Timestamp("1999-12-31"),
        pd.Timestamp(datetime(2012, 10, 5, 12, tzinfo=UTC)), "it's", "Basic",
    )  # fmt: skip
    assert all(pd.isna(value) for value in second)
    assert frame.attrs["description"] == "One row per kind."
    assert frame.attrs["columns"]["n"] == "Share of days."
    assert [str(d) for d in outcomes.read("policy.kinds", where={"i": []}).dtypes] == [
        str(d) for d in frame.dtypes
    ]


def test_where_picks_rows_by_value(analyst: Settings) -> None:
    everything = outcomes.read(STUDENT_YEARS)
    expected = everything[
        everything["school_year"].isin([2011, 2012])
        & everything["involved_ever"].eq(True)
        & everything["gpa"].isna()
    ]
    some = outcomes.read(
        STUDENT_YEARS, where={"school_year": [2011, 2012], "involved_ever": True, "gpa": None}
    )
    assert 0 < len(some) < len(everything)
    assert set(some["student_key"]) == set(expected["student_key"])
    assert len(some) == len(expected)


def test_columns_are_read_in_the_given_order(analyst: Settings) -> None:
    frame = outcomes.read(STUDENT_YEARS, {"school_year": 2012}, columns=["gpa", "student_key"])
    everything = outcomes.read(STUDENT_YEARS, {"school_year": 2012})
    assert list(frame.columns) == ["gpa", "student_key"]
    assert list(frame.attrs["columns"]) == ["gpa", "student_key"]
    assert sorted(frame["student_key"]) == sorted(everything["student_key"])
    with pytest.raises(OutcomesError, match="has no column 'ssn'"):
        outcomes.read(STUDENT_YEARS, columns=["ssn"])


@pytest.mark.parametrize(
    "value", ["x' or true --", "'; create table marts_public.hole (); --", "%s", "\\"]
)
def test_a_value_is_never_run_as_sql(analyst: Settings, value: str) -> None:
    assert outcomes.read(STUDENT_YEARS, where={"district_id": value}).empty


def test_an_unknown_column_is_an_error(analyst: Settings) -> None:
    with pytest.raises(OutcomesError, match=r"has no column .*It has: student_key"):
        outcomes.read(STUDENT_YEARS, where={"true or district_id": "x"})
