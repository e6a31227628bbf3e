"""Read a credential with all that its actor depends on, in one statement, and check that it still counts."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import batched
from typing import Any, Literal
from uuid import UUID

from mission_control.core import times
from mission_control.core.actor import Actor, Membership
from mission_control.core.limits import granted
from mission_control.core.values import parse_id
from mission_control.database.sql import Row, as_id, as_json, as_moment, placeholders, rows
from mission_control.events.leases import NEWS
from mission_control.events.unit_of_work import notify_at_commit
from mission_control.events.wakeup_channels import on_notify, on_notify_family

KEPT = 10_000

PERSON = """
    u.id AS person_id, u.name, u.preferred_name, u.email, u.timezone, u.active_organization_id,
    m.id AS member_id, m.organization_id, m.role, m.all_boards_read, m.all_boards_write,
    o.name AS organization_name, x.board_id AS single_board_id, x.can_read, x.can_write"""
REACH = """
    LEFT JOIN organization_members m ON m.user_id = u.id
    LEFT JOIN organizations o ON o.id = m.organization_id
    LEFT JOIN organization_board_access x ON x.organization_member_id = m.id AND NOT m.all_boards_write"""
PEOPLE = f"""
SELECT {PERSON}
FROM users u {REACH}
WHERE {{key}} = ?
ORDER BY m.created_at"""
SESSIONS = f"""
SELECT s.id, s.expires_at, s.last_seen_at, {PERSON}
FROM sessions s
    JOIN users u ON u.id = s.user_id {REACH}
WHERE {{condition}}
ORDER BY m.created_at"""
UNTAKEN = f"SELECT 1 FROM deliveries WHERE deliveries.agent_id = t.agent_id AND {NEWS}"
TOKENS = f"""
SELECT t.id, t.expires_at, t.agent_id, t.connection_id, t.scopes, t.requests_per_minute, t.last_used_at,
    a.name AS agent_name, a.organization_id AS agent_organization_id, a.board_id, a.gateway_id, a.is_board_lead,
    a.last_seen_at,
    CASE WHEN EXISTS ({UNTAKEN} AND offered_at IS NULL) THEN 'new ' ELSE '' END ||
    CASE WHEN EXISTS ({UNTAKEN} AND offered_at IS NOT NULL) THEN 'offered' ELSE '' END AS news,
    {PERSON}
FROM tokens t
    LEFT JOIN agents a ON a.id = t.agent_id
    LEFT JOIN boards b ON b.id = a.board_id
    LEFT JOIN users u ON u.id = t.user_id {REACH}
WHERE {{key}} = ? AND t.revoked_at IS NULL AND b.deleted_at IS NULL
ORDER BY m.created_at"""

type Rows = list[Row]
type Credential = tuple[Literal["session", "token", "local", "provider", "channel", "none"], UUID | None]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a live credential. The actor is None for a person who belongs to no organization."""

    credential: Credential
    actor: Actor | None
    user_id: UUID | None = None
    agent_id: UUID | None = None
    connection_id: UUID | None = None
    expires_at: datetime | None = None
    requests_per_minute: int | None = None
    last_used_at: datetime | None = None
    last_seen_at: datetime | None = None
    has_active_organization: bool = False


_built: OrderedDict[tuple[str, Any], tuple[Rows, Caller]] = OrderedDict()


async def by_credential(credential: Credential, user_id: UUID | None) -> Caller | None:
    match credential:
        case ("session", session_id):
            return await caller_by("session id", session_id)
        case ("token", token_id):
            return await caller_by("token id", token_id)
    return await caller_by("person id", user_id)


async def caller_by(what: str, value: object) -> Caller | None:
    """Return the caller whom `value` names, None when the account, session or token is unknown or has ended.

    `what` it is: a `session` or `token` by the fingerprint of its secret, a `local subject`, the account behind
    LOCAL_AUTH_TOKEN, by what it has in place of one at an identity provider, or one of them by its id (`person id`).
    """
    return _of_rows(what, value, await rows(FINDS[what][0], value))


