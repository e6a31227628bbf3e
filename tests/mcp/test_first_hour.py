"""The first hour with a client of MCP: from a board without anything to a task that is done, by what the pages say."""

import json
import re
from html import unescape
from typing import Any

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from tests.cast import Cast, Program
from tests.mcp.clients import Tools, connected
from tests.visitor import Seen, visitor


def shown(seen: Seen) -> tuple[str, str]:
    """The address and the token that a page shows for any client."""
    [config] = re.findall(r"<code>(\{&#34;mcpServers&#34;:.*?)</code>", seen.text)
    server: dict[str, Any] = json.loads(unescape(config))["mcpServers"]["mission-control"]
    assert server["type"] == "http"
    return server["url"], server["headers"]["Authorization"].removeprefix("Bearer ")


async def test_agent_works_by_what_the_pages_show(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    home = (await ada.post("/boards", {"name": "Night Sky"})).leads_to
    board = await Board.get(name="Night Sky")
    (await cast.ada.patch(f"/boards/{board.id}", {"require_approval_for_done": True})).ok()
    page = await ada.post("/agents/new", {"name": "Lyra", "board_id": str(board.id)})
    page.has("Any other client", "Work on the board until nothing is left.", "export MISSION_CONTROL_TOKEN=&#34;mca_")
    url, token = shown(page)
    (await ada.post(f"{home}/tasks/new", {"title": "Point the mirror"})).is_status(303)
    lyra_of_page = Program(cast.app, {"X-Agent-Token": token}, (await Agent.get(name="Lyra")).id, "Lyra", token)
    async with connected(lyra_of_page, url=url) as lyra:
        assert (await lyra.ok("who_am_i"))["name"] == "Lyra"
        claimed = await lyra.ok("next")
        held = {"task_id": claimed["task"]["id"], "fence": claimed["lease"]["fence"]}
        await _ask_and_read(lyra, ada, home)
        assert (await lyra.ok("finish", **held, summary="It points north."))["task"]["status"] == "review"
        [request] = (await lyra.ok("list_asked"))["asked"]
        (await ada.get("/")).has("Point the mirror")
        approval = f"/boards/{board.id}/approvals/{request['id']}/decisions"
        (await ada.post(approval, {"decision": "approved"})).is_status(303)
        assert (await lyra.ok("get_task", task_id=held["task_id"]))["task"]["status"] == "done"
        assert (await lyra.ok("next", wait_seconds=0))["task"] is None


async def _ask_and_read(lyra: Tools, ada: Any, home: str) -> None:
    """Ask which way; the person answers on a page, and the answer is in the inbox."""
    options = [{"label": "North"}, {"label": "South"}]
    asked = await lyra.ok("ask", question="North or south?", options=options, wait_seconds=0)
    (await ada.get("/")).has("North or south?")
    (await ada.post(f"{home}/questions/{asked['id']}/answers", {"option": "1"})).is_status(303)
    assert "North" in (await lyra.ok("read_inbox"))["items"][-1]["text"]
