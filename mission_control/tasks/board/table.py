"""A board as a table: its columns, its rows in the order that somebody chose, and the sums of its numbers."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from mission_control.database.sql import Condition, Row, as_json, lowered, placeholders, rows, searched, select
from mission_control.events.stream import Batch
from mission_control.tasks.board.card_filter import TABLE, CardFilter
from mission_control.tasks.board.cards import CARD, JOINS, Card, Order, PlacedRow, cards_from, with_code
from mission_control.tasks.board.regions import AT_ONCE, WHOLE, agents_of, tasks_of
from mission_control.tasks.board.view import TABLE_PAGE, BoardView, is_no_notice, of_board, state_of_cards
from mission_control.tasks.custom_fields.queries import BoardField
from mission_control.tasks.fields import Surface, TaskField, shown_at
from mission_control.tasks.query import OF_FIELD, field_number, field_text
from mission_control.tasks.query import order_of as query_order_of
from mission_control.web.fragments import partial, render_macro
from mission_control.web.regions import Region

FIRST = 100  # rows, until somebody asks for all
MOST = 300
NUMBERS = ("integer", "decimal")
FIELD = "field:"  # begins the name of a custom field's column
ALWAYS = ("title", "number")  # stand in the first column
MOMENTS = ("created", "updated")  # stand behind the custom fields
BUILT_IN = {field.word: field for field in shown_at(Surface.TABLE, *ALWAYS, "status", "assignee")}
MOST_FIELDS = 6  # that are shown unless somebody chooses


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its name in the address, its heading, the type of its custom field, and whether it is shown.

    `field` is the column's field of the table of fields, unless it is a custom field's.
    """

    name: str
    label: str
    kind: str = ""
    is_shown: bool = False
    field: TaskField | None = None

    @property
    def key(self) -> str:
        return self.name.removeprefix(FIELD)

    @property
    def is_number(self) -> bool:
        return self.kind in NUMBERS


@dataclass(slots=True)
class Table:
    columns: list[TableColumn]
    total: int = 0
    rows: list[Card] = field(default_factory=list)
    values: dict[UUID, Row] = field(default_factory=dict)  # of the shown custom fields, by task
    sums: dict[str, float] = field(default_factory=dict)

    @property
    def shown(self) -> list[TableColumn]:
        return [column for column in self.columns if column.is_shown]


def columns_of_table(fields: list[BoardField], chosen: Collection[str]) -> list[TableColumn]:
    always = [f"{FIELD}{field.field_key}" for field in fields if field.ui_visibility == "always"][:MOST_FIELDS]
    shown = set(chosen) or {*(name for name, column in BUILT_IN.items() if column.is_usual), *always}
    optional = [(name, column.label, "", column) for name, column in BUILT_IN.items() if name not in ALWAYS]
    of_fields = [(f"{FIELD}{field.field_key}", field.label, field.field_type, None) for field in fields]
    ordered = sorted([*optional, *of_fields], key=lambda column: _place(column[0]))
    return [TableColumn(name, label, kind, name in shown, column) for name, label, kind, column in ordered]


def _place(name: str) -> int:
    """Moments stand last, behind custom fields."""
    return 2 if name in MOMENTS else 1 if name.startswith(FIELD) else 0


async def table_of(view: BoardView, only: Collection[UUID] = ()) -> Table:
    """One table, or only some of its rows, in three statements."""
    fields = await view.fields()
    placed, values = await _placed(view, fields)
    which = f"q.id IN ({placeholders(len(only))})" if only else _first(view)
    sql = f"WITH placed AS ({placed}) {CARD}, q.total FROM placed q CROSS JOIN tasks t {JOINS}"
    tasks = await select(
        Card, f"{sql} WHERE t.id = q.id AND {which} ORDER BY q.place, a.created_at, a.id", *values, *only
    )
    table = Table(columns_of_table(fields, view.wanted.columns), tasks[0].total if tasks else 0)
    table.rows = await with_code([*cards_from(tasks)])
    await _add_values(table, fields)
    table.sums = await _sums(view, table)
    return table


async def order_of(view: BoardView) -> Order:
    placed, values = await _placed(view, await view.fields())
    sql = f"WITH placed AS ({placed}) SELECT q.id, q.number, q.status, q.total FROM placed q"
    return Order("", await select(PlacedRow, f"{sql} WHERE {_first(view)} ORDER BY q.place", *values))


def sorted_by(filters: CardFilter, fields: list[BoardField]) -> tuple[str, bool]:
    """The name is empty where the order is that of the board; the second value says that the greatest come first."""
    name = filters.sort.removeprefix("-")
    is_sortable = name in BUILT_IN or name in {f"{FIELD}{field.field_key}" for field in fields}
    return (name, filters.sort.startswith("-")) if is_sortable else ("", False)


