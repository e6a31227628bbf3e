"""The palette: places, actions, and everything with a name or words that the reader reaches."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from quart import Blueprint, request

from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of
from mission_control.boards.statuses import LABELS
from mission_control.core.actor import Actor, can
from mission_control.core.values import Paging, parse_id, parts_of
from mission_control.database.sql import Row, Values, contains, in_list, placeholders, rows
from mission_control.groups.queries import list_groups
from mission_control.people.accounts.names import person_name
from mission_control.runs.sessions.list_pages import sessions_of
from mission_control.runs.sessions.view import STATES, state_of
from mission_control.search.queries import SearchHit, SearchKind, SearchQuery, find_hits
from mission_control.tasks.quick_add import QuickTask, understood
from mission_control.web.forms import is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import ENTRIES, HOME, PaletteEntry, shell_page, signed_in


@dataclass(frozen=True, slots=True)
class Hit:
    label: str
    url: str
    icon: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The lines under one title; `rank` is that of the best one, 0 fits best."""

    title: str
    hits: Sequence[Hit]
    rank: int = 0


# Nothing fits: neither the label nor other words.
NEVER = 9


def rank_of(label: str, more: str, words: Sequence[str]) -> int:
    """Return how well a line fits: it begins with the words, its words do, it contains them, or other words do."""
    name = label.lower()
    if not words or name.startswith(" ".join(words)):
        return 0
    if all(any(part.startswith(word) for part in name.split()) for word in words):
        return 1
    if all(word in name for word in words):
        return 2
    return 3 if all(word in f"{name} {more.lower()}" for word in words) else NEVER


def group_of(title: str, lines: Sequence[tuple[Hit, str]], words: Sequence[str], most: int) -> Group:
    """Return the lines that fit, the best first and else in their order; each comes with other words that find it."""
    ranked = [(rank_of(hit.label, more, words), hit) for hit, more in lines]
    fitting = sorted(((rank, hit) for rank, hit in ranked if rank < NEVER), key=lambda one: one[0])
    return Group(title, [hit for _, hit in fitting[:most]], fitting[0][0] if fitting else NEVER)


_ASKED = re.compile(r"(?:new|add|create)\s+task:?\s+(\S.*)", re.I | re.S)
MOST_BOARDS = 4


async def new_task(actor: Actor, boards: Sequence[Board], current: Board | None, query: str) -> list[Group]:
    """Return what creates the task that a line describes, on the board of the page, else on each that may be chosen."""
    asked = _ASKED.fullmatch(query)
    if asked is None:
        return []
    wanted = [current] if current is not None else boards
    writable = [board for board in wanted if actor.writes(board)][:MOST_BOARDS]
    hits, text = [], asked[1]
    for board in writable:
        title = (await understood(board, QuickTask(text=text))).title
        taken = [word for word in text.split() if word not in title.split()]
        url = f"/boards/{board.id}/tasks/new?{urlencode({'text': text})}"
        hits.append(Hit(f"New task: {title}", url, "plus", " · ".join([*taken, board.name])))
    return [Group("Do", hits)] if hits else []


MOST_ROWS = 50
GLYPHS = {  # as in templates/ui/badge.html
    "inbox": "circle-dashed",
    "in_progress": "circle-dot",
    "review": "circle-question-mark",
    "done": "circle-check",
}
WRITTEN: dict[SearchKind, tuple[str, str]] = {
    "comment": ("Comment", "message-square"),
    "memory": ("Memory", "book-open"),
    "approval": ("Approval", "shield-check"),
}


