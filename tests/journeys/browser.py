"""The page in a real Chromium: signed in, watched for console errors, read by axe."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
ARGS = (
    *("--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"),
    *("--no-first-run", "--disable-sync"),
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
expect.set_options(timeout=15_000)


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium; where there is none a test is skipped, but not in CI."""
    path = shutil.which("chromium")
    if path is None:
        words = "there is no Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=list(ARGS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Screen:
    """One browser window of one person; `troubles` is what its console complained of."""

    base: str
    context: BrowserContext
    page: Page
    troubles: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, browser: Browser, base: str, **options: Any) -> "Screen":
        """A window nobody is signed in on."""
        words = {"viewport": DESK, "locale": "en-US"} | options
        context = await browser.new_context(**words)
        context.set_default_timeout(10_000)
        screen = cls(base, context, await context.new_page())
        screen.page.on("console", screen._note)
        screen.page.on("pageerror", lambda error: screen.troubles.append(str(error)))
        return screen

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(message.text)

    async def sign_in(self, role: str = "counsellor", programs: str = "", path: str = "/") -> None:
        """Come to `path`, and through the development issuer."""
        await self.page.goto(self.base + path)
        await self.page.locator("a.button").click()
        await self.page.locator("input[name=programs]").fill(programs)
        await self.page.locator(f"button[value={role}]").click()
        await self.page.locator("form#sign-out").wait_for()

    async def go(self, path: str) -> int:
        """Open a page of ours; gives the status."""
        answer = await self.page.goto(self.base + path)
        assert answer is not None
        return answer.status

    async def is_sound(self, name: str) -> None:
        """Axe finds nothing, the console is quiet, nothing sticks out sideways; kept as a picture."""
        found = await Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        wide = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{name} sticks out by {wide} pixels"
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        assert self.troubles == []
