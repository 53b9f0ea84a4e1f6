"""`outcomes link train`, on the demo and in a copy of the project."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.cli import linkage as commands
from outcomes.config import PROJECT_DIR, Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.adopt import (
    MACRO_FILE,
    MODEL_FILE,
    PROVENANCE_FILE,
    TRAINING_FILE,
    adopt,
)
from outcomes.linkage.train import Recipe

# Comparisons that keep their values: the demo is too small to train them.
KEPT = ("last_name", "first_name", "middle_name", "birth_date", "address")
KEEP = [part for name in KEPT for part in ("--keep", name)]


@pytest.fixture
def project(built_demo: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what training reads and writes, with a recipe for a quick training."""
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", built_demo.database)
    monkeypatch.setattr(commands, "PROJECT_DIR", tmp_path)
    monkeypatch.setattr(commands, "CHARTS_DIR", tmp_path / "charts")
    for part in ("seeds/identity", "macros"):
        shutil.copytree(PROJECT_DIR / part, tmp_path / part)
    _change(tmp_path / TRAINING_FILE, max_pairs=200_000)
    return tmp_path


def _change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def _train(*options: str) -> Result:
    return CliRunner().invoke(cli, ["link", "train", *options])


def _written(project: Path) -> dict[str, bytes]:
    files = [*(project / "seeds/identity").iterdir(), project / MACRO_FILE]
    return {file.name: file.read_bytes() for file in files}


def _comparisons(project: Path) -> dict[str, Any]:
    model = json.loads((project / MODEL_FILE).read_text())
    return {comparison["output_column_name"]: comparison for comparison in model["comparisons"]}


def test_the_model_in_force_was_trained_with_the_current_recipe() -> None:
    recipe = Recipe.model_validate_json((PROJECT_DIR / TRAINING_FILE).read_text())
    with (PROJECT_DIR / PROVENANCE_FILE).open() as opened:
        (model,) = csv.DictReader(opened)
    assert model["recipe_sha256"] == recipe.sha256
    levels = {
        (comparison, level["label_for_charts"]): level
        for comparison, content in _comparisons(PROJECT_DIR).items()
        for level in content["comparison_levels"]
    }
    for comparison, labels in recipe.fixed.items():
        for label, fixed in labels.items():
            given = fixed.model_dump(exclude_none=True)
            assert given.items() <= levels[comparison, label].items()


def test_training_writes_a_model_with_charts_and_is_repeatable(project: Path) -> None:
    old = _comparisons(project)
    done = _train(*KEEP)
    assert done.exit_code == 0, done.output
    new = _comparisons(project)
    assert all(new[name] == old[name] for name in KEPT)
    assert new["ssn"] != old["ssn"]
    fixed = json.loads((project / TRAINING_FILE).read_text())["fixed"]
    for name, labels in fixed.items():
        for level in new[name]["comparison_levels"]:
            given = labels.get(level["label_for_charts"], {})
            assert given.items() <= level.items()
    _assert_offline(project / "charts")
    first = _written(project)
    assert _train(*KEEP).exit_code == 0
    assert _written(project) == first


def _assert_offline(charts: Path) -> None:
    files = list(charts.glob("*.html"))
    assert {file.stem for file in files} == {"match_weights", "m_u_parameters", "unlinkables"}
    for file in files:
        html = file.read_text()
        outside = re.sub("<script>.*?</script>", "", html, flags=re.DOTALL)
        assert not re.search(r"<script|\b(src|href)=", outside)
        assert "vegaEmbed" in html


def test_a_level_that_the_data_do_not_show_is_an_error(project: Path) -> None:
    recipe = json.loads((project / TRAINING_FILE).read_text())
    del recipe["fixed"]["state_id"]
    _change(project / TRAINING_FILE, fixed=recipe["fixed"])
    before = _written(project)
    done = _train(*KEEP)
    assert done.exit_code == 1
    assert "state_id, level same: m_probability" in str(done.exception)
    assert _written(project) == before


def test_a_comparison_or_level_that_the_model_lacks_is_an_error(project: Path) -> None:
    done = _train("--keep", "shoe_size")
    assert done.exit_code == 1
    assert "--keep shoe_size: expected one of last_name," in str(done.exception)
    _change(project / TRAINING_FILE, fixed={"gender": {"unsure": {"m_probability": 0.1}}})
    done = _train()
    assert done.exit_code == 1
    assert "the model has no gender, level unsure" in str(done.exception)


def test_a_level_that_almost_no_match_shows_is_refused(tmp_path: Path) -> None:
    """If no match has a wrong sex, one typo would outweigh all other evidence."""
    content = json.loads((PROJECT_DIR / MODEL_FILE).read_text())
    (gender,) = (c for c in content["comparisons"] if c["output_column_name"] == "gender")
    gender["comparison_levels"][-1]["m_probability"] = 1e-18
    with pytest.raises(OutcomesError, match="gender, level different, is too rare"):
        adopt(tmp_path, content, [], {})
    assert not list(tmp_path.iterdir())
