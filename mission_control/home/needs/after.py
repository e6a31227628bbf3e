"""What became of an answer, on the page of the next need: what happens now, the way back, and how to stop it."""

import re
from dataclasses import dataclass

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.home.needs.view import said_once, session_of
from mission_control.needs.answers import UNDO_WITHIN
from mission_control.needs.kinds import KINDS, AskedNeed
from mission_control.needs.lookup import asked_need, how_it_ended, last_of
from mission_control.needs.schemas import Need, NeedAnswer
from mission_control.needs.wording import others_missing

# What was done, by the first word of the button that did it.
DONE = {
    "Accept": "Accepted", "Allow": "Allowed", "Approve": "Approved", "Ask": "Asked", "Check": "Checked",
    "Close": "Closed", "Deny": "Denied", "Done": "Done", "Drop": "Dropped", "Hand": "Handed", "Merge": "Merged",
    "Raise": "Raised", "Reject": "Rejected", "Remove": "Removed", "Request": "Requested", "Send": "Sent",
    "Set": "Set", "Stop": "Stopped", "Take": "Taken", "Test": "Tested",
}  # fmt: skip


def done_words(answer: NeedAnswer) -> str:
    """Return what giving an answer did: `Allow once` gives `Allowed once`. Options are in an agent's words."""
    label = re.split(",| and ", answer.label)[0]
    verb, _, rest = label.partition(" ")
    if verb == "Always" and rest.capitalize() in DONE:
        return f"Always {DONE[rest.capitalize()].lower()}"
    if answer.id.startswith("option:") or verb not in DONE:
        return f"Answered: {answer.label}"
    return " ".join([DONE[verb], *rest.removeprefix("it").split()])


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


async def is_known(actor: Actor, need_id: str) -> bool:
    """Return whether something can still be read of a need: an answer may have removed what it was about."""
    try:
        return bool(await asked_need(actor, need_id))
    except NotFound:
        return False


async def after_of(actor: Actor, need_id: str, answer_id: str) -> After | None:
    """Return what became of a need that the person answered; who was faster if it was somebody else.

    None if it is gone, or waits on its board.
    """
    try:
        asked = await asked_need(actor, need_id)
    except NotFound:
        return None
    need = await said_once(actor, asked)
    if need is None:
        return After(need_id, "Done", await how_it_ended(asked))
    chosen = next((one for one in need.answers if one.id == answer_id), None)
    if chosen is not None and asked.key is None and (others := await KINDS[asked.kind].missing(asked.id)):
        words, missing = done_words(chosen), others_missing(others)
        return After(need_id, words, missing, need.title, "ok", chosen.undoable)
    if asked.key is not None and (chosen is None or asked.board_id is not None):
        return None  # it waits: only an address says that there was an answer, which anybody writes
    last = await last_of(asked)
    if chosen is None or (asked.key is None and last is not None and last.actor_id != actor.user_id):
        return After(need_id, "It has ended", await how_it_ended(asked), need.title, "")
    is_recent = last is not None and times.clock_now() - last.created_at < UNDO_WITHIN
    undoable = chosen.undoable and asked.key is None and is_recent
    tone = "ok" if chosen.course != "stop" else "bad"
    found = After(need_id, done_words(chosen), chosen.effect, need.title, tone, undoable)
    return found if undoable else await _with_stop(found, asked, need, chosen)


async def _with_stop(after: After, asked: AskedNeed, need: Need, chosen: NeedAnswer) -> After:
    """Add where the agent that goes on can be stopped, while its session is open."""
    session = await session_of(need) if chosen.course == "go" and need.agent is not None else None
    if session is None or session["ended_at"] is not None or need.agent is None:
        return after
    url = f"/boards/{session['board_id']}/sessions/{session['id']}/stop"
    return After(after.id, after.words, after.effect, after.title, after.tone, False, url, need.agent.name)
