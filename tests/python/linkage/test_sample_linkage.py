"""Linking of the sample, measured against the true persons."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import psycopg
import pytest
from tests.python.conftest import SAMPLE

from outcomes.config import Settings
from outcomes.warehouse.connection import connect

Pairs = set[tuple[str, str]]


@dataclass(frozen=True)
class Linkage:
    """Student and client records, each with its true and its found person."""

    students: pd.DataFrame
    clients: pd.DataFrame

    def client_pairs(self, person: str) -> Pairs:
        """Pairs of a student record and a client record of one person."""
        clients = self.clients
        if person == "person_id":
            clients = clients[clients.decision == "link"]
        pairs = self.students.merge(clients, on=person, suffixes=("_student", "_client"))
        return set(zip(pairs.record_student, pairs.record_client, strict=True))

    def student_pairs(self, person: str) -> Pairs:
        """Pairs of two student records of one person."""
        pairs = self.students.merge(self.students, on=person, suffixes=("_one", "_other"))
        return {
            (one, other)
            for one, other in zip(pairs.record_one, pairs.record_other, strict=True)
            if one < other
        }


def read_truth(file: str, partner: str, record: str) -> pd.Series:
    """True person by record, `<partner>:<record id>`."""
    truth = pd.read_parquet(SAMPLE / "truth" / file)
    truth["record"] = truth[partner].astype(str) + ":" + truth[record]
    return truth.drop_duplicates("record").set_index("record")["person_id"]


def read_crosswalk(connection: psycopg.Connection) -> pd.DataFrame:
    """The person of every record, with the key of the truth.

    A client who is not in the crosswalk is a separate person.
    """
    cursor = connection.execute(
        """
        select
            record_type,
            case record_type
                when 'student' then partner_id || ':' || record_id else record_id
            end as record,
            person_id,
            decision
        from identity.person_crosswalk

        union all

        select 'client', record_id, functions.own_person_id(mci_id, record_id), 'none'
        from (
            select *, source_id || ':' || source_client_id as record_id
            from deliveries.int_clients_accepted
        ) as clients
        where record_id not in (
            select record_id from identity.person_crosswalk where record_type = 'client'
        )
        """
    )
    return pd.DataFrame(
        cursor.fetchall(), columns=["record_type", "record", "person_id", "decision"]
    )


@pytest.fixture(scope="module")
def linkage(built_sample: Settings) -> Linkage:
    """The links of the warehouse, with the truth."""
    with connect(built_sample) as connection:
        crosswalk = read_crosswalk(connection)
    students = crosswalk[crosswalk.record_type == "student"].copy()
    clients = crosswalk[crosswalk.record_type == "client"].copy()
    students["true_person"] = students.record.map(
        read_truth("student_person.parquet", "district", "district_student_id")
    )
    clients["true_person"] = clients.record.map(
        read_truth("client_person.parquet", "source", "source_client_id")
    )
    return Linkage(students, clients)


def test_every_record_has_a_true_person(linkage: Linkage) -> None:
    assert len(linkage.students) > 1000
    assert len(linkage.clients) > 8000
    assert linkage.students.true_person.notna().all()
    assert linkage.clients.true_person.notna().all()


def test_client_links_are_precise_and_complete(linkage: Linkage) -> None:
    true, found = linkage.client_pairs("true_person"), linkage.client_pairs("person_id")
    precision = len(true & found) / len(found)
    recall = len(true & found) / len(true)
    assert precision >= 0.997
    assert 2 * precision * recall / (precision + recall) >= 0.992


def test_student_clusters_are_correct(linkage: Linkage) -> None:
    true, found = linkage.student_pairs("true_person"), linkage.student_pairs("person_id")
    assert len(found - true) == 0, "students of different persons were joined"
    assert len(true & found) / len(true) >= 0.95


def test_twins_never_link(linkage: Linkage) -> None:
    people = pd.read_parquet(SAMPLE / "truth" / "people.parquet").dropna(subset=["twin_of"])
    twins = set(zip(people.person_id, people.twin_of, strict=True))
    twins |= {(other, one) for one, other in twins}
    assert twins
    true_student = linkage.students.set_index("record").true_person
    true_client = linkage.clients.set_index("record").true_person
    wrong = sum(
        (true_student[student], true_client[client]) in twins
        for student, client in linkage.client_pairs("person_id")
    )
    assert wrong == 0


def test_every_client_of_a_person_is_linked(linkage: Linkage) -> None:
    student_persons = set(linkage.students.person_id)
    shares_person = linkage.clients.person_id.isin(student_persons)
    assert (shares_person == (linkage.clients.decision == "link")).all()
