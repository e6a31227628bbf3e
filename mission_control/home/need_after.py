"""What became of an answer, on the page of the next need: what happens now, the way back, and how to stop it."""

from dataclasses import dataclass

from mission_control.asks.answering import UNDO_WITHIN, asked_need, how_it_ended, last_of
from mission_control.asks.kinds import KINDS, Asked
from mission_control.asks.saying import others_missing
from mission_control.asks.schemas import Need, NeedAnswer
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.home.need_view import said_once, session_of

# What was done, by the first word of the button that did it.
DONE = {
    "Accept": "Accepted", "Allow": "Allowed", "Approve": "Approved", "Deny": "Denied", "Drop": "Dropped",
    "Merge": "Merged", "Reject": "Rejected", "Send": "Sent", "Take": "Taken", "Raise": "Raised", "Stop": "Stopped",
}  # fmt: skip


def done_words(label: str) -> str:
    """Return what pressing a button did: `Allow once` gives `Allowed once`."""
    verb, space, rest = label.partition(" ")
    if verb == "Always" and rest:
        return f"Always {DONE.get(rest.capitalize(), rest).lower()}"
    return f"{DONE[verb]}{space}{rest}" if verb in DONE else f"Answered: {label}"


@dataclass(frozen=True, slots=True)
class After:
    """What a person just did: in a word, what happens now, and what it was about."""

    id: str
    words: str
    effect: str
    title: str = ""
    tone: str = "ok"
    undoable: bool = False
    stop_url: str = ""
    stops: str = ""


async def after_of(actor: Actor, need_id: str, answer_id: str) -> After | None:
    """Return what became of a need that the person answered; who was faster if it was somebody else. None if gone."""
    try:
        asked = await asked_need(actor, need_id)
    except NotFound:
        return None
    need = await said_once(actor, asked)
    if need is None:
        return After(need_id, "Done", await how_it_ended(asked))
    chosen = next((one for one in need.answers if one.id == answer_id), None)
    if chosen is not None and asked.key is None and (others := await KINDS[asked.kind].missing(asked.id)):
        words, missing = done_words(chosen.label), others_missing(others)
        return After(need_id, words, missing, need.title, "ok", chosen.undoable)
    last = await last_of(asked)
    if chosen is None or (asked.key is None and last is not None and last.actor_id != actor.user_id):
        return After(need_id, "It has ended", await how_it_ended(asked), need.title, "")
    is_recent = last is not None and times.clock_now() - last.created_at < UNDO_WITHIN
    undoable = chosen.undoable and asked.key is None and is_recent
    tone = "ok" if chosen.course != "stop" else "bad"
    found = After(need_id, done_words(chosen.label), chosen.effect, need.title, tone, undoable)
    return found if undoable else await _with_stop(found, asked, need, chosen)


async def _with_stop(after: After, asked: Asked, need: Need, chosen: NeedAnswer) -> After:
    """Add where the agent that goes on can be stopped, while its session is open."""
    session = await session_of(need) if chosen.course == "go" and need.agent is not None else None
    if session is None or session["ended_at"] is not None or need.agent is None:
        return after
    url = f"/boards/{session['board_id']}/sessions/{session['id']}/stop"
    return After(after.id, after.words, after.effect, after.title, after.tone, False, url, need.agent.name)
