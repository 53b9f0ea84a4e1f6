"""Reads the project's Markdown: commands, links, SQL, tables."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from outcomes.config import PROJECT_DIR

_FENCE = re.compile(r"^ *```(?P<language>\w*)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\((?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_VARIABLE = re.compile(r"[A-Z_]+=")


@dataclass(frozen=True)
class Document:
    """One Markdown file."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text outside fenced blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks in one language."""
        return [
            fence["body"] for fence in _FENCE.finditer(self.text) if fence["language"] == language
        ]

    @property
    def inline_code(self) -> list[str]:
        return _INLINE.findall(self.prose)

    @property
    def links(self) -> list[tuple[str, str | None]]:
        """Path and anchor of every link that stays within the project."""
        found = [(link["path"], link["anchor"]) for link in _LINK.finditer(self.prose)]
        return [(path, anchor) for path, anchor in found if "://" not in path]

    @property
    def anchors(self) -> set[str]:
        """The anchors of the headings, as GitHub makes them."""
        return {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in _HEADING.findall(self.prose)
        }

    @property
    def shown_commands(self) -> list[list[str]]:
        """The lines of the shell blocks, as words, without comments and variables."""
        commands = []
        for block in self.blocks("bash"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                while words and _VARIABLE.match(words[0]):
                    words = words[1:]
                if words:
                    commands.append(words)
        return commands

    @property
    def mentioned_commands(self) -> list[list[str]]:
        """Commands named in the running text; arguments may be missing."""
        return [
            [word for word in code.split() if word != "…"]
            for code in self.inline_code
            if code.split()[0] in ("make", "outcomes", "dbt") and len(code.split()) > 1
        ]


def documents() -> list[Document]:
    """Every Markdown file for readers."""
    files = [
        *PROJECT_DIR.glob("*.md"),
        *(PROJECT_DIR / "contracts").glob("*.md"),
        *(PROJECT_DIR / "docs").rglob("*.md"),
    ]
    return [Document(file) for file in sorted(files)]


def readme() -> Document:
    return Document(PROJECT_DIR / "README.md")


def page(name: str) -> Document:
    """A page of the folder docs."""
    return Document(PROJECT_DIR / "docs" / f"{name}.md")