async def _placed(view: BoardView, fields: list[BoardField]) -> Condition:
    narrowed, values = await view.wanted.conditions(view.viewer_id)
    name, is_descending = sorted_by(view.wanted, fields)
    way, more = "DESC" if is_descending else "ASC", list[Any]()
    if name.startswith(FIELD):
        key = name.removeprefix(FIELD)
        kind = next(field.field_type for field in fields if field.field_key == key)
        value = field_number() if kind in NUMBERS else lowered(searched(field_text()))
        by, more = f"(SELECT {value}{OF_FIELD})", [key.lower()]
    else:
        by = query_order_of(BUILT_IN[name or "status"])
    order = f"f.sort_value IS NULL, f.sort_value {way}, f.number {way}"
    order = order if name else "f.sort_value, f.position, f.created_at DESC"
    return (
        f"SELECT f.id, f.number, f.status, ROW_NUMBER() OVER (ORDER BY {order}) AS place, COUNT(*) OVER () AS total"
        f" FROM (SELECT t.id, t.number, t.status, t.position, t.created_at, {by} AS sort_value FROM tasks t"
        f" WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL{narrowed}) f"
    ), [*more, view.board.id, *values]


def _first(view: BoardView) -> str:
    return f"q.place <= {_limit(view)}"


def _limit(view: BoardView) -> int:
    return MOST if TABLE in view.wanted.whole else FIRST


async def _add_values(table: Table, fields: list[BoardField]) -> None:
    keys = {column.key for column in table.shown if column.kind}
    by_id = {field.id: field for field in fields if field.field_key in keys}
    if not by_id or not table.rows:
        return
    defaults = {field.field_key: field.default_value for field in by_id.values()}
    table.values = {row.task_id: dict(defaults) for row in table.rows}
    for row in await rows(
        f"SELECT v.task_id, v.field_id, v.value FROM task_custom_field_values v"
        f" WHERE v.field_id IN ({placeholders(len(by_id))}) AND v.task_id IN ({placeholders(len(table.values))})",
        *(*by_id, *table.values),
    ):
        key = by_id[UUID(str(row["field_id"]))].field_key
        table.values[UUID(str(row["task_id"]))][key] = as_json(row["value"])


async def _sums(view: BoardView, table: Table) -> dict[str, float]:
    """Add up the shown numbers over all tasks that the query leaves, in one statement."""
    numbers = [column for column in table.columns if column.is_shown and column.is_number]
    if not numbers:
        return {}
    narrowed, values = await view.wanted.conditions(view.viewer_id)
    sums = await rows(
        f"SELECT f.field_key, SUM({field_number()}) AS total FROM tasks t"
        " JOIN board_task_custom_fields b ON b.board_id = t.board_id"
        " JOIN task_custom_field_definitions f ON f.id = b.field_id"
        " LEFT JOIN task_custom_field_values v ON v.field_id = f.id AND v.task_id = t.id"
        f" WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL{narrowed}"
        f" AND f.field_key IN ({placeholders(len(numbers))}) GROUP BY f.field_key",
        *(view.board.id, *values, *(column.key for column in numbers)),
    )
    return {f"{FIELD}{row['field_key']}": float(row["total"]) for row in sums if row["total"] is not None}


TEMPLATE, ROW = "boards/table.html", "boards/table_row.html"


async def _table(view: BoardView) -> str:
    name, is_descending = sorted_by(view.wanted, await view.fields())
    return render_macro(
        TEMPLATE, "table", board_id=view.board.id, table=await table_of(view), sorted=name,
        is_descending=is_descending, wanted=view.wanted, may_write=view.rights.may_write,
    )  # fmt: skip


async def _order(view: BoardView) -> Order:
    return await view.reads.get(("row-order", view.key), lambda: order_of(view))


async def _more(view: BoardView) -> str:
    order, board_id = await _order(view), view.board.id
    total, visible = order.total, len(order.rows)
    return render_macro(TEMPLATE, "more", board_id=board_id, total=total, shown=visible, wanted=view.wanted, most=MOST)


async def _changes(view: BoardView, batch: Batch) -> str | None:
    """None stands for everything."""
    ids = tasks_of(batch)
    if len(ids) > AT_ONCE or agents_of(batch) or any(event.kind.startswith(WHOLE) for event in batch.events):
        return None
    order = await _order(view)
    if not order.rows:
        return None  # the sentence of an empty table comes or goes
    changed = ids | frozenset(order.ids[_limit(view) - len(ids) : _limit(view)])
    table = await view.reads.get(("rows", view.key, changed), lambda: table_of(view, sorted(changed)))
    html, visible, may_write = "", set(order.ids), view.rights.may_write
    for row in table.rows:
        if row.task_id in visible:
            html += render_macro(ROW, "row", one=row, table=table, may_write=may_write)
    list_ = f'<table><tbody data-list="rows" data-order="{order.numbers}">{html}</tbody></table>'
    html = partial("#table", list_, "cards")
    for index, column in enumerate(table.shown, 1):
        if column.is_number:
            total = render_macro(ROW, "number", value=table.sums.get(column.name))
            html += partial(f"#sum-{index}", total, "innerHTML")
    return html


async def shown_columns(view: BoardView) -> list[TableColumn]:
    return columns_of_table(await view.fields(), view.wanted.columns)


TASKS = of_board(
    "task.",
    "approval.",
    "session.",
    "agent.updated",
    "agent.deleted",
    "board.updated",
    "budget.",
    signals=("agent_id",),
    about=is_no_notice,
)
REGIONS = (
    Region(TABLE_PAGE, "#table", TASKS, _table, key=lambda view: view.key, changes=_changes, state=state_of_cards),
    Region(TABLE_PAGE, "#more-table", of_board("task."), _more, key=lambda view: view.key),
)
