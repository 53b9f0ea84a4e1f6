"""The page of the clerical review, as a steward's own login: what it shows, and what it records."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page
from starlette.testclient import TestClient
from tests.python.conftest import copied
from tests.python.linkage.test_link_review import fill_in
from tests.python.web.pages import problems

from outcomes.access.logins import make_login
from outcomes.access.roles import STEWARD
from outcomes.config import Settings
from outcomes.linkage.decisions import Decision, Pair, record_decisions
from outcomes.linkage.review_page import Choice, Review
from outcomes.linkage.review_pair import FIELDS, ReviewedPair, random_link, read_pair
from outcomes.linkage.review_queue import QueuedPair, read_queue
from outcomes.linkage.review_workbook import export_queue, import_decisions
from outcomes.warehouse.connection import connect
from outcomes.web.door import Key
from outcomes.web.server import make_app

KEY = Key(8080)
DECISIONS = (
    "select student_key, other_record_key, decision, decided_by, reason from linking.decisions "
    "order by decision_id"
)

# The links of clients that the model made.
LINKS = """
    select distinct candidates.student_key, candidates.record
    from identity.int_identity_client_decisions as decisions
    inner join identity.int_identity_candidates as candidates
        on
            decisions.student_key = candidates.student_key
            and decisions.client_person_id = candidates.other_identity_id
            and candidates.record_type = 'client'
    where
        decisions.person_rank = 1
        and decisions.decision = 'link'
        and decisions.decided_by = 'model'
    order by 1, 2
"""


@pytest.fixture(scope="module")
def steward(built_demo: Settings) -> Iterator[Settings]:
    """A login of a steward, in a copy of the demo."""
    with copied(built_demo, "demo_page") as settings, connect(settings) as owner:
        # On the target in_place dbt grants nothing.
        owner.execute(
            "grant select on all tables in schema identity, deliveries to outcomes_steward"
        )
        make_login(owner, "ana_login", "a good one", STEWARD)
        yield replace(settings, user="ana_login", password="a good one")
        owner.execute("drop owned by ana_login; drop role ana_login")


@pytest.fixture
def owner(steward: Settings, built_demo: Settings) -> Iterator[psycopg.Connection]:
    """The owner's connection; after a test, nothing is decided or disclosed."""
    with connect(replace(built_demo, database=steward.database)) as connection:
        yield connection
        connection.execute("delete from linking.decisions; delete from privacy.disclosures")


@pytest.fixture
def ana(steward: Settings, owner: psycopg.Connection) -> TestClient:
    return opened_by("ana", steward)


def opened_by(reviewer: str, steward: Settings) -> TestClient:
    """The page in the browser of a reviewer."""
    review = Review(steward, reviewer)
    browser = TestClient(
        make_app(review.routes(), review.render, KEY), "http://127.0.0.1:8080",
        raise_server_exceptions=False,
    )  # fmt: skip
    assert browser.get(KEY.address).status_code == 200
    return browser


def text_of(page: str) -> str:
    """What a page says, without tags."""
    return unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page)))


def listed(browser: TestClient, choice: str = "") -> list[str]:
    """The addresses of the pairs in the queue."""
    return [
        unescape(address)
        for address in re.findall(r'<li><a href="(/pair/.+?)">', browser.get(f"/?{choice}").text)
    ]


def form_of(browser: TestClient, address: str) -> dict[str, str]:
    """The fields of a pair's form, without a note."""
    fields = re.findall(r'name="(seen|shown)" value="(\w+)"', browser.get(address).text)
    return dict(fields) | {"note": ""}


def answer(browser: TestClient, address: str, decision: str, **form: str) -> str:
    """Decide about a pair as its form does; the address of the next page."""
    done = browser.post(
        address, data=form_of(browser, address) | {"decision": decision} | form,
        follow_redirects=False,
    )  # fmt: skip
    assert done.status_code == 303
    return str(done.headers["location"])


