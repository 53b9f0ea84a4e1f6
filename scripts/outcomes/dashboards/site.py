"""The addresses of the dashboards: the list, each page, and each table as CSV."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from outcomes.access.roles import ANALYST, CASEWORKER, PUBLIC, ROLES, STEWARD
from outcomes.config import load_settings
from outcomes.dashboards import (
    action_research,
    caseworkers,
    feed_health,
    gaps,
    link_quality,
    new_risks,
    students_at_risk,
)
from outcomes.dashboards.page import Content, Page, heading
from outcomes.dashboards.reader import DISTRICT, reading_as, role_for, roles_of_login
from outcomes.errors import OutcomesError
from outcomes.web.templates import Render, renderer

PAGES = (
    gaps.PAGE,
    students_at_risk.PAGE,
    caseworkers.PAGE,
    new_risks.PAGE,
    action_research.PAGE,
    feed_health.PAGE,
    link_quality.PAGE,
)

# What the owner's login for this command needs.
ROLES_OF_PAGES = sorted({role for page in PAGES for role in page.roles} - {DISTRICT})

_METHODS = ["GET", "POST"]
_WHO = {
    PUBLIC: "everybody with a login",
    ANALYST: "analysts",
    CASEWORKER: "caseworkers",
    STEWARD: "data stewards",
    DISTRICT: "a district's own staff",
}


def pages(party: str) -> tuple[list[Route], Render]:
    """The routes of the dashboards, and what renders their messages.

    Args:
        party: who reads, for the record of disclosures.
    """
    held = roles_of_login()
    readable = [page for page in PAGES if role_for(page.roles, held)]
    render = renderer(
        Path(__file__).parent,
        site="Dashboards",
        links=[("/", "All dashboards"), *((f"/{page.name}", page.title) for page in readable)],
        heading=heading,
    )

    def home(_: Request) -> Response:
        others = [page for page in PAGES if page not in readable]
        return render(
            "list", title="Dashboards", asked=None, readable=readable, others=others, here="/"
        )

    def answer(
        page: Page, use: Callable[[Request, Content], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        def draw(request: Request, asked: dict[str, str]) -> Response:
            role = role_for(page.roles, held)
            if role is None:
                return _refuse(render, page, readable)
            with reading_as(role, party) as reader:
                return use(request, page.draw(reader, asked))

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(draw, request, await _asked(request))

        return endpoint

    def show(page: Page) -> Callable[[Request, Content], Response]:
        return lambda request, content: render(
            "page", page=page, content=content, question=request.url.query, here=f"/{page.name}"
        )

    routes = [Route("/", home)]
    for page in PAGES:
        routes += [
            Route(f"/{page.name}", answer(page, show(page)), methods=_METHODS),
            Route(f"/{page.name}/{{table}}.csv", answer(page, _as_csv), methods=_METHODS),
        ]
    return routes, render


async def _asked(request: Request) -> dict[str, str]:
    """What the address asks for, or a form with its file."""
    if request.method != "POST":
        return dict(request.query_params)
    async with request.form() as form:
        return {
            name: (await value.read()).decode("utf-8", "replace")
            if isinstance(value, UploadFile)
            else value
            for name, value in form.items()
        }


def _as_csv(request: Request, content: Content) -> Response:
    name = request.path_params["table"]
    table = content.table(name)
    if table is None:
        raise OutcomesError("This page has no such table. Its tables have links below them.")
    return Response(
        "\ufeff" + table.csv(),  # without this mark, Excel reads no accents
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _refuse(render: Render, page: Page, readable: list[Page]) -> Response:
    options = {DISTRICT: "district --district ID"} | {
        role: role.removeprefix("outcomes_") for role in ROLES
    }
    return render(
        "list",
        403,
        title=f"{page.title}: for other logins",
        asked=page,
        asked_roles=" and ".join(_WHO[role] for role in page.roles),
        login=load_settings().user,
        commands=[f"outcomes access login NAME --role {options[role]}" for role in page.roles],
        readable=readable,
        others=[],
        here=f"/{page.name}",
    )
