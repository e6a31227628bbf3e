"""The timeline in a task's panel as a region, and what of it follows an agent's signs of life."""

from mission_control.claims.timeline import RunMoment, Talk, timeline_of
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.tasks.board_view import BoardView, News
from mission_control.tasks.panel import Panel
from mission_control.tasks.panel_view import concerns_panel, own_key, panel_in, panel_region
from mission_control.web.fragments import partial, read_ahead, render_macro
from mission_control.web.regions import Concerns

TEMPLATE = "claims/timeline.html"


async def timeline(view: BoardView, panel: Panel) -> str:
    """Return the timeline, or the part of it that the address asks for."""
    found = await timeline_of(view, panel)
    texts = [one.message for one in found.moments if isinstance(one, Talk)]
    texts += [one.run["summary"] or "" for one in found.moments if isinstance(one, RunMoment)]
    await read_ahead(*texts, names=panel.names)
    return render_macro(TEMPLATE, "timeline", panel=panel, found=found, look=view.look)


async def timeline_changes(view: BoardView, batch: Batch) -> str | None:
    """Return the last sign of the agent at work for its signs of life, nothing for those of other agents."""
    if batch.events or any("inbox_of" in one for one in batch.signals):
        return None
    panel = await panel_in(view)
    if panel is None or not panel.is_working:
        return ""
    if all(str(one.get("agent_id")) != str(panel.assigned_agent_id) for one in batch.signals):
        return ""
    sign = render_macro(TEMPLATE, "sign", seen=panel.last_seen_at)
    return partial(f"#task-{panel.id}-sign", sign, "innerHTML")


def _about(view: BoardView, news: News) -> bool:
    if isinstance(news, Event):
        return concerns_panel(view, news)
    return "inbox_of" in news or news.get("board_id") == str(view.board.id)


NEWS = Concerns[BoardView](("task.", "approval."), ("agent_id", "inbox_of"), _about)
REGIONS = (panel_region("timeline", NEWS, timeline, timeline_changes, own_key),)