async def find_tasks(actor: Actor, boards: Sequence[Board], query: str) -> list[Hit]:
    """Return open tasks by number (`12`, `#12`) or by every word in the title, then what the search finds.

    Done tasks grow in number, so that their titles are not looked through one by one.
    """
    if not boards:
        return []
    names = {str(board.id): board.name for board in boards}
    words, number = query.split(), re.fullmatch(r"#?([0-9]{1,9})", query)
    match = " AND ".join(["status IN ('inbox', 'in_progress', 'review')", *[contains("title")] * len(words)])
    found = await _tasks(match, [word.lower() for word in words], boards)
    if number is not None:
        found = [*await _tasks("number = ?", [int(number[1])], boards), *found]
    elif len(found) < MOST_ROWS:
        hits, _ = await find_hits(actor, SearchQuery(q=query, kind=["task"], limit=MOST_ROWS, offset=0))
        listed, ids = in_list([hit.id for hit in hits])
        rows_of = {str(row["id"]): row for row in await _tasks(f"id IN ({listed})", ids, boards)} if hits else {}
        found += [rows_of[str(hit.id)] for hit in hits if str(hit.id) in rows_of]
    return [_task(row, names) for row in {row["id"]: row for row in found}.values()]


async def _tasks(where: str, values: Values, boards: Sequence[Board]) -> list[Row]:
    return await rows(
        "SELECT id, board_id, number, title, status FROM tasks WHERE deleted_at IS NULL AND archived_at IS NULL"
        f" AND {where} AND board_id IN ({placeholders(len(boards))}) ORDER BY updated_at DESC LIMIT {MOST_ROWS}",
        *values,
        *(board.id for board in boards),
    )


def _task(row: Row, names: dict[str, str]) -> Hit:
    url = f"/boards/{row['board_id']}/tasks/{row['id']}"
    status, board = row["status"], names[str(row["board_id"])]
    return Hit(f"#{row['number']} {row['title']}", url, GLYPHS[status], f"{board} · {LABELS[status]}")


async def find_agents(actor: Actor, boards: Sequence[Board], words: Sequence[str]) -> list[Hit]:
    """Return agents of readable boards. Only admins open agents' pages; others are led to the board."""
    if not boards:
        return []
    names, here = {str(board.id): board.name for board in boards}, f"board_id IN ({placeholders(len(boards))})"
    found = await _named(words, "id, name, board_id FROM agents", here, [board.id for board in boards])
    manages = can(actor, "agent.manage")
    urls = [f"/agents/{row['id']}" if manages else f"/boards/{row['board_id']}" for row in found]
    return [Hit(row["name"], url, "bot", names[str(row["board_id"])]) for row, url in zip(found, urls, strict=True)]


async def find_sessions(actor: Actor, query: str, most: int) -> list[Hit]:
    return [
        Hit(
            f"{row['agent_name']}: {row['title'] or row['task_title'] or row['doing'] or 'Session'}",
            f"/boards/{row['board_id']}/sessions/{row['id']}",
            "activity",
            f"{row['board_name']} · {STATES[state_of(row)][0]}",
        )
        for row in await sessions_of(actor, query, most)
    ]


async def find_gateways(actor: Actor, words: Sequence[str]) -> list[Hit]:
    if not can(actor, "gateway.manage", actor.organization_id):
        return []
    found = await _named(words, "id, name FROM gateways", "organization_id = ?", [actor.organization_id])
    return [Hit(row["name"], f"/gateways/{row['id']}", "radio-tower", "Gateway") for row in found]


async def find_people(actor: Actor, words: Sequence[str]) -> list[Hit]:
    name = person_name("u", "User")
    members = f"{name} AS name, u.email, m.role FROM organization_members m JOIN users u ON u.id = m.user_id"
    searched = f"({name} || ' ' || COALESCE(u.email, ''))"
    found = await _named(words, members, "m.organization_id = ?", [actor.organization_id], searched, name)
    hints = [row["email"] or str(row["role"]).capitalize() for row in found]
    return [Hit(row["name"], "/settings/people", "user", hint) for row, hint in zip(found, hints, strict=True)]


async def _named(
    words: Sequence[str], columns: str, where: str, values: Values, searched: str = "name", name: str = "name"
) -> list[Row]:
    match = " AND ".join([where, *[contains(searched)] * len(words)])
    sql = f"SELECT {columns} WHERE {match} ORDER BY LOWER({name}) LIMIT {MOST_ROWS}"
    return await rows(sql, *values, *words)