def _of_rows(what: str, value: object, records: Rows) -> Caller | None:
    """Return the caller that these rows describe: the same one as before when they are the same."""
    key = what, value
    built = _built.get(key)
    if not records:
        if built is not None:
            _built.pop(key, None)
        return None
    if built is None or built[0] != records:
        built = _built[key] = records, FINDS[what][1](records)
        if len(_built) > KEPT:
            _built.popitem(last=False)
    caller = built[1]
    return None if is_over(caller.expires_at) else caller


def is_over(moment: datetime | None) -> bool:
    return moment is not None and moment <= times.clock_now()


def _person(records: Rows, credential: Credential = ("none", None)) -> Caller:
    first = records[0]
    is_active = first["active_organization_id"] is not None
    actor = _person_actor(records, credential)
    return Caller(credential, actor, user_id=as_id(first["person_id"]), has_active_organization=is_active)


def _session(records: Rows) -> Caller:
    first = records[0]
    credential: Credential = "session", as_id(first["id"])
    person_id, ends = as_id(first["person_id"]), as_moment(first["expires_at"])
    seen = as_moment(first["last_seen_at"])
    return Caller(credential, _person_actor(records, credential), user_id=person_id, expires_at=ends, last_used_at=seen)


def _token(records: Rows) -> Caller:
    first = records[0]
    credential: Credential = "token", as_id(first["id"])
    scopes, ends = granted(as_json(first["scopes"])), as_moment(first["expires_at"])
    is_agents = first["agent_id"] is not None
    actor = _agent_actor(first, credential, scopes, ends) if is_agents else _person_actor(records, credential, scopes)
    return Caller(
        credential,
        actor,
        user_id=as_id(first["person_id"]),
        agent_id=as_id(first["agent_id"]),
        connection_id=as_id(first["connection_id"]),
        expires_at=ends,
        requests_per_minute=first["requests_per_minute"],
        last_used_at=as_moment(first["last_used_at"]),
        last_seen_at=as_moment(first["last_seen_at"]),
    )


def _agent_actor(row: Row, credential: Credential, scopes: frozenset[str] | None, ends: datetime | None) -> Actor:
    """An agent acts as its board's lead when it is the lead and its token lets it act as one."""
    return Actor(
        "agent",
        as_id(row["agent_id"]),
        row["agent_name"],
        _id(row["agent_organization_id"]),
        board_id=as_id(row["board_id"]),
        gateway_id=as_id(row["gateway_id"]),
        is_lead=bool(row["is_board_lead"]) and (scopes is None or "lead" in scopes),
        credential=credential,
        expires_at=ends,
        scopes=scopes,
        news=row["news"],
    )


def _person_actor(records: Rows, credential: Credential, scopes: frozenset[str] | None = None) -> Actor | None:
    first = records[0]
    memberships = _memberships(records)
    if not memberships:
        return None
    active = as_id(first["active_organization_id"])
    return Actor(
        "user",
        as_id(first["person_id"]),
        first["preferred_name"] or first["name"] or first["email"] or "User",
        active if active in memberships and active else next(iter(memberships)),
        memberships=memberships,
        credential=credential,
        scopes=scopes,
        zone=first["timezone"],
    )


def _memberships(records: Rows) -> dict[UUID, Membership]:
    boards: dict[UUID, dict[UUID, tuple[bool, bool]]] = {}
    memberships: dict[UUID, Membership] = {}
    for row in records:
        if row["member_id"] is None:
            continue
        organization_id = _id(row["organization_id"])
        single = boards.setdefault(organization_id, {})
        if row["single_board_id"] is not None:
            single[_id(row["single_board_id"])] = bool(row["can_read"]), bool(row["can_write"])
        if organization_id not in memberships:
            memberships[organization_id] = Membership(
                _id(row["member_id"]),
                organization_id,
                row["organization_name"],
                row["role"],
                bool(row["all_boards_read"]),
                bool(row["all_boards_write"]),
                single,
            )
    return memberships


