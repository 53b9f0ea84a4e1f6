"""Contracts for the exports that a standard defines, written from templates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Standard:
    """A version of a standard: its template, and a file name for a district without a sample."""

    template: str
    version: str
    sample: str


STANDARDS = {
    f"oneroster-{version}": Standard("oneroster", version, "oneroster_20120901.zip")
    for version in ("1.1", "1.2")
}


def contract_text(standard: Standard, partner_id: str, file_name: str) -> str:
    """The contract of a partner that sends the standard's files under a name."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML, not HTML
    )
    return environment.get_template(f"{standard.template}.yaml.jinja").render(
        partner_id=partner_id,
        name=partner_id.replace("_", " ").title(),
        version=standard.version,
        file_name=file_name,
    )


def crosswalk_text(standard: Standard, partner_id: str) -> str:
    """The crosswalk rows of the standard's codes, for a partner."""
    rows = (_FOLDER / f"{standard.template}.crosswalk.csv").read_text("utf-8")
    return rows.format(partner_id=partner_id)
