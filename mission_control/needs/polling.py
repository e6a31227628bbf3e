"""What tells that needs changed: waiting for another list without polling the database, and parts of pages."""

from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.values import version_of
from mission_control.database.sql import rows
from mission_control.events.broker import Signal
from mission_control.events.event_log import NewEvent
from mission_control.events.stream import Batch
from mission_control.events.unit_of_work import ALL, notify, reacts_to
from mission_control.http.operation import settled, themselves
from mission_control.needs.kinds import KINDS, may_change_needs
from mission_control.needs.lookup import render_needs
from mission_control.needs.queries import Filter, count, find_keys
from mission_control.needs.schemas import NeedPage, NeedQuery
from mission_control.web.regions import Concerns, View

FAMILY = "needs"


async def wait_for_needs(actor: Actor, query: NeedQuery) -> NeedPage:
    """Return what waits for a person once it is another list than the caller knows, or when the time is over."""
    return await settled(
        actor,
        actor,
        channel_of(actor.organization_id),
        find=themselves,
        read=lambda present: needs_page(present, query),
        is_settled=lambda answer: answer.version != query.known,
        seconds=query.wait_seconds,
    )


async def needs_page(actor: Actor, query: NeedQuery) -> NeedPage:
    kinds = None
    if query.group is not None or query.kind is not None:
        chosen = [
            kind for kind in KINDS.values() if query.group in (None, kind.group) and query.kind in (None, kind.kind)
        ]
        kinds = tuple(one.kind for one in chosen)
    counted = await count(actor, query.board_id)
    keys = await find_keys(actor, Filter(query.board_id, kinds, None, query.include), query.limit, query.offset)
    items, total = await render_needs(actor, keys), counted.of(kinds, query.include)
    return NeedPage(
        items=items,
        total=total,
        version=version_of(total, ((one.id, one.version, one.is_snoozed) for one in items)),
        limit=query.limit,
        offset=query.offset,
        counts=counted.counts,
        oldest=counted.oldest,
    )


@reacts_to("approval.reminded", "approval.asked_another", "question.reminded", "question.asked_another")
async def show_again(actor: Actor, event: NewEvent) -> None:
    """Show to everybody again what waits too long, also to those who put it off."""
    kind = event.kind.partition(".")[0]
    await rows("DELETE FROM need_snoozes WHERE kind = ? AND subject_id = ?", kind, event.scope.subject_id)


@reacts_to(ALL)
async def wake_polls_of_needs(actor: Actor, event: NewEvent) -> None:
    """Something may have come to wait for people, or no longer does."""
    if may_change_needs(event):
        notify(channel_of(event.scope.organization_id))


class NeedNews[V: View](Concerns[V]):
    """The news about any kind of need, whichever features declare them; a signal may name whose needs it is about."""

    def of(self, view: V, batch: Batch) -> Batch | None:
        names = {"needs_of"}.union(*(kind.signals for kind in KINDS.values()))
        events = [event for event in filter(may_change_needs, batch.events) if self.about(view, event)]
        signals = [signal for signal in batch.signals if names & signal.keys() and _is_for(view, signal)]
        return Batch(events, signals) if events or signals else None


def _is_for(view: View, signal: Signal) -> bool:
    """Return whether a signal is for its viewer, who is asked for only then: what asks is rendered for each."""
    person = signal.get("needs_of")
    return person is None or person == str(view.actor.user_id)


def channel_of(organization_id: UUID) -> str:
    """Return the wake-up channel that is notified when what waits for people may have changed."""
    return f"{FAMILY}:{organization_id}"
