"""What axe and a ruler find on a page that is open: in both themes, at the width of a desk and of a phone.

The page stays open between the looks. A theme changes colours alone, so that the rules about colours are enough for the
second one.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 320, "height": 900}
EVERYTHING: Mapping[str, Any] = {"resultTypes": ["violations"]}
COLOURS: Mapping[str, Any] = {
    **EVERYTHING,
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
LOOKS: tuple[tuple[Mapping[str, int], Literal["light", "dark"], Mapping[str, Any]], ...] = (
    (DESK, "light", EVERYTHING), (DESK, "dark", COLOURS), (PHONE, "dark", COLOURS), (PHONE, "light", EVERYTHING),
)  # fmt: skip

IS_THERE = "Boolean(globalThis.axe)"
# Two frames: what a swap, a new theme or a new width changes is drawn after them.
RUN = """async (options) => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const { violations } = await axe.run(options);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" and ")}`);
}"""
RULED = """() => {
  const found = [], inner = document.querySelector("dialog[open]") ?? document.querySelector(".scroll");
  if (document.documentElement.scrollWidth > innerWidth) found.push("wider than the window");
  if (inner && inner.scrollWidth > inner.clientWidth) found.push(`wider than its ${inner.localName}`);
  return found;
}"""


async def found_now(page: Page, options: Mapping[str, Any] = EVERYTHING) -> list[str]:
    """What is wrong with a page as it stands."""
    if not await page.evaluate(IS_THERE):
        await page.evaluate(AXE_SCRIPT)
    return [*await page.evaluate(f"({RUN})({json.dumps(options)})"), *await page.evaluate(RULED)]


async def found(page: Page) -> list[str]:
    """What is wrong with a page in any theme and width; it is bright and as wide as before afterwards."""
    everything, before = [], page.viewport_size
    for size, theme, options in LOOKS:
        await page.set_viewport_size({"width": size["width"], "height": size["height"]})
        await page.emulate_media(color_scheme=theme)
        everything += [f"{size['width']} {theme}: {one}" for one in await found_now(page, options)]
    if before:
        await page.set_viewport_size(before)
    return everything
