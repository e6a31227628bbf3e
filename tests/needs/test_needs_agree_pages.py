"""The list on Home is what `list_needs` answers, for every member of the cast, and every page says its number."""

import re

import pytest

from mission_control.needs.kinds import KINDS
from tests.cast import Caller, Cast, everybody
from tests.many_needs import kinds_put, put_needs
from tests.visitor import visitor

PEOPLE = ("ada", "ben", "cleo", "dan", "eve")

ADAS = {"overdue", "device"}  # nobody else sees them


def seen(name: str) -> set[str]:
    """The kinds that somebody sees; what is overdue, and devices, are Ada's.

    Cleo may write on one board, Dan may read it, Eve belongs elsewhere. Only admins answer what is no board's.
    """
    everybodys = {kind for kind in kinds_put() if not KINDS[kind].is_for_admins} - ADAS
    admins = set(kinds_put()) - ADAS
    return {"ada": admins | ADAS, "ben": admins, "cleo": everybodys, "dan": set[str](), "eve": admins}[name]


async def everything(cast: Cast) -> None:
    """Needs of every kind on all boards; what is overdue, and devices, are Ada's."""
    for board in (cast.board, cast.other_board, cast.foreign_board):
        await put_needs(board, cast.ada.id, len(kinds_put()))


async def listed(caller: Caller) -> list[str]:
    """The ids that the operation answers."""
    return [one["id"] for one in (await caller.get("/needs?limit=200")).ok()["items"]]


@pytest.mark.parametrize("name", PEOPLE)
async def test_home_and_operation_agree(cast: Cast, name: str) -> None:
    await everything(cast)
    person = getattr(cast, name)
    wanted = await listed(person)
    assert {one.partition(":")[0] for one in wanted} == seen(name)
    browser = await visitor(cast.app, person)
    page = (await browser.get("/?all=1")).is_status(200).text
    assert re.findall(r'data-need="([^"]+)"', page) == wanted
    badges = re.findall(r"data-queue-count[^>]*>([^<]*)<", page)
    assert len(badges) >= 2 and {one.strip() for one in badges} == {str(len(wanted) or "")}
    title = re.search(r"<title>\s*(\(\d+\))?", page)
    assert title is not None and (title[1] or "") == (f"({len(wanted)})" if wanted else "")


async def test_snoozed_needs_leave_list_and_numbers_alike(cast: Cast) -> None:
    await everything(cast)
    first = (await listed(cast.ada))[0]
    (await cast.ada.call("PUT", f"/needs/{first}/snooze", {"until_changed": True})).ok()
    browser = await visitor(cast.app, cast.ada)
    wanted = await listed(cast.ada)
    page = (await browser.get("/?all=1")).has("1 snoozed").text
    assert re.findall(r'data-need="([^"]+)"', page) == wanted and first not in wanted
    assert {one.strip() for one in re.findall(r"data-queue-count[^>]*>([^<]*)<", page)} == {str(len(wanted))}
    snoozed = (await browser.get("/?show=snoozed")).text
    assert re.findall(r'data-need="([^"]+)"', snoozed) == [first]


async def test_agents_have_no_list(cast: Cast) -> None:
    agents = {name: caller for name, caller in everybody(cast).items() if name not in PEOPLE}
    for caller in agents.values():
        (await caller.get("/needs")).refused(401)
    assert len(agents) == 5
