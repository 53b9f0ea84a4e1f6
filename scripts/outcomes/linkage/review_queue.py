"""The review queue: pairs with the fields of both records, for a reviewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from outcomes.access.disclosures import record_export
from outcomes.linkage.decisions import Pair

# What a reviewer sees of both records, in this order.
FIELDS = (
    "last_name", "first_name", "middle_name", "suffix", "birth_date", "gender",
    "ssn", "street", "city", "zip",
)  # fmt: skip


@dataclass(frozen=True)
class QueuedPair:
    """A pair in the review queue, with the fields of both records.

    `student`, `other` and `linked` have one text per field of `FIELDS`: all versions of the
    student, the newest first; all records of the client, or all versions of the other student;
    and all client records that are already linked to the student, if any. `household` names
    other students at the student's address, `runner_up` the next best person. These are
    personal data: they are shown to the reviewer and not stored. `also_shown` has the keys of
    the students in `household` and `runner_up`.
    """

    student_key: str
    other_record_type: str
    other_record_key: str
    other_record_count: int
    match_weight: float
    match_probability: float
    reason: str
    evidence: str
    runner_up: str | None
    runner_up_weight: float | None
    student: list[str]
    other: list[str]
    linked: list[str] | None
    household: str | None
    also_shown: list[str]

    @property
    def pair(self) -> Pair:
        """The two records."""
        return Pair(self.student_key, self.other_record_type, self.other_record_key)

    @property
    def why(self) -> str:
        """The evidence that the reviewer saw, for the record of the decision."""
        return f"{self.reason}: {self.evidence}"


# Four digits of a social security number are enough to compare by eye.
_QUEUE = """
with

queue as (

    select
        *,
        district_id || ':' || district_student_id as student_key,
        case other_record_type
            when 'student' then other_partner_id || ':' || other_record_id
            else other_record_id
        end as other_record_key
    from identity.match_review_queue

),

decided as (

    select distinct on (student_key, other_record_type, other_record_key) *
    from linking.decisions
    order by student_key, other_record_type, other_record_key, decision_id desc

),

open_pairs as (

    select queue.*
    from queue
    left join decided
        on
            queue.student_key = decided.student_key
            and queue.other_record_type = decided.other_record_type
            and queue.other_record_key = decided.other_record_key
            and decided.decision <> 'withdrawn'
    where decided.decision_id is null

),

queued_students as (

    select student_key from open_pairs
    union
    select other_record_key as student_key from open_pairs
    where other_record_type = 'student'

),

versions as (

    select
        queued_students.student_key,
        versions.last_as_of_date,
        value.field,
        value.text
    from queued_students
    inner join deliveries.int_student_versions as versions
        on
            queued_students.student_key
            = versions.district_id || ':' || versions.district_student_id
    cross join lateral (values {shown}) as value (field, text)

),

spellings as (

    select
        student_key,
        field,
        text,
        max(last_as_of_date) as last_as_of_date
    from versions
    where text <> ''
    group by student_key, field, text

),

fields as (

    select
        student_key,
        field,
        string_agg(text, ' / ' order by last_as_of_date desc, text) as text
    from spellings
    group by student_key, field

),

students as (

    select
        queued_students.student_key,
        array_agg(coalesce(fields.text, '') order by field.position) as texts
    from queued_students
    cross join unnest(%(fields)s::text []) with ordinality as field (name, position)
    left join fields
        on queued_students.student_key = fields.student_key and field.name = fields.field
    group by queued_students.student_key

),

client_records as (

    select
        clients.person_id,
        clients.client_person_id,
        clients.decision,
        value.field,
        value.text
    from identity.int_identity_review_clients as clients
    cross join lateral (values {shown}) as value (field, text)

),

client_fields as (

    select
        case decision when 'link' then person_id else client_person_id::text end as client,
        field,
        string_agg(distinct text, ' / ' order by text) as text
    from client_records
    where text <> ''
    group by 1, 2

),

