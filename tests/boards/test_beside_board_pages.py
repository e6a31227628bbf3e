"""Chat and memory beside a board: who reads and writes what, live, and what happens to entries that change."""

import re
from typing import Any

import pytest

from mission_control.memory.models import BoardMemory
from mission_control.memory.pages import tags_in
from tests.cast import Cast
from tests.visitor import Seen, Visitor, visitor


def live_of(seen: Seen) -> str:
    """The stream of a page."""
    [found] = re.findall(r'hx-sse:connect="([^"]+)"', seen.text)
    return str(found).replace("&amp;", "&")


async def write(cast: Cast, content: str, *tags: str, by: Any = None) -> str:
    """Write an entry through the API; returns its id."""
    return str((await (by or cast.ada).post(f"{cast.home}/memory", {"content": content, "tags": [*tags]})).ok()["id"])


async def page(one: Visitor, cast: Cast, panel: str) -> Seen:
    """The board with something beside it."""
    return (await one.get(f"/boards/{cast.board.id}?panel={panel}")).is_status(200)


async def test_chat_shows_messages_with_their_authors_oldest_first(cast: Cast) -> None:
    await write(cast, "First **words**", "chat")
    await write(cast, "Second words", "chat", by=cast.vega)
    await write(cast, "/pause", "chat")
    await write(cast, "A note")
    seen = await page(await visitor(cast.app, cast.ada), cast, "chat")
    seen.has("First <strong>words</strong>", cast.vega.name, "told the agents to pause").lacks("A note")
    assert seen.text.index("First <strong>") < seen.text.index("Second words")


async def test_open_page_gets_the_panel_alone(cast: Cast) -> None:
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    seen = await ada.get(f"/boards/{cast.board.id}?panel=chat", HX_Target="section#panel")
    seen.is_status(200).has('<section id="panel">', 'data-panel-stream="panel=chat').lacks('id="columns"')


async def test_unknown_panel_is_ignored(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await page(ada, cast, "nothing")).lacks("data-panel-stream")


async def test_message_is_sent_and_comes_live(cast: Cast) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    live = live_of(await page(ada, cast, "chat"))
    assert "panel=chat" in live and "chat_since=" in live
    async with ada.watching(live) as watch:
        (await cleo.with_htmx.post(f"/boards/{cast.board.id}/chat", {"content": "Is it clear tonight?"})).is_status(204)
        text = await watch.until("Is it clear tonight?")
        assert 'hx-target="#chat-new"' in text and cast.cleo.name in text
        entry = await BoardMemory.get()
        await cleo.post(f"/boards/{cast.board.id}/memory/{entry.id}/edit", {"content": "Is it dark tonight?"})
        assert f'hx-target="#message-{entry.id}" hx-swap="outerMorph"' in await watch.until("Is it dark tonight?")
        await cleo.post(f"/boards/{cast.board.id}/memory/{entry.id}/deletion")
        await watch.until(f'hx-target="#message-{entry.id}" hx-swap="outerHTML"></hx-partial>')
    assert entry.tags == ["chat"]


async def test_message_without_words_is_refused(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.with_htmx.post(f"/boards/{cast.board.id}/chat", {"content": "  \n"})).is_status(422)
    assert not await BoardMemory.exists()


async def test_older_messages_come_on_demand(cast: Cast) -> None:
    for number in range(53):
        await write(cast, f"Message {number:02}", "chat")
    ada = await visitor(cast.app, cast.ada)
    seen = (await page(ada, cast, "chat")).has("Message 03", "Older messages").lacks("Message 02")
    [older] = re.findall(r'hx-get="([^"]+chat/older[^"]+)"', seen.text)
    (await ada.with_htmx.get(older.replace("&amp;", "&"))).has("Message 00", "Message 02").lacks("Message 03", "Older")
    [plain] = re.findall(r'href="([^"]+chat_before=[^"]+)"', seen.text)
    (await ada.get(plain.replace("&amp;", "&"))).has("Message 00", "Back to the newest").lacks("Message 03")


