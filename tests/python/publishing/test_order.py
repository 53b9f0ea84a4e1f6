"""The place of a row in its table tells nobody whose row it is."""

from __future__ import annotations

from hashlib import sha256
from itertools import groupby, pairwise
from math import sqrt
from statistics import correlation

import psycopg
import pytest
from tests.python.access.rights import relations_of
from tests.python.publishing.warehouse import pretend_build, publish, roll_back

# Identifiers of a student; whoever has a sorted list of one must not find the row.
IDENTIFIERS = (
    "student_key", "person_id", "district_student_id", "state_student_id", "last_name",
    "first_name", "birth_date",
)  # fmt: skip
# Roles that read students' names.
MAY_KNOW = ("outcomes_steward", "outcomes_builder", "outcomes_developer", "outcomes_loader")


def relations_of_others(connection: psycopg.Connection) -> list[str]:
    """Relations outside `marts` that a role reads that may not know every student."""
    return [
        relation
        for relation in relations_of(connection)
        if not relation.startswith("marts.")
        and connection.execute(
            """
            select exists (
                select from pg_roles
                where
                    rolname like 'outcomes\\_%%' and rolname <> all(%(may_know)s)
                    and not rolsuper
                    and has_table_privilege(pg_roles.oid, %(relation)s, 'select')
                    and has_schema_privilege(
                        pg_roles.oid, split_part(%(relation)s, '.', 1), 'usage'
                    )
            )
            """,
            {"relation": relation, "may_know": list(MAY_KNOW)},
        ).fetchone()
        == (True,)
    ]


def students_by_key(connection: psycopg.Connection) -> dict[str, dict[str, str]]:
    """The identifiers of a student by its keys and pseudonyms."""
    rows = connection.execute(
        f"""
        select {", ".join(f"students.{name}::text" for name in IDENTIFIERS)},
            own.pseudonym, persons.pseudonym
        from marts.dim_students as students
        inner join identity.pseudonyms as own on students.student_key = own.key
        inner join identity.pseudonyms as persons on students.person_id = persons.key
        order by students.student_key desc
        """.encode()
    ).fetchall()
    found = {}
    for *identifiers, own, person in rows:
        student = {n: v for n, v in zip(IDENTIFIERS, identifiers, strict=True) if v is not None}
        for key in (student["student_key"], student["person_id"], own, person):
            found[key] = student
    return found


def telling(connection: psycopg.Connection) -> tuple[set[str], set[str]]:
    """The relations with keys of students; and the places that tell, with the identifier."""
    students, seen, told = students_by_key(connection), set(), set()
    for relation in relations_of_others(connection):
        cursor = connection.execute(f"select * from {relation} order by ctid".encode())
        names = [column.name for column in cursor.description or []]
        rows = cursor.fetchall()
        shown = {name for name in IDENTIFIERS if name in names and "pseudonym" not in relation}
        for column, name in enumerate(names):
            keys = [key for key, _ in groupby(row[column] for row in rows) if key in students]
            if len(set(keys)) < 20:
                continue
            seen.add(relation)
            for identifier in IDENTIFIERS:
                # The order of shown ids is no secret, nor what follows it.
                if shown and identifier != "person_id":
                    continue
                values = [students[k][identifier] for k in keys if identifier in students[k]]
                if is_ordered(values):
                    told.add(f"{relation} by {name}: {identifier}")
    return seen, told


def is_ordered(values: list[str]) -> bool:
    """Whether neighbors ascend or descend, or places correlate, more than by chance."""
    pairs = [(one, other) for one, other in pairwise(values) if one != other]
    ascending = sum(one < other for one, other in pairs) / len(pairs)
    ranks = {value: rank for rank, value in enumerate(sorted(set(values)))}
    rho = correlation(range(len(values)), [ranks[value] for value in values])
    return abs(ascending - 0.5) > 5 / sqrt(12 * len(pairs)) or abs(rho) > 5 / sqrt(len(values))


def test_order_is_found_where_there_is_one() -> None:
    ids = [f"{number:04}" for number in range(100)]
    assert is_ordered(ids)
    assert is_ordered(ids[::-1])
    # Two halves, as a scan that begins in the middle gives them.
    assert is_ordered(ids[50:] + ids[:50])
    assert not is_ordered(sorted(ids, key=lambda one: sha256(one.encode()).digest()))


@pytest.mark.parametrize("times", ["first", "again", "rolled back"])
def test_no_published_relation_is_in_the_order_of_an_identifier(
    times: str, connection: psycopg.Connection
) -> None:
    if times != "first":
        publish(connection, pretend_build(connection))
    if times == "rolled back":
        roll_back(connection)
    seen, told = telling(connection)
    assert told == set()
    about_students = {
        name
        for (name,) in connection.execute(
            "select oid::regclass::text from pg_class where privacy.is_about_students(oid) "
            "and relnamespace = 'marts_pseudonymized'::regnamespace and relkind = 'r'"
        )
    }
    assert len(about_students) > 5
    # Of a few students no order can be told.
    for relation in about_students - seen:
        few = connection.execute(f"select count(*) < 20 from {relation}".encode()).fetchone()
        assert few == (True,), relation
    assert "district_pittsburgh.fct_student_years" in seen


def test_the_order_of_ids_would_be_noticed(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(
            """
            create temp table sorted as
            select years.* from marts_pseudonymized.fct_student_years as years
            inner join identity.pseudonyms on years.student_key = pseudonym order by key;
            truncate marts_pseudonymized.fct_student_years;
            insert into marts_pseudonymized.fct_student_years table sorted
            """
        )
        _, told = telling(connection)
    assert "marts_pseudonymized.fct_student_years by student_key: student_key" in told
