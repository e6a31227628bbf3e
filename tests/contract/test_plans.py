"""No page and no read of the API looks at all rows of a table that only grows: an index leads every statement."""

import re
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from quart import Quart
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from mission_control.database.sql import is_postgres
from mission_control.database.sqlite.connection import opened_for_reading
from mission_control.http.registry import OPERATIONS
from tests.cast import Cast
from tests.contract.test_page_routes import NO_PAGES, OPEN
from tests.statements import counted
from tests.things import MAKERS, Things
from tests.visitor import visitor

pytestmark = pytest.mark.dialect

PLACE = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
# What an installation has more of the older it gets.
GROWING = {
    "account_events", "agent_questions", "agent_sessions", "approval_task_links", "approvals", "board_group_memory",
    "board_memory", "board_webhook_payloads", "deliveries", "events", "kept_answers", "notifications",
    "outgoing_deliveries",
    "session_activities", "sessions", "tag_assignments", "task_attachments", "task_checklist_items",
    "task_comments", "task_custom_field_values", "task_dependencies", "task_runs", "tasks", "tokens",
    "usage_entries",
}  # fmt: skip
# Parts of statements that may, and why.
ALLOWED = {
    "FROM task_comments c WHERE c.deleted_at IS NULL AND TRIM(c.message) <> '') -": "an index counts all comments",
    "EXISTS (SELECT 1 FROM tokens k WHERE k.agent_id": "PostgreSQL reads the tokens once where there are few",
    "AND TRIM(c.message) <> '' AND EXISTS": "the comments are walked from the newest until the page is full",
}
NAMED = re.compile(r'\b(?:FROM|JOIN)\s+"?(\w+)"?(?:\s+(?:AS\s+)?"?(\w+)"?)?', re.IGNORECASE)
LOOKED_THROUGH = re.compile(r"\bSCAN (\w+)|\bSEARCH (\w+) USING AUTOMATIC|Seq Scan on (\w+)")


def pages(app: Quart) -> list[str]:
    found = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.rule.startswith(NO_PAGES) and rule.rule not in OPEN
    }
    return sorted(rule for rule in found if not rule.endswith(("/live", "/stream")))


def reads() -> list[str]:
    return sorted({one.path for one in OPERATIONS if one.method == "GET" and not one.is_stream and one.who != "agent"})


async def place_of(cast: Cast, rule: str, made: Things) -> str | None:
    """Return a rule with things in the places of their names, made once; None where nothing makes them."""
    for name in PLACE.findall(rule):
        if name not in made:
            if name not in MAKERS:
                return None
            made[name] = str(await MAKERS[name](cast, made, rule))
    return PLACE.sub(lambda found: made[found[1]], rule)


def looked_through(sql: str, plan: Collection[str]) -> Iterator[str]:
    """Yield the growing tables whose rows a plan looks at one after the other."""
    named = NAMED.findall(sql)
    tables = {table: table for table, _ in named} | {alias: table for table, alias in named if alias}
    for step in plan:
        for names in LOOKED_THROUGH.findall(step):
            table = tables.get("".join(names), "".join(names))
            if table in GROWING:
                yield table


