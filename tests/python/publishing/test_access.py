"""Published relations are granted to their readers and recorded as disclosures."""

from __future__ import annotations

import psycopg
from tests.python.access.test_roles import odd_readers
from tests.python.publishing.warehouse import pretend_build, publish, roll_back


def test_publication_and_rollback_give_the_projects_grants(
    connection: psycopg.Connection,
) -> None:
    assert odd_readers(connection) == set()
    connection.execute("grant select on marts.dim_students to outcomes_analyst")
    assert odd_readers(connection) != set()
    publish(connection, pretend_build(connection))
    assert odd_readers(connection) == set()
    connection.execute("revoke select on marts.dim_students from outcomes_steward")
    roll_back(connection)
    assert odd_readers(connection) == set()


def test_every_disclosure_of_a_publication_is_recorded(
    connection: psycopg.Connection,
) -> None:
    entered = connection.execute(
        """
        select disclosed, party, partner_id, purpose, row_count
        from landing.disclosures
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
    assert len(students) == 3
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
    assert {relation for relation, _, _ in by_caseworkers} == {"marts.rpt_caseworker_students"}
    assert {purpose for _, _, purpose in by_caseworkers} == {"service_coordination"}
    assert "clairton" not in {district for _, district, _ in by_caseworkers}
    # Not the analyst, who sees only pseudonyms.
    assert {party for _, party, _, _, _ in entered} == {
        "outcomes_steward",
        "outcomes_caseworker",
        *(f"outcomes_district_{district}" for district in students),
    }
