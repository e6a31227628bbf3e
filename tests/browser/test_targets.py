"""What a finger must hit is 44 px in both directions, on the main pages of a phone."""

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
# Everything that is pressed and is smaller. What takes a tap counts, not what is drawn: labels, stretched links, and
# what a style sheet adds around. Links within sentences are exempt, as in the guidelines.
SMALL = """() => {
  const LEAST = 43.5, found = [];
  const isInText = (one) => one.localName === "a" && getComputedStyle(one).display === "inline"
    && one.parentElement.textContent.trim().length > one.textContent.trim().length + 1;
  const hits = (one, x, y) => {
    const at = document.elementFromPoint(x, y);
    return Boolean(at) && (one.contains(at) || at.closest("label")?.control === one);
  };
  const extent = (one, x, y, dx, dy) => {
    let size = 0;
    for (const way of [1, -1]) {
      for (let step = way; Math.abs(step) <= 44 && hits(one, x + dx * step, y + dy * step); step += way) size++;
    }
    return size + 1;
  };
  for (const one of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
    const isSeen = one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    if (!isSeen || one.disabled || isInText(one)) continue;
    one.scrollIntoView({ block: "center", inline: "center" });
    const box = one.getBoundingClientRect(), [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    if (box.width < 2 || !hits(one, x, y)) continue;
    const wide = Math.max(box.width, extent(one, x, y, 1, 0)), high = Math.max(box.height, extent(one, x, y, 0, 1));
    const size = `${Math.round(wide)} x ${Math.round(high)}`;
    if (wide < LEAST || high < LEAST) found.push(`${size}: ${one.outerHTML.slice(0, 120)}`);
  }
  return found;
}"""
BOARD = ("", "?view=table", "/settings", "?panel=feed", "?panel=goal")
PAGES = (
    "/", "/?view=dense", "/boards", "/approvals", "/activity", "/agents", "/agents/new", "/gateways", "/groups",
    "/agents/connected", "/agents/connect", "/device",
    "/notifications", "/settings", "/settings/profile", "/settings/notifications", "/settings/appearance",
    "/settings/people", "/settings/tags", "/settings/organization", "/settings/sign-in", "/palette", "/metrics",
)  # fmt: skip


async def small_on(page: Page, url: str) -> list[str]:
    """What is too small on a page, with its size."""
    await page.goto(url)
    await page.wait_for_load_state("load")
    found: list[str] = await page.evaluate(SMALL)
    return found


async def test_a_finger_hits_everything(site: Site, open_page: Open) -> None:
    board = await site.board(name="X")  # short names are small as well
    task = await site.task(board, "Y", status="in_progress", due_at="2026-01-01T00:00:00Z")
    await site.task(board, "Z", status="review")
    await site.make(
        f"/boards/{board}/approvals", action_type="paint", confidence=80, lead_reasoning="Dry.", task_ids=[task]
    )
    await site.make("/agents", name="Atlas", board_id=board, is_board_lead=True)
    page = await open_page("/", width=390, has_touch=True, is_mobile=True)
    paths = [*PAGES, *(f"/boards/{board}{one}" for one in BOARD), f"/boards/{board}/tasks/{task}"]
    small = [f"{path} {one}" for path in paths for one in await small_on(page, site.url + path)]
    assert not small, "\n".join(small)
