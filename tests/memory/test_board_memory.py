"""Board memory: writing, finding, changing and deleting chat and notes, and which agents are notified."""

from typing import Any
from urllib.parse import quote

import orjson
import pytest

from mission_control.events.leases import Delivery
from tests.cast import Caller, Cast, events, everybody, head, ids, kinds
from tests.remains import where_is

pytestmark = pytest.mark.dialect

KEYS = ["id", "board_id", "content", "tags", "source", "is_chat", "created_at", "author", "edited_at"]


def memory(cast: Cast) -> str:
    """Return the path of the board's memory."""
    return f"{cast.home}/memory"


async def write(cast: Cast, by: Caller, content: str, *tags: str, **fields: Any) -> dict[str, Any]:
    """Write an entry as somebody and return it."""
    body: dict[str, Any] = (
        await by.post(memory(cast), {"content": content, "tags": list(tags) or None, **fields})
    ).ok()
    return body


async def test_people_and_agents_add_memory_entries(cast: Cast) -> None:
    for caller, kind in ((cast.ada, "user"), (cast.cleo, "user"), (cast.atlas, "agent"), (cast.vega, "agent")):
        before = await head(cast)
        entry = await write(cast, caller, "  The dome leaks.  ", "note", "dome")
        assert list(entry) == KEYS
        assert (entry["content"], entry["tags"], entry["source"], entry["is_chat"]) == (
            "The dome leaks.", ["note", "dome"], None, False,
        )  # fmt: skip
        assert entry["author"] == {"kind": kind, "id": str(caller.id), "name": caller.name}
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.actor_id, event.board_id) == ("memory.created", caller.id, cast.board.id)
        assert str(event.subject_id) == entry["id"]
    assert await Delivery.all().count() == 0


@pytest.mark.parametrize(("fields", "is_chat", "source"), [
    ({"tags": ["chat"]}, True, "Ada"),
    ({"tags": ["chat"], "source": ""}, True, "Ada"),
    ({"tags": ["chat"], "source": "The moon"}, True, "The moon"),
    ({"tags": ["Chat"]}, False, None),
    ({"tags": ["x"], "is_chat": True}, False, None),
    ({"tags": None, "source": "A book"}, False, "A book"),
])  # fmt: skip
async def test_chat_entries_are_tagged_and_name_their_source(
    cast: Cast, fields: dict[str, Any], is_chat: bool, source: str | None
) -> None:
    entry = (await cast.ada.post(memory(cast), {"content": "Hello.", **fields})).ok()
    assert (entry["is_chat"], entry["source"], entry["author"]["name"]) == (is_chat, source, "Ada")


async def test_entries_are_listed_newest_first_and_filtered(cast: Cast) -> None:
    first = await write(cast, cast.ada, "100% of the Mirror_A", "note", "mirror")
    second = await write(cast, cast.vega, "Hello", "chat")
    third = await write(cast, cast.ada, "Nothing ~ here", "note")
    listed = (await cast.dan.get(memory(cast))).ok()
    assert list(listed) == ["items", "total", "limit", "offset"]
    assert (ids(listed["items"]), listed["total"]) == (ids([third, second, first]), 3)
    for query, expected in {
        "is_chat=true": [second], "is_chat=false": [third, first], "limit=1&offset=1": [second],
        "q=mirror": [first], "q=100%25": [first], "q=%25": [first], "q=_": [first], "q=~": [third], "q=Hell": [second],
        "q=nowhere": [], "q=%20": [third, second, first], "tag=note": [third, first], "tag=note&tag=mirror": [first],
        "tag=no": [], "tag=chat&is_chat=false": [],
    }.items():  # fmt: skip
        assert (await cast.vega.get(f"{memory(cast)}?{query}")).ok()["items"] == expected, query
    assert (await cast.vega.get(f"{memory(cast)}?is_chat=false&limit=1")).ok()["total"] == 2
    agent = (await cast.vega.get(f"/agent{memory(cast)}?is_chat=true")).ok()
    assert agent["items"] == [second]
    fourth = await write(cast, cast.ada, "Ein Gruß aus ÖSTERREICH")
    for query in ("österreich", "ÖSTERREICH", "gruß aus ö"):
        assert (await cast.vega.get(f"{memory(cast)}?q={quote(query)}")).ok()["items"] == [fourth], query