def undo(browser: TestClient, query: str = "", page: str = "") -> Any:
    """Undo as the form of a page does, of the queue unless another is given."""
    (last,) = re.findall(r'name="decision_id" value="(\d+)"', page or browser.get("/").text)
    return browser.post(f"/undo?{query}", data={"decision_id": last})


def pair_at(owner: psycopg.Connection, browser: TestClient, address: str) -> ReviewedPair:
    """The pair that a page shows."""
    student, other = re.findall(
        r'<th scope="col">(?:Student|Client|Other student) (\S+?)(?: and|<| )',
        browser.get(address).text.replace("\n", " "),
    )  # fmt: skip
    queue = read_queue(owner)
    queued = next(q for q in queue if (q.student_key, q.other_record_key) == (student, other))
    return read_pair(owner, queued.pair, queue, [])


def queued(share: float, records: int = 1, kind: str = "client", name: str = "a:1") -> QueuedPair:
    return QueuedPair(
        name, kind, "b:1", "p", records, 1, share, "Reason", "", None, None, None, "", None, None,
        None, [], frozenset(),
    )  # fmt: skip


def test_pairs_are_chosen_by_sureness_and_ordered() -> None:
    pairs = [queued(0.7), queued(0.69), queued(0.3), queued(0.29, 9), queued(0.9, kind="student")]

    def shares(**choice: str) -> list[float]:
        return [pair.match_probability for pair in Choice(**choice).of_queue(pairs)]

    # Of two students no share was measured, whatever the weight.
    assert shares() == [0.9, 0.69, 0.7, 0.3, 0.29]
    assert shares(order="useful") == [0.29, 0.7, 0.69, 0.9, 0.3]
    assert shares(sure="likely") == [0.7]
    assert shares(sure="open") == [0.69, 0.3]
    assert shares(sure="unlikely") == [0.29]
    assert shares(sure="not measured") == [0.9]
    assert shares(district="b") == [0.9], "a client's source is no district"
    assert len(shares(district="a", reason="Reason")) == 5
    assert shares(reason="Another") == []


def test_decisions_are_stored_at_once_and_can_be_undone(
    ana: TestClient, owner: psycopg.Connection
) -> None:
    first, second, third, *_ = listed(ana)
    reviewed = pair_at(owner, ana, first)
    assert answer(ana, first, "link") == second
    assert answer(ana, second, "no_link", note=" asked the school ") == third
    rows = owner.execute(DECISIONS).fetchall()
    assert rows[0] == (
        reviewed.pair.student_key, reviewed.pair.other_record_key, "link", "ana", reviewed.why,
    )  # fmt: skip
    assert reviewed.queued is not None
    assert reviewed.why == reviewed.queued.why
    assert rows[1][2:] == ("no_link", "ana", "asked the school")
    assert {first, second}.isdisjoint(listed(ana))
    assert "2 of" in text_of(ana.get("/").text)

    back = undo(ana, "order=useful")
    assert str(back.url).endswith(second.replace("hardest", "useful"))
    assert second in listed(ana)
    assert undo(ana).status_code == 200
    assert len(listed(ana)) == len({first, second, third, *_})
    assert 'action="/undo' not in ana.get("/").text
    assert "Nothing was undone" in text_of(ana.post("/undo").text)
    assert [row[2] for row in owner.execute(DECISIONS)] == ["link", "no_link"] + ["withdrawn"] * 2


def test_an_unsure_pair_is_asked_of_somebody_else(
    ana: TestClient, steward: Settings, owner: psycopg.Connection
) -> None:
    first, *others = listed(ana)
    answer(ana, first, "unsure", note="two addresses")
    assert listed(ana) == others
    bea = opened_by("bea", steward)
    assert len(listed(bea)) == len(others) + 1
    page = text_of(bea.get("/").text)
    assert "1 of them for a second reviewer" in page
    assert "applies the decisions" not in page
    assert "Unsure: ana" in page
    # The reason is in the history, which leads to the pair.
    (address,) = re.findall(r'<a href="(/pair/\d+)">', bea.get("/history").text)
    assert "ana: unsure. two addresses" in text_of(bea.get(address).text)
    answer(bea, address, "no_link")
    page = text_of(bea.get("/").text)
    assert "of them for a second reviewer" not in page
    assert "The next outcomes build applies the decisions" in page
    assert [row[2:4] for row in owner.execute(DECISIONS)] == [("unsure", "ana"), ("no_link", "bea")]


