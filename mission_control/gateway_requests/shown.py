"""Requests for agents that are on no board, as pages show them: in the queue of approvals and on their gateway."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup

from mission_control.approvals.outside import GatewayRequest as AskedFor
from mission_control.approvals.outside import request_of
from mission_control.approvals.related_rows import QueueView, Row
from mission_control.core.actor import Actor
from mission_control.core.clock import now
from mission_control.core.substance import substance_of
from mission_control.database.sql import as_json, as_moment, rows
from mission_control.gateway_requests.queries import SELECT, heading_of, parts_of, shown
from mission_control.gateways.page_tabs import Tab, Viewed
from mission_control.questions.queue import split_heading
from mission_control.web.fragments import render_macro

TEMPLATE = "gateway_requests/rows.html"
MOST_ENDED = 20


@dataclass(frozen=True, slots=True)
class Item:
    """One request, ready to be shown."""

    id: UUID
    kind: str
    title: str
    text: str
    asker: str
    gateway_id: UUID
    gateway_name: str
    request: AskedFor | None
    options: list[dict[str, Any]]
    allows_text: bool
    status: str
    answer: str
    answer_state: str
    note: str
    decider: str
    decided_at: datetime | None
    created_at: datetime
    expires_at: datetime | None
    substance: str

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"/gateways/requests/{self.id}"

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a person."""
        return self.status == "pending"

    @property
    def next_steps(self) -> list[tuple[str, str]]:
        """What follows from each decision, and from none."""
        effects = self.request.effects(self.asker) if self.request is not None else {}
        named = {"approve": "Approve", "always": "Always", "reject": "Reject", "ignore": "Ignore"}
        return [(label, effects[key]) for key, label in named.items() if key in effects]


def item_of(row: dict[str, Any]) -> Item:
    """Return a row of `queries.SELECT` as it is shown."""
    return Item(
        id=UUID(str(row["id"])),
        kind=row["kind"],
        title=heading_of(row),
        text=split_heading(row["content"])[1] if row["content"] else "",
        asker=row["agent_name"],
        gateway_id=UUID(str(row["gateway_id"])),
        gateway_name=row["gateway_name"],
        request=request_of(as_json(row["payload"])),
        options=as_json(row["options"]) or [],
        allows_text=bool(row["allows_text"]),
        status=row["status"],
        answer=row["answer"] or "",
        answer_state=row["answer_state"] or "",
        note=row["note"] or "",
        decider=row["resolved_by_name"] or "The gateway",
        decided_at=as_moment(row["resolved_at"]),
        created_at=as_moment(row["created_at"]) or now(),
        expires_at=as_moment(row["expires_at"]),
        substance=substance_of(parts_of(row)),
    )


async def item(request_id: UUID) -> Item | None:
    """Return one request as it is now; who may see it was asked before."""
    found = await rows(f"{SELECT} WHERE r.id = ?", request_id)
    return item_of(found[0]) if found else None


async def in_queue(actor: Actor, queue_view: QueueView) -> list[Row]:
    """Return what waits and what ended since the queue was opened, for the queue of all boards."""
    if queue_view.is_of_one_board:
        return []
    items = [item_of(row) for row in await shown(actor, since=queue_view.opened)]
    return [Row(one.created_at, one.is_pending, _html(one, queue_view.url)) for one in items]


def _html(one: Item, next_url: str) -> Markup:
    return Markup(render_macro(TEMPLATE, "request_row", item=one, next_url=next_url))


async def tab(viewed: Viewed) -> str:
    """Return the tab of a gateway's page with what it asks for."""
    found = await shown(viewed.actor, gateway_id=viewed.id, newest_ended=MOST_ENDED)
    items = [item_of(row) for row in found]
    waiting, ended = [one for one in items if one.is_pending], [one for one in items if not one.is_pending]
    return render_macro(
        "gateway_requests/tab.html", "tab", waiting=waiting, ended=ended, next_url=f"{viewed.url}/requests"
    )


TAB = Tab("requests", "Requests", tab)
