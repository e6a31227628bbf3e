"""What the account log and the event log say of the people of an organization: sign-ins, tokens, rights."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from mission_control.accounts.names import person_name
from mission_control.core.actor import Actor
from mission_control.core.paging import Paging
from mission_control.database.sql import as_id, as_moment, placeholders, rows
from mission_control.live.kinds import ACCOUNT_KINDS, KINDS

Group = Literal["sign-ins", "passwords", "tokens", "accounts", "rights"]
SIGN_INS = ("account.signed_in", "account.sign_in_refused", "account.signed_out", "account.sessions_ended")
PASSWORDS = ("account.password_changed", "account.password_reset", "account.reset_link_made")
TOKENS = ("token.created", "token.revoked")
ACCOUNTS = (
    "account.set_up", "account.created", "account.updated", "account.deleted", "account.link_invited", "account.linked",
)  # fmt: skip
RIGHTS = (
    "member.role_changed", "member.access_changed", "member.removed", "member.left", "invite.created", "invite.revoked",
    "invite.accepted", "organization.ownership_transferred", "agent.token_rotated", "agent.token_changed",
    "agent.token_revoked",
)  # fmt: skip
GROUPS: dict[str, tuple[str, ...]] = {
    "sign-ins": SIGN_INS, "passwords": PASSWORDS, "tokens": TOKENS, "accounts": ACCOUNTS, "rights": RIGHTS,
}  # fmt: skip


class AccountLogQuery(Paging):
    """Which entries: a group of kinds (without one, all of the account log), and whose."""

    group: Group | None = None
    user_id: UUID | None = None


class AccountLogEntry(BaseModel):
    """An entry: what happened, to whose account, who did it, and when."""

    seq: int
    kind: str
    meaning: str
    user_id: UUID | None
    user_name: str | None
    actor_id: UUID | None
    actor_name: str | None
    created_at: datetime


async def account_log(actor: Actor, query: AccountLogQuery) -> tuple[list[AccountLogEntry], int]:
    """Return entries about the members of the active organization, newest first, and how many there are."""
    where, values = _rights(actor, query) if query.group == "rights" else _accounts(actor, query)
    [counted] = await rows(f"SELECT COUNT(*) AS count FROM {where}", *values)
    found = await rows(
        f"SELECT e.seq, e.kind, e.user_id, e.actor_id, e.actor_name, e.created_at, {person_name('u', '')} AS user_name,"
        f" u.id AS known_user, {person_name('a', '')} AS person_name, a.id AS known_actor FROM (SELECT * FROM {where}"
        " ORDER BY seq DESC LIMIT ? OFFSET ?) e"
        " LEFT JOIN users u ON u.id = e.user_id LEFT JOIN users a ON a.id = e.actor_id ORDER BY e.seq DESC",
        *values,
        query.limit,
        query.offset,
    )
    return [_entry(row) for row in found], int(counted["count"])


def _accounts(actor: Actor, query: AccountLogQuery) -> tuple[str, list[Any]]:
    kinds = GROUPS[query.group] if query.group else tuple(ACCOUNT_KINDS)
    values: list[Any] = [actor.organization_id, *kinds]
    mine = ""
    if query.user_id is not None:
        mine, values = " AND user_id = ?", [*values, query.user_id]
    return (
        "(SELECT seq, kind, user_id, actor_id, NULL AS actor_name, created_at FROM account_events"
        " WHERE user_id IN (SELECT user_id FROM organization_members WHERE organization_id = ?)"
        f" AND kind IN ({placeholders(len(kinds))}){mine}) entries",
        values,
    )


def _rights(actor: Actor, query: AccountLogQuery) -> tuple[str, list[Any]]:
    values: list[Any] = [actor.organization_id, *RIGHTS]
    mine = ""
    if query.user_id is not None:
        mine, values = " AND actor_id = ?", [*values, query.user_id]
    return (
        "(SELECT seq, kind, (SELECT m.user_id FROM organization_members m WHERE m.id = subject_id) AS user_id,"
        " actor_id, actor_name, created_at FROM events"
        f" WHERE organization_id = ? AND kind IN ({placeholders(len(RIGHTS))}){mine}) entries",
        values,
    )


def _entry(row: dict[str, Any]) -> AccountLogEntry:
    kind = row["kind"]
    moment = as_moment(row["created_at"])
    assert moment is not None
    return AccountLogEntry(
        seq=int(row["seq"]),
        kind=kind,
        meaning=ACCOUNT_KINDS.get(kind) or KINDS[kind].recorded_when,
        user_id=as_id(row["user_id"]),
        user_name=row["user_name"] if row["known_user"] is not None else None,
        actor_id=as_id(row["actor_id"]),
        actor_name=row["person_name"] if row["known_actor"] is not None else row["actor_name"],
        created_at=moment,
    )
