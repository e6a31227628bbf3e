"""Many open pages of a board: news are made once for equal rights, and nobody gets what only another may see."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest
from isal import isal_zlib

from mission_control.background import presence
from mission_control.core.actor import Actor, AnyPerson, Membership, Personal, rights_of
from mission_control.events import stream
from mission_control.http.exchange import Exchange
from mission_control.people.accounts.commands import create_user
from mission_control.people.models import User
from mission_control.tasks.board import regions as board_regions
from mission_control.web import audience
from mission_control.web.regions import _LivePage
from tests.cast import Cast, as_person
from tests.rights_changes import remove
from tests.statements import OF_SIGNING_IN, counted
from tests.visitor import Visitor, Watch, visitor

OF_LISTENING = ("PRAGMA data_version", 'FROM "events"')


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes and goes is shown without a pause."""
    monkeypatch.setattr(presence, "TOGETHER_SECONDS", 0.01)


@pytest.fixture
async def crowd(cast: Cast) -> list[Visitor]:
    """Six members who may write on every board, each in a browser of their own."""
    found = []
    for number in range(6):
        email, name = f"crowd{number}@example.org", f"Crowd {number}"
        user = await create_user(email, name, "member", cast.organization, None, "write")
        found.append(await visitor(cast.app, await as_person(cast.app, user)))
    return found


@asynccontextmanager
async def all_watching(cast: Cast, *visitors: Visitor, query: str = "") -> AsyncIterator[list[Watch]]:
    """The streams of the board's page, when what their openings caused is over."""
    async with AsyncExitStack() as stack:
        watches = [await stack.enter_async_context(one.watching(f"{cast.home}/live{query}")) for one in visitors]
        await asyncio.sleep(0.2)
        yield watches


@asynccontextmanager
async def compressed(cast: Cast, by: Visitor) -> AsyncIterator[Any]:
    """The connection of a stream to a browser that takes gzip."""
    headers = by._sent({"Accept-Encoding": "gzip, deflate, br"})
    request: Any = cast.app.test_client(use_cookies=False).request(f"{cast.home}/live", headers=headers)
    async with request as connection:
        await connection.send_complete()
        try:
            yield connection
        finally:
            await connection.disconnect()


async def rename(cast: Cast, task: dict[str, Any], title: str) -> None:
    (await cast.ada.patch(cast.task(task), {"title": title})).ok()


def counting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[Any]:
    """The first arguments of a function's calls from now on."""
    function: Callable[..., Any] = getattr(owner, name)
    calls: list[Any] = []

    def called(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments[0] if arguments else None)
        return function(*arguments, **named)

    monkeypatch.setattr(owner, name, called)
    return calls


