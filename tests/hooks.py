"""Programs that people run, as they speak with the board: their recorded events, sent as their hooks send them."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from mission_control.runs.hooks import queue as hook_queue
from tests.cast import Caller, Cast

FOLDER = Path(__file__).parent / "programs"
SESSION = "3f6ced2c-6179-490f-a551-0a4c6dd70521"
COMMON = {"session_id": SESSION, "cwd": "/home/mara/shop", "prompt_id": "p1", "permission_mode": "default"}
type Event = dict[str, Any]


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def event(name: str, **fields: Any) -> Event:
    return {**COMMON, "hook_event_name": name, **fields}


def called(name: str, tool: str, number: str, **given: Any) -> Event:
    more = {"tool_response": {"stdout": "", "stderr": ""}, "duration_ms": 5} if name == "PostToolUse" else {}
    return event(name, tool_name=tool, tool_input=given, tool_use_id=f"toolu_{number}", **more)


async def hook(agent: Caller, sent: Event, *, client: str = "claude-code") -> Any:
    return (await agent.post(f"/connect/{client}/hooks", sent)).ok()


async def hooks(agent: Caller, *sent: Event, client: str = "claude-code") -> list[Any]:
    """Send events in their order, and return the answers when all of it is written."""
    answers = [await hook(agent, one, client=client) for one in sent]
    await hook_queue.write()
    return answers


async def sessions(cast: Cast) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await cast.ada.get(f"{cast.home}/sessions")).ok()["items"]
    return found


async def activities(cast: Cast, session_id: UUID | str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await cast.ada.get(f"{cast.home}/sessions/{session_id}/activities?limit=200")).ok()[
        "items"
    ]
    return found


def told(items: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [(one["kind"], one["title"], one["state"]) for one in items]
