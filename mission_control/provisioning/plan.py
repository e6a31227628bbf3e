"""The steps of jobs, as they are stored and as people see them."""

from collections.abc import Iterable
from typing import Any

from mission_control.core import clock

LABELS = {
    "create": "Create the agent",
    "list": "Wait until the gateway knows it",
    "config": "Write its configuration",
    "files": "Write its files",
    "session": "Prepare its session",
    "wake": "Wake it",
    "check_in": "Wait for its first call",
    "remove": "Remove the agent",
    "find": "Find the agent",
    "credentials": "Add its credentials",
    "unlink": "Remove what was added",
    "rest": "End what it does",
}
ENDED = ("done", "skipped")
REMOVALS = ("remove", "unlink")
# Jobs that need nothing but what they hold themselves.
ALONE = (*REMOVALS, "rest")


def plan_of(action: str, options: dict[str, Any]) -> list[str]:
    """Return the keys of the steps of a job, in order."""
    if action == "remove":
        return ["remove"]
    if action in ("unlink", "rest"):
        return [action]
    waking = ["wake", "check_in"] if options.get("wake") else []
    if action == "adopt":
        return ["find", "credentials", *waking]
    return ["create", "list", "config", "files", "session", *waking]


def new_steps(keys: Iterable[str]) -> list[dict[str, Any]]:
    """Return the steps of a job that has not begun."""
    return [{"key": key, "state": "waiting", "at": None, "note": ""} for key in keys]


def marked(steps: list[dict[str, Any]], key: str, state: str, note: str = "") -> list[dict[str, Any]]:
    """Return the steps with one of them in another state, as of now."""
    now = clock.wire(clock.now())
    return [one | {"state": state, "at": now, "note": note} if one["key"] == key else one for one in steps]


def next_step(steps: list[dict[str, Any]]) -> str | None:
    """Return the key of the first step that has not ended."""
    return next((one["key"] for one in steps if one["state"] not in ENDED), None)


def step_of(steps: list[dict[str, Any]], key: str) -> dict[str, Any] | None:
    """Return a step by its key."""
    return next((one for one in steps if one["key"] == key), None)
