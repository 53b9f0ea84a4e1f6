"""Models use every column that a contract can bind: an unused one would be lost silently."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from tests.python.docs.dbt_runs import DbtRun

from outcomes.config import PROJECT_DIR
from outcomes.feeds import raw_feeds

LOAD_COLUMNS = {"partner_id", "load_id", "line_number", "as_of_date", "origin_file_id"}

Columns = dict[str, set[str]]


class Lineage:
    """The columns of the sources that the last models of the data flow depend on.

    Computed backwards: of each model, the columns that a later one needs, and the columns
    from which these are computed, joined and filtered.
    """

    def __init__(self, manifest: dict[str, Any], compiled: Path) -> None:
        nodes, sources = manifest["nodes"], manifest["sources"]
        self.nodes = {
            name: node for name, node in nodes.items() if node["resource_type"] in ("model", "seed")
        }
        self.parents = {
            name: [
                p for p in node["depends_on"].get("nodes", ()) if p in self.nodes or p in sources
            ]
            for name, node in self.nodes.items()
        }
        self.order = [n for n in TopologicalSorter(self.parents).static_order() if n in self.nodes]
        self.relations = {
            (node["schema"], node.get("alias") or node["identifier"]): name
            for name, node in (*self.nodes.items(), *sources.items())
        }
        self.columns = {name: list(source["columns"]) for name, source in sources.items()}
        self.trees: dict[str, Any] = {}
        for name in self.order:
            node = self.nodes[name]
            if node["resource_type"] == "seed":
                with (PROJECT_DIR / node["original_file_path"]).open() as file:
                    self.columns[name] = next(csv.reader(file))
                continue
            sql = (compiled / node["original_file_path"]).read_text("utf-8")
            tree = sqlglot.parse_one(sql, read="postgres")
            self.trees[name] = qualify(
                tree, schema=self._schema(name), dialect="postgres", validate_qualify_columns=False
            )
            self.columns[name] = self.trees[name].named_selects

    def _schema(self, model: str) -> dict[str, Any]:
        schema: dict[str, Any] = {}
        for (folder, table), name in self.relations.items():
            if name in self.parents[model]:
                columns = dict.fromkeys(self.columns[name], "text")
                schema.setdefault(folder, {})[table] = columns
        return schema

    def needed(self) -> Columns:
        """The needed columns of each model and source."""
        needed: Columns = {name: set() for name in (*self.nodes, *self.columns)}
        is_parent = {parent for parents in self.parents.values() for parent in parents}
        for name in reversed(self.order):
            if name not in is_parent:
                needed[name] = set(self.columns[name])
            if name in self.trees:
                for parent, column in self._reads(name, needed[name]):
                    needed[parent].add(column)
        return needed

    def _reads(self, model: str, wanted: set[str]) -> Iterator[tuple[str, str]]:
        tree = self.trees[model].copy()
        shown = [exp.column(c, table="model") for c in tree.named_selects if c in wanted]
        query = exp.select(*shown or [exp.Literal.number(1)]).from_(tree.subquery("model"))
        if not any(isinstance(star.parent, exp.Select) for star in tree.find_all(exp.Star)):
            query = pushdown_projections(query)
        for scope in traverse_scope(query):
            for column in scope.columns:
                source = scope.sources.get(column.table)
                if isinstance(source, exp.Table):
                    name = self.relations.get((source.db, source.name))
                    if name:
                        yield name, column.name


@pytest.fixture(scope="module")
def needed(documented: DbtRun, manifest: dict[str, Any]) -> Columns:
    (compiled,) = (documented.target_dir / "compiled").iterdir()
    return Lineage(manifest, compiled).needed()


@pytest.mark.parametrize("feed", raw_feeds())
def test_every_column_of_a_feed_is_used(feed: str, needed: Columns) -> None:
    (name,) = (name for name in needed if name.endswith(f".raw.{feed}"))
    assert set(raw_feeds()[feed]) - LOAD_COLUMNS - needed[name] == set()
