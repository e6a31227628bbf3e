"""News of an agent: its unread notices, each in a line, and what to do now, in at most a kilobyte."""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from uuid import UUID

from mission_control.agents import inbox
from mission_control.agents.models import Agent
from mission_control.agents.notices import NOTICES, SENT_BY_GATEWAY
from mission_control.agents.work_state import directive_of
from mission_control.background.sending import signal_steered
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject, to_json
from mission_control.database.sql import Row, as_id, as_json, is_postgres, rows
from mission_control.events.commands import command, on_abandonment
from mission_control.events.leases import NEWS, NOTE, STOPPED, Delivery
from mission_control.http.agent_news import AgentCall, news_for
from mission_control.http.lookups import end_quiet
from mission_control.runs.notes.commands import ADVICE

LARGEST = 1024  # bytes of the news
LARGEST_LINE = 400  # of one that is not alone
SHORTEST_LINE = 80
MOST = 20
# With these comes what to do now.
DIRECTIVES = ("WORK STOPPED", "WORK PAUSED", "BUDGET USED UP")
URGENT = ", ".join(f"'{header}'" for header in (STOPPED, *DIRECTIVES))
FIND = (
    "SELECT deliveries.seq, header, text, data, task_id, t.number, t.title, COUNT(*) OVER () AS total"
    " FROM deliveries LEFT JOIN tasks t ON t.id = task_id"
    f" WHERE {{which}} AND NOT ({SENT_BY_GATEWAY})"
    f" ORDER BY CASE WHEN header IN ({URGENT}) THEN 0 ELSE 1 END, deliveries.seq DESC LIMIT {MOST}"
)
NOT_OFFERED = " AND offered_at IS NULL"
# What programs read beside the line, or not at all.
LABELS = re.compile(r"(Board|Board ID|Task|Task ID|Approval ID|Status|Confidence|Description): .*")

# How to reply over HTTP, which an agent with tools does otherwise; the inbox has it.
REPLY = re.compile(r"\n\nReply with POST \S+ and \{.*\}\.\Z")


@news_for
async def news_for_call(call: AgentCall, carries: bool) -> JsonObject | None:
    """Return what is new for a calling agent, and remember that it rides on the answer.

    What rode before has arrived, unless this call repeats an earlier one, whose answer may have been lost.
    """
    actor = call.actor
    if call.takes:
        call.has_taken = True
        await inbox.take(actor, call.began, inbox.news_for(actor, call.task_id))
    if not carries or not (call.has_new or call.is_repeated):
        return None
    where, values = inbox.news_for(actor, call.task_id)
    news = await rows(FIND.format(which=where if call.is_repeated else f"{where}{NOT_OFFERED}"), *values)
    if not news:
        return None
    directive = await _directive(actor, news)
    moment = times.clock_now()
    await offer(actor, max(int(row["seq"]) for row in news), call.task_id)
    await on_abandonment(partial(withdraw, actor, moment))
    end_quiet(call.actor.id or UUID(int=0))
    return composed(news, directive)


@command("inbox.acknowledge")
async def offer(actor: Actor, upto: int, task_id: UUID | None) -> None:
    """Remember that notices ride on an answer."""
    now, hold = times.clock_now(), " FOR UPDATE" if is_postgres() else ""
    where, values = inbox.news_for(actor, task_id)
    sql = (
        "UPDATE deliveries SET offered_at = ? WHERE id IN (SELECT id FROM deliveries"
        f" WHERE {where}{NOT_OFFERED} AND seq <= ? AND NOT ({SENT_BY_GATEWAY}) ORDER BY seq{hold})"
        " RETURNING header, organization_id, agent_id, board_id, task_id"
    )
    offered = await rows(sql, now, *values, upto)
    for row in offered:
        signal_steered(Delivery(**row))


@command("inbox.acknowledge")
async def withdraw(actor: Actor, moment: datetime) -> None:
    """Let what rode since a moment ride again."""
    again = f"UPDATE deliveries SET offered_at = NULL WHERE agent_id = ? AND {NEWS} AND offered_at >= ?"
    await rows(again, actor.id, moment)


async def _directive(actor: Actor, news: Iterable[Row]) -> JsonObject:
    headers = {row["header"] for row in news}
    if headers.intersection(DIRECTIVES):
        agent = Agent(id=actor.id, board_id=actor.board_id, organization_id=actor.organization_id)
        now = await directive_of(agent)
        if now.directive != "continue":
            return now._asdict()
    for row in news:
        if row["header"] == STOPPED:
            why = (as_json(row["data"]) or {}).get("reason") or "A person stopped this run."
            return {"directive": "stop", "directive_reason": why, "directive_task_id": as_id(row["task_id"])}
    return {}


def composed(news: list[Row], directive: JsonObject) -> JsonObject:
    if reason := directive.get("directive_reason"):
        directive = directive | {"directive_reason": cut(str(reason), LARGEST_LINE)}
    total, items = int(news[0]["total"]), list[JsonObject]()
    for row in news:
        item = {"seq": row["seq"], "kind": NOTICES.get(row["header"], "message"), "task_id": as_id(row["task_id"])}
        shell = {**directive, "items": [*items, item | {"text": ""}], "more": total}
        left = LARGEST - len(to_json(shell))
        text = cut(line_of(row), left if len(news) == 1 else min(left, LARGEST_LINE))
        if not text:
            break
        items.append(item | {"text": text})
    return {**directive, "items": items, "more": total - len(items)}


def line_of(row: Row) -> str:
    data, head = as_json(row["data"]) or {}, row["header"].capitalize()
    labelled, _, body = row["text"].partition("\n\n")
    lines = [line for line in labelled.splitlines() if not LABELS.fullmatch(line)]
    if row["header"] == NOTE:
        head, lines, body = f"Note from {data.get('from')}", [], body.removesuffix(ADVICE)
    about = f" #{row['number']} {row['title']}" if row["number"] is not None else ""
    text = " ".join(" ".join([*lines, REPLY.sub("", body)]).split())
    return f"{head}{about}: {text}" if text else f"{head}{about}"


def cut(text: str, most: int) -> str:
    """Return a text of at most so many bytes of JSON, cut at a word, with how much is left; "" when that is too few."""
    if _size(text) <= most:
        return text
    if most < SHORTEST_LINE:
        return ""
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(_shortened(text, middle)) <= most else (low, middle - 1)
    word = text.rfind(" ", 0, low + 1)
    return _shortened(text, word if word > low // 2 else low)


def _shortened(text: str, end: int) -> str:
    beginning = text[:end].rstrip()
    return f"{beginning} … ({len(text) - len(beginning):,} more characters are in your inbox)"


def _size(text: str) -> int:
    return len(to_json(text)) - 2
