"""Two people with the same form in two browsers: what one of them did not touch is never changed by them."""

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open, Site
from tests.browser.test_board import live

pytestmark = pytest.mark.browser


async def change(site: Site, path: str, **fields: object) -> None:
    answer: httpx.Response = await site.api.patch(f"/api/v1{path}", json=fields)
    assert answer.status_code == 200, answer.text


async def read(site: Site, path: str) -> dict[str, object]:
    found: dict[str, object] = (await site.api.get(f"/api/v1{path}")).json()
    return found


@pytest.mark.parametrize("scripts", [True, False])
async def test_only_what_was_touched_in_a_task_is_saved(site: Site, open_page: Open, scripts: bool) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull", description="Two coats.")
    path = f"/boards/{board}/tasks/{task}"
    page = await open_page(f"{path}?edit=text", java_script_enabled=scripts)
    await change(site, path, description="Three coats.\n\nThe keel first.")
    await page.locator("#field-title").fill("Paint the whole hull")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".panel-title")).to_have_text("Paint the whole hull")
    found = await read(site, path)
    assert (found["title"], found["description"]) == ("Paint the whole hull", "Three coats.\n\nThe keel first.")


async def test_conflict_in_a_task_shows_both_texts_and_saves_one_field(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull", description="Two coats.")
    path = f"/boards/{board}/tasks/{task}"
    page = await open_page(f"{path}?edit=text")
    theirs = "Three coats. " * 10
    await change(site, path, description=theirs)
    await page.locator("#field-description").fill("One coat.")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#field-description-error")).to_contain_text("Somebody changed it to “Three coats.")
    await expect(page.locator(".theirs")).to_have_text(theirs)
    await expect(page.locator("#field-description")).to_have_value("One coat.")
    await expect(page.locator("#field-title-error")).to_have_count(0)
    await change(site, path, title="Paint the keel")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#field-description")).to_have_count(0)
    found = await read(site, path)
    assert (found["title"], found["description"]) == ("Paint the keel", "One coat.")


async def test_only_what_was_touched_in_the_settings_of_a_board_is_saved(site: Site, open_page: Open) -> None:
    board = await site.board(name="Harbour", objective="Ships", board_type="general")
    path = f"/boards/{board}"
    page = await open_page(f"{path}/settings")
    await change(site, path, description="A colleague's words", comment_required_for_review=True, max_agents=7)
    await page.locator("#field-name").fill("Port")
    await page.get_by_role("button", name="Save the settings").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    found = await read(site, path)
    names = ("name", "description", "comment_required_for_review", "max_agents")
    assert [found[one] for one in names] == ["Port", "A colleague's words", True, 7]


async def reload_keeps(page: Page) -> None:
    """Reload as people do, with what a browser restores."""
    page.on("dialog", lambda dialog: dialog.accept())
    await page.reload()


async def test_text_from_before_a_reload_never_hides_a_change(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull", description="Two coats.")
    path = f"/boards/{board}/tasks/{task}"
    page = await open_page(f"{path}?edit=text")
    await page.locator("#field-description").fill("One coat.")
    await change(site, path, description="Three coats.")
    await reload_keeps(page)
    await expect(page.locator("#field-description")).to_have_value("One coat.")
    await expect(page.locator("[data-draft-changed]")).to_contain_text("Three coats.")
    await change(site, path, title="Paint the keel")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#field-description")).to_have_count(0)
    found = await read(site, path)
    assert (found["title"], found["description"]) == ("Paint the keel", "One coat.")


async def test_title_from_before_a_reload_is_compared_with_what_was_edited(site: Site, open_page: Open) -> None:
    board = await site.board()
    task = await site.task(board, "Paint the hull")
    path = f"/boards/{board}/tasks/{task}"
    page = await open_page(f"{path}?edit=title")
    title = page.get_by_label("Title", exact=True)
    await title.fill("Mine")
    await change(site, path, title="Theirs")
    await reload_keeps(page)
    await expect(title).to_have_value("Mine")
    await page.get_by_role("button", name="Save the title").click()
    await expect(page.locator(f"#title-error-{task}")).to_contain_text("Somebody changed it to “Theirs”")
    await page.get_by_role("button", name="Save the title").click()
    await expect(page.locator("[data-panel-title]")).to_have_text("Mine")


async def test_custom_field_that_is_not_saved_says_so_until_it_is(site: Site, open_page: Open) -> None:
    board = await site.board()
    key = f"berth_{board[-6:]}"
    await site.make("/organizations/me/custom-fields", field_key=key, field_type="text", board_ids=[board])
    task = await site.task(board, "Paint the hull")
    path = f"/boards/{board}/tasks/{task}"
    page = await open_page(path)
    await live(page)
    field = page.get_by_label(key)
    await field.fill("Mine")
    await change(site, path, custom_field_values={key: "Theirs"})
    await field.press("Enter")
    refusal = page.locator(".fact .refusal")
    await expect(refusal).to_contain_text("Somebody changed this to “Theirs”")
    await page.locator(f"#priority-{task}").select_option("high")
    await expect(page.locator(f"#priority-{task}")).to_have_value("high")
    await change(site, path, title="Paint the whole hull")
    await expect(page.locator(".panel-title")).to_have_text("Paint the whole hull")
    await expect(field).to_have_value("Mine")
    await expect(refusal).to_be_visible()
    async with page.expect_response(lambda response: response.request.method != "GET"):
        await field.press("Enter")
    await expect(refusal).to_have_count(0)
    await expect(field).to_have_value("Mine")
    values = (await read(site, path))["custom_field_values"]
    assert values == {key: "Mine"}