clients as (

    select
        client_fields.client,
        array_agg(coalesce(by_field.text, '') order by field.position) as texts
    from (select distinct client from client_fields) as client_fields
    cross join unnest(%(fields)s::text []) with ordinality as field (name, position)
    left join client_fields as by_field
        on client_fields.client = by_field.client and field.name = by_field.field
    group by client_fields.client

),

newest_versions as (

    select distinct on (persons.student_key)
        persons.student_key,
        persons.person_id,
        versions.street,
        versions.zip,
        concat_ws(' ', versions.first_name, versions.last_name)
        || coalesce(' (' || versions.birth_date || ')', '') as name
    from identity.int_identity_persons as persons
    inner join deliveries.int_student_versions as versions
        on
            persons.district_id = versions.district_id
            and persons.district_student_id = versions.district_student_id
    order by persons.student_key, versions.last_as_of_date desc

),

-- A few names are enough: hundreds of students can have the address of a shelter.
households as (

    select
        neighbors.student_key,
        string_agg(neighbors.name, ', ' order by neighbors.name) as names,
        array_agg(neighbors.neighbor_key) as student_keys
    from (
        select
            queued.student_key,
            others.student_key as neighbor_key,
            others.name,
            row_number() over (partition by queued.student_key order by others.name) as number
        from newest_versions as queued
        inner join newest_versions as others
            on
                queued.street = others.street
                and queued.zip = others.zip
                and queued.person_id <> others.person_id
        where queued.student_key in (select student_key from open_pairs)
    ) as neighbors
    where neighbors.number <= 6
    group by neighbors.student_key

),

runners_up as (

    select distinct on (person_id)
        person_id,
        student_key,
        name
    from newest_versions
    order by person_id, student_key

)

select
    open_pairs.student_key,
    open_pairs.other_record_type,
    open_pairs.other_record_key,
    open_pairs.other_record_count,
    open_pairs.match_weight,
    open_pairs.match_probability,
    open_pairs.reason,
    open_pairs.evidence,
    runners_up.name as runner_up,
    open_pairs.runner_up_weight,
    students.texts as student,
    coalesce(clients.texts, others.texts) as other,
    linked.texts as linked,
    households.names as household,
    array_remove(households.student_keys || runners_up.student_key, null) as also_shown
from open_pairs
inner join students on open_pairs.student_key = students.student_key
left join identity.int_identity_review_clients as reviewed_clients
    on
        open_pairs.other_record_type = 'client'
        and open_pairs.other_record_key = reviewed_clients.record_id
left join clients on reviewed_clients.client_person_id::text = clients.client
left join clients as linked
    on open_pairs.other_record_type = 'client' and open_pairs.person_id = linked.client
left join students as others
    on open_pairs.other_record_type = 'student' and open_pairs.other_record_key = others.student_key
left join households on open_pairs.student_key = households.student_key
left join runners_up on open_pairs.runner_up_person_id = runners_up.person_id
-- A build that is running may have dropped the client.
where coalesce(clients.texts, others.texts) is not null
order by open_pairs.match_weight desc, open_pairs.student_key, open_pairs.other_record_key
"""


def read_queue(connection: psycopg.Connection) -> list[QueuedPair]:
    """The undecided pairs in the review queue of the last build, the heaviest first."""

    def shown(field: str) -> str:
        if field == "ssn":
            return "'…' || right(nullif(ssn, ''), 4)"
        return "birth_date::text" if field == "birth_date" else field

    query = _QUEUE.format(shown=", ".join(f"('{field}', {shown(field)})" for field in FIELDS))
    with connection.cursor(row_factory=class_row(QueuedPair)) as cursor:
        return cursor.execute(query.encode(), {"fields": list(FIELDS)}).fetchall()


def record_disclosure(
    connection: psycopg.Connection, queue: Iterable[QueuedPair], reviewer: str, how: str
) -> None:
    """Enter the students whom a reviewer sees in the record of disclosures."""
    shown = [queued.student_key for queued in queue]
    shown += [q.other_record_key for q in queue if q.other_record_type == "student"]
    shown += [student for queued in queue for student in queued.also_shown]
    districts = Counter(key.split(":")[0] for key in shown)
    record_export(connection, reviewer, "reviews records of the same child", how, districts)
