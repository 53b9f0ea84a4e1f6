"""The door of local pages: the token, the cookie, and the host."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from outcomes.web.door import Door, Key

KEY = Key(8080)


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"query {request.url.query}")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("a child")
    await websocket.close()


@pytest.fixture
def browser() -> TestClient:
    app = Starlette(
        routes=[Route("/page", page, methods=["GET", "POST"]), WebSocketRoute("/socket", socket)]
    )
    app.add_middleware(Door, key=KEY)
    return TestClient(app, base_url="http://127.0.0.1:8080")


def test_the_token_is_exchanged_for_a_cookie(browser: TestClient) -> None:
    assert browser.get("/page").status_code == 403
    opened = browser.get(f"/page?a=1&token={KEY.token}&b=x%26y")
    assert (opened.status_code, opened.text) == (200, "query a=1&b=x%26y")
    # Neither the address bar nor a link from the page shows the token.
    assert KEY.token not in str(opened.url)
    assert opened.history[0].headers["referrer-policy"] == "no-referrer"
    assert browser.get("/page").status_code == 200


def test_a_cookie_of_another_server_opens_nothing(browser: TestClient) -> None:
    for name, value in ((KEY.cookie, Key(8080).token), ("outcomes_8081", KEY.token)):
        browser.cookies.clear()
        browser.cookies.set(name, value)
        assert browser.get("/page").status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost:80", "localhost"])
def test_a_foreign_host_is_refused_with_token_and_cookie(host: str, browser: TestClient) -> None:
    browser.get(f"/page?token={KEY.token}")
    for address in ("/page", f"/page?token={KEY.token}"):
        assert browser.get(address, headers={"host": host}).status_code == 421
    assert browser.get("/page", headers={"host": "localhost:8080"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://localhost:9090", "https://evil.example", "null"])
def test_a_form_of_another_page_is_refused_with_the_cookie(
    origin: str, browser: TestClient
) -> None:
    browser.get(f"/page?token={KEY.token}")
    own = {"origin": "http://127.0.0.1:8080"}
    assert browser.post("/page", headers={"origin": origin}).status_code == 403
    assert browser.post("/page", headers=own).status_code == 200
    assert browser.post("/page").status_code == 200


def test_a_websocket_has_the_same_door(browser: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect("/socket"):
        pass
    browser.get(f"/page?token={KEY.token}")
    # The client of the tests does not take cookies and the port along.
    headers = {"host": "localhost:8080", "cookie": f"{KEY.cookie}={KEY.token}"}
    with browser.websocket_connect("/socket", headers=headers) as opened:
        assert opened.receive_text() == "a child"
