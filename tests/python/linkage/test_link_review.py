"""Reviewers' decisions: made, stored, and applied by every build."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from openpyxl import load_workbook
from tests.python.conftest import TESTED, copied, run_dbt

from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import (
    Decision,
    Pair,
    Recorded,
    read_decisions,
    record_decisions,
    standing_decisions,
    undo_decision,
    unsure_reviewers,
)
from outcomes.linkage.review_queue import count_queue, read_queue
from outcomes.linkage.review_workbook import Imported, export_queue, import_decisions
from outcomes.linkage.shares import share_in_words
from outcomes.warehouse.connection import connect

STUDENTS = """
    select student_key, 'student', other_student_key
    from identity.int_identity_student_decisions
    where {}
    order by 1, 3
    limit 1
"""
# Two students whom their district lists on the same day.
SIDE_BY_SIDE = STUDENTS.format("rule = 'side_by_side'")
LINKED_STUDENTS = STUDENTS.format("decision = 'link'")
COMPARED_CLIENT = """
    select decisions.student_key, 'client', records.record_id
    from identity.int_identity_client_decisions as decisions
    inner join identity.int_identity_records as records
        on decisions.client_person_id = records.identity_id
    where {}
    order by 1, 3
    limit 1
"""
# A client whom a rule holds.
HELD_CLIENT = COMPARED_CLIENT.format("rule is not null and decision = 'review'")
LINKED_CLIENT = COMPARED_CLIENT.format("decision = 'link' and match_weight > 15")
OTHER_CLIENT = """
    select
        (select max(student_key) from identity.int_identity_persons), 'client',
        source_id || ':' || source_client_id as record_id
    from deliveries.int_clients_accepted
    where {}
    order by record_id
    limit 1
