"""What is published keeps its readers apart, and is entered in the record of disclosures."""

from __future__ import annotations

import psycopg
from tests.python.access.test_roles import access_problems
from tests.python.publishing.warehouse import pretend_build, publish

from outcomes.warehouse import publishing


def test_published_rows_are_seen_by_whom_they_should_be(connection: psycopg.Connection) -> None:
    assert access_problems(connection) == []
    publish(connection, pretend_build(connection))
    assert access_problems(connection) == []
    publishing.roll_back(connection)
    assert access_problems(connection) == []


def test_a_policy_that_was_dropped_is_noticed_and_comes_back_with_the_next_publication(
    connection: psycopg.Connection,
) -> None:
    connection.execute("drop policy own_rows on marts_district.dim_students")
    assert access_problems(connection) != []
    publish(connection, pretend_build(connection))
    assert access_problems(connection) == []


def test_every_published_relation_about_students_is_entered_for_every_party(
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
            ("marts_district.dim_students", own),
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
    # No analyst: under pseudonyms nobody is identified.
    assert {party for _, party, _, _, _ in entered} == {
        "outcomes_steward",
        "outcomes_caseworker",
        *(f"outcomes_district_{district}" for district in students),
    }