def test_nobody_is_unsure_about_a_decided_pair(
    ana: TestClient, steward: Settings, owner: psycopg.Connection
) -> None:
    address = listed(ana)[0]
    answer(ana, address, "no_link")
    assert "If you are unsure, ask another reviewer" in text_of(ana.get(address).text)
    bea = opened_by("bea", steward)
    (address,) = re.findall(r'<a href="(/pair/\d+)">', bea.get("/history").text)
    page = bea.get(address).text
    assert 'value="unsure"' not in page
    assert "Decided: different people, by ana. That stands" in text_of(page)
    assert "If you are unsure, ask ana." in text_of(page)
    refused = bea.post(address, data=form_of(bea, address) | {"decision": "unsure"})
    assert refused.status_code == 409
    assert "ana decided “different people” about the pair" in text_of(refused.text)
    # Who knows better decides otherwise; undone, the earlier decision stands again.
    answer(bea, address, "link")
    undo(bea)
    assert [row[2:4] for row in owner.execute(DECISIONS)] == [
        ("no_link", "ana"), ("link", "bea"), ("no_link", "bea"),
    ]  # fmt: skip
    assert 'action="/undo' not in bea.get("/").text, "what was undone cannot be undone"


def test_only_the_decision_that_a_page_names_is_undone(
    ana: TestClient, steward: Settings, owner: psycopg.Connection
) -> None:
    first, second, *_ = listed(ana)
    answer(ana, first, "unsure")
    earlier = ana.get("/").text
    assert "Recorded: unsure, pair 1" in text_of(earlier)
    answer(ana, second, "link")
    late = undo(ana, page=earlier)
    assert late.status_code == 400
    assert "Nothing was undone" in text_of(late.text)
    undo(ana)
    # Now the unsure is the last one, unless somebody else has decided since.
    bea = opened_by("bea", steward)
    assert "Recorded: unsure, pair 1" in text_of(ana.get("/").text)
    answer(bea, listed(bea)[0], "no_link")
    assert 'action="/undo' not in ana.get("/").text
    assert undo(ana, page=earlier).status_code == 400
    assert [row[2:4] for row in owner.execute(DECISIONS)] == [
        ("unsure", "ana"), ("link", "ana"), ("withdrawn", "ana"), ("no_link", "bea"),
    ]  # fmt: skip


def test_what_somebody_else_decided_meanwhile_is_not_overruled(
    ana: TestClient, steward: Settings, owner: psycopg.Connection
) -> None:
    first = listed(ana)[0]
    bea = opened_by("bea", steward)
    address = listed(bea)[0]
    form = form_of(ana, first)
    answer(bea, address, "no_link")
    late = ana.post(first, data=form | {"decision": "link"})
    assert late.status_code == 409
    assert "meanwhile bea decided “different people”" in text_of(late.text)
    assert ana.post(first, data={"seen": "0", "decision": "withdrawn"}).status_code == 400
    assert ana.post("/pair/999", data={"seen": "0", "decision": "link"}).status_code == 404
    assert len(owner.execute(DECISIONS).fetchall()) == 1


def test_a_decision_is_about_what_was_shown(
    ana: TestClient, steward: Settings, owner: psycopg.Connection
) -> None:
    first, second, *_ = listed(ana)
    of_first, of_second = form_of(ana, first), form_of(ana, second)
    # The review was started again on the same port, and another pair has the number.
    again = opened_by("ana", steward)
    assert listed(again, "order=useful")
    for form in (of_first, of_second):
        late = again.post(first, data=form | {"decision": "link", "note": "asked both"})
        assert late.status_code == 409
        assert 'name="note" value="asked both"' in late.text
        assert "Nothing was recorded: what you saw is out of date" in text_of(late.text)
    # A build has changed a record since, one whose field is hidden among them.
    pair = pair_at(owner, ana, first).pair
    owner.execute(
        "update identity.int_identity_records set gender = coalesce(gender, '') || '?' "
        "where student_key = %s",
        [pair.student_key],
    )
    assert ana.post(first, data=of_first | {"decision": "link"}).status_code == 409
    owner.execute(
        "update identity.int_identity_records set gender = nullif(rtrim(gender, '?'), '') "
        "where student_key = %s",
        [pair.student_key],
    )
    assert owner.execute(DECISIONS).fetchall() == []
    assert ana.post(first, data=of_first | {"decision": "link"}).status_code == 200


