"""Access to single boards and to all of them, set one by one: what is not named stays as it is."""

import asyncio
from typing import Any

import pytest

from mission_control.people.models import Member
from tests.cast import Cast, Person, events, head

pytestmark = pytest.mark.dialect


async def boards_of(cast: Cast, person: Person) -> str:
    """The path of what somebody reaches."""
    return f"/organizations/me/members/{(await Member.get(user_id=person.id)).id}/boards"


def reached(member: dict[str, Any]) -> dict[str, str]:
    """What the answer says of single boards."""
    return {one["board_id"]: "write" if one["can_write"] else "read" for one in member["board_access"]}


async def test_one_board_is_set_and_recorded(cast: Cast) -> None:
    path, before = await boards_of(cast, cast.dan), await head(cast)
    member = (await cast.ben.call("PUT", f"{path}/{cast.board.id}", {"access": "write"})).ok()
    assert reached(member) == {str(cast.board.id): "write"}
    (await cast.dan.post(cast.tasks, {"title": "Dan may now"})).ok()
    [event] = await events(before, kind="member.access_changed")
    assert event.actor_id == cast.ben.id
    now = await head(cast)
    (await cast.ben.call("PUT", f"{path}/{cast.board.id}", {"access": "write"})).ok()
    assert await head(cast) == now
    (await cast.ben.call("PUT", f"{path}/{cast.board.id}", {"access": "none"})).ok()
    (await cast.dan.get(cast.home)).refused(404)


async def test_less_on_one_board_keeps_the_others(cast: Cast) -> None:
    """Ben changes all boards; reading one of them only leaves him the others, which are chosen boards then."""
    path = await boards_of(cast, cast.ben)
    member = (await cast.ada.call("PUT", f"{path}/{cast.board.id}", {"access": "read"})).ok()
    assert (member["all_boards_read"], member["all_boards_write"]) == (False, False)
    assert reached(member) == {str(cast.board.id): "read", str(cast.other_board.id): "write"}
    (await cast.ben.post(cast.tasks, {"title": "No"})).refused(403)
    (await cast.ben.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Yes"})).ok()


async def test_more_on_one_board_keeps_reading_all(cast: Cast) -> None:
    path = await boards_of(cast, cast.dan)
    (await cast.ada.call("PUT", path, {"reach": "all_read"})).ok()
    member = (await cast.ada.call("PUT", f"{path}/{cast.board.id}", {"access": "write"})).ok()
    assert (member["all_boards_read"], reached(member)) == (True, {str(cast.board.id): "write"})
    (await cast.dan.post(cast.tasks, {"title": "Yes"})).ok()
    (await cast.dan.get(f"/boards/{cast.other_board.id}")).ok()
    member = (await cast.ada.call("PUT", f"{path}/{cast.board.id}", {"access": "read"})).ok()
    assert (member["all_boards_read"], reached(member)) == (True, {})


async def test_chosen_boards_are_at_first_those_reached(cast: Cast) -> None:
    path = await boards_of(cast, cast.ben)
    member = (await cast.ada.call("PUT", path, {"reach": "chosen"})).ok()
    assert reached(member) == {str(cast.board.id): "write", str(cast.other_board.id): "write"}
    member = (await cast.ada.call("PUT", path, {"reach": "all_read"})).ok()
    assert (member["all_boards_read"], member["all_boards_write"], reached(member)) == (True, False, {})


async def test_foreign_boards_are_not_found(cast: Cast) -> None:
    path = await boards_of(cast, cast.dan)
    (await cast.ada.call("PUT", f"{path}/{cast.foreign_board.id}", {"access": "read"})).refused(404)


async def test_admins_do_not_change_what_owners_reach(cast: Cast) -> None:
    path = await boards_of(cast, cast.ada)
    (await cast.ben.call("PUT", f"{path}/{cast.board.id}", {"access": "none"})).refused(403)
    (await cast.ben.call("PUT", path, {"reach": "chosen"})).refused(403)
    (await cast.ada.call("PUT", f"{path}/{cast.board.id}", {"access": "write"})).ok()


async def test_two_cells_changed_at_once_are_both_changed(cast: Cast) -> None:
    path = await boards_of(cast, cast.dan)
    both = [cast.board.id, cast.other_board.id]
    await asyncio.gather(*(cast.ada.call("PUT", f"{path}/{one}", {"access": "write"}) for one in both))
    member = (await cast.ada.get(path.removesuffix("/boards"))).ok()
    assert reached(member) == {str(one): "write" for one in both}
