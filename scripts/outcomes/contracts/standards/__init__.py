"""Contracts for the files that a standard defines, written from templates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Standard:
    """A version of a standard; its codes are the rows of `code_crosswalk` with its family."""

    family: str
    version: str


STANDARDS = {
    "oneroster-1.1": Standard("oneroster", "1.1"),
    "oneroster-1.2": Standard("oneroster", "1.2"),
    "pims": Standard("pims", "2025"),
    "pims-2012": Standard("pims", "2012"),
}


def contract_text(standard: str, partner_id: str, **values: Any) -> str:
    """The contract of a partner that follows a standard; `values` complete its template."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML, not HTML
    )
    known = STANDARDS[standard]
    return environment.get_template(f"{known.family}.yaml.jinja").render(
        standard=standard,
        version=known.version,
        partner_id=partner_id,
        name=partner_id.replace("_", " ").title(),
        **values,
    )
