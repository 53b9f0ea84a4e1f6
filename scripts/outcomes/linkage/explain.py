"""Why a student's candidates were linked or not: the evidence, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from outcomes.errors import OutcomesError


@dataclass(frozen=True)
class Candidate:
    """A client with all its records, or another student, compared with the student's person.

    Weights are in bits; `record` is `<source>:<client id>` or `<district>:<student id>`.
    """

    student_identity_id: str | None
    other_identity_id: str | None
    record_type: str
    record: str
    records: int
    match_weight: float | None
    match_probability: float | None
    decision: str
    decided_by: str
    reason: str | None
    runner_up: str | None
    runner_up_weight: float | None


@dataclass(frozen=True)
class Step:
    """One step of the waterfall: a comparison, its level in words, and its weight in bits."""

    comparison: str
    level: str
    weight: float


_CANDIDATES = """
with

student as (

    select
        student_key,
        person_id
    from identity.int_identity_persons
    where student_key = %(student)s

),

decisions as (

    select decisions.*
    from student
    inner join identity.int_identity_client_decisions as decisions
        on student.person_id = decisions.person_id

),

-- All records of a client. A client who is here only by a reviewer's decision has one identity.
client_records as (

    select
        decisions.client_person_id,
        min(records.record_id) as record,
        count(*) as records
    from decisions
    left join identity.int_identity_client_persons as client_persons
        on decisions.client_person_id = client_persons.client_person_id
    inner join identity.int_identity_records as records
        on
            coalesce(client_persons.client_identity_id, decisions.client_person_id)
            = records.identity_id
    group by decisions.client_person_id

),

clients as (

    select
        decisions.student_identity_id::text,
        decisions.client_person_id::text as other_identity_id,
        'client' as record_type,
        client_records.record,
        client_records.records,
        decisions.match_weight,
        decisions.match_probability,
        decisions.decision,
        decisions.decided_by,
        case
            when decisions.person_rank > 1 then 'Another person fits better'
            else rules.description
        end as reason,
        decisions.runner_up_person_id as runner_up,
        decisions.runner_up_weight
    from decisions
    inner join client_records
        on decisions.client_person_id = client_records.client_person_id
    left join identity.match_rules as rules on decisions.rule = rules.rule

),

students as (

    select
        decisions.student_identity_id::text,
        decisions.other_identity_id::text,
        'student' as record_type,
        case decisions.student_key
            when student.student_key then decisions.other_student_key
            else decisions.student_key
        end as record,
        1 as records,
        decisions.match_weight,
        decisions.match_probability,
        decisions.decision,
        decisions.decided_by,
        rules.description as reason,
        null as runner_up,
        null::double precision as runner_up_weight
    from student
    inner join identity.int_identity_student_decisions as decisions
        on student.student_key in (decisions.student_key, decisions.other_student_key)
    left join identity.match_rules as rules on decisions.rule = rules.rule

)

select * from clients
union all
select * from students
order by match_weight desc nulls first, record_type, record
"""

_STEPS = """
select
    replace(comparison, '_', ' ') as comparison,
    description as level,
    weight
from identity.int_identity_evidence as evidence
where student_identity_id = %s and other_identity_id = %s
order by abs(weight) desc, evidence.comparison
"""


def find_candidates(connection: psycopg.Connection, student: str) -> list[Candidate]:
    """The candidates of the person of a student, `<district>:<id>`, the heaviest first.

    Raises:
        OutcomesError: no such student.
    """
    known = connection.execute(
        "select from identity.int_identity_persons where student_key = %s", [student]
    ).fetchone()
    if known is None:
        raise OutcomesError(
            "No such student: expected <district>:<district_student_id> as in the column "
            "student_key of marts.dim_students."
        )
    with connection.cursor(row_factory=class_row(Candidate)) as cursor:
        return cursor.execute(_CANDIDATES, {"student": student}).fetchall()


def find_steps(connection: psycopg.Connection, candidate: Candidate) -> list[Step]:
    """The candidate's comparisons, the heaviest first; none if it was not compared."""
    with connection.cursor(row_factory=class_row(Step)) as cursor:
        return cursor.execute(
            _STEPS, [candidate.student_identity_id, candidate.other_identity_id]
        ).fetchall()