def _written(hit: SearchHit) -> Hit:
    board, (word, icon) = f"/boards/{hit.board_id}", WRITTEN[hit.kind]
    urls = {
        "comment": f"{board}/tasks/{hit.task_id}#comment-{hit.id}",
        "memory": board,
        "approval": f"{board}/approvals/{hit.id}",
    }
    return Hit(hit.snippet or hit.title, urls[hit.kind], icon, f"{word} · {hit.board_name}")


LIMIT = 20
LONGEST_GROUP = 6


async def palette(actor: Actor, query: str, current_board: UUID | None, *, limit: int = LIMIT) -> list[Group]:
    """Return groups of at most `limit` lines in all, that with the best fit first. Without a query: places and actions.

    The pages of tasks and texts come last among equals, because they may be many.
    """
    boards, words = await boards_of(actor), query.lower().split()
    most = LONGEST_GROUP if limit == LIMIT else limit
    board = next((one for one in boards if one.id == current_board), None)
    groups = [
        group_of("Go to", _entries("Go to", actor, board, words), words, limit),
        group_of("Do", _entries("Do", actor, board, words), words, limit),
        group_of("Boards", [(_board(one), "board") for one in boards], words, most),
    ]
    if words:
        groups += await _found(actor, boards, query.strip(), words, most, limit)
        groups.sort(key=lambda group: group.rank)
        groups = [*await new_task(actor, boards, board, query.strip()), *groups]
    capped, left = [], limit
    for group in groups:
        capped.append(Group(group.title, group.hits[:left], group.rank))
        left -= len(capped[-1].hits)
    return [group for group in capped if group.hits]


async def _found(
    actor: Actor, boards: Sequence[Board], query: str, words: Sequence[str], most: int, limit: int
) -> list[Group]:
    groups, _ = await list_groups(actor, Paging(limit=MOST_ROWS, offset=0), named=words)
    named = (
        ("Groups", [Hit(one.name, f"/groups/{one.id}", "layers", "Group") for one in groups], "group"),
        ("Agents", await find_agents(actor, boards, words), "agent"),
        ("Gateways", await find_gateways(actor, words), "gateway openclaw"),
        ("People", await find_people(actor, words), "people"),
    )
    tasks = await find_tasks(actor, boards, query)
    written, _ = await find_hits(actor, SearchQuery(q=query, kind=list(WRITTEN), limit=most, offset=0))
    return [
        *(group_of(title, [(hit, f"{hit.hint} {more}") for hit in hits], words, most) for title, hits, more in named),
        Group("Tasks", tasks[:limit], 3),
        Group("Sessions", await find_sessions(actor, query, most), 3),
        Group("Written", [_written(hit) for hit in written], 4),
    ]


def _entries(group: str, actor: Actor, board: Board | None, words: Sequence[str]) -> list[tuple[Hit, str]]:
    listed = [one for one in ENTRIES if one.group == group and (words or not one.searched_only)]
    found = sorted((one for one in listed if one.is_for(actor, board)), key=lambda one: one.position)
    return [(_hit(one, board), one.words) for one in found]


def _hit(entry: PaletteEntry, board: Board | None) -> Hit:
    label, url = entry.label, entry.url
    if board is not None:
        label, url = label.replace("{board}", board.name), url.replace("{board_id}", str(board.id))
    return Hit(label, url, entry.icon, "Settings" if url.startswith(f"{HOME}/") else "")


def _board(board: Board) -> Hit:
    return Hit(board.name, f"/boards/{board.id}", "square-kanban", "Board")


pages = Blueprint("search_pages", __name__)
LONGEST_QUERY = 200
MOST_ON_PAGE = 100


@pages.get("/palette")
async def results() -> str:
    actor = await signed_in()
    query = request.args.get("q", "")[:LONGEST_QUERY].strip()
    path = parts_of(request.headers.get("HX-Current-URL", "")).path
    board = re.match(r"/boards/([0-9a-f-]{36})(?:/|$)", path)
    board_id = parse_id(board[1] if board else request.args.get("board"))
    if is_htmx():
        groups = await palette(actor, query, board_id)
        return render_macro("ui/palette.html", "palette_results", groups=groups, query=query)
    groups = await palette(actor, query, board_id, limit=MOST_ON_PAGE)
    return await shell_page(actor, "search/index.html", active="", groups=groups, query=query)
