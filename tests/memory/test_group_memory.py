"""Group memory: by the group for people, by one of its boards for everybody there, and which agents are notified."""

from typing import Any

import pytest

from mission_control.events.leases import Delivery
from tests.cast import Caller, Cast, events, everybody, head, ids, kinds
from tests.groups.test_groups import made

pytestmark = pytest.mark.dialect

KEYS = ["id", "board_group_id", "content", "tags", "source", "is_chat", "created_at", "author", "edited_at"]


async def grouped(cast: Cast) -> str:
    """Return the path of the memory of a group of both boards, before any notice."""
    path = await made(cast, cast.board, cast.other_board)
    await Delivery.all().delete()
    return f"{path}/memory"


def around(cast: Cast) -> str:
    """Return the path of the group's memory by the board."""
    return f"{cast.home}/group-memory"


async def write(by: Caller, path: str, content: str, *tags: str, **fields: Any) -> dict[str, Any]:
    """Write an entry as somebody and return it."""
    body: dict[str, Any] = (await by.post(path, {"content": content, "tags": list(tags) or None, **fields})).ok()
    return body


async def test_people_and_agents_share_group_memory(cast: Cast) -> None:
    path = await grouped(cast)
    before = await head(cast)
    first = await write(cast.ada, path, " Agreed. ", "note")
    second = await write(cast.vega, around(cast), "Built.", "note", source="A log")
    third = await write(cast.mira, f"/boards/{cast.other_board.id}/group-memory", "Seen.")
    assert list(first) == KEYS and f"/board-groups/{first['board_group_id']}/memory" == path
    assert (first["content"], first["tags"], first["source"], first["is_chat"]) == ("Agreed.", ["note"], None, False)
    assert first["author"] == {"kind": "user", "id": str(cast.ada.id), "name": "Ada"}
    assert second["source"] == "A log" and second["author"]["name"] == "Vega"
    for caller, path_of in ((cast.ada, path), (cast.dan, path), (cast.dan, around(cast)), (cast.rigel, around(cast))):
        listed = (await caller.get(path_of)).ok()
        assert (ids(listed["items"]), listed["total"]) == (ids([third, second, first]), 3)
    recorded = await events(before, organization_id=cast.organization.id)
    assert [(one.kind, one.actor_id, one.board_id) for one in recorded] == [
        ("group_memory.created", caller.id, None) for caller in (cast.ada, cast.vega, cast.mira)
    ]
    assert await Delivery.all().count() == 0


async def test_list_can_be_filtered(cast: Cast) -> None:
    path = await grouped(cast)
    note = await write(cast.ada, path, "50% done", "note")
    chat = await write(cast.ada, path, "Hello", "chat")
    for query, expected in {
        "is_chat=true": [chat], "is_chat=false": [note], "q=HELLO": [chat], "q=50%25": [note], "tag=note": [note],
        "limit=1&offset=1": [note],
    }.items():  # fmt: skip
        for caller, path_of in ((cast.ada, path), (cast.vega, around(cast))):
            assert (await caller.get(f"{path_of}?{query}")).ok()["items"] == expected


async def test_board_without_a_group_has_no_group_memory(cast: Cast) -> None:
    listed = (await cast.vega.get(around(cast))).ok()
    assert (listed["items"], listed["total"]) == ([], 0)
    assert isinstance((await cast.vega.post(around(cast), {"content": "Hello"})).refused(422), str)
    [item] = (await cast.vega.post(around(cast), {"content": " "})).refused(422)
    assert item["loc"] == ["body", "content"]
    entry = f"{around(cast)}/{cast.board.id}"
    assert (await cast.vega.get(entry)).refused(404) == "Not Found"


# Who is told


async def notified(cast: Cast) -> list[tuple[str, str]]:
    """Return who was notified with which header, and empty the list."""
    names = {str(agent.id): agent.name.split()[0].lower() for agent in (cast.atlas, cast.vega, cast.rigel, cast.mira)}
    found = [(names[str(one.agent_id)], one.header) for one in await Delivery.all()]
    await Delivery.all().delete()
    return sorted(found)


CHAT, MENTION, ALL = "GROUP CHAT", "GROUP CHAT MENTION", "GROUP BROADCAST"
SAID: dict[str, tuple[str, str, list[str], list[tuple[str, str]]]] = {
    "a note": ("ada", "@vega look", ["note"], []),
    "chat": ("ada", "Hello.", ["chat"], [("atlas", CHAT)]),
    "chat that mentions": ("ada", "@mira and @lead", ["chat"], [("atlas", MENTION), ("mira", MENTION)]),
    "chat by the lead": ("atlas", "@mira hello", ["chat"], [("mira", MENTION)]),
    "a broadcast": ("vega", "Stop.", ["broadcast"], [("atlas", ALL), ("mira", ALL), ("rigel", ALL)]),
    "to all": ("ada", "Hear, @all!", [], [("atlas", ALL), ("mira", ALL), ("rigel", ALL), ("vega", ALL)]),
    "a command means nothing here": ("ada", "/pause", ["chat"], [("atlas", CHAT)]),
}


@pytest.mark.parametrize("case", SAID)
async def test_recipients_of_group_chat(cast: Cast, case: str) -> None:
    who, text, tags, expected = SAID[case]
    await grouped(cast)
    entry = await write(everybody(cast)[who], around(cast), text, *tags)
    assert await notified(cast) == expected
    assert entry["source"] == (entry["author"]["name"] if expected else None)


async def test_chat_notice_quotes_the_message(cast: Cast) -> None:
    await write(cast.ada, await grouped(cast), "@mira hello", "chat")
    notice = await Delivery.get(agent_id=cast.mira.id)
    about, text, how = notice.text.split("\n\n")
    assert (about, text) == ("Group: Night Sky\nFrom: Ada", "@mira hello")
    assert f"/api/v1/boards/{cast.other_board.id}/group-memory" in how and '"chat"' in how
    assert notice.board_id == cast.other_board.id


# Changing and deleting


async def test_authors_and_admins_edit_and_delete(cast: Cast) -> None:
    path = await grouped(cast)
    for author, written in ((cast.vega, around(cast)), (cast.cleo, path)):
        entry = await write(author, written, "Teh plan", "note")
        before = await head(cast)
        changed = (await author.patch(f"{path}/{entry['id']}", {"content": "The plan"})).ok()
        assert changed == {**entry, "content": "The plan", "edited_at": changed["edited_at"]}
        assert (await cast.ben.patch(f"{path}/{entry['id']}", {"tags": ["chat"]})).ok()["is_chat"] is True
        (await cast.dan.get(f"{path}/{entry['id']}")).ok()
        assert (await cast.ben.delete(f"{path}/{entry['id']}")).ok() == {"ok": True}
        assert (await author.get(f"{path}/{entry['id']}")).refused(404) == "Not Found"
        assert [kind for kind, _ in await kinds(cast, before)] == [
            "group_memory.updated", "group_memory.updated", "group_memory.deleted",
        ]  # fmt: skip
