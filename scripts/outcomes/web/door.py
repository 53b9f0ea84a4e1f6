"""Lets only the person who started a local page use it.

A page on this computer is open to every program of the machine, and to every page in the browser
that finds its port. So the first address carries a token, which only the terminal shows, and a
cookie after that; a page of a foreign name that resolves to this machine (DNS rebinding) is
refused by its `Host`; and a form of another local page, which the browser takes for the same
site, by its `Origin`.
"""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl, urlencode

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

_TOKEN = "token"  # noqa: S105 - the name of the parameter
_READING = ("GET", "HEAD")


class Key:
    """The secret of one server, and the addresses under which it is reached."""

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        self.hosts = {f"localhost:{port}", f"127.0.0.1:{port}"}
        # A browser sends a cookie to every port of a host.
        self.cookie = f"outcomes_{port}"
        # Not `localhost`: that can be ::1 first, where another user's program could listen.
        self.address = f"http://127.0.0.1:{port}/?{_TOKEN}={self.token}"

    def fits(self, given: str | None) -> bool:
        """Whether it is the token."""
        return given is not None and secrets.compare_digest(given.encode(), self.token.encode())


class Door:
    """ASGI middleware: refuses whoever has neither the token nor the cookie."""

    def __init__(self, app: ASGIApp, key: Key) -> None:
        self.app, self.key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or exchange the token for the cookie."""
        answer = None if scope["type"] == "lifespan" else self._answer(HTTPConnection(scope))
        await (answer or self.app)(scope, receive, send)

    def _answer(self, request: HTTPConnection) -> Response | None:
        """The answer of the door; None for those who may pass."""
        if request.headers.getlist("host") not in [[host] for host in self.key.hosts]:
            return PlainTextResponse("This server is reached as localhost only.", 421)
        # A form of this page has its origin; what is no browser has none, and needs the cookie.
        origin = request.headers.get("origin", f"http://{request.headers['host']}")
        if request.scope.get("method", "GET") not in _READING and (
            origin != f"http://{request.headers['host']}"
        ):
            return PlainTextResponse("A form of another page cannot be sent here.", 403)
        if self.key.fits(request.query_params.get(_TOKEN)):
            rest = [pair for pair in parse_qsl(request.url.query) if pair[0] != _TOKEN]
            answer = RedirectResponse(
                request.url.path + (f"?{urlencode(rest)}" if rest else ""),
                303,
                {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
            )
            answer.set_cookie(self.key.cookie, self.key.token, httponly=True, samesite="strict")
            return answer
        if self.key.fits(request.cookies.get(self.key.cookie)):
            return None
        return PlainTextResponse("Open the address that the terminal shows, with its token.", 403)
