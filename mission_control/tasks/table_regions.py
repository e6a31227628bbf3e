"""The table of a board's page, live: changed rows and their order, the sums, and whether more can be shown."""

from typing import Any

from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.tasks.board_view import TABLE_PAGE, BoardView, News, on_board
from mission_control.tasks.card_changes import AT_ONCE, WHOLE, agents_of, tasks_of
from mission_control.tasks.card_rows import Card
from mission_control.tasks.query_page import fields
from mission_control.tasks.table import FIRST, RowOrder, Table, columns_of_table, row_order, sorted_by, table_of
from mission_control.web.fragments import partial, render_macro
from mission_control.web.regions import Region

TEMPLATE, ROW = "boards/table.html", "boards/table_row.html"
CREW = ("agent.updated", "agent.deleted")


async def rows_of(view: BoardView) -> Table:
    """Return the table that a page shows."""
    known = await fields(view)
    return await view.reads.get(("table", view.key), lambda: table_of(view.board, view.wanted, view.viewer_id, known))


async def order_of(view: BoardView) -> RowOrder:
    """Return how the rows of the page's table stand."""
    known = await fields(view)
    return await view.reads.get(
        ("row-order", view.key), lambda: row_order(view.board, view.wanted, view.viewer_id, known)
    )


async def _table(view: BoardView) -> str:
    name, is_descending = sorted_by(view.wanted, await fields(view))
    return render_macro(
        TEMPLATE,
        "table",
        board_id=view.board.id,
        table=await rows_of(view),
        sorted=name,
        is_descending=is_descending,
        wanted=view.wanted,
        may_write=view.rights.may_write,
    )


async def _more(view: BoardView) -> str:
    order = await order_of(view)
    arguments: dict[str, Any] = {"total": order.total, "shown": len(order.ids), "wanted": view.wanted}
    return render_macro(TEMPLATE, "more", board_id=view.board.id, **arguments)


async def _changes(view: BoardView, batch: Batch) -> str | None:
    """Return the rows that changed and the order of all, for the module `cards`; None for everything."""
    ids = tasks_of(batch)
    if len(ids) > AT_ONCE or agents_of(batch) or any(one.kind.startswith(WHOLE) for one in batch.events):
        return None
    order, known = await order_of(view), await fields(view)
    if not order.ids:
        return None  # the sentence of an empty table comes or goes
    edge = order.ids[FIRST - len(ids) : FIRST]
    changed = frozenset(ids) | frozenset(edge)
    some = await view.reads.get(
        ("rows", view.key, changed),
        lambda: table_of(view.board, view.wanted, view.viewer_id, known, only=sorted(changed)),
    )
    shown = set(order.ids)
    html = "".join(_row(view, one, some) for one in some.rows if one.task_id in shown)
    numbers = " ".join(map(str, order.numbers))
    list_ = f'<table><tbody data-list="rows" data-order="{numbers}">{html}</tbody></table>'
    return partial("#table", list_, "cards") + _sums(some)


def _row(view: BoardView, row: Card, table: Table) -> str:
    return render_macro(ROW, "row", one=row, table=table, may_write=view.rights.may_write)


def _sums(table: Table) -> str:
    html = ""
    for index, column in enumerate(table.shown, 1):
        if column.is_number:
            total = render_macro(ROW, "number", value=table.sums.get(column.name))
            html += partial(f"#sum-{index}", total, "innerHTML")
    return html


def _is_news(_view: BoardView, news: News) -> bool:
    return not (isinstance(news, Event) and news.kind.endswith(("notified", "notify_failed")))


async def shown_columns(view: BoardView) -> list[Any]:
    """Return the columns that the table can show."""
    return columns_of_table(await fields(view), view.wanted.columns)


TASKS = on_board("task.", "approval.", *CREW, "board.updated", signals=("agent_id",), about=_is_news)
REGIONS = (
    Region(TABLE_PAGE, "#table", TASKS, _table, key=lambda view: view.key, changes=_changes),
    Region(TABLE_PAGE, "#more-table", on_board("task."), _more, key=lambda view: view.key),
)
