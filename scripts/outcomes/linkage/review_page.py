"""Clerical review in a browser: the queue, its pairs, and the history of decisions.

Each request has a connection of its own, as the reviewer's login. Pages, students and pairs are
addressed by numbers, so that no id or name gets into the browser's history.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

import psycopg
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.decisions import (
    ANSWERS,
    IN_WORDS,
    Decision,
    Pair,
    Recorded,
    deciding,
    ordered_pair,
    read_decisions,
    record_decisions,
    undo_decision,
)
from outcomes.linkage.differences import last_four
from outcomes.linkage.explain import find_candidates, waterfall
from outcomes.linkage.review_pair import ReviewedPair, find_students, random_link, read_pair
from outcomes.linkage.review_queue import QueuedPair, count_queue, read_queue, record_disclosure
from outcomes.linkage.shares import share_in_words
from outcomes.publishing.runs import reading_links
from outcomes.warehouse.connection import connect
from outcomes.web.server import file_route
from outcomes.web.templates import Render, renderer

FOLDER = Path(__file__).parent / "pages"
# The shares from and below which the model is that sure.
SURENESS = {
    "likely": ("likely: 7 in 10 or more", 0.7, 2.0),
    "open": ("open: 3 to 7 in 10", 0.3, 0.7),
    "unlikely": ("unlikely: fewer than 3 in 10", -1.0, 0.3),
}
NOT_MEASURED = "not measured"
ORDERS = {"hardest": "hardest first", "useful": "most useful first"}
LINKS = [
    ("/", "Queue"),
    ("/sample", "Check a link"),
    ("/search", "Search"),
    ("/history", "Decisions"),
]
MOST_FOUND = 50
MOST_SHOWN = 200
LONGEST_NOTE = 500

T = TypeVar("T")
Handler = Callable[[Request, dict[str, str]], Response]


@dataclass(frozen=True)
class Choice:
    """Which pairs of the queue are asked, and in which order."""

    district: str = ""
    reason: str = ""
    sure: str = ""
    order: str = "hardest"

    @classmethod
    def of(cls, request: Request) -> Choice:
        """What the address says."""
        given = {name: request.query_params.get(name, "") for name in cls.__dataclass_fields__}
        return cls(**given | {"order": given["order"] or "hardest"})

    @property
    def address(self) -> str:
        """As the end of an address."""
        return urlencode({name: value for name, value in self.__dict__.items() if value})

    def of_queue(self, queue: Iterable[QueuedPair]) -> list[QueuedPair]:
        """The chosen pairs in order."""
        return sorted(filter(self._fits, queue), key=self._place)

    def _fits(self, queued: QueuedPair) -> bool:
        return (
            self.district in ("", *queued.districts)
            and self.reason in ("", queued.reason)
            and self.sure in ("", sureness(queued.share))
        )

    def _place(self, queued: QueuedPair) -> float:
        """Hardest is what is as likely as not; useful, what will probably link many records."""
        share = 0.5 if queued.share is None else queued.share
        return abs(share - 0.5) if self.order == "hardest" else -share * queued.other_record_count


def sureness(share: float | None) -> str:
    """The name in SURENESS of a share."""
    if share is None:
        return NOT_MEASURED
    return next(name for name, (_, low, high) in SURENESS.items() if low <= share < high)


class Numbered(Generic[T]):
    """Things with a number each, by which an address names them."""

    def __init__(self) -> None:
        self.things: list[T] = []

    def number(self, thing: T) -> int:
        """The number of a thing, from 1; a new one for a new thing."""
        if thing not in self.things:
            self.things.append(thing)
        return self.things.index(thing) + 1

    def thing(self, number: int) -> T:
        """The thing with a number."""
        if not 1 <= number <= len(self.things):
            raise HTTPException(404, "This page is of an earlier review")
        return self.things[number - 1]


class Review:
    """The pages of one reviewer, until the server stops."""

    def __init__(self, settings: Settings, reviewer: str) -> None:
        self.settings, self.reviewer = settings, reviewer
        self.secret = secrets.token_bytes()
        self.pairs, self.students = Numbered[Pair](), Numbered[str]()
        self.searches = Numbered[str]()
        # Students who are in the record of disclosures already.
        self.disclosed: set[str] = set()
        # The reviewer's decisions of this session, which can be undone with one key.
        self.recorded: list[Recorded] = []
        # Where no links can be reviewed, the command says so, and serves no page.
        with self._links():
            pass
        self.render: Render = renderer(
            FOLDER,
            site="Clerical review",
            links=LINKS,
            reviewer=reviewer,
            decided=IN_WORDS,
            share_in_words=share_in_words,
            last_four=last_four,
            number_of=self.pairs.number,
            number_of_student=self.students.number,
        )

    def routes(self) -> list[BaseRoute]:
        """The pages, and what they load."""
        return [
            file_route(FOLDER / "review.css"),
            file_route(FOLDER / "review.js"),
            Route("/", _page(self.show_queue)),
            Route("/pair/{number:int}", _page(self.show_pair)),
            Route("/pair/{number:int}", _page(self.decide), methods=["POST"]),
            Route("/undo", _page(self.undo), methods=["POST"]),
            Route("/sample", _page(self.show_sample)),
            Route("/search", _page(self.show_search)),
            Route("/search", _page(self.search), methods=["POST"]),
            Route("/search/{number:int}", _page(self.show_search)),
            Route("/student/{number:int}", _page(self.show_student)),
            Route("/history", _page(self.show_history)),
        ]

    def show_queue(self, request: Request, _: dict[str, str]) -> Response:
        """List the pairs that wait, without names."""
        choice = Choice.of(request)
        with self._links() as connection:
            queue = read_queue(connection, self.reviewer)
            return self.render(
                "queue",
                **self._shared(connection, request, "/"),
                choice=choice,
                chosen=choice.of_queue(queue),
                most=MOST_SHOWN,
                districts=sorted({district for queued in queue for district in queued.districts}),
                reasons=sorted({queued.reason for queued in queue}),
                sure={name: words for name, (words, *_) in SURENESS.items()}
                | {NOT_MEASURED: NOT_MEASURED},
                orders=ORDERS,
            )

    def show_pair(self, request: Request, form: dict[str, str], warning: str = "") -> Response:
        """Show a pair side by side, with its evidence."""
        number = request.path_params["number"]
        with self._links() as connection:
            queue = read_queue(connection)
            found = read_pair(
                connection, self.pairs.thing(number), queue, read_decisions(connection)
            )
            is_masked = _masks(connection) and "reveal" not in request.query_params
            self._disclose(connection, found, is_masked)
            chosen = self._chosen(request, queue)
            bars = waterfall(found.candidate, found.steps) if found.candidate else []
            ends = [end for bar in bars for end in (bar.start, bar.end)]
            return self.render(
                "pair",
                409 if warning else 200,
                **self._shared(connection, request, "/sample" if _is_sample(request) else ""),
                found=found,
                shown=self._sealed(found),
                number=number,
                place=chosen.index(found.pair) + 1 if found.pair in chosen else None,
                places=len(chosen),
                is_masked=is_masked,
                bars=bars,
                low=min(ends, default=0.0),
                high=max(ends, default=0.0),
                skip=self._after(request, found.pair, chosen),
                note=form.get("note", ""),
                longest_note=LONGEST_NOTE,
                warning=warning,
            )

    def decide(self, request: Request, form: dict[str, str]) -> Response:
        """Record a decision, and go to the next pair."""
        pair = self.pairs.thing(request.path_params["number"])
        if form.get("decision") not in ANSWERS or not form.get("seen", "").isdecimal():
            raise HTTPException(400, "This is no decision")
        with self._links() as connection:
            queue = read_queue(connection)
            found = read_pair(connection, pair, queue, read_decisions(connection))
            if not hmac.compare_digest(
                form.get("shown", "").encode(), self._sealed(found).encode()
            ):
                return self.show_pair(
                    request, form,
                    "Nothing was recorded: what you saw is out of date, because a build has "
                    "changed the records or the review was started again. This is the pair now.",
                )  # fmt: skip
            following = self._after(request, pair, self._chosen(request, queue))
            reason = form.get("note", "").strip()[:LONGEST_NOTE] or found.why
            if _is_sample(request):
                reason = f"Random sample of links: {reason}"
            try:
                with deciding(connection):
                    last = _newest(connection).get(pair)
                    if last and last.decision_id > int(form["seen"]):
                        raise OutcomesError(
                            f"Nothing was recorded: meanwhile {last.decided_by} decided "
                            f"“{IN_WORDS[last.decision]}”."
                        )
                    decision = Decision(pair, form["decision"], reason)
                    record_decisions(connection, [decision], self.reviewer)
                    recorded = _newest(connection)[pair]
            except OutcomesError as error:
                return self.show_pair(request, form, str(error))
            self.recorded.append(recorded)
            return RedirectResponse(following, 303)

    def undo(self, request: Request, form: dict[str, str]) -> Response:
        """Undo the decision that the page named as the last, and show its pair again."""
        with self._links() as connection:
            last = self._undoable(connection)
            if last is None or form.get("decision_id") != str(last.decision_id):
                raise OutcomesError(
                    "Nothing was undone: what this page named as your last decision no longer is. "
                    "Decisions lists who decided what."
                )
            undo_decision(connection, last, self.reviewer)
        return RedirectResponse(f"/pair/{self.pairs.number(last.pair)}?{_query(request)}", 303)

    def show_sample(self, _: Request, __: dict[str, str]) -> Response:
        """Go to a link that the model made, chosen at random."""
        with self._links() as connection:
            pair = random_link(connection, self.reviewer)
        if pair is None:
            raise OutcomesError("The model made no link that nobody has decided about.")
        return RedirectResponse(f"/pair/{self.pairs.number(pair)}?from=sample", 303)

    def search(self, _: Request, form: dict[str, str]) -> Response:
        """Take the words of a search, which no address may have, and show what they find."""
        number = self.searches.number(form.get("text", "").strip())
        return RedirectResponse(f"/search/{number}", 303)

    def show_search(self, request: Request, _: dict[str, str]) -> Response:
        """Find students by name or id."""
        number = request.path_params.get("number")
        text = self.searches.thing(number) if number else ""
        with self._links() as connection:
            found = find_students(connection, text, MOST_FOUND) if text else []
            self._record(connection, [student.student_key for student in found])
            return self.render(
                "search",
                **self._shared(connection, request, "/search"),
                text=text,
                found=found,
                most=MOST_FOUND,
            )

    def show_student(self, request: Request, _: dict[str, str]) -> Response:
        """Say of each candidate of a student why it is linked or not."""
        number = request.path_params["number"]
        student = self.students.thing(number)
        with self._links() as connection:
            candidates = find_candidates(connection, student)
            self._record(connection, [student, *(c.record for c in candidates if c.is_student)])
            return self.render(
                "student",
                **self._shared(connection, request, ""),
                number=number,
                student=student,
                candidates=[
                    (ordered_pair(student, c.record_type, c.record), c) for c in candidates
                ],
            )

    def show_history(self, request: Request, _: dict[str, str]) -> Response:
        """List the newest decisions: who, when and why."""
        with self._links() as connection:
            decisions = read_decisions(connection)[::-1]
            shown = decisions[:MOST_SHOWN]
            self._record(connection, [key for recorded in shown for key in recorded.pair.students])
            return self.render(
                "history",
                **self._shared(connection, request, "/history"),
                shown=shown,
                total=len(decisions),
            )

    @contextmanager
    def _links(self) -> Iterator[psycopg.Connection]:
        with connect(self.settings) as connection, reading_links(connection):
            yield connection

    def _shared(
        self, connection: psycopg.Connection, request: Request, here: str
    ) -> dict[str, Any]:
        """What every page of the review shows."""
        return {
            "here": here,
            "query": _query(request),
            "counts": count_queue(connection),
            "last": self._undoable(connection),
        }

    def _undoable(self, connection: psycopg.Connection) -> Recorded | None:
        """The reviewer's last decision of this session after which nobody decided on its pair."""
        newest = _newest(connection)
        return next((own for own in reversed(self.recorded) if newest.get(own.pair) == own), None)

    def _sealed(self, found: ReviewedPair) -> str:
        """A seal of what a page shows: only a decision about exactly this is recorded.

        With a secret, because a hash of hidden fields could be guessed; and an earlier review, of
        which a page may still be open, gave the pairs other numbers.
        """
        shown = repr((found.pair, sorted(map(repr, found.records))))
        return hmac.digest(self.secret, shown.encode(), "sha256").hex()

    def _chosen(self, request: Request, queue: list[QueuedPair]) -> list[Pair]:
        """The pairs of the reviewer's queue that the address chooses, in order."""
        own = (queued for queued in queue if self.reviewer not in queued.unsure)
        return [queued.pair for queued in Choice.of(request).of_queue(own)]

    def _after(self, request: Request, pair: Pair, chosen: list[Pair]) -> str:
        """Where the reviewer goes on after a pair."""
        if _is_sample(request):
            return "/sample"
        if (student := request.query_params.get("from", "")).isdecimal():
            return f"/student/{student}"
        choice = Choice.of(request).address
        following = chosen[chosen.index(pair) + 1 :] if pair in chosen else chosen
        if not following:
            return f"/?{choice}"
        return f"/pair/{self.pairs.number(following[0])}?{choice}"

    def _disclose(
        self, connection: psycopg.Connection, found: ReviewedPair, is_masked: bool
    ) -> None:
        shown = [
            record.record
            for record in found.records
            if record.record_type == "student" and not (is_masked and record.side == "linked")
        ]
        if found.queued and not is_masked:
            shown += found.queued.also_shown.splitlines()
        self._record(connection, shown)

    def _record(self, connection: psycopg.Connection, students: Iterable[str]) -> None:
        """Enter students in the record of disclosures, each once in a session."""
        new = set(students) - self.disclosed
        record_disclosure(connection, new, self.reviewer, "link review")
        self.disclosed |= new


def _newest(connection: psycopg.Connection) -> dict[Pair, Recorded]:
    """The newest decision about each pair, whether it stands or not."""
    return {recorded.pair: recorded for recorded in read_decisions(connection)}


def _is_sample(request: Request) -> bool:
    """Whether the reviewer checks links; `from` can also be the number of a student."""
    return request.query_params.get("from") == "sample"


def _query(request: Request) -> str:
    """What the address chooses, and from where the reviewer came, for the next address."""
    return urlencode([pair for pair in request.query_params.items() if pair[0] != "reveal"])


def _masks(connection: psycopg.Connection) -> bool:
    """Whether the policy masks fields that agree until the reviewer asks for them."""
    row = connection.execute(
        "select value from identity.match_thresholds where setting = 'mask_agreeing_fields'"
    ).fetchone()
    return row is not None and row[0] == 1


def _page(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A handler with the fields of a form, in a thread, because it waits for the database."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        text = (await request.body()).decode("utf-8", "replace")
        # PostgreSQL has no NUL, which a pasted text can hold.
        form = {name: value.replace("\0", "") for name, value in parse_qsl(text)}
        return await run_in_threadpool(handler, request, form)

    return answer
