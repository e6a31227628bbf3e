"""Programs that take tasks by `client.pyz work`, which tells of their sessions in the words of hooks.

Nobody sits at them. What they ask waits for people until their session goes on otherwise; a request that is sent again
after a cut connection or a restart is the same.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from mission_control.agents.work_state import channel_of
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.programs import clients
from mission_control.core.values import JsonObject
from mission_control.http.agent_news import Began
from mission_control.http.operation import settled, themselves
from mission_control.runs.hooks.answers import answer_to, place_of
from mission_control.runs.hooks.detail_levels import text_of
from mission_control.runs.hooks.reading import Event, Hook, Program, Verdict, only_sign
from mission_control.runs.programs.claude_code import CALL, PROMPT, STATES, asked, called, calls, ended, failed, stopped
from mission_control.runs.sessions.reports import MOST_STEPS, StepGiven

PREFIX, LISTENS = "work:", "Listen"
WAITS = timedelta(seconds=50)  # each time that it asks or listens


def planned(hook: Hook) -> None:
    plan = hook.body.get("plan")
    steps = [step for step in plan[:MOST_STEPS] if isinstance(step, dict)] if isinstance(plan, list) else []
    texts = [(text_of(step.get("content"))[:500].strip(), step.get("status")) for step in steps]
    hook.plan = [StepGiven(text=text, state=STATES.get(text_of(state), "pending")) for text, state in texts if text]
    hook.add("STATE_DELTA", hook.key(hook.event))


EVENTS = {
    "UserPromptSubmit": Event("RUN_STARTED", PROMPT, state="working", text="prompt", settles="session"),
    "PreToolUse": Event("TOOL_CALL_START", CALL, call="begun", state="working", more=calls),
    "PostToolUse": Event("TOOL_CALL_END", CALL, state="working", more=called),
    "PostToolUseFailure": Event("TOOL_CALL_END", CALL, call="failed", state="working"),
    "PermissionDenied": Event("TOOL_CALL_END", CALL, call="refused", state="working"),
    "PermissionRequest": Event(key=CALL, state="waiting", asks=True, more=asked),
    "Plan": Event("STATE_DELTA", state="working", more=planned),
    LISTENS: Event(note=True, stops=True, more=only_sign),
    "Stop": Event("RUN_FINISHED", state="idle", settles="session", more=stopped),
    "StopFailure": Event("RUN_ERROR", PROMPT, state="idle", settles="session", more=failed),
    "SessionEnd": Event(ends=True, settles="session", more=ended),
}


def refusal(hook: Hook, words: str) -> JsonObject:
    return {"stop": words}


def carried(hook: Hook, text: str) -> JsonObject:
    return {"note": text}


def verdict(hook: Hook, decided: Verdict) -> JsonObject:
    return {"decision": decided.answer, "words": decided.words}


def program_of(client: str) -> Program:
    name = client.removeprefix(PREFIX)
    if name not in clients():
        raise NotFound(f"`work` knows {', '.join(clients())}.")
    answers = ("allow-once", "deny", "stop")
    return Program(name, EVENTS, refusal, carried, verdict, answers=answers, waits=WAITS, asks_again=True)


async def notified(actor: Actor, began: Began, hook: Hook) -> JsonObject:
    """Return a note to a session, or that it has to stop, as soon as there is one; `{}` after a while."""
    place = await place_of(actor, hook.program.client, hook.session.external_id)
    if place is None or place.session_id is None:
        return {}
    names = f"inbox:{actor.id}", channel_of(place.organization_id)
    return await settled(
        actor, actor, *names, find=themselves, read=partial(_look, began=began, hook=hook), is_settled=bool,
        seconds=WAITS.total_seconds(),
    )  # fmt: skip


async def _look(actor: Actor, began: Began, hook: Hook) -> JsonObject:
    place = await place_of(actor, hook.program.client, hook.session.external_id)
    return {} if place is None else await answer_to(replace(actor, news="new"), began, place, hook)
