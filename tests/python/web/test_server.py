"""The server of local pages: what every answer has, what goes wrong, and how it looks."""

from __future__ import annotations

import logging
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.python.web.pages import problems

from outcomes.errors import OutcomesError
from outcomes.web.door import Key
from outcomes.web.server import make_app, serve
from outcomes.web.templates import renderer

KEY = Key(8080)
PAGE = """{% extends "base.html.jinja" %}
{% block title %}{{ name }}{% endblock %}
{% block main %}
<h1>{{ name }}</h1>
<div class="table" tabindex="0" role="region" aria-label="Wide">
<table><tr>{% for n in range(60) %}<td>{{ name }}</td>{% endfor %}</tr></table>
</div>
{% endblock %}"""


def routes(folder: Path) -> list[Route]:
    """Two pages, one of which has a child's name that is no HTML, and two that fail."""
    (folder / "page.html.jinja").write_text(PAGE)
    render = renderer(folder, site="Tests", links=[("/", "Home"), ("/other", "Other")])

    def page(request: Request) -> Response:
        return render("page", name="<b>O'Brien</b>", here=request.url.path)

    def explained(_: Request) -> Response:
        raise OutcomesError("Expected a week & a day.")

    def broken(_: Request) -> Response:
        raise ValueError("Malik Brown, born 2004-05-06")

    return [
        Route("/", page), Route("/other", page),
        Route("/explained", explained), Route("/broken", broken),
    ]  # fmt: skip


def frame(folder: Path) -> TestClient:
    """A browser without a key."""
    app = make_app(routes(folder), renderer(folder, site="Tests", links=[]), KEY)
    return TestClient(app, "http://127.0.0.1:8080", raise_server_exceptions=False)


@pytest.fixture
def browser_in(tmp_path: Path) -> TestClient:
    """A browser that has opened the address with the token."""
    browser = frame(tmp_path)
    assert browser.get(KEY.address).status_code == 200
    return browser


def test_nobody_without_the_token_reads_anything(tmp_path: Path) -> None:
    browser = frame(tmp_path)
    for path in ("/", "/style.css", "/explained", "/broken", "/nothing"):
        for method in ("GET", "HEAD", "POST"):
            assert browser.request(method, path).status_code == 403, path
    assert browser.get("/", headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/style.css", 200), ("/nothing", 404), ("/explained", 400), ("/broken", 500)],
)
def test_browsers_store_no_answer_and_load_nothing_foreign(
    path: str, status: int, browser_in: TestClient
) -> None:
    for headers, expected in ({}, status), ({"host": "evil.example"}, 421):
        answer = browser_in.get(path, headers=headers)
        assert answer.status_code == expected
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_is_named_and_shows_where_it_is(browser_in: TestClient) -> None:
    page = browser_in.get("/other").text
    assert '<html lang="en">' in page
    assert re.findall(r'<a href="(.+?)" aria-current="page">', page) == ["/other"]
    assert "<title>&lt;b&gt;O&#39;Brien&lt;/b&gt; – Tests</title>" in page
    assert "<b>" not in page


def test_a_request_that_a_page_cannot_answer_is_told(browser_in: TestClient) -> None:
    assert "There is no such page." in browser_in.get("/nothing").text
    refused = browser_in.delete("/other", headers={"origin": "http://127.0.0.1:8080"})
    assert refused.status_code == 405
    assert "The page cannot answer this request." in refused.text


def test_a_failure_is_told_without_a_row(
    browser_in: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert "Expected a week &amp; a day." in browser_in.get("/explained").text
    with caplog.at_level(logging.DEBUG):
        answer = browser_in.get("/broken")
    assert "This page failed" in answer.text
    assert "/broken failed: ValueError" in caplog.text
    assert "Malik" not in caplog.text + answer.text


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OutcomesError, match=rf"Port {port} cannot be used: .*--port"):
            serve([], renderer(tmp_path, site="Tests", links=[]), port, pytest.fail)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of the pages above, served by a program of its own."""
    program = (
        "from pathlib import Path; from tests.python.web.test_server import *;"
        f"folder = Path({str(tmp_path)!r});"
        "serve(routes(folder), renderer(folder, site='Tests', links=[]), None,"
        " lambda address: print(address, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        yield server.stdout.readline().strip()
        server.send_signal(signal.SIGINT)
        # Ctrl-C is the way to stop it, so it is no failure.
        assert server.wait(10) == 0
        assert (server.stdout.read(), server.stderr.read()) == ("", "")


def test_a_browser_shows_a_page_without_a_fault(served: str, browser: Browser) -> None:
    for width in (1440, 390):
        page = browser.new_page(viewport={"width": width, "height": 900})
        assert problems(page, served) == [], width
        # The address bar does not keep the token.
        assert "token" not in page.url
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
