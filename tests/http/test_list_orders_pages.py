"""The order of lists: in the address, said by the page, and kept by the stream."""

import re
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.gateway_agents.models import Skill, SkillPack
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.groups.models import BoardGroup
from mission_control.people.models import Session, Token
from tests.cast import Cast
from tests.visitor import Seen, visitor

pytestmark = pytest.mark.dialect


def shown(seen: Seen, *names: str) -> list[str]:
    """Names in the order in which the rows of a list show them, without the sidebar."""
    page = seen.text[seen.text.index('class="page-body') :]
    return sorted(names, key=lambda name: page.index(f">{name}<"))


async def agents(cast: Cast) -> dict[str, list[str]]:
    await Agent.filter(id=cast.vega.id).update(last_seen_at=times.clock_now(), status="online")
    await Agent.filter(id=cast.rigel.id).update(last_seen_at=times.clock_now() - timedelta(days=2), status="offline")
    await Agent.filter(id=cast.atlas.id).update(last_seen_at=None, status="provisioning")
    return {
        "name": ["Atlas", "Rigel Orion", "Vega"],
        "seen": ["Vega", "Rigel Orion", "Atlas"],
        "state": ["Vega", "Atlas", "Rigel Orion"],
    }


async def people(cast: Cast) -> dict[str, list[str]]:
    await Token.filter(user_id__not_isnull=True).update(last_used_at=None)
    since = times.clock_now() - timedelta(hours=1)
    await Session.create(user_id=cast.dan.id, fingerprint="d", last_seen_at=since, expires_at=times.clock_now())
    return {
        "role": ["Ada", "Ben", "Cleo", "Dan"],
        "name": ["Ada", "Ben", "Cleo", "Dan"],
        "newest": ["Dan", "Cleo", "Ben", "Ada"],
        "seen": ["Ada", "Dan", "Ben", "Cleo"],
    }


async def gateways(cast: Cast) -> dict[str, list[str]]:
    for name, state in (("Zenith", "connected"), ("nadir", "refused"), ("Meridian", "connecting")):
        home: dict[str, Any] = {"url": INVENTED, "workspace_root": "/w"}
        await Gateway.create(organization_id=cast.organization.id, name=name, state=state, **home)
    return {
        "newest": ["Meridian", "nadir", "Zenith"],
        "name": ["Meridian", "nadir", "Zenith"],
        "state": ["nadir", "Meridian", "Zenith"],
    }


async def groups(cast: Cast) -> dict[str, list[str]]:
    for name in ("Sky", "earth"):
        group = await BoardGroup.create(organization_id=cast.organization.id, name=name, slug=name.lower())
    await Board.filter(id=cast.board.id).update(board_group_id=group.id)
    await BoardGroup.create(organization_id=cast.organization.id, name="Air", slug="air")
    await Board.filter(id=cast.board.id).update(board_group_id=(await BoardGroup.get(name="Sky")).id)
    return {"name": ["Air", "earth", "Sky"], "boards": ["Sky", "Air", "earth"]}


async def fields(cast: Cast) -> dict[str, list[str]]:
    for label, kind in (("Points", "integer"), ("area", "text"), ("Cost", "decimal")):
        body = {"field_key": label.lower(), "label": label, "field_type": kind, "board_ids": [str(cast.board.id)]}
        made = (await cast.ada.post("/organizations/me/custom-fields", body)).ok()
    await cast.ada.patch(f"/organizations/me/custom-fields/{made['id']}", {"description": "In euro"})
    return {"name": ["area", "Cost", "Points"], "changed": ["Cost", "area", "Points"]}


async def skills(cast: Cast) -> dict[str, list[str]]:
    for name, category in (("zip", "Archives"), ("Ask", None), ("paint", "Art")):
        url = f"https://github.com/a/{name}"
        await Skill.create(organization_id=cast.organization.id, name=name, category=category, source_url=url)
    return {"newest": ["paint", "Ask", "zip"], "name": ["Ask", "paint", "zip"], "category": ["zip", "paint", "Ask"]}


async def packs(cast: Cast) -> dict[str, list[str]]:
    for name in ("tools", "Arts"):
        await SkillPack.create(
            organization_id=cast.organization.id, name=name, source_url=f"https://github.com/b/{name}"
        )
    source = "https://github.com/b/tools/tree/main/x"
    await Skill.create(organization_id=cast.organization.id, name="x", source_url=source)
    return {"newest": ["Arts", "tools"], "name": ["Arts", "tools"], "skills": ["tools", "Arts"]}


LISTS: dict[str, Any] = {
    "/agents": agents, "/settings/people": people, "/gateways": gateways, "/groups": groups,
    "/settings/custom-fields": fields, "/settings/skills": skills, "/settings/skills/packs": packs,
}  # fmt: skip


@pytest.mark.parametrize("url", LISTS)
async def test_list_stands_in_the_order_of_its_address(cast: Cast, url: str) -> None:
    ada = await visitor(cast.app, cast.ada)
    wanted = await LISTS[url](cast)
    for order, names in wanted.items():
        seen = (await ada.get(f"{url}?order={order}")).is_status(200)
        assert shown(seen, *names) == names, order
        assert re.search(rf'<option value="{order}"\s+selected>', seen.text), order
    usual = (await ada.get(f"{url}?order=%00nothing")).is_status(200)
    assert shown(usual, *names) == shown(await ada.get(url), *names)


CHANGES: dict[str, Any] = {
    "/agents": lambda cast: cast.ada.patch(f"/agents/{cast.vega.id}", {"name": "Altair"}),
    "/settings/people": lambda cast: cast.ada.post(
        "/organizations/me/invites", {"invited_email": "gil@example.com", "role": "member"}
    ),
    "/groups": lambda cast: cast.ada.post("/board-groups", {"name": "Aether", "slug": "aether"}),
}


@pytest.mark.parametrize("url", CHANGES)
async def test_list_keeps_its_order_when_somebody_changes_it(cast: Cast, url: str) -> None:
    ada = await visitor(cast.app, cast.ada)
    order, names = list((await LISTS[url](cast)).items())[1 if url == "/agents" else -1]
    seen = await ada.get(f"{url}?order={order}")
    [stream] = re.findall(r'id="live" hx-sse:connect="([^"]+)"', seen.text)
    async with ada.watching(stream.replace("&amp;", "&")) as page:
        assert (await CHANGES[url](cast)).status == 200
        names = [{"Vega": "Altair"}.get(name, name) for name in names]
        for name in names:
            told = await page.until(f">{name}<")
    told = told[told.rindex(f'hx-target="#{url.rpartition("/")[2]}"') :]
    assert sorted(names, key=lambda name: told.index(f">{name}<")) == names


async def test_members_are_not_ordered_by_what_only_admins_see(cast: Cast) -> None:
    dan = await visitor(cast.app, cast.dan)
    seen = (await dan.get("/settings/people?order=seen")).is_status(200).lacks('value="seen"')
    assert shown(seen, "Ada", "Ben", "Dan") == ["Ada", "Ben", "Dan"]


async def test_fields_are_moved_only_in_the_order_that_tasks_show(cast: Cast) -> None:
    await fields(cast)
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/settings/custom-fields")).has("Move Cost up", "Tasks show their fields in this order.")
    (await ada.get("/settings/custom-fields?order=name")).lacks("Move Cost up", "in this order.").has("Delete Cost")
