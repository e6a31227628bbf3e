"""The steps of a task in a browser: ticked by keyboard, seen by others, without JavaScript."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


async def test_steps_ticked_by_keyboard_update_another_page(site: Site, open_page: Open) -> None:
    board = await site.board(name="Ropewalk")
    task = await site.task(board, "Rig the mast")
    page, other = await open_page(f"/boards/{board}/tasks/{task}"), await open_page(f"/boards/{board}/tasks/{task}")
    for one in (page, other):
        await expect(one.locator("html")).to_have_attribute("data-connection", "live")
    await other.get_by_label("New step").fill("Half a thought")
    add = page.get_by_label("New step")
    for text in ("Stretch the shrouds", "Tar them"):
        await add.fill(text)
        await add.press("Enter")
        await expect(page.get_by_role("checkbox", name=text)).to_be_visible()
        await expect(add).to_have_value("")
        await expect(add).to_be_focused()
    step = page.get_by_role("checkbox", name="Stretch the shrouds")
    await step.focus()
    await page.keyboard.press("Space")
    await expect(other.get_by_role("checkbox", name="Stretch the shrouds")).to_be_checked()
    await expect(step).to_be_checked()
    await expect(step).to_be_focused()
    await expect(other.get_by_label("New step")).to_have_value("Half a thought")
    await page.get_by_role("button", name="Remove the step Tar them").click()
    await expect(other.get_by_role("checkbox", name="Tar them")).to_have_count(0)
    await page.keyboard.press("z")
    await expect(other.get_by_role("checkbox", name="Tar them")).to_be_visible()


async def test_steps_without_javascript(site: Site, open_page: Open) -> None:
    board = await site.board(name="Plain ropewalk")
    page = await open_page(f"/boards/{board}/tasks/{await site.task(board, 'Rig')}", java_script_enabled=False)
    await page.get_by_label("New step").fill("Coil the rope")
    await page.get_by_role("button", name="Add the step").click()
    await page.get_by_role("checkbox", name="Coil the rope").click()
    await expect(page.get_by_role("checkbox", name="Coil the rope")).to_be_checked()
