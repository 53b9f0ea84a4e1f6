"""Published relations are granted to their readers and recorded as disclosures."""

from __future__ import annotations

import psycopg
from tests.python.access.acting import acting_as
from tests.python.access.rights import (
    DISTRICTS,
    READERS,
    may_read,
    odd_relations,
    relations_of,
    text_of,
)
from tests.python.publishing.warehouse import pretend_build, publish, roll_back


def test_publication_and_rollback_give_the_projects_grants(
    connection: psycopg.Connection,
) -> None:
    assert odd_relations(connection) == set()
    connection.execute("grant select on marts.dim_students to outcomes_analyst")
    assert odd_relations(connection) != set()
    publish(connection, pretend_build(connection))
    assert odd_relations(connection) == set()
    connection.execute("revoke select on marts.dim_students from outcomes_steward")
    roll_back(connection)
    assert odd_relations(connection) == set()


def test_every_disclosure_of_a_publication_is_recorded(
    connection: psycopg.Connection,
) -> None:
    entered = connection.execute(
        """
        select disclosed, party, partner_id, purpose, row_count
        from privacy.disclosures
        where
            interest <> '' and agreement like '%contract%to%' and disclosed_at is not null
            and run_id = (select max(run_id) from marts.publications)
        """
    ).fetchall()
    students = dict(
        connection.execute(
            "select district_id, count(*) from marts.dim_students group by district_id"
        ).fetchall()
    )
    assert students.keys() == set(DISTRICTS)
    for district, count in students.items():
        own = f"outcomes_district_{district}"
        for relation, party in (
            ("marts.dim_students", "outcomes_steward"),
            ("marts_district.dim_students", "outcomes_steward"),
            (f"district_{district}.dim_students", own),
        ):
            assert (relation, party, district, "audit_and_evaluation", count) in entered
    by_caseworkers = {
        (relation, district, purpose)
        for relation, party, district, purpose, _ in entered
        if party == "outcomes_caseworker"
    }
    assert {relation for relation, _, _ in by_caseworkers} == {
        "marts.rpt_caseworker_clients",
        "marts.rpt_caseworker_months",
        "marts.rpt_caseworker_students",
    }
    assert {purpose for _, _, purpose in by_caseworkers} == {"service_coordination"}
    assert "clairton" not in {district for _, district, _ in by_caseworkers}
    by_analysts = {district for relation, party, district, _, _ in entered
                   if party == "outcomes_analyst"
                   and relation == "marts_pseudonymized.fct_student_years"}  # fmt: skip
    assert by_analysts == set(students)


def test_no_relation_about_single_students_is_missing_from_the_disclosures(
    connection: psycopg.Connection,
) -> None:
    """Derived from all columns and values that each role can read, so new ones are covered."""
    known = {
        value
        for query in (
            "select student_key, person_id, state_student_id from marts.dim_students",
            "select pseudonym from identity.pseudonyms",
            "select source_id || ':' || source_client_id, mci_id from raw.clients",
        )
        for row in connection.execute(query)
        for value in row
        if value
    }
    assert len(known) > 1000
    entered = set(
        connection.execute(
            "select distinct disclosed, party from privacy.disclosures "
            "where run_id = publishing.published_run()"
        ).fetchall()
    )
    missing = []
    for role in READERS:
        if role == "outcomes_loader":
            continue
        with acting_as(connection, role):
            for relation in relations_of(connection):
                if (
                    may_read(role, relation)
                    and (relation, role) not in entered
                    and not is_view(connection, relation)
                    and (
                        has_a_students_column(connection, relation)
                        or text_of(connection, relation) & known
                    )
                ):
                    missing.append((relation, role))
    assert missing == []


def has_a_students_column(connection: psycopg.Connection, relation: str) -> bool:
    """Whether a column with rows is called like a key, an id or a birth date of a person."""
    row = connection.execute(
        """
        select exists (
            select from pg_attribute
            where
                attrelid = %s::regclass
                and attname ~ '(student|person|client|record|identity)s?_(keys?|ids?)$|pseudonym'
        )
        """,
        [relation],
    ).fetchone()
    filled = connection.execute(f"select from {relation} limit 1".encode()).fetchone()
    return row == (True,) and filled is not None


def is_view(connection: psycopg.Connection, relation: str) -> bool:
    return connection.execute(
        "select relkind = 'v' from pg_class where oid = %s::regclass", [relation]
    ).fetchone() == (True,)
