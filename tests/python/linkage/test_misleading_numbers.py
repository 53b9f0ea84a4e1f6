"""Misleading numbers and look-alikes, added to the demo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_lowercase

import psycopg
import pytest
from tests.python.conftest import copied, run_dbt

from outcomes.config import Settings
from outcomes.linkage.decisions import Decision, Pair, record_decisions
from outcomes.warehouse.connection import connect

# All models of linking.
REBUILD = (
    "run",
    "--select",
    *(
        f"{changed}+,+{wanted}"
        for changed in ("int_superseded_clients", "int_student_versions", "stg_link_decisions")
        for wanted in ("person_crosswalk", "match_review_queue", "overused_numbers")
    ),
)
# Numbers that tell nothing, by the source of the added clients with it. The first two have so few
# clients that it could be one person's number; the others have more people than may share one.
STRANGERS = {"zeros": 5, "nines": 5, "mci": 20, "ssn": 20}
NUMBERS = {
    "zeros": {"mci_id": "000000000"},
    "nines": {"mci_id": "999999999"},
    "mci": {"mci_id": "100200300"},
    "ssn": {"ssn": "219380111"},
}

# A student without a twin and without a number, whose clients are linked: only the
# name and other fields are evidence.
STUDENT = """
    select versions.last_name, versions.first_name, versions.birth_date, persons.student_key,
        persons.person_id
    from identity.int_identity_persons as persons
    inner join identity.int_identity_client_links as links
        on persons.student_key = links.student_key and links.decision = 'link'
    inner join deliveries.int_student_versions as versions
        on
            persons.district_id = versions.district_id
            and persons.district_student_id = versions.district_student_id
    where links.decided_by = 'model'
    group by 1, 2, 3, 4, 5
    having count(distinct links.client_person_id) = 1 and max(coalesce(versions.ssn, '')) = ''
    order by persons.student_key
    limit 1 offset %s
"""


@dataclass(frozen=True)
class Student:
    """A student of the demo, as in the district's record."""

    last_name: str
    first_name: str
    birth_date: str
    student_key: str
    person_id: str

    @property
    def as_client(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("last_name", "first_name", "birth_date")}


def a_student(connection: psycopg.Connection, offset: int) -> Student:
    row = connection.execute(STUDENT.encode(), [offset]).fetchone()
    assert row is not None
    return Student(*row)


def plant_clients(
    connection: psycopg.Connection, source: str, rows: list[dict[str, object]]
) -> None:
    """Add client records to the demo's first delivery."""
    names = ("mci_id", "last_name", "first_name", "birth_date", "ssn", "street", "zip")
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""
            insert into raw.clients
                (partner_id, source_id, load_id, line_number, as_of_date, updated_at,
                is_deleted, source_client_id, {", ".join(names)})
            select partner_id, %(source)s, load_id, 10000000 + %(number)s, as_of_date,
                updated_at, false, %(source)s || %(number)s,
                {", ".join(f"%({name})s" for name in names)}
            from raw.clients order by load_id, line_number limit 1
            """.encode(),
            [
                {"source": source, "number": number} | dict.fromkeys(names) | row
                for number, row in enumerate(rows)
            ],
        )


def plant_with_strangers(connection: psycopg.Connection, source: str, student: Student) -> None:
    """Add a client who is the student, and strangers of other surnames with the same number.

    The strangers have the student's first name and no birth date: were the number evidence, it
    would make all of them the client, and so the student.
    """
    others = [
        {"first_name": student.first_name, "last_name": "Other" + letter * 3}
        for letter in ascii_lowercase[: STRANGERS[source]]
    ]
    clients = [row | NUMBERS[source] for row in (student.as_client, *others)]
    plant_clients(connection, source, clients)


def records_of(connection: psycopg.Connection, source: str, student: Student) -> list[str]:
    """The added records that are the student's, or may be."""
    rows = connection.execute(
        """
        select record_id from identity.person_crosswalk
        where record_type = 'client' and record_id like %s and person_id = %s
        """,
        [f"{source}:%", student.person_id],
    )
    return [record for (record,) in rows]


@dataclass(frozen=True)
class Scenario:
    """A warehouse with misleading records, and the students they are about, by source."""

    settings: Settings
    students: dict[str, Student]


