"""Serves the dashboards of charts/ with dbt Charts, and adds what dbt Charts lacks.

A dashboard of a role that the login may not take says so, instead of an error of PostgreSQL's;
the first page lists the dashboards that it may open; pages name their language; a narrow window
gets the layout of charts/phone.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import jinja2
import psycopg
import yaml
from psycopg import sql
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from outcomes.config import PROJECT_DIR, load_settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect
from outcomes.web.door import Door, Key

try:
    from dbt_charts.agent_api.serve import ServeSetup, prepare_serve
    from dbt_charts.cli.filesystem_project import FilesystemProject
except ModuleNotFoundError:
    raise OutcomesError(
        "Dashboards need dbt Charts: pip install -e '.[dashboards]' and try again."
    ) from None

# The list of dashboards, and the answer where one is for another role.
_LIST = jinja2.Template(
    Path(__file__).with_name("dashboards.html.jinja").read_text("utf-8"), autoescape=True
)
# dbt Charts shrinks a page to the window. Below this width nobody can read it.
_LAYOUT = """<script>
if (innerWidth < 700 !== location.pathname.startsWith("/phone/"))
    location.replace(
        (innerWidth < 700 ? "/phone" : "") + location.pathname.replace("/phone/", "/")
        + location.search)
</script>"""


@dataclass(frozen=True)
class Dashboard:
    """A dashboard of charts/, and the role that it reads as."""

    name: str
    title: str
    role: str


def dashboards() -> dict[str, Dashboard]:
    """The dashboards by name; dbt_charts.yml names the role of each one's source."""
    text = (PROJECT_DIR / "dbt_charts.yml").read_text("utf-8")
    sources = yaml.safe_load(jinja2.Template(text).render(env_var=os.environ.get))["sources"]
    found = {}
    for file in sorted((PROJECT_DIR / "charts").glob("*.yml")):
        if file.stem == "meta":  # what all dashboards share
            continue
        board = yaml.safe_load(file.read_text("utf-8"))
        found[file.stem] = Dashboard(file.stem, board["title"], sources[board["source"]]["role"])
    return found


def prepare(port: int | None) -> tuple[ServeSetup, Key]:
    """Make the server of the dashboards, which listens on this computer only, and its key.

    Raises:
        OutcomesError: the warehouse cannot be reached, or dbt Charts does not start.
    """
    connect().close()
    # Else dbt Charts reports to its maker that it is used.
    os.environ["DO_NOT_TRACK"] = "1"
    setup = prepare_serve(
        FilesystemProject(PROJECT_DIR),
        port=port,
        host="localhost",
        dialect="postgres",
        target=None,
        max_workers=None,
        no_cache=True,
        cache_path=None,
    )
    if not isinstance(setup, ServeSetup):
        raise OutcomesError(f"dbt Charts does not start: {setup.message}")
    setup.app.middleware("http")(partial(_answer, dashboards()))
    key = Key(setup.port)
    # Added last, it comes first.
    setup.app.add_middleware(Door, key=key)
    return setup, key


async def _answer(
    found: dict[str, Dashboard],
    request: Request,
    draw: Callable[[Request], Awaitable[Any]],
) -> Response:
    """List the dashboards, refuse one of another role, and complete what dbt Charts draws."""
    path = request.url.path.strip("/")
    if path == "__livereload":
        # Else pages reload whenever a file below this folder changes: the warehouse's, too.
        return Response(status_code=204)
    asked = found.get(path.removeprefix("phone/").partition(".")[0])
    if not path or (asked and not await run_in_threadpool(_may_take, asked.role)):
        return await run_in_threadpool(_list, found.values(), asked)
    response = await draw(request)
    if not response.headers.get("content-type", "").startswith("text/html"):
        return cast(Response, response)
    page = b"".join([part async for part in response.body_iterator]).decode()
    head = f'<html lang="en">\n<head><link rel="icon" href="data:,">{_LAYOUT if asked else ""}'
    return HTMLResponse(page.replace("<html>\n<head>", head, 1), response.status_code)


def _list(found: Iterable[Dashboard], asked: Dashboard | None) -> Response:
    readable = [dashboard for dashboard in found if _may_take(dashboard.role)]
    page = _LIST.render(asked=asked, readable=readable, login=load_settings().user)
    return HTMLResponse(page, 403 if asked else 200)


def _may_take(role: str) -> bool:
    """Whether the login may take a role, as its dashboards do."""
    with connect() as connection:
        try:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        except psycopg.Error:
            return False
    return True
