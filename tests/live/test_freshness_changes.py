"""Every change of somebody's rights counts for their open streams at once, and not only when a second has passed."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.http import authentication, lookups
from mission_control.http.lookups import fresh
from mission_control.people.accounts import commands as accounts
from mission_control.people.models import Session, Token, User
from tests.cast import Cast, Person, Program
from tests.rights_changes import (
    ME,
    Change,
    accept,
    delete_account,
    delete_board,
    demote,
    depose,
    dismiss,
    dissolve,
    found,
    hand_over,
    leave,
    move,
    narrow,
    remove,
    revoke,
    revoke_own,
    rotate,
    take_boards,
)
from tests.visitor import PASSWORD, give_password

pytestmark = pytest.mark.dialect

type Check = Callable[[Cast, Actor | None], bool]


def is_nobody(cast: Cast, actor: Actor | None) -> bool:
    return actor is None


def reads_nothing(cast: Cast, actor: Actor | None) -> bool:
    return actor is not None and not actor.reads(cast.board)


def is_not_here(cast: Cast, actor: Actor | None) -> bool:
    return actor is None or cast.organization.id not in actor.memberships


def has_role(role: str) -> Check:
    def check(cast: Cast, actor: Actor | None) -> bool:
        return actor is not None and actor.memberships[cast.organization.id].role == role

    return check


CHANGES: dict[str, tuple[str, Change, Check]] = {
    "another role": ("ben", demote, has_role("member")),
    "no boards": ("dan", take_boards, reads_nothing),
    "removed": ("dan", remove, is_not_here),
    "left": ("dan", leave, is_not_here),
    "handed over": ("ada", hand_over, has_role("admin")),
    "became the owner": ("ben", hand_over, has_role("owner")),
    "joined": ("eve", accept, lambda cast, actor: actor is not None and cast.organization.id in actor.memberships),
    "founded": ("dan", found, lambda cast, actor: actor is not None and len(actor.memberships) == 2),
    "no organization": ("dan", dissolve, is_not_here),
    "no account": ("dan", delete_account, is_nobody),
    "token revoked by its person": ("dan", revoke_own, is_nobody),
    "board deleted": ("vega", delete_board, is_nobody),
    "moved": ("vega", move, reads_nothing),
    "dismissed": ("vega", dismiss, is_nobody),
    "leads no more": ("atlas", depose, lambda cast, actor: actor is not None and not actor.is_lead),
    "token rotated": ("vega", rotate, is_nobody),
    "token revoked": ("vega", revoke, is_nobody),
    "token narrowed": ("vega", narrow, lambda cast, actor: actor is not None and actor.scopes == frozenset({"read"})),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_changed_rights_apply_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(lookups, "FRESH_SECONDS", 3600.0)  # nothing is forgotten by itself
    who, change, is_so = CHANGES[name]
    somebody: Person | Program = getattr(cast, who)
    actor = await somebody.actor()
    assert not is_so(cast, await fresh(actor))
    await change(cast)
    assert is_so(cast, await fresh(actor))


async def test_switched_organization_applies_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await found(cast)
    monkeypatch.setattr(lookups, "FRESH_SECONDS", 3600.0)
    actor = await cast.dan.actor()
    before = await fresh(actor)
    (await cast.dan.patch(f"{ME}/active", {"organization_id": str(cast.organization.id)})).ok()
    after = await fresh(actor)
    assert before and after
    assert before.organization_id != after.organization_id == cast.organization.id


async def sign_out(actor: Actor, user: User) -> None:
    await accounts.sign_out(actor, user)


async def sign_out_elsewhere(actor: Actor, user: User) -> None:
    await accounts.end_other_sessions(await _in_another_browser(user), user)


async def change_password(actor: Actor, user: User) -> None:
    await accounts.change_password(await _in_another_browser(user), user, PASSWORD, f"{PASSWORD} too")


async def use_reset_link(actor: Actor, user: User) -> None:
    secret = await accounts.make_reset_link(system(actor.organization_id), user)
    await accounts.reset_password(secret, f"{PASSWORD} too")


async def _in_another_browser(user: User) -> Actor:
    await accounts.start_session(system(), user, None)
    newest = await Session.filter(user_id=user.id).order_by("-created_at", "-id").first()
    assert newest is not None
    actor = await authentication.user_actor(user.id, ("session", newest.id))
    assert actor is not None
    return actor


@pytest.mark.parametrize("end", [sign_out, sign_out_elsewhere, change_password, use_reset_link])
async def test_ended_session_is_refused_at_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, end: Callable[[Actor, User], Awaitable[None]]
) -> None:
    await give_password(cast.ada)
    user = await User.get(id=cast.ada.id)
    actor = await _in_another_browser(user)
    monkeypatch.setattr(lookups, "FRESH_SECONDS", 3600.0)
    assert await fresh(actor) is not None
    with times.travelled(timedelta(seconds=1)):
        await end(actor, user)
    assert await fresh(actor) is None


async def test_token_is_refused_after_its_expiry(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "FRESH_SECONDS", 0.0)
    vega, dan = await cast.vega.actor(), await cast.dan.actor()
    await Token.all().update(expires_at=times.clock_now() + timedelta(minutes=1))
    assert await fresh(vega) is not None and await fresh(dan) is not None
    with times.travelled(timedelta(minutes=2)):
        assert await fresh(vega) is None and await fresh(dan) is None


async def test_session_is_refused_after_its_expiry(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "FRESH_SECONDS", 0.0)
    actor = await _in_another_browser(await User.get(id=cast.ada.id))
    assert await fresh(actor) is not None
    with times.travelled(accounts.SESSION_LIFE + timedelta(seconds=1)):
        assert await fresh(actor) is None


async def test_silent_changes_apply_when_the_cache_expires(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    dan = await cast.dan.actor()
    monkeypatch.setattr(lookups, "FRESH_SECONDS", 3600.0)
    assert await fresh(dan) is not None
    await Token.filter(id=cast.dan.token_id).update(revoked_at=times.clock_now())  # as another program would
    assert await fresh(dan) is not None
    monkeypatch.setattr(lookups, "FRESH_SECONDS", 0.0)
    assert await fresh(dan) is None
