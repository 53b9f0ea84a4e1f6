"""Data pass the folders of models once, downwards, in the order of docs/architecture.md."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from tests.python.docs.documents import page
from tests.python.docs.test_docs_models import models_of


def documented_order() -> list[str]:
    section = page("architecture").text.partition("\n## Layers\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w/]+)` \|", section, re.MULTILINE)


def folder_of(model: dict[str, Any]) -> str:
    return "/".join(model["fqn"][1:-1])


def edges_upwards(manifest: dict[str, Any], order: list[str]) -> list[str]:
    """The models that read a model of a folder further down."""
    models = {model["unique_id"]: model for model in models_of(manifest)}
    return [
        f"{model['original_file_path']} reads {models[parent]['original_file_path']}"
        for model in models.values()
        for parent in model["depends_on"]["nodes"]
        if parent in models
        and order.index(folder_of(models[parent])) > order.index(folder_of(model))
    ]


def test_the_documentation_lists_all_folders_of_models(manifest: dict[str, Any]) -> None:
    order = documented_order()
    assert len(order) == len(set(order))
    assert set(order) == {folder_of(model) for model in models_of(manifest)}


def test_no_model_reads_from_a_folder_further_down(manifest: dict[str, Any]) -> None:
    assert edges_upwards(manifest, documented_order()) == []


def test_no_folder_is_entered_twice() -> None:
    entered = [folder.split("/")[0] for folder in documented_order()]
    changes = [name for name, last in zip(entered, [None, *entered], strict=False) if name != last]
    assert len(changes) == len(set(changes))


def test_an_edge_upwards_is_found(manifest: dict[str, Any]) -> None:
    planted = deepcopy(manifest)
    model = planted["nodes"]["model.student_outcomes.int_student_persons"]
    model["depends_on"]["nodes"].append("model.student_outcomes.dim_students")
    assert edges_upwards(planted, documented_order()) == [
        "models/intermediate/enrollment/int_student_persons.sql reads "
        "models/facts/core/dim_students.sql"
    ]
