"""Serves pages on this computer, until Ctrl-C.

Every answer is for one person and one moment: browsers store nothing, and run or load nothing
that this server does not send.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outcomes.errors import OutcomesError
from outcomes.web.door import Door, Key
from outcomes.web.templates import FOLDER, Render

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # With no-referrer, a browser would send a form without its origin.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

_log = logging.getLogger(__name__)


def make_app(routes: Sequence[BaseRoute], render: Render, key: Key) -> ASGIApp:
    """Make the application: the routes behind their door, with messages instead of tracebacks.

    An `OutcomesError` of a page is shown as a page. Any other error is logged by its type and
    place only, because its text can quote a row.
    """

    def explain(request: Request, error: Exception) -> Response:
        if isinstance(error, OutcomesError):
            title, text, status = "This did not work", str(error), 400
        elif isinstance(error, HTTPException):
            title, status = error.detail, error.status_code
            text = (
                "There is no such page."
                if status == 404
                else "The page cannot answer this request. Go back, and try it from there."
            )
        else:
            _log.error("%s failed: %s", request.url.path, _where(error))
            title, status = "This page failed", 500
            text = "The terminal shows where. It is a defect: please report it."
        return render("message", status, title=title, text=text, here=request.url.path)

    app = Starlette(
        routes=[file_route(FOLDER / "style.css"), *routes],
        exception_handlers=dict.fromkeys((OutcomesError, HTTPException, Exception), explain),
    )
    # Around the whole, because Starlette answers failures outside of its own middleware.
    return _Headers(Door(app, key))


def file_route(file: Path) -> Route:
    """A route that serves a file under its name: a style sheet or a script."""

    def serve_file(_: Request) -> Response:
        return FileResponse(file)

    return Route(f"/{file.name}", serve_file)


def serve(
    routes: Sequence[BaseRoute], render: Render, port: int | None, announce: Callable[[str], None]
) -> None:
    """Serve until Ctrl-C.

    Args:
        routes: the pages.
        render: as for `make_app`.
        port: a free one if it is None.
        announce: is told the address with the token, as soon as the browser can open it.

    Raises:
        OutcomesError: the port is taken.
    """
    # Only pages need the server.
    import uvicorn

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port or 0))
        except OSError as error:
            raise OutcomesError(
                f"Port {port} cannot be used: {error.strerror}. Choose another with --port, "
                "or leave the option out for a free one."
            ) from None
        listening.listen()
        key = Key(listening.getsockname()[1])
        announce(key.address)
        config = uvicorn.Config(
            make_app(routes, render, key), lifespan="off", ws="none", access_log=False,
            # Its tracebacks could quote a row.
            log_config=None, log_level="critical",
        )  # fmt: skip
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            # The way to stop it.
            return


def _where(error: Exception) -> str:
    """The type of an error, and the last place of our own code."""
    place, traceback = "", error.__traceback__
    while traceback:
        code = traceback.tb_frame.f_code
        if "outcomes" in Path(code.co_filename).parts:
            place = f" in {code.co_qualname}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return type(error).__name__ + place


class _Headers:
    """ASGI middleware: gives every answer, those of the door, too, the headers above."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in _HEADERS.items()
                        if name.encode() not in given
                    ),
                ]
            await send(message)

        await self.app(scope, receive, send_with_headers)
