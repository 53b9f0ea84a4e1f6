"""What is wrong with a page, in a browser."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def problems(page: Page, address: str) -> list[str]:
    """Open an address; errors in the console, sideways scrolling, and serious faults for axe."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.goto(address, wait_until="networkidle")
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("scrolls sideways")
    faults = Axe().run(page).response["violations"]
    found += [fault["id"] for fault in faults if fault["impact"] in ("serious", "critical")]
    return found
