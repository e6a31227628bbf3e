"""Every kind of change of somebody's rights, as a person makes it over HTTP, and a request that shows its effect."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mission_control.agents.tokens import newest_live_token
from mission_control.people.accounts.credentials import revoke_personal_token
from mission_control.people.models import Member, Token
from tests.cast import Cast, Person

ME = "/organizations/me"

type Change = Callable[[Cast], Awaitable[Any]]


async def member_path(cast: Cast, person: Person) -> str:
    member = await Member.get(user_id=person.id, organization_id=cast.organization.id)
    return f"{ME}/members/{member.id}"


async def demote(cast: Cast) -> None:
    (await cast.ada.patch(await member_path(cast, cast.ben), {"role": "member"})).ok()


async def take_boards(cast: Cast) -> None:
    (await cast.ada.call("PUT", f"{await member_path(cast, cast.dan)}/access", {})).ok()


async def remove(cast: Cast) -> None:
    (await cast.ada.delete(await member_path(cast, cast.dan))).ok()


async def leave(cast: Cast) -> None:
    (await cast.dan.post(f"{ME}/departures")).ok()


async def hand_over(cast: Cast) -> None:
    member = await Member.get(user_id=cast.ben.id)
    (await cast.ada.post(f"{ME}/ownership", {"member_id": str(member.id)})).ok()


async def accept(cast: Cast) -> None:
    token = (await cast.ada.post(f"{ME}/invites", {"invited_email": "eve@example.org"})).ok()["token"]
    (await cast.eve.post("/organizations/invites/accept", {"token": token})).ok()


async def found(cast: Cast) -> None:
    (await cast.dan.post("/organizations", {"name": "Attic"})).ok()


async def dissolve(cast: Cast) -> None:
    (await cast.ada.delete(ME)).ok()


async def delete_account(cast: Cast) -> None:
    (await cast.dan.delete("/users/me")).ok()


async def revoke_own(cast: Cast) -> None:
    await revoke_personal_token(await cast.dan.actor(), await Token.get(id=cast.dan.token_id))


async def delete_board(cast: Cast) -> None:
    (await cast.ada.delete(cast.home)).ok()


async def move(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()


async def dismiss(cast: Cast) -> None:
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()


async def depose(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.atlas.id}", {"is_board_lead": False})).ok()


async def rotate(cast: Cast) -> None:
    (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"overlap_seconds": 0})).ok()


async def revoke(cast: Cast) -> None:
    token = await newest_live_token(cast.vega.id)
    assert token is not None
    (await cast.ada.delete(f"/agents/{cast.vega.id}/tokens/{token.id}")).ok()


async def narrow(cast: Cast) -> None:
    token = await newest_live_token(cast.vega.id)
    assert token is not None
    (await cast.ada.patch(f"/agents/{cast.vega.id}/tokens/{token.id}", {"scopes": ["read"]})).ok()


@dataclass(frozen=True)
class Probe:
    """A request of somebody whose rights change, and what its answer must be afterwards.

    `shows` reads the answer's body; before the change the request is answered 200 and shows something else.
    """

    who: str
    change: Change
    path: Callable[[Cast], str]
    status: int = 200
    shows: Callable[[Any], bool] = lambda body: True
    body: dict[str, Any] | None = None


def _board(cast: Cast) -> str:
    return cast.home


def _member(cast: Cast) -> str:
    return f"{ME}/member"


def _organizations(cast: Cast) -> str:
    return f"{ME}/list"


def _agents_boards(cast: Cast) -> str:
    return "/agent/boards"


def _agents_tasks(cast: Cast) -> str:
    return f"/agent/boards/{cast.board.id}/tasks"


def _memory(cast: Cast) -> str:
    return f"/agent/boards/{cast.board.id}/memory"


def _nudge(cast: Cast) -> str:
    return f"/agent/boards/{cast.board.id}/agents/{cast.vega.id}/nudge"


PROBES: dict[str, Probe] = {
    "another role": Probe("ben", demote, _member, shows=lambda body: body["role"] == "member"),
    "no boards": Probe("dan", take_boards, _board, 404),
    "removed": Probe("dan", remove, _board, 404),
    "left": Probe("dan", leave, _board, 404),
    "handed over": Probe("ada", hand_over, _member, shows=lambda body: body["role"] == "admin"),
    "became the owner": Probe("ben", hand_over, _member, shows=lambda body: body["role"] == "owner"),
    "joined": Probe("eve", accept, _organizations, shows=lambda body: len(body) == 2),
    "founded": Probe("dan", found, _organizations, shows=lambda body: len(body) == 2),
    "no organization": Probe("dan", dissolve, _board, 404),
    "no account": Probe("dan", delete_account, _board, 401),
    "token revoked by its person": Probe("dan", revoke_own, _board, 401),
    "board deleted": Probe("vega", delete_board, _agents_boards, 401),
    "moved": Probe("vega", move, _agents_tasks, 404),
    "dismissed": Probe("vega", dismiss, _agents_boards, 401),
    "leads no more": Probe("atlas", depose, _nudge, 403, body={"message": "Have a look."}),
    "token rotated": Probe("vega", rotate, _agents_boards, 401),
    "token revoked": Probe("vega", revoke, _agents_boards, 401),
    "token narrowed": Probe("vega", narrow, _memory, 403, body={"content": "Noted."}),
}