async def plans(statements: Collection[str]) -> dict[str, list[str]]:
    """Return the plan of each statement, whatever its values; on PostgreSQL as if its tables were large."""
    found: dict[str, list[str]] = {}
    if is_postgres():
        async with in_transaction() as transaction:
            for name, value in (("enable_seqscan", "off"), ("plan_cache_mode", "force_generic_plan")):
                await transaction.execute_script(f"SET LOCAL {name} = {value}")
            for sql in statements:
                await transaction.execute_script(f"PREPARE explained AS {sql}")
                count = max(map(int, re.findall(r"\$(\d+)", sql)), default=0)
                values = f"({', '.join(['NULL'] * count)})" if count else ""
                explained = await transaction.execute_query_dict(f"EXPLAIN EXECUTE explained{values}")
                found[sql] = [str(row["QUERY PLAN"]) for row in explained]
                await transaction.execute_script("DEALLOCATE explained")
        return found
    client: Any = get_connection("default")
    reader = opened_for_reading(client.filename)
    try:
        for sql in statements:
            nothing = [None] * re.sub(r"'[^']*'", "", sql).count("?")
            found[sql] = [row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {sql}", nothing)]
    finally:
        reader.close()
    return found


async def found_in(statements: Collection[str]) -> list[str]:
    read = {sql for sql in statements if sql.lstrip().startswith(("SELECT", "WITH")) and "FOR UPDATE" not in sql}
    return [
        f"{table}: {sql[:1500]}"
        for sql, plan in (await plans(read)).items()
        for table in looked_through(sql, plan)
        if not any(part in sql for part in ALLOWED)
    ]


async def test_pages_look_through_no_table_that_grows(app: Quart, cast: Cast) -> None:
    ada, read, made = await visitor(app, cast.ada), 0, Things()
    with counted() as statements:
        for rule in pages(app):
            if (path := await place_of(cast, rule, made)) is not None:
                read += (await ada.get(path)).status == 200
    assert read > 80
    assert await found_in(statements) == []


async def test_reads_look_through_no_table_that_grows(cast: Cast) -> None:
    read, made = 0, Things()
    with counted() as statements:
        for rule in reads():
            if (path := await place_of(cast, rule, made)) is not None:
                read += (await cast.ada.get(path)).status == 200
    assert read > 60
    assert await found_in(statements) == []


async def test_filters_look_through_no_table_that_grows(app: Quart, cast: Cast) -> None:
    ada, agent = await visitor(app, cast.ada), cast.vega.id
    board, tasks, task = cast.home, cast.tasks, (await cast.add_task())["id"]
    with counted() as statements:
        for path in (
            f"{board}?q=login", f"{board}?q=due:overdue", f"{board}?q=assignee:me", f"{board}?all=done",
            f"{board}?view=table&q=", "/palette?q=login", "/agents/sessions?q=login",
            f"{board}?q=is:still", f"{board}?q=silent:5m",
            "/approvals?state=rejected", "/activity?kind=webhooks",
            f"/activity?actor=agent:{agent}", "/activity?actor=system", "/activity?from=2026-01-01&to=2026-02-01",
        ):  # fmt: skip
            assert (await ada.get(path)).status == 200, path
        for path in (
            "/search?q=login", f"{tasks}?q=login", f"{tasks}?archived=true", f"{tasks}?deleted=true",
            f"{tasks}?updated_since=2026-01-01T00:00:00Z", f"{tasks}?assigned_agent_id={agent}",
            "/activity?kind=approval", f"/activity?actor_id={agent}", "/activity?since=2026-01-01T00:00:00Z",
            "/organizations/me/account-log?group=rights", "/organizations/me/account-log?group=tokens",
            "/users/me/notifications?unread=true", f"{cast.home}/sessions?agent_id={agent}",
            f"{cast.home}/sessions?is_open=true", f"{cast.home}/sessions?is_open=false",
            f"{cast.home}/sessions?task_id={task}", f"/usage?task_id={task}", f"{cast.task(task)}/activities?q=make",
        ):  # fmt: skip
            (await cast.ada.get(path)).ok()
    assert await found_in(statements) == []


# PostgreSQL chooses among partial indexes by counts of rows, which tables of a test do not have.
@pytest.mark.once
async def test_rework_is_sought_among_tasks_that_stand_on_their_board(cast: Cast) -> None:
    with counted() as statements:
        (await cast.ada.get("/needs")).ok()
    found = await plans({sql for sql in statements if sql.startswith("WITH mine") and "rework_at" in sql})
    assert found
    for plan in found.values():
        assert any(re.search("idx_tasks_(living|rework)", step) for step in plan)
        assert not any(re.search(r"idx_tasks_board_\w+ \(board_id=\?\)$", step) for step in plan)


async def test_what_is_looked_through_is_found(cast: Cast) -> None:
    every = "SELECT COUNT(*) FROM boards b JOIN tasks t ON LOWER(t.title) = b.name WHERE b.id = ?"
    assert await found_in({every.replace("?", "$1") if is_postgres() else every})