def _id(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


# How a caller is found: the statement, and what makes a caller of its rows.
FINDS: dict[str, tuple[str, Callable[[Rows], Caller]]] = {
    "person id": (PEOPLE.format(key="u.id"), _person),
    "local subject": (PEOPLE.format(key="u.clerk_user_id"), partial(_person, credential=("local", None))),
    "session id": (SESSIONS.format(condition="s.id = ?"), _session),
    "session": (SESSIONS.format(condition="s.fingerprint = ?"), _session),
    "token id": (TOKENS.format(key="t.id"), _token),
    "token": (TOKENS.format(key="t.fingerprint"), _token),
}
FRESH_SECONDS = 1.0
CHANNEL = "rights"

SIZES = 1, 8, 64, 256  # of look-ups together: few statements, so that databases keep them prepared

type Key = tuple[str, UUID | None]

_fresh: dict[Key, tuple[float, Caller | None]] = {}
_asked: dict[Key, "asyncio.Future[Caller | None]"] = {}
_changes = 0


def changes() -> int:
    """Return how often rights have changed: what was looked up counts while this stays the same."""
    return _changes


def channel_of_agent(agent_id: UUID | None) -> str:
    return f"agent:{agent_id}"


def channel_of_caller(actor: Actor) -> str:
    return channel_of_agent(actor.agent_id) if actor.is_agent else CHANNEL


async def fresh(actor: Actor) -> Actor | None:
    """Return the same caller as it is now, or None when the session, token or account has ended.

    A look-up is reused for up to a second, unless rights have changed; concurrent callers wait for it.
    """
    return present(actor, await _caller(actor))


def present(actor: Actor, caller: Caller | None) -> Actor | None:
    """Return an actor as the caller that was looked up anew for it says, or None when it has ended."""
    is_signed = actor.credential[0] == "provider"  # only the token itself says when it ends
    if is_signed and is_over(actor.expires_at):
        return None
    if caller is None or caller.actor is None or is_over(caller.expires_at):
        return None
    ends = actor.expires_at if is_signed else caller.actor.expires_at
    same = (actor.credential, actor.surface, actor.fence, ends)
    current = caller.actor
    if same == (current.credential, current.surface, current.fence, current.expires_at):
        return current
    return replace(current, credential=actor.credential, surface=actor.surface, fence=actor.fence, expires_at=ends)


async def callers(actors: Sequence[Actor]) -> list[Caller | None]:
    """Return the callers of actors as `fresh` does, those with a session by one statement for many.

    No rights have changed between the look-ups and the return.
    """
    while True:
        began, keys = _changes, [_key(actor) for actor in actors]
        entries = {key: entry for key in keys if (entry := _known(key)) is not None}
        missing = await _look_up({key: actor for key, actor in zip(keys, actors, strict=True) if key not in entries})
        if began == _changes:
            _forget_many()
            _fresh.update(missing)
            entries |= missing
            return [entries[key][1] for key in keys]


async def _look_up(actors: Mapping[Key, Actor]) -> dict[Key, tuple[float, Caller | None]]:
    found: dict[Key, tuple[float, Caller | None]] = {}
    signed_in = [key for key, actor in actors.items() if actor.credential[0] == "session"]
    for some in batched(signed_in, SIZES[-1], strict=False):
        found |= {key: (time.monotonic(), caller) for key, caller in (await _sessions(some)).items()}
    for key in actors.keys() - set(signed_in):
        found[key] = time.monotonic(), await by_credential(actors[key].credential, actors[key].id)
    return found


async def _sessions(keys: Sequence[Key]) -> dict[Key, Caller | None]:
    ids = [key[1] for key in keys]
    size = next(length for length in SIZES if length >= len(ids))
    ids += ids[:1] * (size - len(ids))
    by_id: dict[UUID, Rows] = {}
    for row in await rows(SESSIONS.format(condition=f"s.id IN ({placeholders(size)})"), *ids):
        by_id.setdefault(_id(row["id"]), []).append(row)
    return {key: _of_rows("session id", key[1], by_id.get(_id(key[1]), [])) for key in keys}


def _key(actor: Actor) -> Key:
    return actor.kind, actor.credential[1] or actor.id


def _known(key: Key) -> tuple[float, Caller | None] | None:
    entry = _fresh.get(key)
    return entry if entry is not None and time.monotonic() - entry[0] < FRESH_SECONDS else None


def _forget_many() -> None:
    if len(_fresh) > KEPT:
        _fresh.clear()


async def _caller(actor: Actor) -> Caller | None:
    key = _key(actor)
    if (entry := _known(key)) is not None:
        return entry[1]
    _forget_many()
    if key not in _asked:
        _asked[key] = asyncio.ensure_future(_ask(key, actor))
        _asked[key].add_done_callback(lambda done: _asked.pop(key, None))
    return await asyncio.shield(_asked[key])


async def _ask(key: Key, actor: Actor) -> Caller | None:
    while True:
        began = _changes
        current = await by_credential(actor.credential, actor.id)
        if began == _changes:  # else rights changed during the look-up, which may have read the old ones
            _fresh[key] = (time.monotonic(), current)
            return current


# Agents whose last wait ended without news: with which token, and with which question. Every change that may bring news
# to an agent, or change its rights, notifies one of its channels or that of rights, and ends the entry. While there is
# one, the same question of the same token is answered without a statement: by waiting. The statement that ends the wait
# reads anew and checks the token, so a token that ended in another process gets nothing but silence.
_quiet: dict[UUID, tuple[Credential, bytes]] = {}


def keep_quiet(actor: Actor, question: bytes) -> None:
    """Remember that an agent was told of nothing. Call this while its channels are listened to and not notified."""
    if actor.agent_id is not None and question:
        _quiet[actor.agent_id] = actor.credential, question


def is_quiet(actor: Actor, question: bytes) -> bool:
    """Return whether nothing can have changed since an agent asked the same and was told of nothing."""
    return actor.agent_id is not None and _quiet.get(actor.agent_id) == (actor.credential, question)


def quiet_caller(fingerprint: str, question: bytes) -> Caller | None:
    built = _built.get(("token", fingerprint))
    if built is None or built[1].actor is None or is_over(built[1].expires_at):
        return None
    if not is_quiet(built[1].actor, question):
        return None
    return replace(built[1], actor=replace(built[1].actor, news=""))


# When agents were last sent something, for calls that began before and are answered afterwards.
_noticed: OrderedDict[UUID, float] = OrderedDict()


def noticed_since(agent_id: UUID | None, moment: float) -> bool:
    return agent_id is not None and _noticed.get(agent_id, 0.0) > moment


@on_notify_family("inbox")
def _remember_notice(channel: str) -> None:
    _end_quiet(channel)
    if (agent_id := parse_id(channel.partition(":")[2])) is not None:
        _noticed[agent_id] = time.monotonic()
        _noticed.move_to_end(agent_id)
        if len(_noticed) > KEPT:
            _noticed.popitem(last=False)


@on_notify_family("agent")
def _end_quiet(channel: str) -> None:
    if (agent_id := parse_id(channel.partition(":")[2])) is not None:
        end_quiet(agent_id)


def end_quiet(agent_id: UUID) -> None:
    _quiet.pop(agent_id, None)


def recheck_streams() -> None:
    """Make streams check rights again: here immediately, in every process when the running command commits."""
    recheck_local_streams()
    notify_at_commit(CHANNEL)


@on_notify(CHANNEL)
def recheck_local_streams() -> None:
    """Make the streams of this process check rights again; called on every notification of the channel."""
    global _changes
    _changes += 1
    _fresh.clear()
    _quiet.clear()
