"""Logins that read the warehouse, and a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, sync_playwright

from outcomes.config import Settings
from outcomes.warehouse.connection import connect


@pytest.fixture
def analyst(first_publication: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The environment of an analyst's login."""
    with connect(first_publication) as owner:
        owner.execute("create role ana login password 'a good one' in role outcomes_analyst")
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", first_publication.database)
    monkeypatch.setenv("OUTCOMES_PG_USER", "ana")
    monkeypatch.setenv("OUTCOMES_PG_PASSWORD", "a good one")
    yield replace(first_publication, user="ana", password="a good one")
    with connect(first_publication) as owner:
        owner.execute("drop role ana")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A headless Chromium or Chrome of the system; CI's machines have Chrome."""
    programs = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    program = next(filter(None, programs), None)
    if program is None:
        pytest.skip("neither Chromium nor Chrome is installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program)
        yield opened
        opened.close()
