"""Commands, links, SQL and names in the documentation are correct."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import typer
from dbt.cli.main import cli as dbt_cli
from tests.python.access.acting import acting_as
from tests.python.docs.documents import Document, documents, page, readme

from outcomes.cli import cli as outcomes_cli
from outcomes.config import PROJECT_DIR, Settings
from outcomes.contracts import model as contract_model
from outcomes.warehouse.connection import connect

# Other programs in the documentation, whose arguments are not checked.
FOREIGN_PROGRAMS = ("docker", "export", "git", "mf", "pip", "pre-commit", "psql", "source")
every_document = pytest.mark.parametrize(
    "document", documents(), ids=lambda document: document.path.relative_to(PROJECT_DIR).as_posix()
)


def make_targets() -> set[str]:
    makefile = (PROJECT_DIR / "Makefile").read_text()
    return set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))


def cli_problem(command: Any, words: list[str], *, complete: bool) -> str | None:
    """The error of a command line; None if it is valid.

    Typer may use its own copy of click, so commands and errors are recognized by attributes.
    """
    try:
        while hasattr(command, "commands"):
            if not words or words[0].startswith("-"):
                return f"{command.name}: a command is missing" if complete else None
            found = command.commands.get(words[0])
            if found is None:
                return f"no command {words[0]!r}"
            command, words = found, words[1:]
        if complete:
            command.make_context(command.name, list(words))
        else:
            known = {name for parameter in command.params for name in parameter.opts}
            for word in words:
                if word.startswith("-") and word.split("=")[0] not in known:
                    return f"no option {word!r}"
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return str(error.format_message())
    return None


def command_problem(words: list[str], *, complete: bool) -> str | None:
    program, arguments = words[0], words[1:]
    if program == "make":
        unknown = [word for word in arguments if "=" not in word and word not in make_targets()]
        return f"no target {unknown}" if unknown else None
    if program == "outcomes":
        command = typer.main.get_command(outcomes_cli)
        return cli_problem(command, arguments, complete=complete)
    if program == "dbt":
        return cli_problem(dbt_cli, arguments, complete=complete)
    if program == "pytest":
        missing = [path for path in arguments if "/" in path and not is_a_test(path)]
        return f"no such path {missing}" if missing else None
    return None if program in FOREIGN_PROGRAMS else "unknown program"


def is_a_test(argument: str) -> bool:
    """Whether the path, and the test in it, exist."""
    path, _, test = argument.partition("::")
    file = PROJECT_DIR / path
    return file.exists() and (not test or f"def {test}(" in file.read_text("utf-8"))


def document_of(text: str, folder: Path) -> Document:
    path = folder / "text.md"
    path.write_text(text, encoding="utf-8")
    return Document(path)


def command_problems(document: Document) -> list[str]:
    lines = [(words, True) for words in document.shown_commands]
    lines += [(words, False) for words in document.mentioned_commands]
    return [
        f"{' '.join(words)}: {problem}"
        for words, complete in lines
        if (problem := command_problem(words, complete=complete))
    ]


@every_document
def test_every_command_exists(document: Document) -> None:
    assert command_problems(document) == []


def test_the_operations_page_shows_the_weekly_commands() -> None:
    shown = {" ".join(words[:2]) for words in page("operations").shown_commands}

    assert {"outcomes weekly", "outcomes land", "outcomes build", "outcomes report"} <= shown


@pytest.mark.parametrize(
    "text",
    [
        "```bash\nmake demos\n```",
        "```bash\nmake demo tests\n```",
        "```bash\noutcomes lend drops\n```",
        "```bash\noutcomes land\n```",
        "```bash\noutcomes build --asof 2012-09-12\n```",
        "```bash\noutcomes warehouse strat\n```",
        "```bash\nOUTCOMES_SCHEMA_PREFIX=ana_ dbt bild\n```",
        "```bash\npytest tests/python/dox\n```",
        "```bash\npytest tests/python/docs/test_docs_words.py::test_of_nothing\n```",
        "```bash\npodman compose up\n```",
        "Run `make demos` now.",
        "Run `outcomes land --dryrun` now.",
        "Run `dbt bild` now.",
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, tmp_path: Path) -> None:
    assert len(command_problems(document_of(text, tmp_path))) == 1


def selected_names(document: Document) -> list[str]:
    return [
        words[position + 1].strip("+")
        for words in document.shown_commands
        if words[0] == "dbt"
        for position, word in enumerate(words)
        if word == "--select"
    ]


def test_every_model_selected_in_an_example_exists(manifest: dict[str, Any]) -> None:
    known = {node["name"] for node in manifest["nodes"].values()}
    selected = [name for document in documents() for name in selected_names(document)]

    assert selected
    assert [name for name in selected if name not in known] == []


def link_problems(document: Document) -> list[str]:
    problems = []
    for path, anchor in document.links:
        target = (document.path.parent / path).resolve() if path else document.path
        if not target.exists():
            problems.append(f"{path}: no such file")
        elif anchor is not None and anchor not in Document(target).anchors:
            problems.append(f"{path}#{anchor}: no such heading")
    return problems


@every_document
def test_every_relative_link_resolves(document: Document) -> None:
    assert link_problems(document) == []


@pytest.mark.parametrize("text", ["[there](nowhere.md)", "# Here\n\n[there](#nowhere)"])
def test_a_broken_link_is_found(text: str, tmp_path: Path) -> None:
    assert len(link_problems(document_of(text, tmp_path))) == 1


def test_a_link_to_a_heading_resolves(tmp_path: Path) -> None:
    text = "# Your own PostgreSQL, too\n\n[there](#your-own-postgresql-too)"

    assert link_problems(document_of(text, tmp_path)) == []


@every_document
def test_every_path_in_the_text_exists(document: Document) -> None:
    folders = ("contracts/", "models/", "seeds/", "functions/", "macros/", "tests/", "scripts/")
    named = [code for code in document.inline_code if code.startswith(folders) and "<" not in code]

    assert [path for path in named if not (PROJECT_DIR / path).exists()] == []


@every_document
def test_every_environment_variable_is_read_somewhere(document: Document) -> None:
    code = "".join(
        file.read_text(encoding="utf-8")
        for file in (
            *(PROJECT_DIR / "scripts").rglob("*.py"),
            *(PROJECT_DIR / "macros").glob("*.sql"),
            *(PROJECT_DIR / "tests" / "python").rglob("*.py"),
            PROJECT_DIR / "profiles.example.yml",
        )
    )
    named = re.findall(r"\bOUTCOMES_[A-Z_]*[A-Z]\b", document.text)

    assert [name for name in named if name not in code] == []


@every_document
def test_no_document_names_an_absolute_path(document: Document) -> None:
    assert re.findall(r"(?<![\w.~])/(?:home|root|tmp|Users|work|mnt)/\S*", document.text) == []


def relations(manifest: dict[str, Any]) -> set[str]:
    nodes = [
        node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")
    ]
    return {f"{node['schema']}.{node['alias']}" for node in nodes} | {
        f"{source['schema']}.{source['identifier']}" for source in manifest["sources"].values()
    }


def read_relations(document: Document) -> list[str]:
    sql = "\n".join(document.blocks("sql"))
    return re.findall(r"\b(?:from|join)\s+([a-z_]+\.[a-z_]+)", sql)


@every_document
def test_every_relation_in_sql_exists(document: Document, manifest: dict[str, Any]) -> None:
    known = relations(manifest)
    # A district's own tables have the names of the marts that they are copies of.
    own = {name.split(".")[1] for name in known if name.startswith(("marts_district.", "quality."))}

    assert [
        name
        for name in read_relations(document)
        if name not in known and not (name.startswith("district_") and name.split(".")[1] in own)
    ] == []


def test_the_first_page_of_dbts_docs_names_published_relations(manifest: dict[str, Any]) -> None:
    page = manifest["docs"]["doc.student_outcomes.__overview__"]["block_contents"]
    named = re.findall(r"^\| `(\w+)` \|[^|]*\| `(\w+)`", page, re.MULTILINE)

    assert len(named) > 4
    assert {".".join(pair) for pair in named} - relations(manifest) == set()


def test_the_analysts_page_queries_every_schema_of_marts() -> None:
    schemas = {name.split(".")[0] for name in read_relations(page("analysts"))}

    assert {"marts", "marts_pseudonymized", "marts_public"} <= schemas


@pytest.mark.parametrize(
    "query",
    [query for document in documents() for query in document.blocks("sql")],
    ids=lambda query: query.split("from ")[1].split()[0],
)
def test_every_query_runs_as_the_role_that_it_names(
    query: str, first_publication: Settings
) -> None:
    named = re.match(r"-- as (outcomes_\w+)\n", query)
    assert named, "the first line names the role: -- as outcomes_analyst"
    with connect(first_publication) as connection, acting_as(connection, named[1]):
        cursor = connection.execute(query.encode())

        assert cursor.description


@every_document
def test_no_page_connects_as_the_owner(document: Document) -> None:
    assert "outcomes@" not in document.text


def diagram(document: Document) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The boxes (id → first line of the label) and arrows of the diagram."""
    (picture,) = document.blocks("mermaid")
    boxes = dict(re.findall(r'^ *(\w+)\["(.+?)(?:<br>.*)?"\]$', picture, re.MULTILINE))
    return boxes, re.findall(r"^ *(\w+) --> (\w+)$", picture, re.MULTILINE)