@pytest.fixture(scope="module")
def scenario(built_demo: Settings) -> Iterator[Scenario]:
    """A copy of the demo with misleading records, linked again."""
    with copied(built_demo, "demo_misled") as settings:
        run_dbt(settings, "build", "--resource-type", "function")
        with connect(settings) as connection:
            students = {
                source: a_student(connection, place)
                for place, source in enumerate((*NUMBERS, "clone"))
            }
            for source in NUMBERS:
                plant_with_strangers(connection, source, students[source])
            # Sixty copies of a student, each with its own number.
            plant_clients(
                connection,
                "clone",
                [
                    students["clone"].as_client | {"ssn": f"219{n + 1:02}{1234 + n}"}
                    for n in range(60)
                ],
            )
            # Sixty students with the same name and birth date on one roster.
            connection.execute(
                """
                insert into raw.students
                    (partner_id, load_id, line_number, as_of_date, district_student_id,
                    last_name, first_name, birth_date)
                select partner_id, load_id, 10000000 + n, as_of_date, 'roster' || n,
                    'Onename', 'Ida', '2001-02-03'
                from (
                    select partner_id, load_id, as_of_date from raw.students
                    order by as_of_date desc, load_id desc limit 1
                ) as newest
                cross join generate_series(1, 60) as n
                """
            )
        run_dbt(settings, *REBUILD)
        yield Scenario(settings, students)


@pytest.mark.parametrize("source", NUMBERS)
def test_a_number_that_tells_nothing_links_no_stranger(source: str, scenario: Scenario) -> None:
    with connect(scenario.settings) as connection:
        own = f"{source}:{source}0"
        assert records_of(connection, source, scenario.students[source]) == [own]


@pytest.mark.parametrize("source", ["zeros", "nines"])
def test_a_placeholder_id_makes_no_clients_one_person(source: str, scenario: Scenario) -> None:
    with connect(scenario.settings) as connection:
        persons = connection.execute(
            "select count(distinct functions.own_person_id(mci_id, source_id || ':' || "
            "source_client_id)) from raw.clients where source_id = %s",
            [source],
        ).fetchone()
        assert persons == (1 + STRANGERS[source],)


def test_numbers_of_too_many_people_are_listed(scenario: Scenario) -> None:
    with connect(scenario.settings) as connection:
        listed = connection.execute(
            "select number_type, number, people from quality.overused_numbers "
            "where number = any(%s)",
            [[number for one in NUMBERS.values() for number in one.values()]],
        ).fetchall()
        assert sorted(listed) == [("mci", "100200300", 21), ("ssn", "219380111", 21)]


def test_look_alikes_with_other_numbers_wait_for_a_reviewer(scenario: Scenario) -> None:
    with connect(scenario.settings) as connection:
        student = scenario.students["clone"]
        linked = connection.execute(
            "select from identity.person_crosswalk where record_id like 'clone:%' "
            "and decision = 'link'"
        ).fetchall()
        assert linked == []
        reasons = connection.execute(
            "select distinct rule from identity.match_review_queue where other_record_id like "
            "'clone:%%' and person_id = %s",
            [student.person_id],
        ).fetchall()
        assert reasons == [("too_many_ssns",)]


def test_students_of_one_roster_stay_different_persons(scenario: Scenario) -> None:
    with connect(scenario.settings) as connection:
        assert connection.execute(
            "select count(distinct person_id) from identity.int_identity_persons "
            "where district_student_id like 'roster%'"
        ).fetchone() == (60,)


def test_a_no_link_holds_for_all_records_of_a_client(scenario: Scenario) -> None:
    with connect(scenario.settings) as connection:
        pair_records = connection.execute(
            """
            select links.student_key, links.person_id, array_agg(records.record_id)
            from identity.int_identity_client_links as links
            inner join identity.int_identity_records as records
                on links.client_identity_id = records.identity_id
            where links.decision = 'link' and links.decided_by = 'model'
            group by links.client_person_id, links.student_key, links.person_id
            having count(distinct links.client_identity_id) > 2
            order by links.client_person_id
            limit 1
            """
        ).fetchone()
        assert pair_records is not None
        student, person, records = pair_records
        pair = Pair(student, "client", records[0])
        record_decisions(connection, [Decision(pair, "no_link", "asked")], "ana")
        run_dbt(scenario.settings, *REBUILD)
        assert (
            connection.execute(
                "select from identity.person_crosswalk "
                "where record_type = 'client' and record_id = any(%s) and person_id = %s",
                [records, person],
            ).fetchall()
            == []
        )
        record_decisions(connection, [Decision(pair, "withdrawn", "test")], "ana")