def test_agreeing_fields_and_other_people_are_hidden_until_asked_for(
    ana: TestClient, owner: psycopg.Connection
) -> None:
    pairs = {address: pair_at(owner, ana, address) for address in listed(ana)}
    # A pair with fields that agree, linked records and a household.
    address = max(
        pairs, key=lambda at: (bool(pairs[at].of("linked")), bool(pairs[at].queued.household))
    )
    shown = pairs[address]
    assert shown.queued is not None
    assert shown.queued.household and shown.of("linked")
    agreeing = {
        text
        for field in shown.fields
        if field.agrees
        for text in shown.texts("student", field.field)
        if text and len(text) > 3
    }
    assert agreeing
    hidden = {*agreeing, shown.queued.household, shown.of("linked")[0].record}
    revealed = text_of(ana.get(f"{address}&reveal=1").text)
    assert {text for text in hidden if text not in revealed} <= {shown.of("linked")[0].record}
    assert "Linked already" in revealed
    # A field that only a linked record has can decide, too: a second first name as middle name.
    owner.execute(
        "update identity.int_identity_records set suffix = 'VIII' where record_id = %s",
        [shown.of("linked")[0].record],
    )
    assert "– – VIII" in text_of(ana.get(f"{address}&reveal=1").text)
    masked = text_of(ana.get(address).text)
    assert not {text for text in hidden if text in masked}
    assert "agrees, hidden" in masked

    owner.execute(
        "update identity.match_thresholds set value = 0 where setting = 'mask_agreeing_fields'"
    )
    assert text_of(ana.get(address).text).count("hidden") == 0
    owner.execute(
        "update identity.match_thresholds set value = 1 where setting = 'mask_agreeing_fields'"
    )


def test_a_pair_shows_its_records_evidence_and_share(
    ana: TestClient, owner: psycopg.Connection
) -> None:
    for address in listed(ana):
        found = pair_at(owner, ana, address)
        page = text_of(ana.get(address + "&reveal=1").text)
        assert found.queued is not None
        assert all(found.texts("student", "city") + found.texts("other", "city"))
        for step in found.steps:
            assert f"{step.level} {step.weight:+.1f}" in page
        assert "such pairs are the same person" in page
        for part in (
            found.reason, found.queued.household, found.queued.runner_up,
            found.queued.student_listed_on,
            (found.queued.other_served_on or "none").replace("_", " "),
            *(
                text
                for field in FIELDS
                for side in ("student", "other")
                for text in found.texts(side, field)
                if field != "ssn"
            ),
        ):  # fmt: skip
            assert (part or "") in page
        for ssn in filter(None, found.texts("student", "ssn") + found.texts("other", "ssn")):
            assert f"…{ssn[-4:]}" in page
        ssns = {ssn for side in ("student", "other", "linked") for ssn in found.texts(side, "ssn")}
        assert not any(ssn in page for ssn in ssns if ssn)


def test_students_are_disclosed_when_they_are_shown(
    ana: TestClient, owner: psycopg.Connection
) -> None:
    def disclosed() -> int:
        rows = owner.execute(
            "select party, disclosed, row_count from privacy.disclosures order by disclosure_id"
        ).fetchall()
        assert {row[:2] for row in rows} <= {("ana", "link review")}
        return sum(row[2] for row in rows)

    addresses = listed(ana)
    assert disclosed() == 0, "the list names nobody"
    found = {address: pair_at(owner, ana, address) for address in addresses}
    assert disclosed() == len({pair.pair.student_key for pair in found.values()})
    everybody = set()
    for address, pair in found.items():
        ana.get(f"{address}&reveal=1")
        assert pair.queued is not None
        everybody |= {*pair.queued.students} | {
            record.record for record in pair.records if record.record_type == "student"
        }
    assert disclosed() == len(everybody)
    ana.get(addresses[0])
    assert disclosed() == len(everybody), "once a session"