async def test_reader_cannot_write_and_reads_why(cast: Cast) -> None:
    entry = await write(cast, "Hello", "chat")
    dan = await visitor(cast.app, cast.dan)
    for panel in ("chat", "memory"):
        (await page(dan, cast, panel)).has("needs write access to").lacks("<textarea", "Edit the")
    (await dan.get(f"/boards/{cast.board.id}/memory/{entry}/edit")).is_status(403)


async def test_outsider_does_not_find_the_chat(cast: Cast) -> None:
    eve = await visitor(cast.app, cast.eve)
    (await eve.get(f"/boards/{cast.board.id}?panel=chat")).is_status(404)
    (await eve.get(f"/boards/{cast.board.id}/chat/older?before={cast.board.id}")).is_status(404)


async def test_notes_are_searched_and_narrowed_by_tag(cast: Cast) -> None:
    await write(cast, "Releases on Tuesdays", "release")
    await write(cast, "Domes open at dusk", "ops")
    await write(cast, "A message", "chat")
    ada = await visitor(cast.app, cast.ada)
    (await page(ada, cast, "memory")).has("Releases on Tuesdays", "Domes open at dusk").lacks("A message")
    (await page(ada, cast, "memory&memory_q=dusk")).has("Domes open").lacks("Releases on")
    seen = (await page(ada, cast, "memory&memory_tag=release")).has("Releases on").lacks("Domes open")
    assert "memory_tag=release" in live_of(seen)
    (await page(ada, cast, "memory&memory_q=nowhere")).has("No note matches")


async def test_note_is_added_with_tags_and_comes_live(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching(live_of(await page(ada, cast, "memory"))) as watch:
        sent = {"content": "The mirror is clean", "tags": "#optics, cleaning, chat"}
        (await ada.post(f"/boards/{cast.board.id}/memory", sent)).is_status(303)
        await watch.until("The mirror is clean")
    entry = await BoardMemory.get()
    assert (entry.tags, entry.is_chat) == (["optics", "cleaning"], False)


async def test_two_people_editing_a_note_do_not_overwrite_each_other(cast: Cast) -> None:
    entry = await write(cast, "Old words", "ops", by=cast.cleo)
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/memory/{entry}/edit"
    seen = (await ada.get(url)).is_status(200).has("Old words", 'value="ops"')
    [version] = re.findall(r'name="version" value="([^"]+)"', seen.text)
    (await cast.cleo.patch(f"{cast.home}/memory/{entry}", {"content": "Cleo's words"})).ok()
    sent = {"content": "Ada's words", "tags": "ops", "version": version.replace("&amp;", "&")}
    seen = (
        (await ada.post(url, sent)).is_status(409).has("Somebody changed it to “Cleo&#39;s words”", "Ada&#39;s words")
    )
    assert (await BoardMemory.get()).content == "Cleo's words"


async def test_only_the_author_and_admins_are_offered_to_edit(cast: Cast) -> None:
    await write(cast, "Ada wrote this", "chat")
    (await page(await visitor(cast.app, cast.cleo), cast, "chat")).lacks("Edit the message")
    (await page(await visitor(cast.app, cast.ben), cast, "chat")).has("Edit the message")


async def test_answer_of_a_question_names_the_question(cast: Cast) -> None:
    asked = (await cast.atlas.post(f"/agent{cast.home}/questions", {"content": "Which dome?"})).ok()
    (await cast.ada.post(f"{cast.home}/questions/{asked['id']}/answers", {"answer": "The small one"})).ok()
    seen = await page(await visitor(cast.app, cast.ada), cast, "memory")
    seen.has("The small one", "Answers:", f"/questions/{asked['id']}")


@pytest.mark.parametrize(
    ("text", "tags"), [("", []), ("a, #b ,a", ["a", "b"]), ("chat", []), ("x\ny", ["x", "y"])], ids=range(4)
)
def test_tags_in_a_text(text: str, tags: list[str]) -> None:
    assert tags_in(text) == tags