async def test_agents_have_their_own_path(cast: Cast) -> None:
    entry = (await cast.vega.post(f"/agent{memory(cast)}", {"content": "Done.", "tags": ["chat"]})).ok()
    assert (entry["source"], entry["author"]["kind"]) == ("Vega", "agent")


async def test_snapshot_holds_the_chat_oldest_first(cast: Cast) -> None:
    said = [await write(cast, cast.ada, text, "chat") for text in ("One", "Two")]
    await write(cast, cast.ada, "A note")
    assert (await cast.dan.get(f"{cast.home}/snapshot")).ok()["chat_messages"] == said


# Who is told


async def notified(cast: Cast) -> list[tuple[str, str]]:
    """Return who was notified with which header, and empty the list."""
    names = {str(agent.id): agent.name.split()[0].lower() for agent in (cast.atlas, cast.vega, cast.rigel, cast.mira)}
    found = [(names[str(one.agent_id)], one.header) for one in await Delivery.all()]
    await Delivery.all().delete()
    return sorted(found)


CHAT, MENTION = "BOARD CHAT", "BOARD CHAT MENTION"
SAID: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "to nobody in particular": ("ada", "Clear skies.", [("atlas", CHAT)]),
    "to a worker": ("ada", "@vega look", [("atlas", CHAT), ("vega", MENTION)]),
    "by the first word of a name": ("ada", "Well, @RIGEL!", [("atlas", CHAT), ("rigel", MENTION)]),
    "to the lead": ("vega", "@lead help", [("atlas", MENTION)]),
    "an address mentions nobody": ("ada", "mail me@vega.org", [("atlas", CHAT)]),
    "by the lead": ("atlas", "Good evening.", []),
    "to all": ("vega", "@all hands", [("atlas", MENTION), ("rigel", MENTION)]),
    "by a worker to itself": ("vega", "@vega note", [("atlas", CHAT)]),
    "pause": ("ada", " /Pause ", [("atlas", "/pause"), ("rigel", "/pause"), ("vega", "/pause")]),
    "resume by an agent": ("atlas", "/resume", [("rigel", "/resume"), ("vega", "/resume")]),
    "more than a command": ("ada", "/pause now", [("atlas", CHAT)]),
}


@pytest.mark.parametrize("case", SAID)
async def test_recipients_of_chat(cast: Cast, case: str) -> None:
    who, text, expected = SAID[case]
    await write(cast, everybody(cast)[who], text, "chat")
    assert await notified(cast) == expected


async def test_notes_notify_nobody(cast: Cast) -> None:
    await write(cast, cast.ada, "@vega @lead /pause", "note")
    assert await notified(cast) == []


async def test_chat_notice_quotes_the_message(cast: Cast) -> None:
    await write(cast, cast.ada, "x" * 900, "chat")
    [notice] = await Delivery.all()
    about, text, how = notice.text.split("\n\n")
    assert about.split("\n") == ["Board: Telescope", "From: Ada"]
    assert text == "x" * 797 + "..."
    assert f"/api/v1/agent/boards/{cast.board.id}/memory" in how and '"chat"' in how
    assert (notice.board_id, notice.agent_id) == (cast.board.id, cast.atlas.id)


async def test_order_is_delivered_as_an_order(cast: Cast) -> None:
    await write(cast, cast.ada, "/PAUSE", "chat")
    orders = await Delivery.all()
    assert {(one.header, one.text, one.data["command"], one.data["deliver"]) for one in orders} == {
        ("/pause", "", "/pause", True)
    }


# Changing and deleting