def test_a_search_says_why_somebody_is_linked(ana: TestClient, owner: psycopg.Connection) -> None:
    row = owner.execute(
        """
        select student_key, record from identity.int_identity_candidates
        where record_type = 'client' and decision = 'link' order by 1, 2 limit 1
        """
    ).fetchone()
    assert row is not None
    pair = Pair(row[0], "client", row[1])
    names = owner.execute(
        "select first_name, last_name from marts.dim_students where student_key = %s",
        [pair.student_key],
    ).fetchone()
    assert names is not None
    for text in (
        pair.student_key, pair.student_key.partition(":")[2], pair.other_record_key,
        pair.other_record_key.partition(":")[2], f"{names[0][:3].upper()} {names[1]}",
    ):  # fmt: skip
        page = ana.post("/search", data={"text": text})
        assert re.fullmatch(r"/search/\d+", page.url.raw_path.decode()), "no name is in the address"
        assert f">{pair.student_key}</a>" in page.text, text
    for text in ("nobody of this name", "nobody\0"):
        assert "Nobody was found" in ana.post("/search", data={"text": text}).text

    (student,) = re.findall(rf'href="(/student/\d+)">{pair.student_key}<', page.text)
    candidates = ana.get(student).text
    (address,) = re.findall(rf'href="(/pair/\d+\?from=\d+)">{pair.other_record_key}\b', candidates)
    assert "such pairs are the same person" in candidates
    assert "same birth date" in ana.get(address).text
    assert answer(ana, address, "no_link", note="asked") == student


def test_two_students_are_shown_without_a_share(ana: TestClient, owner: psycopg.Connection) -> None:
    row = owner.execute(
        "select student_key, other_student_key from identity.int_identity_student_decisions "
        "where decision = 'link' order by 1, 2 limit 1"
    ).fetchone()
    assert row is not None
    # Both ways lead to the same pair.
    for student, other in (row, row[::-1]):
        page = ana.post("/search", data={"text": student}).text
        (address,) = re.findall(rf'href="(/student/\d+)">{student}<', page)
        (address,) = re.findall(rf'href="(/pair/\d+)\?from=\d+">{other}<', ana.get(address).text)
        shown = text_of(ana.get(address).text)
        assert "two students" in shown
        assert f"Student {row[0]} Other student {row[1]}" in shown
        assert "It is linked. How many such pairs are the same person was not measured." in shown


def test_random_links_are_checked(ana: TestClient, owner: psycopg.Connection) -> None:
    addresses = [str(ana.get("/sample").url) for _ in range(6)]
    assert len({*addresses}) > 1
    assert answer(ana, addresses[0], "link") == "/sample"
    ((student, client, *decided),) = owner.execute(DECISIONS).fetchall()
    assert decided[:2] == ["link", "ana"]
    assert decided[2].startswith("Random sample of links: It is linked: ")
    assert owner.execute(
        "select decision, decided_by from identity.int_identity_candidates "
        "where student_key = %s and record = %s",
        [student, client],
    ).fetchone() == ("link", "model")


def test_a_link_of_which_somebody_was_unsure_is_drawn_for_others(
    ana: TestClient, owner: psycopg.Connection
) -> None:
    links = owner.execute(LINKS).fetchall()
    for student, client in links[1:]:
        owner.execute(
            "insert into linking.decisions (student_key, other_record_type, other_record_key, "
            "decision, decided_by, reason) values (%s, 'client', %s, 'no_link', 'cy', '')",
            [student, client],
        )
    the_last = Pair(links[0][0], "client", links[0][1])
    assert random_link(owner, "ana") == the_last
    answer(ana, str(ana.get("/sample").url), "unsure")
    assert random_link(owner, "ana") is None
    assert random_link(owner, "bea") == the_last
    record_decisions(owner, [Decision(the_last, "link", "")], "bea")
    assert random_link(owner, "bea") is None
    record_decisions(owner, [Decision(the_last, "withdrawn", "")], "bea")
    assert random_link(owner, "bea") == the_last


