"""What waits, and how it ended, for the outgoing webhooks of boards and organizations: `need.opened`, `need.ended`."""

from collections.abc import Mapping, Sequence
from itertools import batched
from uuid import UUID

from mission_control.channels.delivery.plan import Person
from mission_control.channels.delivery.state import NOBODY, Reader
from mission_control.channels.models import ReachNeed
from mission_control.core import times
from mission_control.core.actor import Actor, Membership
from mission_control.core.current_app import settings
from mission_control.core.values import JsonObject
from mission_control.database.sql import rows
from mission_control.needs.kinds import AskedNeed
from mission_control.needs.lookup import how_it_ended, last_of, render_needs
from mission_control.needs.queries import Filter, find_keys
from mission_control.needs.schemas import Need
from mission_control.webhooks.outgoing.queue import queue

OPENED, ENDED = "need.opened", "need.ended"
AT_ONCE = 200
# Organizations with outgoing webhooks, whose needs are kept whether people are reached or not.
LISTENED = "EXISTS (SELECT 1 FROM outgoing_webhooks w WHERE w.organization_id = o.id AND w.state <> 'gone')"


def reader_of_webhooks(organization_id: UUID) -> Reader:
    """Return who reads all that waits in an organization, and is sent nothing by a channel."""
    return Reader(organization_id, None, Person(chain=()), is_of_webhooks=True)


async def has_webhooks(organization_id: UUID) -> bool:
    sql = "SELECT 1 AS one FROM outgoing_webhooks WHERE organization_id = ? AND state <> 'gone' LIMIT 1"
    return bool(await rows(sql, organization_id))


def _actor(organization_id: UUID) -> Actor:
    memberships = {organization_id: Membership(NOBODY, organization_id, "", "owner", True, True)}
    return Actor("user", NOBODY, "Webhooks", organization_id, "system", memberships)


async def announce_opened(needs: Sequence[ReachNeed]) -> None:
    """Inside a command: send what began to wait. It may be much, when an organization gets its first webhook."""
    for some in batched(needs, AT_ONCE, strict=False):
        waiting = await _waiting(some)
        for one in some:
            need = waiting.get(f"{one.kind}:{one.subject_id}")
            if need is not None:
                await queue(one.organization_id, one.board_id, OPENED, _opened(need))


async def _waiting(needs: Sequence[ReachNeed]) -> Mapping[str, Need]:
    actor, kinds = _actor(needs[0].organization_id), tuple({one.kind for one in needs})
    wanted = Filter(kinds=kinds, ids=tuple(one.subject_id for one in needs), include="all")
    names = {f"{one.kind}:{one.subject_id}" for one in needs}
    keys = [key for key in await find_keys(actor, wanted, len(needs) * len(kinds)) if key.name in names]
    return {need.id: need for need in await render_needs(actor, keys)}


def _opened(need: Need) -> JsonObject:
    at = need.otherwise.at
    return {
        "need": need.id,
        "substance": need.substance,
        "kind": need.kind,
        "title": need.title,
        "board": need.board.model_dump(mode="json") if need.board is not None else None,
        "since": times.wire(need.since),
        "otherwise": {"at": times.wire(at) if at is not None else None, "text": need.otherwise.text},
        "url": f"{settings().base_url}/needs/{need.id}",
    }


async def announce_ended(needs: Sequence[ReachNeed]) -> None:
    """Inside a command: send what no longer waits, with who ended it and where."""
    for need in needs:
        asked = AskedNeed(need.kind, need.subject_id, need.board_id, None)
        last = await last_of(asked)
        by = None if last is None or last.actor is None else {"id": last.actor_id, "name": last.actor}
        data = {
            "need": asked.name,
            "kind": need.kind,
            "outcome": "ended" if last is None else last.data.get("decision") or last.kind.rpartition(".")[2],
            "message": await how_it_ended(asked),
            "by": None if by is None else {name: str(value) for name, value in by.items()},
            "through": None if last is None else last.surface,
        }
        await queue(need.organization_id, need.board_id, ENDED, data)
