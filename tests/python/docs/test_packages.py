"""Python packages import each other in one direction only, which docs/architecture.md shows."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from tests.python.docs.documents import page

from outcomes.config import PROJECT_DIR

SCRIPTS = PROJECT_DIR / "scripts"

Graph = dict[str, set[str]]


def imports_of_modules(scripts: Path) -> Graph:
    """The modules of `outcomes` that each module imports, within functions, too."""
    files = {
        module_of(file.relative_to(scripts)): file for file in scripts.rglob("outcomes/**/*.py")
    }
    graph: Graph = {}
    for module, file in files.items():
        graph[module] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Import():
                    names = [alias.name for alias in node.names]
                case ast.ImportFrom(level=0):
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
                case ast.ImportFrom():
                    raise AssertionError(f"{file}: imports are absolute here")
                case _:
                    continue
            # A name may be a module, or something in one.
            used = [n if n in files else n.rpartition(".")[0] for n in names]
            graph[module] |= {name for name in used if name in files and name != module}
    return graph


def module_of(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def imports_of_packages(modules: Graph) -> Graph:
    """The same between packages; a module beside them counts as one."""
    graph: Graph = {}
    for module, imported in modules.items():
        package = package_of(module)
        graph.setdefault(package, set()).update(map(package_of, imported))
        graph[package].discard(package)
    return graph


def package_of(module: str) -> str:
    """The package below `outcomes`; the one above is for notebooks, and imports it last."""
    return module.split(".")[1] if "." in module else module


def circle_in(graph: Graph) -> list[str]:
    """The modules or packages of one circle; none if there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


@pytest.fixture(scope="module")
def modules() -> Graph:
    return imports_of_modules(SCRIPTS)


def test_neither_packages_nor_modules_import_in_a_circle(modules: Graph) -> None:
    assert len(modules) > 50
    assert circle_in(imports_of_packages(modules)) == []
    assert circle_in(modules) == []


def test_a_circle_is_found(tmp_path: Path) -> None:
    planted = {
        "landing/loader.py": "from outcomes.warehouse.tables import create_tables",
        "landing/archive.py": "",
        "warehouse/tables.py": "def late():\n    from outcomes.landing import archive",
    }
    for name, text in planted.items():
        file = tmp_path / "outcomes" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    modules = imports_of_modules(tmp_path)
    assert circle_in(modules) == []
    assert set(circle_in(imports_of_packages(modules))) == {"landing", "warehouse"}


def test_the_documentation_lists_all_packages_in_their_order(modules: Graph) -> None:
    graph = imports_of_packages(modules)
    packages = {name for name in graph if (SCRIPTS / "outcomes" / name).is_dir()}
    section = page("architecture").text.partition("\n## Packages\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert set(listed) == packages
    upwards = [
        f"{package} imports {imported}"
        for package in packages
        for imported in graph[package] & packages
        if listed.index(imported) > listed.index(package)
    ]
    assert upwards == []


def test_only_the_commands_print() -> None:
    """`rich` and `typer` are for the terminal; ruff refuses `print` (T20)."""
    printing = {
        file.relative_to(SCRIPTS).as_posix()
        for file in SCRIPTS.rglob("outcomes/**/*.py")
        if re.search(r"^ *(from|import) (rich|typer)\b", file.read_text(), re.MULTILINE)
    }
    assert {name for name in printing if not name.startswith("outcomes/cli/")} == set()