def test_a_steward_may_use_the_workbook(
    steward: Settings, owner: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "review.xlsx"
    queue = read_queue(owner)
    with connect(steward) as connection:
        assert export_queue(connection, file, "ana") == len(queue) > 0
        fill_in(file, A2="unsure")
        assert import_decisions(connection, file, "ana") == (1, 0, [])
    assert [row[2:4] for row in owner.execute(DECISIONS)] == [("unsure", "ana")]


@pytest.fixture
def served(steward: Settings, owner: psycopg.Connection) -> Iterator[str]:
    """The address of the review with its token, served by the command."""
    given = os.environ | {
        "OUTCOMES_PG_DATABASE": steward.database,
        "OUTCOMES_PG_USER": steward.user,
        "OUTCOMES_PG_PASSWORD": steward.password,
    }
    command = [Path(sys.executable).with_name("outcomes"), "link", "review"]
    with subprocess.Popen(command, env=given, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            shown = re.search(r"http://\S+", server.stdout.readline())
            assert shown
            yield shown[0]
        finally:
            server.terminate()


def test_a_browser_reviews_with_the_keyboard_alone(
    served: str, browser: Browser, owner: psycopg.Connection
) -> None:
    def press(key: str, page: Page) -> None:
        page.wait_for_timeout(500)
        with page.expect_navigation():
            page.keyboard.press(key)

    page = browser.new_page(viewport={"width": 1440, "height": 900})
    assert problems(page, served) == []
    press("Enter", page)
    first = page.url
    press("r", page)
    assert "reveal=1" in page.url
    page.keyboard.press("m")
    page.keyboard.type("yn, I asked")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert owner.execute(DECISIONS).fetchall() == [], "Enter in the note decides nothing"
    page.keyboard.press("Escape")
    # A form is sent once, and a key that is held down decides about one pair.
    send = (
        "document.querySelector('.decide').dispatchEvent("
        "new SubmitEvent('submit', {bubbles: true, cancelable: true}))"
    )
    page.wait_for_timeout(500)
    assert [page.evaluate(send), page.evaluate(send)] == [True, False]
    page.reload()
    with closing(browser.new_page()) as paused:
        paused.clock.install(time=0)
        paused.goto(served)
        paused.clock.pause_at(3600)
        paused.goto(first)
        assert paused.evaluate(send) is False, "nobody can have seen this page yet"
        paused.clock.run_for(500)
        assert paused.evaluate(send) is True
    page.wait_for_timeout(500)
    page.get_by_label("Note").fill("yn, I asked")
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.keyboard.down("n")
    page.keyboard.down("n")
    page.wait_for_timeout(200)
    page.keyboard.up("n")
    assert len(owner.execute(DECISIONS).fetchall()) == 1
    assert page.url != first
    press("s", page)
    press("z", page)
    assert page.url.partition("?")[0] == first.partition("?")[0]
    assert [row[2:] for row in owner.execute(DECISIONS)] == [
        ("no_link", "ana_login", "yn, I asked"), ("withdrawn", "ana_login", "Undone in review"),
    ]  # fmt: skip
    # Keys can be switched off, for those who speak to their computer.
    page.get_by_label("Single keys work").uncheck()
    page.locator("h1").click()
    page.keyboard.press("y")
    page.wait_for_timeout(200)
    assert len(owner.execute(DECISIONS).fetchall()) == 2

    pages = [page.url, f"{page.url}?reveal=1", *("/", "/search", "/history", "/sample")]
    pages += [page.get_by_text("All who were compared").get_attribute("href") or ""]
    home = served.partition("/?")[0]
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for address in pages:
            assert problems(page, address if "://" in address else home + address) == [], address
