"""SQL is where dbt or an editor sees it: no module has a statement of more than five lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from outcomes.config import PROJECT_DIR
from outcomes.queries import query

SCRIPTS = PROJECT_DIR / "scripts"
LINES = 5
# A statement or a part of one. Prose of that length does not begin so.
SQL = re.compile(
    r"\s*(?:--.*\n\s*)*(?:select|with|insert into|update|delete from|merge into|create|alter|drop"
    r"|grant|revoke|copy|do|from|where|(?:inner |left |cross |full )?join)\b"
    r".*\b(?:from|where|select|set|values|on|to|table|begin)\b",
    re.DOTALL,
)


def long_statements(source: str) -> list[int]:
    """The first lines of SQL strings that are too long, f-strings and joined strings, too."""
    return [line for line, text, n in strings(ast.parse(source)) if SQL.match(text) and n > LINES]


def strings(tree: ast.Module) -> Iterator[tuple[int, str, int]]:
    """Line, text and length of every string that is no docstring."""
    parts: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as docstring):
                parts.add(docstring)
            case ast.Constant(value=str(text)) if node not in parts:
                yield node.lineno, text, length(node, text)
            case ast.JoinedStr(values=values) if node not in parts:
                parts |= set(ast.walk(node))
                text = "".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in values)
                yield node.lineno, text, length(node, text)


def length(node: ast.Constant | ast.JoinedStr, text: str) -> int:
    """Lines of the text, or those of the source if the text is joined of one string a line."""
    lines = sum(bool(line.strip()) for line in text.splitlines())
    in_source = (node.end_lineno or node.lineno) - node.lineno + 1
    return lines if text.count("\n") >= in_source - 1 else max(lines, in_source)


@pytest.mark.parametrize("package", ["outcomes", "demo", "bench"])
def test_no_statement_is_longer_than_five_lines(package: str) -> None:
    found = {
        f"{file.relative_to(PROJECT_DIR)}:{line}"
        for file in sorted((SCRIPTS / package).rglob("*.py"))
        for line in long_statements(file.read_text(encoding="utf-8"))
    }
    assert not found, (
        "make it a model, if it reads models, or a file `queries/<name>.sql` (outcomes.queries)"
    )


SHORT = "select a\nfrom b\nwhere\n    c\n    and d"


@pytest.mark.parametrize(
    ("source", "is_long"),
    [
        (f'x = """\n{SHORT}\n"""', False),
        (f'x = """\n{SHORT}\n    and e\n"""', True),
        (f'x = f"""\n{SHORT}\n    and {{e}}\n"""', True),
        (f'def f():\n    """\n{SHORT}\n    and e\n"""', False),
        ("x = (\n" + "\n".join(f'"{line} "' for line in SHORT.split("\n")) + "\n)", False),
        ("x = (\n" + "\n".join(f'"{line} "' for line in [*SHORT.split("\n"), "e"]) + "\n)", True),
        ('x = """\na\nb\nc\nd\ne\nf\n"""', False),
    ],
)
def test_the_length_of_a_statement_is_found(source: str, is_long: bool) -> None:
    assert bool(long_statements(source)) == is_long


def test_every_file_with_a_statement_is_run_once() -> None:
    files = {
        (".".join(file.relative_to(SCRIPTS).parts[:-2]), file.stem)
        for file in SCRIPTS.rglob("queries/*.sql")
    }
    used = [
        tuple(argument.value for argument in call.args if isinstance(argument, ast.Constant))
        for file in (SCRIPTS / "outcomes").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == query.__name__
    ]
    assert sorted(used) == sorted(files)
