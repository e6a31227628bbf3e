"""The two packs of a new personal organization, which no other organization has."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from quart import Quart

from mission_control.core.errors import Refused
from mission_control.events.event_log import verify
from mission_control.events.models import Event
from mission_control.gateway_agents.models import Skill, SkillPack
from mission_control.people.models import Member, Organization, User
from mission_control.people.organizations.commands import ensure_membership
from mission_control.people.sign_in import first_run
from tests.cast import Caller, Cast
from tests.people.test_accounts import first_owner
from tests.settings import having

ME, PACKS = "/organizations/me", "/skills/packs"
LOCAL = "a-token-of-the-owner-for-these-tests-that-is-long-enough-to-be-one"
NAMES = {
    "https://github.com/sickn33/antigravity-awesome-skills": "antigravity-awesome-skills",
    "https://github.com/BrianRWagner/ai-marketing-skills": "ai-marketing-skills",
}
FOUNDED = ["organization.created", "skill_pack.created", "skill_pack.created"]


@pytest.fixture
async def local(app: Quart) -> AsyncIterator[Caller]:
    """Return the bearer of LOCAL_AUTH_TOKEN on an empty database."""
    with having(app, local_auth_token=LOCAL):
        yield Caller(app, {"Authorization": f"Bearer {LOCAL}"})


async def remove_from_organization(cast: Cast) -> None:
    """Take Eve out of her organization."""
    await Member.filter(user_id=cast.eve.id).delete()
    await User.filter(id=cast.eve.id).update(active_organization_id=None)


def named(packs: list[dict[str, Any]]) -> dict[str, str]:
    """Return address and name of every pack in a list."""
    return {one["source_url"]: one["name"] for one in packs}


async def log_of(organization_id: Any) -> list[Event]:
    """Return all events of an organization, in order."""
    return await Event.filter(organization_id=organization_id).order_by("seq")


async def test_personal_organization_gets_two_default_packs(cast: Cast) -> None:
    await remove_from_organization(cast)
    home = (await cast.eve.get(ME)).ok()
    packs = (await cast.eve.get(PACKS)).ok()
    assert home["name"] == "Personal" and len(packs) == 2 and named(packs) == NAMES
    for pack in packs:
        assert (pack["organization_id"], pack["branch"], pack["metadata"]) == (home["id"], "main", {})
        assert pack["skill_count"] == 0 and pack["description"]
    assert await Skill.all().count() == 0


async def test_default_packs_are_recorded_after_their_organization(cast: Cast) -> None:
    await remove_from_organization(cast)
    home = (await cast.eve.get(ME)).ok()
    found = await log_of(home["id"])
    assert [event.kind for event in found] == FOUNDED
    assert {(event.actor_kind, event.actor_id) for event in found} == {("system", None)}
    assert {event.subject_id: orjson.loads(event.data)["source_url"] for event in found[1:]} == {
        pack.id: pack.source_url for pack in await SkillPack.filter(organization_id=home["id"])
    }
    assert await verify(found[0].organization_id) == (3, None)


async def test_default_packs_are_added_once(cast: Cast) -> None:
    await remove_from_organization(cast)
    await asyncio.gather(*(ensure_membership(cast.eve.id) for _ in range(3)))
    await ensure_membership(cast.eve.id)
    home = (await cast.eve.get(ME)).ok()
    assert named((await cast.eve.get(PACKS)).ok()) == NAMES
    assert await SkillPack.all().count() == 2
    assert [event.kind for event in await log_of(home["id"])] == FOUNDED


async def test_removed_default_packs_are_not_added_again(cast: Cast) -> None:
    await remove_from_organization(cast)
    for pack in (await cast.eve.get(PACKS)).ok():
        (await cast.eve.delete(f"{PACKS}/{pack['id']}")).ok()
    await ensure_membership(cast.eve.id)
    assert (await cast.eve.get(PACKS)).ok() == []


async def test_created_organization_gets_no_default_packs(cast: Cast) -> None:
    await remove_from_organization(cast)
    (await cast.eve.get(ME)).ok()
    second = (await cast.eve.post("/organizations", {"name": "Second"})).ok()
    assert (await cast.eve.get(ME)).ok() == second and (await cast.eve.get(PACKS)).ok() == []
    assert [event.kind for event in await log_of(second["id"])] == ["organization.created"]
    assert await SkillPack.all().count() == 2


async def test_name_alone_does_not_make_an_organization_personal(cast: Cast) -> None:
    (await cast.dan.post("/organizations", {"name": "Personal"})).ok()
    assert (await cast.dan.get(PACKS)).ok() == []


async def test_joining_by_invitation_adds_no_packs(cast: Cast) -> None:
    (await cast.ada.post(f"{ME}/invites", {"invited_email": "eve@example.org"})).ok()
    await remove_from_organization(cast)
    await User.filter(id=cast.eve.id).update(email_verified=True)
    assert (await cast.eve.get(ME)).ok()["name"] == "Observatory"
    assert await SkillPack.all().count() == 0


async def test_failing_packs_undo_the_organization(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await remove_from_organization(cast)
    broken = [(url, name, "It.") for url, name in {**NAMES, "https://example.org/a/b": "elsewhere"}.items()]
    # By name: an import above would register the reaction, even if the application forgot it.
    monkeypatch.setattr("mission_control.gateway_agents.skills.commands.DEFAULT_PACKS", broken)
    with pytest.raises(Refused):
        await ensure_membership(cast.eve.id)
    assert not await Member.filter(user_id=cast.eve.id).exists()
    assert not await Organization.filter(name="Personal").exists()
    assert await SkillPack.all().count() == 0


async def test_local_owner_gets_default_packs(local: Caller) -> None:
    await asyncio.gather(*(local.get(ME) for _ in range(4)))
    assert (await local.get(ME)).ok()["name"] == "Personal"
    assert named((await local.get(PACKS)).ok()) == NAMES
    [organization] = await Organization.all()
    assert [event.kind for event in await log_of(organization.id)] == FOUNDED
    assert await verify(organization.id) == (3, None)


@pytest.mark.parametrize("known_before", [False, True])
async def test_first_owner_gets_default_packs(app: Quart, known_before: bool) -> None:
    if known_before:
        await first_run.ensure_local_owner()
    code = await first_run.issue_setup_code()
    owner = await first_owner(str(code))
    packs = await SkillPack.filter(organization_id=owner.active_organization_id)
    assert {pack.source_url: pack.name for pack in packs} == NAMES
    assert [event.kind for event in await log_of(owner.active_organization_id)] == FOUNDED
