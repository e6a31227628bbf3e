"""Reading the event log as a feed of lines, filtered by an address and grouped by day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson

from mission_control.agents.models import Agent
from mission_control.boards.queries import on_readable_boards
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.values import parse_id, whole_number
from mission_control.database.sql import (
    Condition,
    Row,
    Values,
    as_id,
    as_moment,
    first_of_all,
    is_postgres,
    placeholders,
    rows,
)
from mission_control.events.event_log import KINDS, SLACK
from mission_control.people.accounts.names import person_name
from mission_control.tasks.activity.feed import COMMENT, MESSAGE
from mission_control.tasks.activity.sentences import Data, Entry, asked_action, describe, named_ids

# Labels, with how the kinds begin, or a condition on those of tasks, which are most of a log.
FILTERS: dict[str, tuple[str, str | tuple[str, ...]]] = {
    "tasks": ("Tasks", "e.kind LIKE 'task.%' AND e.kind <> 'task.comment'"),
    "comments": ("Comments", "e.kind = 'task.comment'"),
    "approvals": ("Approvals", ("approval.",)),
    "agents": ("Agents", ("agent.",)),
    "boards": ("Boards", ("board.",)),
    "questions": ("Questions", ("question.",)),
    "memory": ("Chat and memory", ("memory.", "group_memory.")),
    "webhooks": ("Webhooks", ("webhook.", "outgoing_webhook.")),
}
NOTICES = ("notified", "notify_failed")  # end the kinds that say how a notice was sent


@dataclass(frozen=True, slots=True)
class FeedFilter:
    board_id: UUID | None = None
    kind: str = ""
    actor: str = ""
    before: int | None = None
    after: int | None = None
    first_day: date | None = None
    last_day: date | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], board_id: UUID | None = None) -> "FeedFilter":
        kind, _, name = args.get("actor", "").partition(":")
        is_valid = kind == "system" or (kind in ("agent", "user") and parse_id(name) is not None)
        return cls(
            board_id=board_id or parse_id(args.get("board", "")),
            kind=args.get("kind", "") if args.get("kind") in FILTERS else "",
            actor=args.get("actor", "") if is_valid else "",
            before=whole_number(args.get("before")),
            first_day=_day(args.get("from")),
            last_day=_day(args.get("to")),
        )

    def query(self, *, with_board: bool, **more: object) -> str:
        board = str(self.board_id) if with_board and self.board_id else ""
        days = {"from": str(self.first_day or ""), "to": str(self.last_day or "")}
        values = {"board": board, "kind": self.kind, "actor": self.actor, **days, **more}
        sent = {name: value for name, value in values.items() if value not in ("", None)}
        return f"?{urlencode(sent, safe=':')}" if sent else ""

    @property
    def narrows(self) -> bool:
        return bool(self.kind or self.actor or self.first_day or self.last_day)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == 10 else None
    except ValueError:
        return None


PAGE = 50
PERSON = person_name("u", "Somebody")
_SELECT = (
    f"SELECT e.seq, e.kind, e.actor_kind, e.actor_id, {MESSAGE}, e.data, e.board_id, e.task_id, e.subject_id,"
    f" e.created_at, CASE WHEN e.actor_kind = 'user' THEN {PERSON} ELSE COALESCE(e.actor_name, 'Mission Control') END"
    " AS actor, b.name AS board_name, t.number, t.title, g.name AS agent_name, g.id AS live_agent_id"
    " FROM events e LEFT JOIN users u ON u.id = e.actor_id LEFT JOIN boards b ON b.id = e.board_id"
    " LEFT JOIN tasks t ON t.id = e.task_id LEFT JOIN agents g ON g.id = e.subject_id"
    f" {COMMENT}"
    f" WHERE {{organization}} AND {' AND '.join(f"e.kind NOT LIKE '%{notice}'" for notice in NOTICES)}"
    " AND (e.board_id IS NULL OR (b.id IS NOT NULL AND b.deleted_at IS NULL))"
    " AND c.deleted_at IS NULL"
)


async def number_of_event(actor: Actor, name: str) -> int | None:
    event_id, seq = parse_id(name), whole_number(name)
    if event_id is None and seq is None:
        return None
    sql, values = _conditions(actor, FeedFilter())
    named, value = ("e.id = ?", event_id) if seq is None else ("e.seq = ?", seq)
    events = await rows(
        f"{_SELECT.format(organization=_WALKED)} AND {named}{sql}", actor.organization_id, value, *values
    )
    return int(events[0]["seq"]) if events else None


async def feed(actor: Actor, filters: FeedFilter, limit: int = PAGE) -> list[Entry]:
    sql, values = _conditions(actor, filters)
    begins = FILTERS[filters.kind][1] if filters.kind else ""
    if isinstance(begins, tuple):
        sql, values = _of_kinds(actor.organization_id, begins, sql, values, limit)
    is_narrow = bool(filters.kind == "" and (filters.board_id or filters.actor))
    lines = await _newest(actor.organization_id, sql, values, limit, is_walked=not is_narrow)
    if not can(actor, "agent.manage"):  # only admins can open agents' pages
        lines = [replace(line, url="") if line.url.startswith("/agents/") else line for line in lines]
    return lines


async def history_of_task(organization_id: UUID, task_id: UUID, limit: int = PAGE) -> list[Entry]:
    sql = " AND e.task_id = ? AND e.kind <> 'task.comment'"
    return await _newest(organization_id, sql, [task_id], limit, is_walked=False)


async def feed_of_agent(actor: Actor, agent: Agent, limit: int = PAGE, before: int | None = None) -> list[Entry]:
    here, boards = on_readable_boards(actor, agent.organization_id, "e.board_id")
    older, values = ("", []) if before is None else (" AND e.seq < ?", [before])
    sql = f" AND e.agent_id = ?{here}{older}"
    return await _newest(agent.organization_id, sql, [agent.id, *boards, *values], limit, is_walked=False)


# How SQLite finds an organization's events: by walking its log from the end, or among those that another index has.
# PostgreSQL knows by its statistics which is better.
_WALKED, _CHECKED = "e.organization_id = ?", "CAST(e.organization_id AS TEXT) = ?"


def _of_kinds(organization_id: UUID, begins: tuple[str, ...], sql: str, values: Values, limit: int) -> Condition:
    """Find the newest events of kinds that are rare in a log by an index."""
    kinds = [kind for kind in KINDS if kind.startswith(begins) and not kind.endswith(NOTICES)]
    each = (
        f"SELECT e.seq FROM events e WHERE {_WALKED} AND e.kind = ? AND SUBSTR(e.kind, 1, 5) <> 'task.'{sql}"
        " AND (e.board_id IS NULL OR e.board_id IN (SELECT id FROM boards WHERE deleted_at IS NULL))"
    )
    newest, more = first_of_all(each, [[organization_id, kind, *values] for kind in kinds], "seq DESC", limit, 0)
    return f" AND e.seq IN (SELECT seq FROM ({newest}) newest)", more


def _conditions(actor: Actor, filters: FeedFilter) -> Condition:
    sql, values = "", list[Any]()
    whole, single = actor.readable_boards()
    if actor.organization_id not in whole:
        sql, values = f" AND e.board_id IN ({placeholders(len(single))})" if single else " AND 1 = 0", [*single]
    if filters.kind and isinstance(prefix := FILTERS[filters.kind][1], str):
        sql += f" AND {prefix}"
    kind, _, name = filters.actor.partition(":")
    for condition, value in (
        ("e.board_id = ?", filters.board_id),
        ("e.actor_kind = ?", kind or None),
        ("e.actor_id IS NULL AND e.actor_kind = ?", kind if kind == "system" else None),
        ("e.actor_id = ?", parse_id(name)),
        ("e.seq < ?", filters.before),
        ("e.seq > ?", filters.after),
    ):
        if value is not None:
            sql, values = f"{sql} AND {condition}", [*values, value]
    for moment, sign, order, bound in (
        (_midnight(filters.first_day, 0), ">=", "", f">= -{SLACK} +"),
        (_midnight(filters.last_day, 1), "<", " DESC", f"<= {SLACK} +"),
    ):
        if moment is not None:  # by number too, so that the log is not walked up to there
            number = (
                f"SELECT d.seq FROM events d WHERE d.organization_id = ? AND d.created_at {sign} ?"
                f" ORDER BY d.created_at{order} LIMIT 1"
            )
            sql += f" AND e.created_at {sign} ? AND e.seq {bound} COALESCE(({number}), 0)"
            values += [moment, actor.organization_id, moment]
    return sql, values


def _midnight(day: date | None, days: int) -> datetime | None:
    is_last = day == date.max and days
    return None if day is None or is_last else datetime.combine(day + timedelta(days=days), time())


async def _newest(organization_id: UUID, sql: str, values: Values, limit: int, *, is_walked: bool) -> list[Entry]:
    """Names in the sentences are read in one statement."""
    select = _SELECT.format(organization=_WALKED if is_walked or is_postgres() else _CHECKED)
    events = await rows(f"{select}{sql} ORDER BY e.seq DESC LIMIT ?", organization_id, *values, limit)
    data = [orjson.loads(row["data"] or "{}") for row in events]
    names = await _names(set().union(*map(named_ids, data)) if data else set())
    entries = [_entry(row, facts, names) for row, facts in zip(events, data, strict=True)]
    if mentioning := [entry for entry in entries if "@" in entry.body]:
        everybody = await rows(
            f"SELECT g.name FROM agents g WHERE g.organization_id = ? UNION SELECT {PERSON} FROM users u"
            " JOIN organization_members m ON m.user_id = u.id WHERE m.organization_id = ?",
            *(organization_id, organization_id),
        )
        mentionable = tuple(str(row["name"]) for row in everybody)
        for entry in mentioning:
            entry.names = mentionable
    return entries


async def _names(ids: set[str]) -> dict[str, str]:
    parsed = [parsed_id for parsed_id in map(parse_id, sorted(ids)) if parsed_id is not None]
    if not parsed:
        return {}
    marks = placeholders(len(parsed))
    people = await rows(
        f"SELECT g.id, g.name FROM agents g WHERE g.id IN ({marks})"
        f" UNION ALL SELECT u.id, {PERSON} FROM users u WHERE u.id IN ({marks})",
        *parsed,
        *parsed,
    )
    return {str(row["id"]): row["name"] for row in people}


def _entry(row: Row, data: Data, names: dict[str, str]) -> Entry:
    kind, message = row["kind"], row["message"] or ""
    did, then, body = describe(kind, data, message, names, by_person=row["actor_kind"] == "user")
    about, url = _subject(row, data, names) if row["task_id"] is None else _task(row, data)
    if kind.startswith("approval.") and row["task_id"] is None:
        did, about = did.partition(f"{asked_action(data)}, for")[0].strip(), asked_action(data)
    return Entry(
        seq=int(row["seq"]),
        kind=kind,
        actor=row["actor"],
        actor_kind={"user": "person", "agent": "agent"}.get(row["actor_kind"], "none"),
        created_at=as_moment(row["created_at"]) or times.clock_now(),
        did=did if about else did.removesuffix(" at"),
        about=about,
        then=then,
        body=body[:600],
        url=url,
        board_id=as_id(row["board_id"]),
        board_name=row["board_name"] or "",
    )


def _task(row: Row, data: Data) -> tuple[str, str]:
    if not row["number"]:
        return str(data.get("title", "a task")), ""
    url = f"/boards/{row['board_id']}/tasks/{row['task_id']}" if row["board_name"] else ""
    return f"#{row['number']} {row['title']}", url


def _subject(row: Row, data: Data, names: dict[str, str]) -> tuple[str, str]:
    kind, named = row["kind"], (row["message"] or "").partition(": ")[2]
    at = f"/boards/{row['board_id']}" if row["board_id"] and row["board_name"] else ""
    match kind.partition(".")[0]:
        case "approval":
            return "a decision", at and f"{at}/approvals/{row['subject_id']}"
        case "agent":
            name = row["agent_name"] or str(data.get("name", "")) or named.rstrip(".")
            return name, f"/agents/{row['live_agent_id']}" if row["live_agent_id"] else ""
        case "question":
            return named, at and f"{at}/questions/{row['subject_id']}"
        case "proposal" if at:
            return named.rstrip("."), f"{at}/proposals/{row['subject_id']}"
        case "webhook" if at:
            return named.rstrip("."), f"{at}/webhooks"
        case "board" | "onboarding":
            return row["board_name"] or str(data.get("name", "a board")), at
    return _named(kind, data, named, names), ""


def _named(kind: str, data: Data, named: str, names: dict[str, str]) -> str:
    if kind in ("member.role_changed", "member.access_changed", "member.removed", "organization.ownership_transferred"):
        return names.get(str(data.get("user_id")), "somebody")
    return named.rstrip(".") if kind in KINDS and KINDS[kind].is_named_in_message else ""


async def actors_of(actor: Actor) -> list[Row]:
    here, boards = on_readable_boards(actor, actor.organization_id, "g.board_id")
    return await rows(
        "SELECT * FROM (SELECT 'agent' AS kind, g.id AS id, g.name AS name FROM agents g WHERE g.organization_id = ?"
        f"{here} UNION ALL SELECT 'user', u.id, {PERSON} FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ?) everybody ORDER BY kind, LOWER(name), id",
        actor.organization_id,
        *boards,
        actor.organization_id,
    )


Day = tuple[str, list[Entry]]


def by_day(entries: list[Entry]) -> list[Day]:
    days: list[Day] = []
    for entry in entries:
        name = day_name(entry.created_at)
        if not days or days[-1][0] != name:
            days.append((name, []))
        days[-1][1].append(entry)
    return days


def day_name(moment: datetime) -> str:
    zone = times.reader()
    day, today = times.day_of(moment, zone), times.today(zone)
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A}, {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")
