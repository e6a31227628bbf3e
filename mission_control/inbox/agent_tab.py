"""The inbox tab of an agent's page."""

import re
from typing import Any, get_args

from mission_control.agents.page_tabs import PAGE, Tab, Viewed
from mission_control.approvals.payloads import heading
from mission_control.core.paging import Paging
from mission_control.database.sql import as_id, as_moment, placeholders, rows
from mission_control.gateways.models import Gateway
from mission_control.inbox.notices import State, callback_state, deliveries_of
from mission_control.web.fragments import render_macro

TEMPLATE = "inbox/agent.html"
CARD_LINES = 3
STATES = get_args(State)
DECIDED = {"approved": "Approved", "rejected": "Rejected", "changes_requested": "Sent back", "closed": "Closed"}


async def render(viewed: Viewed) -> str:
    """The tab: the notices, all or of one state, and the callback."""
    state = viewed.args.get("state", "")
    state = state if state in STATES else ""
    paging = Paging(limit=PAGE, offset=viewed.offset)
    found, total = await deliveries_of(viewed.actor, viewed.agent, paging, state or None)
    return render_macro(
        TEMPLATE,
        "tab",
        viewed=viewed,
        notices=await _titled(found),
        total=total,
        state=state,
        callback=await callback_state(viewed.id),
        gateway=await Gateway.get_or_none(id=viewed.agent.gateway_id) if viewed.agent.gateway_id else None,
    )


async def card(viewed: Viewed) -> str:
    """What the overview shows of it: the newest notices."""
    found, total = await deliveries_of(viewed.actor, viewed.agent, Paging(limit=CARD_LINES, offset=0))
    return render_macro(TEMPLATE, "card", viewed=viewed, notices=await _titled(found), total=total)


async def _titled(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Notices with moments as moments and a title that names the decision and the task."""
    ids = list({str(one["task_id"]) for one in found if one["task_id"]})
    tasks: dict[str, tuple[int, str]] = {}
    if ids:
        sql = f"SELECT id, number, title FROM tasks WHERE id IN ({placeholders(len(ids))})"
        tasks = {str(row["id"]): (int(row["number"]), row["title"]) for row in await rows(sql, *map(as_id, ids))}
    moments = ("created_at", "due_at", "sent_at")
    return [
        one | {name: as_moment(one[name]) for name in moments} | {"title": _title(one, tasks.get(str(one["task_id"])))}
        for one in found
    ]


def _title(notice: dict[str, Any], task: tuple[int, str] | None) -> str:
    """A header in capitals is a word for programs."""
    header, about = notice["header"], [task] if task else []
    decision = DECIDED.get(str(notice["data"].get("decision")))
    if notice["kind"] == "decision" and decision:
        action = re.search(r"^Action: (.*)$", notice["text"], re.MULTILINE)
        return f"{decision}: {heading(action[1] if action else 'decision', about)}"
    title = header.capitalize() if header.isupper() else header
    return f"{title}: #{task[0]} {task[1]}" if task else title


TAB = Tab("inbox", "Inbox", render, card)
