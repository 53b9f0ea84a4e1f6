"""The notebooks run from top to bottom, as an analyst."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from outcomes.config import PROJECT_DIR, Settings

NOTEBOOKS = sorted((PROJECT_DIR / "notebooks").glob("*.ipynb"))


def cells(notebook: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(notebook.read_text("utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def run(notebook: Path) -> dict[str, object]:
    """Run the code of a notebook; returns its variables."""
    variables: dict[str, object] = {}
    for cell in cells(notebook):
        exec(compile("".join(cell["source"]), notebook.name, "exec"), variables)  # type: ignore[arg-type]
    return variables


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_is_kept_without_its_output(notebook: Path) -> None:
    assert all(cell["outputs"] == [] for cell in cells(notebook))


def test_the_gap_is_decomposed(analyst: Settings) -> None:
    found = run(PROJECT_DIR / "notebooks" / "gap_and_its_decomposition.ipynb")
    assert isinstance(found["gaps"], pd.DataFrame) and not found["gaps"].empty
    assert found["composition"] + found["rates"] == pytest.approx(found["gap"])  # type: ignore[operator]
    assert 0.5 < found["coverage"] <= 1  # type: ignore[operator]


def test_an_intervention_is_evaluated(analyst: Settings) -> None:
    found = run(PROJECT_DIR / "notebooks" / "intervention_evaluated.ipynb")
    answers = found["answers"]
    assert isinstance(answers, pd.DataFrame)
    assert answers["points"].notna().all()
