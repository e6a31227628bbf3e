"""An organization's things in a browser: a custom field that a task uses, and an import that is left."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.looks import found

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
PAGES = (
    "/settings/tags", "/settings/tags/new", "/settings/custom-fields", "/settings/custom-fields/new",
    "/settings/skills", "/settings/skills/new", "/settings/skills/packs", "/settings/skills/packs/new",
    "/settings/souls", "/settings/budgets", "/settings/prices", "/settings/import-export", "/settings/trash",
    "/settings/trash/tasks", "/settings/trash/archive", "/work",
)  # fmt: skip


def a_file(tasks: int) -> dict[str, Any]:
    """The file of a board with so many tasks."""
    times = {"created_at": "2026-11-01T10:00:00", "updated_at": "2026-11-01T10:00:00"}
    return {
        "format": "mission-control/board",
        "version": 1,
        "board": {"name": "Lighthouse", "slug": "lighthouse"},
        "tasks": [{"number": n, "title": f"Lamp {n}", "position": n, **times} for n in range(1, tasks + 1)],
    }


async def in_shell(page: Page, text: str) -> None:
    """Expect a sentence about long work in the sidebar."""
    await expect(page.locator("#own-work")).to_contain_text(text)


async def test_custom_field_is_created_with_keys_and_stands_on_a_task(site: Site, open_page: Open) -> None:
    board = await site.board(name="Fields")
    page = await open_page("/settings/custom-fields")
    await page.keyboard.press("c")
    await expect(page.get_by_label("Label")).to_be_focused()
    await page.keyboard.type("Hull number")
    await expect(page.get_by_label("Key", exact=True)).to_have_value("hull_number")
    await page.get_by_label("Pattern").fill("[A-Z]{2}-[0-9]+")
    await page.get_by_label("Try it with an example").fill("AB-12")
    await page.get_by_role("button", name="Try", exact=True).click()
    await expect(page.locator("#trial")).to_contain_text("is accepted")
    await page.get_by_label("Type").select_option("integer")
    await expect(page.get_by_label("Pattern")).to_be_hidden()
    await page.get_by_label("Type").select_option("text")
    await page.get_by_label("Label").press("Enter")
    await expect(page.locator("#fields")).to_contain_text("Hull number")
    task = await site.task(board, "Paint", custom_field_values={"hull_number": "AB-12"})
    assert (await site.read(board, task))["custom_field_values"]["hull_number"] == "AB-12"
    answer = await site.api.post(
        f"/api/v1/boards/{board}/tasks", json={"title": "x", "custom_field_values": {"hull_number": "12"}}
    )
    assert answer.status_code == 422


async def test_import_is_left_and_found_again(site: Site, open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "lighthouse.json"
    file.write_text(json.dumps(a_file(1500)))
    page = await open_page("/settings/import-export")
    await page.get_by_label("File of a board").set_input_files(file)
    await page.get_by_role("button", name="Look at the file").click()
    await expect(page.get_by_role("heading", name="Import Lighthouse")).to_be_visible()
    await expect(page.locator(".preview-counts")).to_contain_text("1500")
    await page.get_by_role("button", name="Import the board").click()
    await page.wait_for_url("**/work")
    await page.goto(f"{site.url}/settings/tags")
    await in_shell(page, "Import Lighthouse: done")
    await page.locator("#own-work a", has_text="Lighthouse").click()
    await expect(page.locator("#work")).to_contain_text("1500 tasks")
    await page.get_by_role("button", name="Mark Import Lighthouse as read").click()
    await expect(page.locator("#own-work")).not_to_contain_text("Lighthouse")
    await page.get_by_role("link", name="Open the result of Import Lighthouse").click()
    await expect(page.locator("h1")).to_contain_text("Lighthouse")


async def imported(site: Site, name: str) -> None:
    """Start the import of a small board, as somebody does who then goes on."""
    file = a_file(2)
    file["board"] |= {"name": name, "slug": name.lower()}
    looked = await site.make("/boards/imports", **file)
    assert (await site.api.post(f"/api/v1/boards/imports/{looked['id']}/starts")).status_code == 202


async def test_end_of_work_is_said_once_where_its_reader_is(site: Site, open_page: Open) -> None:
    page = await open_page("/settings/tags")
    toast = page.locator("#toasts")
    await imported(site, "Beacon")
    await expect(toast).to_contain_text("Import Beacon: done")
    await page.reload()
    await in_shell(page, "Import Beacon: done")
    await expect(page.locator("#ended-work template")).to_have_count(1)
    await expect(toast).to_be_hidden()
    await page.goto(f"{site.url}/work")
    await imported(site, "Buoy")
    await expect(page.locator("#work")).to_contain_text("Import Buoy")
    await in_shell(page, "Import Buoy: done")
    await page.goto(f"{site.url}/settings/tags")
    await expect(page.locator("#ended-work template")).to_have_count(2)
    await expect(toast).to_be_hidden()
    await imported(site, "Pier")
    await toast.get_by_role("link", name="Open the result of Import Pier").click()
    await expect(page.locator("h1")).to_contain_text("Pier")
    await expect(page.locator("#own-work")).not_to_contain_text("Pier")
    await in_shell(page, "Import Buoy: done")


async def test_axe_finds_nothing(site: Site, walker: Page) -> None:
    await site.api.post("/api/v1/tags", json={"name": "Red", "color": "ff0000", "description": "A " + "long " * 40})
    broken = {}
    for path in PAGES:
        await walker.goto(site.url + path)
        broken[path] = await found(walker)
    assert not any(broken.values()), broken


async def test_boards_of_a_group_are_narrowed_while_typing(site: Site, open_page: Open) -> None:
    ids = [await site.board(name=f"Mirror {number}") for number in range(9)]
    page = await open_page("/groups/new")
    await page.get_by_label("Name", exact=True).fill("Optics")
    await page.get_by_label("Mirror 3", exact=True).check()
    search = page.get_by_label("Search the boards")
    await search.fill("mirror 5")
    await expect(page.get_by_label("Mirror 3", exact=True)).to_be_hidden()
    await page.keyboard.press("Enter")
    await page.get_by_label("Mirror 5", exact=True).check()
    await page.get_by_role("button", name="Create group").click()
    await expect(page.locator(".group-board")).to_have_count(2)
    assert len(ids) == 9


async def test_order_of_a_list_is_chosen_by_keyboard(site: Site, open_page: Open) -> None:
    board = await site.board(name="Orders")
    for name in ("Zeta", "Eta"):
        await site.make("/agents", board_id=board, name=name)
    page = await open_page("/agents")
    await page.keyboard.press("o")
    order = page.locator("select[name=order]")
    await expect(order).to_be_focused()
    await order.select_option("last seen")
    await expect(page).to_have_url(f"{site.url}/agents?order=seen")
    await expect(order).to_be_focused()
    await site.make("/agents", board_id=board, name="Theta")
    await expect(page.locator("#agents")).to_contain_text("Theta")