@pytest.mark.parametrize("document", [readme(), page("architecture")], ids=["readme", "page"])
def test_every_arrow_of_the_picture_is_a_dependency(
    document: Document, manifest: dict[str, Any]
) -> None:
    boxes, arrows = diagram(document)
    nodes = {**manifest["nodes"], **manifest["sources"]}
    edges = {
        (parent, child)
        for child, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        for parent in node["depends_on"]["nodes"]
        if parent in nodes
    }

    def is_in(node_id: str, label: str) -> bool:
        node = nodes[node_id]
        if label == "seeds/":
            return bool(node["resource_type"] == "seed")
        schema, _, relation = label.partition(".")
        name = node.get("alias") or node["identifier"]
        return bool(node["schema"] == schema and fnmatchcase(name, relation))

    described = [
        (start, end)
        for start, end in arrows
        if all(re.fullmatch(r"seeds/|\w+\.[\w*]+", boxes[box]) for box in (start, end))
    ]
    untrue = [
        f"{start} --> {end}"
        for start, end in described
        if not any(is_in(a, boxes[start]) and is_in(b, boxes[end]) for a, b in edges)
    ]

    assert len(described) > 5
    assert untrue == []


def test_the_contracts_readme_explains_every_custom_property() -> None:
    text = Document(PROJECT_DIR / "contracts" / "README.md").text
    of_the_standard = {
        *("partnerId", "name", "version", "path", "objects"),
        *("description", "properties"),
        *("logicalType", "classification", "required", "values"),
        *("pattern", "format", "minimum", "maximum"),
    }
    models = (
        contract_model.Contract,
        contract_model.ContractObject,
        contract_model.ContractProperty,
    )
    custom = {
        field.alias or name for model in models for name, field in model.model_fields.items()
    } - of_the_standard
    layout = {field.alias or name for name, field in contract_model.FileLayout.model_fields.items()}
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("|")]
    explained = {cell.strip(" `") for row in rows for cell in row}

    assert (custom | layout) - explained == set()