async def test_author_edits_an_entry(cast: Cast) -> None:
    for caller in (cast.cleo, cast.vega):
        entry = await write(cast, caller, "Teh dome", "note")
        path, before = f"{memory(cast)}/{entry['id']}", await head(cast)
        changed = (await caller.patch(path, {"content": " The dome "})).ok()
        assert changed == {**entry, "content": "The dome", "edited_at": changed["edited_at"]}
        assert changed["edited_at"] > entry["created_at"] and (await cast.dan.get(path)).ok() == changed
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.actor_id) == ("memory.updated", caller.id)
        assert orjson.loads(event.data)["fields"] == ["content"] and "dome" not in event.data
        assert (await caller.patch(path, {"content": "The dome"})).ok() == changed
        assert len(await kinds(cast, before)) == 1


async def test_changed_tags_change_whether_it_is_chat(cast: Cast) -> None:
    path = f"{memory(cast)}/{(await write(cast, cast.ada, 'Hello @vega'))['id']}"
    assert (await cast.ada.patch(path, {"tags": ["chat"]})).ok()["is_chat"] is True
    assert (await cast.ada.patch(path, {"tags": None})).ok()["is_chat"] is False
    assert await notified(cast) == []


async def test_admin_edits_and_deletes_any_entry(cast: Cast) -> None:
    path = f"{memory(cast)}/{(await write(cast, cast.vega, 'Rude words', 'chat'))['id']}"
    assert (await cast.ben.patch(path, {"content": "Words"})).ok()["author"]["name"] == "Vega"
    before = await head(cast)
    assert (await cast.ben.delete(path)).ok() == {"ok": True}
    assert [kind for kind, _ in await kinds(cast, before)] == ["memory.deleted"]
    for answer in (cast.ben.get(path), cast.ben.patch(path, {"content": "x"}), cast.ben.delete(path)):
        assert (await answer).refused(404) == "Not Found"
    assert (await cast.ada.get(memory(cast))).ok()["total"] == 0


async def test_withdrawn_words_are_nowhere(cast: Cast) -> None:
    gone, slipped = [await write(cast, cast.cleo, f"{one} hunter2 @vega", "chat") for one in ("First", "Second")]
    assert await where_is("hunter2")
    assert (await cast.cleo.delete(f"{memory(cast)}/{gone['id']}")).ok() == {"ok": True}
    (await cast.cleo.patch(f"{memory(cast)}/{slipped['id']}", {"content": "Second thoughts"})).ok()
    assert await where_is("hunter2") == set()
    texts = {one["data"]["memory_id"]: one["text"] for one in (await cast.vega.get("/agent/inbox")).ok()["items"]}
    assert "\n\n(deleted)\n\nReply" in texts[gone["id"]]
    assert "\n\nSecond thoughts\n\nReply" in texts[slipped["id"]]


async def test_event_log_holds_no_names_of_people(cast: Cast) -> None:
    path = f"{memory(cast)}/{(await write(cast, cast.cleo, 'Hello', 'chat'))['id']}"
    assert (await cast.cleo.get(path)).ok()["source"] == "Cleo"
    (await cast.cleo.patch(path, {"content": "Hello all"})).ok()
    (await cast.cleo.delete(path)).ok()
    told = [f"{one.message}{one.data}" for one in await events(organization_id=cast.organization.id)]
    assert not any("Cleo" in one for one in told)


async def test_change_needs_content(cast: Cast) -> None:
    path = f"{memory(cast)}/{(await write(cast, cast.vega, 'Mine'))['id']}"
    for body in ({"content": " "}, {"content": None}):
        [item] = (await cast.vega.patch(path, body)).refused(422)
        assert item["loc"] == ["body", "content"]


async def test_entry_of_a_deleted_author(cast: Cast) -> None:
    entry = await write(cast, cast.vega, "I was here", "chat")
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    assert (await cast.ada.get(f"{memory(cast)}/{entry['id']}")).ok() == {**entry, "author": None}


async def test_deleting_a_board_deletes_its_memory(cast: Cast) -> None:
    await write(cast, cast.ada, "Remember me")
    (await cast.ada.delete(cast.home)).ok()
    assert (await cast.ada.get(memory(cast))).refused(404) == "Not Found"
