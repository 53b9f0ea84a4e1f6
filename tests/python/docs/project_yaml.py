"""What the project's YAML files may say: dbt's own schema, and a description for everything.

On PostgreSQL dbt does not complain about a key that it does not know, so a misspelt one
is silently ignored: a test never runs, a contract is not enforced.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from dbt.clients.yaml_helper import safe_load
from dbt.jsonschemas.jsonschemas import resources_schema

# Lists of things that a reader looks up.
_DESCRIBED = (
    "models", "seeds", "sources", "tables", "columns", "functions", "arguments", "unit_tests",
    "semantic_models", "dimensions", "measures", "metrics", "exposures",
)  # fmt: skip
# The schema has these as a newer engine reads them. dbt itself refuses their unknown keys.
_SEMANTIC = ("semantic_models", "metrics")


@cache
def _validator() -> jsonschema.Draft7Validator:
    schema = deepcopy(resources_schema())
    for part in (schema, *schema["definitions"].values()):
        if isinstance(part, dict):
            # The old name of `data_tests`.
            part.get("properties", {}).pop("tests", None)
    return jsonschema.Draft7Validator(schema)


def yaml_problems(text: str) -> list[str]:
    """The problems of a YAML file: unknown keys, wrong values, missing descriptions."""
    content = safe_load(text)
    problems = [f"{path} has no description" for path in _undescribed(content, "")]
    checked = {key: value for key, value in content.items() if key not in _SEMANTIC}
    errors = _validator().iter_errors(checked)
    return problems + [f"{error.json_path}: {error.message}" for error in errors]


def _undescribed(content: dict[str, Any], path: str) -> Iterator[str]:
    for key, value in content.items():
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                place = f"{path}.{entry.get('name', key)}"
                if key in _DESCRIBED and isinstance(value, list) and not entry.get("description"):
                    yield place
                yield from _undescribed(entry, place)


def yaml_files(project_dir: Path) -> list[Path]:
    """Every file that describes models, seeds, sources, functions or tests."""
    return sorted(
        file
        for folder in ("models", "seeds", "functions", "macros", "tests")
        for suffix in ("yml", "yaml")
        for file in (project_dir / folder).rglob(f"*.{suffix}")
        if not file.name.endswith(".odcs.yaml")
    )