async def test_change_is_rendered_and_compressed_once_for_equal_viewers(
    cast: Cast, crowd: list[Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await cast.add_task(title="Grind")
    sent: list[bytes] = []
    send = Exchange.send

    async def kept(self: Exchange, message: Any) -> None:
        if self.scope["path"].endswith("/live"):
            sent.append(message.get("body", b""))
        await send(self, message)

    monkeypatch.setattr(Exchange, "send", kept)
    cards, packers = counting(monkeypatch, board_regions, "cards_html"), []
    async with AsyncExitStack() as stack:
        for one in crowd:
            await stack.enter_async_context(compressed(cast, one))
        before = -1
        while before < len(sent):  # those who came are shown to each other within a second
            before = len(sent)
            await asyncio.sleep(1.5)
        cards.clear()
        sent.clear()
        packers = counting(monkeypatch, isal_zlib, "compressobj")
        await rename(cast, task, "Grind finely")
        async with asyncio.timeout(60):
            while len(sent) < len(crowd):
                await asyncio.sleep(0.01)
    assert len(cards) == 1
    assert len(packers) == 1
    assert len({id(one) for one in sent[: len(crowd)]}) == 1


async def test_change_costs_no_more_statements_for_six_people_than_for_two(
    cast: Cast, crowd: list[Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mission_control.http.lookups.FRESH_SECONDS", 3600.0)  # however slow the machine is
    task, costs = await cast.add_task(), []
    for number in (2, 6):
        async with all_watching(cast, *crowd[:number]) as watches:
            least = []
            for turn in range(4):
                with counted(passing_over=(*OF_SIGNING_IN, *OF_LISTENING), everywhere=True) as found:
                    await rename(cast, task, f"Name {number}-{turn}")
                    for watch in watches:
                        await watch.until(f"Name {number}-{turn}")
                    await asyncio.sleep(0.1)
                least.append(len(found))
        costs.append(min(least))
    assert costs[0] == costs[1]


async def test_viewers_with_other_rights_get_their_own_bytes(cast: Cast, crowd: list[Visitor]) -> None:
    task = await cast.add_task(title="Grind")
    dan, writer = await visitor(cast.app, cast.dan), crowd[0]
    async with all_watching(cast, dan, writer, crowd[1]) as (reads, writes, also):
        await rename(cast, task, "Grind finely")
        texts = [await one.until("Grind finely") for one in (reads, writes, also)]
    found = [next(one for one in text.split("\r\n\r\n") if "Grind finely" in one) for text in texts]
    assert found[1] == found[2]
    assert ["card-menu" in one for one in found] == [False, True, True]


async def test_people_in_other_zones_do_not_share(cast: Cast, crowd: list[Visitor]) -> None:
    user = await User.get(email="crowd1@example.org")
    await User.filter(id=user.id).update(timezone="Pacific/Auckland")
    actor, other = await _actor(cast, "crowd0@example.org"), await _actor(cast, "crowd1@example.org")
    assert rights_of(actor) != rights_of(other)
    assert rights_of(actor) == rights_of(await _actor(cast, "crowd2@example.org"))


async def _actor(cast: Cast, email: str) -> Actor:
    return (await (await as_person(cast.app, await User.get(email=email))).actor()).on("page")


async def test_rights_removed_while_news_are_made_apply_to_them(
    cast: Cast, crowd: list[Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    task, dan = await cast.add_task(title="Grind"), await visitor(cast.app, cast.dan)
    shared, is_first = _LivePage.shared, True

    async def removing(self: _LivePage, anybody: AnyPerson, *more: Any) -> Any:
        nonlocal is_first
        found = await shared(self, anybody, *more)
        if is_first:
            is_first = False
            await remove(cast)
        return found

    async with all_watching(cast, dan, crowd[0]) as (removed, stays):
        monkeypatch.setattr(_LivePage, "shared", removing)
        await rename(cast, task, "Grind finely")
        await stays.until("Grind finely")
        assert "Grind finely" not in await removed.until("signed-out")


async def test_person_without_the_board_is_signed_out_and_told_nothing(cast: Cast, crowd: list[Visitor]) -> None:
    task, dan = await cast.add_task(title="Grind"), await visitor(cast.app, cast.dan)
    async with all_watching(cast, dan, crowd[0]) as (removed, stays):
        await remove(cast)
        await rename(cast, task, "Grind finely")
        await stays.until("Grind finely")
        assert "Grind finely" not in await removed.until("signed-out")


async def test_private_view_is_counted_for_its_owner_alone(cast: Cast, crowd: list[Visitor]) -> None:
    owner = await as_person(cast.app, await User.get(email="crowd0@example.org"))
    view = (await owner.post(f"{cast.home}/views", {"name": "Mine", "query": "grind", "is_shared": False})).ok()
    async with all_watching(cast, *crowd[:2]) as (mine, other):
        await cast.add_task(title="Grind")
        await mine.until(f"#view-{view['id']}")
        assert view["id"] not in await other.until("Grind")


async def test_mover_hears_no_announcement_of_the_own_move(cast: Cast, crowd: list[Visitor]) -> None:
    task = await cast.add_task(title="Grind")
    mover = await as_person(cast.app, await User.get(email="crowd0@example.org"))
    async with all_watching(cast, *crowd[:2]) as (own, other):
        (await mover.patch(cast.task(task), {"status": "in_progress"})).ok()
        await other.until("Grind moved to In progress.")
        assert "moved to" not in await own.until("count-in_progress")


async def test_filter_on_oneself_is_made_for_each(cast: Cast, crowd: list[Visitor]) -> None:
    first, second = [await User.get(email=f"crowd{number}@example.org") for number in (0, 1)]
    query = "?q=assignee:me"
    async with all_watching(cast, *crowd[:2], query=query) as (mine, other):
        await cast.add_task(title="Only hers", assigned_user_id=str(first.id))
        await mine.until("Only hers")
        await cast.add_task(title="Only his", assigned_user_id=str(second.id))
        assert "Only hers" not in await other.until("Only his")
        assert "Only his" not in await mine.so_far()


# Slow and absent readers


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> dict[str, asyncio.Event]:
    """By the query of a stream, what its connection waits for before it takes more after its opening."""
    gates: dict[str, asyncio.Event] = {}
    send = Exchange.send

    async def slowly(self: Exchange, message: Any) -> None:
        gate = gates.get(self.scope["query_string"].decode())
        await send(self, message)
        if gate is not None and message.get("body") and b"ping" not in message["body"]:
            await gate.wait()

    monkeypatch.setattr(Exchange, "send", slowly)
    return gates


async def test_slow_reader_holds_up_nobody_and_catches_up(
    cast: Cast, crowd: list[Visitor], blocked: dict[str, asyncio.Event]
) -> None:
    task, live = await cast.add_task(title="Grind"), f"{cast.home}/live"
    blocked["slow="] = asyncio.Event()
    async with crowd[0].watching(f"{live}?slow=") as slow, crowd[1].watching(f"{live}?slow=") as also:
        async with crowd[2].watching(live) as quick:
            await asyncio.sleep(0.2)
            for number in range(5):
                await rename(cast, task, f"Name {number}")
                await quick.until(f"Name {number}")
                await asyncio.sleep(0.05)
            assert "Name 4" not in await slow.so_far()
            blocked["slow="].set()
            for watch in (slow, also):
                await watch.until("Name 4")
            await rename(cast, task, "The last")
            for watch in (slow, also, quick):
                await watch.until("The last")


async def test_reader_too_far_behind_loads_the_page_again(
    cast: Cast, crowd: list[Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await cast.add_task(title="Grind")
    await rename(cast, task, "Grind finely")
    monkeypatch.setattr(audience, "REPLAY_LIMIT", 1)
    async with crowd[0].watching(f"{cast.home}/live?after=0") as watch:
        assert "Grind" not in await watch.until("event: resync")


async def test_compressed_stream_is_one_gzip_file(
    cast: Cast, crowd: list[Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await cast.add_task(title="Grind")
    unpacker, text = zlib.decompressobj(31), b""
    async with compressed(cast, crowd[0]) as connection, asyncio.timeout(60):
        text += unpacker.decompress(await connection.receive())
        assert b"event: build" in text
        assert connection.headers["Content-Encoding"] == "gzip"
        await asyncio.sleep(0.2)
        await rename(cast, task, "Grind finely")
        while b"Grind finely" not in text:
            text += unpacker.decompress(await connection.receive())
        await User.filter(email="crowd0@example.org").delete()
        monkeypatch.setattr("mission_control.http.lookups.FRESH_SECONDS", 0.0)
        await rename(cast, task, "Grind less")
        while not unpacker.eof:
            text += unpacker.decompress(await connection.receive())
    assert b"signed-out" in text and b"Grind less" not in text


async def test_silent_streams_are_pinged_and_checked(
    cast: Cast, crowd: list[Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PING_SECONDS", 0.05)
    monkeypatch.setattr(audience, "PINGS_TOGETHER_SECONDS", 0.0)
    monkeypatch.setattr("mission_control.http.lookups.FRESH_SECONDS", 0.0)
    async with all_watching(cast, *crowd[:2]) as (gone, stays):
        async with asyncio.timeout(60):
            while gone.text.count(": ping") < 3:
                await gone.until(": ping")
                gone.text += (await gone.connection.receive()).decode()
        await User.filter(email="crowd0@example.org").delete()
        await gone.until("signed-out")
        stays.text = ""
        await stays.until(": ping")


# Nobody in particular


def test_any_person_has_nothing_of_an_actor_but_what_rights_are_equal_by() -> None:
    board = Membership(_id(1), _id(2), "Acme", "member", False, False, {_id(3): (True, False)})
    person = Actor("user", _id(4), "Ada", _id(2), surface="page", memberships={_id(2): board}, zone="Asia/Tokyo")
    anybody = AnyPerson.like(person)
    for one in fields(Actor):
        if one.name in ("id", "name", "credential"):
            with pytest.raises(Personal):
                getattr(anybody, one.name)
        elif one.name in ("board_id", "gateway_id", "is_lead", "expires_at", "fence", "news"):
            assert not getattr(anybody, one.name)
        elif one.name != "memberships":
            assert getattr(anybody, one.name) == getattr(person, one.name)
            assert getattr(person, one.name) in rights_of(person)
    [membership] = anybody.memberships.values()
    with pytest.raises(Personal):
        assert membership.id
    assert membership.boards == board.boards
    with pytest.raises(Personal):
        assert anybody.user_id


@pytest.mark.parametrize("change", [
    {"role": "admin"}, {"all_boards_read": True}, {"all_boards_write": True}, {"boards": {}},
    {"organization_name": "B"},
])  # fmt: skip
def test_rights_differ_with_every_field_of_a_membership(change: dict[str, Any]) -> None:
    about = {"role": "member", "all_boards_read": False, "all_boards_write": False, "organization_name": "Acme"}
    about["boards"] = {_id(3): (True, False)}

    def person(number: int, **fields: Any) -> Actor:
        membership = Membership(id=_id(number), organization_id=_id(2), **{**about, **fields})
        return Actor("user", _id(number), f"Person {number}", _id(2), memberships={_id(2): membership})

    assert rights_of(person(10)) == rights_of(person(11)) != rights_of(person(12, **change))


def _id(number: int) -> Any:
    return UUID(int=number)
