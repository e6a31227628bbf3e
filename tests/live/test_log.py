"""The event log: numbers without holes, a chain that shows every change, and commands that are all or nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from mission_control.boards.commands import update_board
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardUpdate
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden
from mission_control.events.commands import all_finished, transact, uncancelled
from mission_control.events.event_log import NewEvent, canonical, chain_hash, verify
from mission_control.events.leases import Delivery
from mission_control.events.models import Event
from mission_control.events.unit_of_work import REACTIONS, deliver, react, record, unit_of_work
from mission_control.people.models import Organization
from tests.cast import Cast, head, kinds
from tests.statements import counted

pytestmark = pytest.mark.dialect


async def as_one[R](actor: Actor, work: Callable[[], Awaitable[R]]) -> R:
    """Do something the way the outermost command does it."""
    return await uncancelled(transact(actor, work))


async def sound(cast: Cast) -> int:
    """How many events the organization has; the chain must hold, without a hole."""
    count, fault = await verify(cast.organization.id)
    assert fault is None
    found: Any = await Event.filter(organization_id=cast.organization.id).order_by("seq").values_list("seq", flat=True)
    assert list(found) == list(range(1, count + 1))
    return count


async def test_fifty_concurrent_commands_leave_no_gap(cast: Cast) -> None:
    before = await head(cast)
    answers = await asyncio.gather(*(cast.ada.post(cast.tasks, {"title": str(number)}) for number in range(50)))
    assert {one.status for one in answers} == {200}
    assert sorted(one.body["number"] for one in answers) == list(range(1, 51))
    assert await sound(cast) == before + 50


async def test_refused_commands_use_no_number(cast: Cast) -> None:
    await cast.rule(require_approval_for_done=True)
    before = await head(cast)
    bodies = [{"title": str(number), "status": ("inbox", "done")[number % 2]} for number in range(20)]
    answers = await asyncio.gather(*(cast.ada.post(cast.tasks, body) for body in bodies))
    assert sorted(one.status for one in answers) == [200] * 10 + [409] * 10
    assert await sound(cast) == before + 10


async def test_organizations_are_numbered_separately(cast: Cast) -> None:
    (await cast.eve.post(f"/boards/{cast.foreign_board.id}/tasks", {"title": "x"})).ok()
    theirs = await Event.filter(organization_id=cast.elsewhere.id).order_by("seq")
    assert [one.seq for one in theirs] == [1, 2, 3]
    assert await verify(cast.elsewhere.id) == (3, None)
    await sound(cast)


async def test_event_names_actor_surface_and_request(cast: Cast) -> None:
    task = (await cast.ada.post(cast.tasks, {"title": "x"}, headers={"X-Request-Id": "from-a-test"})).ok()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    created: Any
    moved: Any
    created, moved = (await Event.filter(task_id=task["id"]).order_by("seq"))[:2]
    assert (created.request_id, created.surface, created.actor_kind) == ("from-a-test", "api", "user")
    assert created.actor_name is None and (moved.actor_kind, moved.actor_name) == ("agent", "Vega")
    assert str(created.subject_id) == task["id"] and created.prev_hash != created.hash == moved.prev_hash
    await update_board((await cast.ada.actor()).on("page"), cast.board, BoardUpdate.model_validate({"name": "Lens"}))
    assert (await Event.get(kind="board.updated")).surface == "page"


TAMPERINGS: dict[str, dict[str, Any]] = {
    "kind": {"kind": "task.deleted"},
    "message": {"message": "Something else."},
    "data": {"data": "{}"},
    "actor": {"actor_id": None},
    "actor kind": {"actor_kind": "system"},
    "actor's name": {"actor_name": "Somebody else"},
    "version": {"version": 1},
    "agent": {"agent_id": "01a20e3b-d8e2-7655-95c4-faeea56be40f"},
    "task": {"task_id": "01a20e3b-d8e2-7655-95c4-faeea56be40f"},
    "board": {"board_id": None},
    "subject": {"subject_id": None},
    "surface": {"surface": "page"},
    "request": {"request_id": "another"},
    "moment": {"created_at": "2020-01-01T00:00:00"},
    "hash": {"hash": "0" * 64},
    "previous hash": {"prev_hash": "f" * 64},
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_changed_event_is_detected(cast: Cast, what: str) -> None:
    task = await cast.add_task()
    await cast.add_task()
    target = await Event.get(task_id=task["id"])
    await Event.filter(id=target.id).update(**TAMPERINGS[what])
    held, fault = await verify(cast.organization.id)
    assert held == target.seq - 1
    assert fault == f"Event {target.seq} was changed after it was written."


async def test_rehashed_change_is_detected_at_the_next_event(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.add_task()
    target = await Event.get(task_id=task["id"])
    target.message = "Something else."
    target.hash = chain_hash(target)
    await target.save(update_fields=["message", "hash"])
    held, fault = await verify(cast.organization.id)
    assert held == target.seq and str(target.seq + 1) in str(fault)


@pytest.mark.parametrize("which", ["first", "middle", "last"])
async def test_removed_event_is_detected(cast: Cast, which: str) -> None:
    count = await sound(cast)
    seq = {"first": 1, "middle": 3, "last": count}[which]
    await Event.filter(organization_id=cast.organization.id, seq=seq).delete()
    held, fault = await verify(cast.organization.id)
    assert held == seq - 1
    assert str(seq if which != "last" else count) in str(fault)


async def test_swapped_events_are_detected(cast: Cast) -> None:
    mine = Event.filter(organization_id=cast.organization.id)
    first, second = await mine.get(seq=2), await mine.get(seq=3)
    await Event.filter(id=first.id).update(seq=10_000)
    await Event.filter(id=second.id).update(seq=2)
    await Event.filter(id=first.id).update(seq=3)
    assert (await verify(cast.organization.id))[0] == 1


async def test_verification_continues_from_the_last_verified_event(cast: Cast) -> None:
    count = await sound(cast)
    mark = (count, (await Event.get(organization_id=cast.organization.id, seq=count)).hash)
    assert await verify(cast.organization.id, *mark) == (count, None)
    await cast.add_task()
    await Event.filter(organization_id=cast.organization.id, seq=1).update(message="Something else.")
    newest = await head(cast)
    with counted() as found:
        assert await verify(cast.organization.id, *mark) == (newest, None)
    assert len(found) == 3, found  # the newest number, the head, and the events up to it
    assert (await verify(cast.organization.id, count, "f" * 64))[1] is not None
    assert (await verify(cast.organization.id))[1] is not None
    await Event.filter(organization_id=cast.organization.id, seq=newest).update(message="Something else.")
    assert (await verify(cast.organization.id, *mark))[1] is not None


async def test_failing_command_leaves_nothing(cast: Cast) -> None:
    before, actor = await head(cast), await cast.ada.actor()

    async def work() -> None:
        await Board.filter(id=cast.board.id).update(name="Gone")
        record("board.updated", cast.board, "x")
        deliver("agent.notice", cast.board.scope(), agent_id=cast.vega.id, header="x", text="x")
        raise Conflict()

    with pytest.raises(Conflict):
        await as_one(actor, work)
    assert await sound(cast) == before
    assert (await Board.get(id=cast.board.id)).name == "Telescope"
    assert await Delivery.all().count() == 0


async def test_nested_commands_are_one_command(cast: Cast) -> None:
    before, actor = await head(cast), await cast.ada.actor()

    async def work() -> None:
        await update_board(actor, cast.board, BoardUpdate.model_validate({"name": "Lens"}))
        await update_board(actor, cast.other_board, BoardUpdate.model_validate({"name": "Roof"}))
        assert await head(cast) == before
        raise Conflict()

    with pytest.raises(Conflict):
        await as_one(actor, work)
    assert await kinds(cast, before) == []
    assert {one.name for one in await Board.filter(organization_id=cast.organization.id)} == {"Telescope", "Dome"}


async def test_reactions_run_once_in_the_same_transaction(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    before, actor, heard = await head(cast), await cast.ada.actor(), []

    async def reaction(who: Actor, event: NewEvent) -> None:
        heard.append((who.id, event.kind, await head(cast)))
        record("board.deleted", event.scope, "A consequence.")

    monkeypatch.setitem(REACTIONS, "board.updated", [reaction])

    async def work() -> None:
        record("board.updated", cast.board, "x")
        await react()
        await react()
        assert len(unit_of_work().events) == 2

    await as_one(actor, work)
    assert heard == [(cast.ada.id, "board.updated", before)]
    assert [kind for kind, _ in await kinds(cast, before)] == ["board.updated", "board.deleted"]


async def test_failing_reaction_undoes_the_command(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async def reaction(who: Actor, event: NewEvent) -> None:
        raise Conflict("No.")

    monkeypatch.setitem(REACTIONS, "board.updated", [reaction])
    before = await head(cast)
    assert (await cast.ada.patch(cast.home, {"name": "Lens"})).refused(409) == "No."
    assert (await Board.get(id=cast.board.id)).name == "Telescope"
    assert await sound(cast) == before


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 10])
async def test_command_finishes_after_its_caller_disconnects(cast: Cast, steps: int) -> None:
    before, actor = await head(cast), await cast.ada.actor()
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await Board.filter(id=cast.board.id).update(name="Lens")
        record("board.updated", cast.board, "x", before={}, after={})

    caller = asyncio.create_task(as_one(actor, work))
    await begun.wait()
    for _ in range(steps):
        await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await all_finished()
    assert await sound(cast) == before + 1
    assert (await Board.get(id=cast.board.id)).name == "Lens"


async def test_events_are_recorded_only_in_a_command(cast: Cast) -> None:
    for attempt in (
        lambda: record("board.updated", cast.board, "x"),
        lambda: deliver("agent.notice", cast.board.scope(), agent_id=cast.vega.id, header="x", text="x"),
    ):
        with pytest.raises(RuntimeError):
            attempt()


async def test_command_checks_its_rule_first(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        await update_board(await cast.dan.actor(), cast.board, BoardUpdate.model_validate({"name": "Mine"}))


async def test_deleted_organization_removes_its_log_head(cast: Cast) -> None:
    await Organization.filter(id=cast.elsewhere.id).delete()
    await sound(cast)


def test_hashed_text_is_canonical() -> None:
    text = canonical({"b": 1, "a": {"d": None, "c": ["\u00e9", 1.5]}, 3: True})
    assert text == '{"3":true,"a":{"c":["\u00e9",1.5],"d":null},"b":1}'
    assert canonical(orjson.loads(text)) == text