"""
# A client who is known to linking and compared with nobody.
UNCOMPARED_CLIENT = OTHER_CLIENT.format(
    """source_id || ':' || source_client_id in (
        select record_id from identity.int_identity_records
        where identity_id not in (select other_identity_id from identity.int_identity_pairs)
    )"""
)
TOO_OLD_CLIENT = OTHER_CLIENT.format("birth_date < date '1960-01-01'")
# The models of linking that decisions change. The tests of pseudonyms read marts, too.
LINKING = (
    "--select", "stg_link_decisions+,path:models/identity", "stg_link_decisions",
    "--exclude", "pseudonyms",
)  # fmt: skip


def pair_of(connection: psycopg.Connection, query: str) -> Pair:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return Pair(*row)


def outcome(connection: psycopg.Connection, pair: Pair) -> tuple[bool, str | None]:
    """Whether the two records are one person, and who decided about the other.

    A client who is not in the crosswalk is not linked to a student.
    """
    row = connection.execute(
        """
        select students.person_id = others.person_id, others.decided_by
        from identity.int_identity_persons as students
        cross join identity.person_crosswalk as others
        where
            students.student_key = %s
            and others.record_type = %s
            and case others.record_type
                when 'student' then others.partner_id || ':' || others.record_id
                else others.record_id
            end = %s
        """,
        [pair.student_key, pair.other_record_type, pair.other_record_key],
    ).fetchone()
    return (False, None) if row is None else (row[0], row[1])


@pytest.fixture(scope="module")
def reviewed(built_demo: Settings) -> Iterator[Settings]:
    """A copy of the demo: decisions change it."""
    with copied(built_demo, "demo_reviewed") as settings:
        # The functions name their database.
        run_dbt(settings, "build", "--resource-type", "function")
        with connect(settings) as connection:
            # On the target in_place dbt grants nothing.
            for schema in ("staging", "deliveries", "identity", "marts"):
                connection.execute(
                    f"grant select on all tables in schema {schema} to outcomes_steward".encode()
                )
                connection.execute(
                    "alter default privileges for role outcomes_builder in schema "
                    f"{schema} grant select on tables to outcomes_steward".encode()
                )
        yield settings


@pytest.fixture
def undecided(built_demo: Settings) -> Iterator[psycopg.Connection]:
    """The built demo; the decisions of the test are rolled back."""
    with connect(built_demo) as connection, connection.transaction(force_rollback=True):
        yield connection


def test_decisions_overrule_the_model_in_every_build(reviewed: Settings) -> None:
    with connect(reviewed) as connection:
        linked = [pair_of(connection, q) for q in (SIDE_BY_SIDE, HELD_CLIENT, UNCOMPARED_CLIENT)]
        separated = [pair_of(connection, q) for q in (LINKED_STUDENTS, LINKED_CLIENT)]
        before = [outcome(connection, pair)[0] for pair in linked + separated]
        assert before == [False] * 3 + [True] * 2
        record_decisions(
            connection,
            [Decision(pair, "link", "asked") for pair in linked]
            + [Decision(pair, "no_link", "asked") for pair in separated],
            "ana",
        )
        # Older versions recorded an unsure about a decided pair; it takes nothing back.
        for pair in linked + separated:
            record_as_older(connection, pair, "unsure", "bea")
        # A decision fails no data test, and a second build keeps it.
        for build in (TESTED, ("run",)):
            run_dbt(reviewed, *build, *LINKING)
            assert [outcome(connection, pair) for pair in linked] == [(True, "reviewer")] * 3
            assert [outcome(connection, pair)[0] for pair in separated] == [False] * 2
        asked = {queued.pair for queued in read_queue(connection)}
        assert not asked & {*linked, *separated}

        record_decisions(
            connection, [Decision(pair, "withdrawn", "error") for pair in linked + separated], "ana"
        )
        run_dbt(reviewed, "run", *LINKING)
        assert [outcome(connection, pair)[0] for pair in linked + separated] == before


def standing(connection: psycopg.Connection) -> dict[Pair, str]:
    """The decisions that stand."""
    recorded = standing_decisions(read_decisions(connection))
    return {pair: decision.decision for pair, decision in recorded.items()}


def record_as_older(
    connection: psycopg.Connection, pair: Pair, decision: str, reviewer: str
) -> Recorded:
    """Record a decision without a check of what stands."""
    connection.execute(
        "insert into linking.decisions (student_key, other_record_type, other_record_key, "
        "decision, decided_by, reason) values (%s, %s, %s, %s, %s, '')",
        [pair.student_key, pair.other_record_type, pair.other_record_key, decision, reviewer],
    )
    return read_decisions(connection)[-1]


@pytest.mark.parametrize(
    ("said", "stands", "unsure"),
    [
        ("ana:no_link", "no_link", ""),
        ("ana:unsure", None, "ana"),
        ("ana:no_link bea:unsure", "no_link", "bea"),
        ("ana:link ana:unsure", "link", "ana"),
        ("ana:unsure bea:link", "link", "ana"),
        ("ana:unsure bea:link ana:unsure bea:no_link", "no_link", "ana"),
        ("ana:link bea:no_link", "no_link", ""),
        ("ana:link bea:withdrawn", None, ""),
        ("ana:no_link bea:unsure bea:withdrawn", None, ""),
        ("ana:no_link ana:withdrawn bea:unsure", None, "bea"),
        ("ana:unsure bea:unsure bea:withdrawn", None, "ana"),
        ("ana:unsure ana:link ana:withdrawn", None, ""),
        ("ana:withdrawn bea:link", "link", ""),
    ],
)
def test_who_is_unsure_decides_nothing_and_takes_nothing_back(
    undecided: psycopg.Connection, said: str, stands: str | None, unsure: str
) -> None:
    pair = read_queue(undecided)[0].pair
    for reviewer, _, decision in (words.partition(":") for words in said.split()):
        record_as_older(undecided, pair, decision, reviewer)
    assert standing(undecided).get(pair) == stands
    assert " ".join(sorted(unsure_reviewers(read_decisions(undecided))[pair])) == unsure
    # Whoever was not unsure is asked, unless the pair is decided.
    queue = {
        name: {queued.pair for queued in read_queue(undecided, name)} for name in ("ana", "bea")
    }
    assert {name for name, asked in queue.items() if pair in asked} == {
        name for name in queue if name not in unsure and not stands
    }
    waiting = len(read_queue(undecided))
    assert count_queue(undecided) == (
        waiting + bool(stands), waiting, bool(unsure and not stands),
    )  # fmt: skip


def test_an_unsure_about_a_decided_pair_is_refused(undecided: psycopg.Connection) -> None:
    first, second, *_ = (queued.pair for queued in read_queue(undecided))
    record_decisions(undecided, [Decision(first, "no_link", "asked")], "ana")
    for reviewer in ("ana", "bea"):
        with pytest.raises(OutcomesError, match="ana decided “different people” about the pair"):
            record_decisions(
                undecided,
                [Decision(second, "link", ""), Decision(first, "unsure", "")],
                reviewer,
            )
    assert standing(undecided) == {first: "no_link"}
    record_decisions(undecided, [Decision(first, "withdrawn", "an error")], "ana")
    record_decisions(undecided, [Decision(first, "unsure", "")], "bea")


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ("ana:link", None),
        ("ana:unsure", None),
        ("bea:no_link ana:link", "no_link"),
        ("bea:no_link ana:unsure", "no_link"),
        ("bea:link bea:unsure ana:no_link", "link"),
        ("bea:link bea:withdrawn ana:no_link", None),
        ("bea:unsure ana:link", None),
    ],
)
def test_undoing_takes_back_no_more_than_one_decision(
    undecided: psycopg.Connection, said: str, stands: str | None
) -> None:
    pair = read_queue(undecided)[0].pair
    for reviewer, _, decision in (words.partition(":") for words in said.split()):
        last = record_as_older(undecided, pair, decision, reviewer)
    undo_decision(undecided, last, "ana")
    assert standing(undecided).get(pair) == stands
    assert "ana" not in unsure_reviewers(read_decisions(undecided))[pair]
    with pytest.raises(OutcomesError, match="Nothing was undone: ana has decided"):
        undo_decision(undecided, last, "ana")


def test_a_workbook_overrules_nobody(undecided: psycopg.Connection, tmp_path: Path) -> None:
    file = tmp_path / "review.xlsx"
    export_queue(undecided, file, "ana")
    pairs = [queued.pair for queued in read_queue(undecided)][:3]
    record_decisions(undecided, [Decision(pair, "no_link", "asked") for pair in pairs[:2]], "bea")
    fill_in(file, A2="unsure", A3="link", A4="link")
    assert import_decisions(undecided, file, "ana") == (1, 0, [2, 3])
    assert standing(undecided) == dict(zip(pairs, ("no_link", "no_link", "link"), strict=True))
    # Reviewers may correct themselves.
    fill_in(file, A2="no_link", A3="no_link", A4="no_link")
    assert import_decisions(undecided, file, "ana") == (1, 2, [])
    assert set(standing(undecided).values()) == {"no_link"}


def test_whom_a_pair_names_beside_its_records_is_disclosed(
    undecided: psycopg.Connection,
) -> None:
    queue = read_queue(undecided)
    assert {bool(q.household) for q in queue} == {bool(q.runner_up) for q in queue} == {True, False}
    for queued in queue:
        neighbors = queued.household.split(", ") if queued.household else []
        named = [*neighbors, *filter(None, [queued.runner_up])]
        students = undecided.execute(
            "select first_name || ' ' || last_name from marts.dim_students "
            "where student_key = any(%s)",
            [queued.also_shown.splitlines()],
        )
        assert sorted(name.partition(" (")[0] for name in {*named}) == sorted(
            name for (name,) in students
        )


def test_decisions_go_through_a_workbook(undecided: psycopg.Connection, tmp_path: Path) -> None:
    file = tmp_path / "review.xlsx"
    queue = read_queue(undecided)
    assert export_queue(undecided, file, "ana") == len(queue)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(OutcomesError, match="exists"):
        export_queue(undecided, file, "ana")

    sheet = load_workbook(file).worksheets[0]
    header, row = ([cell.value for cell in line] for line in sheet.iter_rows(max_row=2))
    assert header[:3] == ["decision", "why", "student_key"]
    assert len(header) <= 15
    shown = dict(zip(header, row, strict=True))
    assert shown["how_sure"] == share_in_words(queue[0].share)
    name = next(field for field in queue[0].fields if field.field == "last_name")
    assert f"last name: {name.student}" in shown["student"].splitlines()
    assert f"last name: {name.other}" in shown["other"].splitlines()
    fill_in(file, A2="no_link", B2="asked the school", A3="Link")
    assert import_decisions(undecided, file, "ana") == (2, 0, [])
    assert standing(undecided) == {
        queue[0].pair: "no_link", queue[1].pair: "link",
    }  # fmt: skip
    assert undecided.execute(
        "select reason from linking.decisions order by decision_id"
    ).fetchall() == [("asked the school",), (queue[1].why,)]
    assert import_decisions(undecided, file, "ana") == (0, 2, []), "the second time nothing is new"


def test_an_unsure_pair_waits_for_another_reviewer(
    undecided: psycopg.Connection, tmp_path: Path
) -> None:
    def seen_by(reviewer: str) -> set[Pair]:
        return {queued.pair for queued in read_queue(undecided, reviewer)}

    everything = seen_by("ana")
    file = tmp_path / "review.xlsx"
    export_queue(undecided, file, "ana")
    fill_in(file, A2="unsure")
    assert import_decisions(undecided, file, "ana") == (1, 0, [])
    (pair,) = everything - seen_by("ana")
    assert seen_by("bea") == everything
    assert count_queue(undecided) == (len(everything), len(everything), 1)
    assert next(q.unsure for q in read_queue(undecided) if q.pair == pair) == {"ana"}
    # A second reviewer may be unsure, too; ana may not be asked again.
    assert import_decisions(undecided, file, "ana") == (0, 1, [])
    assert import_decisions(undecided, file, "bea") == (1, 0, [])
    assert seen_by("ana") == seen_by("bea") == everything - {pair}
    record_decisions(undecided, [Decision(pair, "withdrawn", "undone")], "bea")
    assert pair in seen_by("bea") - seen_by("ana")
    record_decisions(undecided, [Decision(pair, "link", "asked")], "bea")
    assert pair not in seen_by("cy")
    assert count_queue(undecided) == (len(everything), len(everything) - 1, 0)


def test_a_pair_outside_the_queue_can_be_decided(
    undecided: psycopg.Connection, tmp_path: Path
) -> None:
    """Builds go on while the workbook is filled in, and may remove the pair or the client."""
    file = tmp_path / "review.xlsx"
    export_queue(undecided, file, "ana")
    asked = read_queue(undecided)[0].pair
    undecided.execute("delete from identity.match_review_queue")
    unlinked = pair_of(undecided, UNCOMPARED_CLIENT)
    assert outcome(undecided, unlinked) == (False, None)
    assert answer(undecided, file, unlinked, "link") == (2, 0, [])
    assert standing(undecided) == {asked: "no_link", unlinked: "link"}


def test_a_client_who_is_too_old_cannot_be_decided(
    undecided: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "review.xlsx"
    export_queue(undecided, file, "ana")
    with pytest.raises(OutcomesError, match=r"row 3 .* too old to be a student"):
        answer(undecided, file, pair_of(undecided, TOO_OLD_CLIENT), "link")
    assert standing(undecided) == {}


def answer(connection: psycopg.Connection, file: Path, pair: Pair, decision: str) -> Imported:
    """Decide no_link about the first pair of a workbook, decide another below it, import."""
    keys = {"C3": pair.student_key, "D3": pair.other_record_type, "E3": pair.other_record_key}
    fill_in(file, A2="no_link", A3=decision, **keys)
    return import_decisions(connection, file, "ana")


def fill_in(file: Path, **cells: str) -> None:
    book = load_workbook(file)
    for cell, value in cells.items():
        book.worksheets[0][cell] = value
    book.save(file)


@pytest.mark.parametrize(
    ("cell", "value", "message"),
    [
        ("C3", "pittsburgh:0", r"row 3 \(1 rows in all\), columns student_key"),
        ("E3", "child_welfare:0", r"row 3 .* expected two records that linking knows"),
        ("D3", "person", "row 3"),
        ("A3", "maybe", "row 3, column decision: expected link, no_link, unsure or nothing"),
        ("C1", "student", "row 1: the column student_key is missing"),
    ],
)
def test_a_wrong_import_records_nothing(
    undecided: psycopg.Connection, tmp_path: Path, cell: str, value: str, message: str
) -> None:
    file = tmp_path / "review.xlsx"
    export_queue(undecided, file, "ana")
    fill_in(file, **{"A2": "link", "A3": "link", cell: value})
    with pytest.raises(OutcomesError, match=message):
        import_decisions(undecided, file, "ana")
    assert standing(undecided) == {}


def test_a_file_that_is_no_workbook_is_refused(
    undecided: psycopg.Connection, tmp_path: Path
) -> None:
    with pytest.raises(OutcomesError, match="does not exist"):
        import_decisions(undecided, tmp_path / "nowhere.xlsx", "ana")
    with pytest.raises(OutcomesError, match=r"name of an \.xlsx"):
        export_queue(undecided, tmp_path / "review.csv", "ana")
    (tmp_path / "text.xlsx").write_text("x")
    with pytest.raises(OutcomesError, match=r"expected an \.xlsx"):
        import_decisions(undecided, tmp_path / "text.xlsx", "ana")


def test_links_and_refusals_may_not_contradict_each_other(undecided: psycopg.Connection) -> None:
    a, b, c = [
        key
        for (key,) in undecided.execute(
            "select student_key from identity.int_identity_persons order by 1 limit 3"
        )
    ]
    record_decisions(
        undecided,
        [Decision(Pair(a, "student", b), "link", ""), Decision(Pair(b, "student", c), "link", "")],
        "ana",
    )
    with pytest.raises(OutcomesError, match="contradict"):
        record_decisions(undecided, [Decision(Pair(a, "student", c), "no_link", "")], "ana")
    assert len(standing(undecided)) == 2
    record_decisions(undecided, [Decision(Pair(b, "student", c), "no_link", "")], "ana")
    record_decisions(undecided, [Decision(Pair(a, "student", c), "no_link", "")], "ana")
