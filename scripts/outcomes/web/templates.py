"""The templates of pages: HTML that extends `base.html.jinja`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from starlette.responses import HTMLResponse

FOLDER = Path(__file__).parent

Render = Callable[..., HTMLResponse]


def renderer(folder: Path, **shared: Any) -> Render:
    """Make the function that answers with a template of a folder: `render(name, status=200, …)`.

    Args:
        folder: where the templates `<name>.html.jinja` are.
        shared: what every page shows; base.html.jinja says what it needs.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, FOLDER]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def render(name: str, /, status: int = 200, **values: Any) -> HTMLResponse:
        template = environment.get_template(f"{name}.html.jinja")
        return HTMLResponse(template.render(shared | values), status)

    return render
