"""What an agent says it learned about a person, who decides whether it goes into their profile."""

from dataclasses import dataclass, replace
from typing import Any

from mission_control.accounts.models import User
from mission_control.core import zones
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.onboarding.models import OnboardingSession
from mission_control.onboarding.prompt import PROPOSAL
from mission_control.onboarding.queries import read_session

LABELS = {
    "preferred_name": "Your name",
    "pronouns": "Pronouns",
    "timezone": "Time zone",
    "notes": "Notes for agents",
    "context": "About you",
}


@dataclass(frozen=True, slots=True)
class Learned:
    """One field of a profile: the proposed text, what it is now, and whether it is ticked at first."""

    name: str
    label: str
    text: str
    now: str
    is_ticked: bool


async def learned_about(
    actor: Actor, session: OnboardingSession | None, typed: dict[str, Any] | None = None
) -> list[Learned]:
    """Return what would change in a person's profile; `typed` is what they chose in a form that was refused.

    Ticked is what differs from the example in the agent's instructions, in a conversation that nobody else held.
    """
    draft = read_session(session).draft_goal if session and session.status != "confirmed" else None
    user = await User.get_or_none(id=actor.user_id) if draft and draft.user_profile and actor.user_id else None
    if session is None or draft is None or draft.user_profile is None or user is None:
        return []
    is_theirs = not await _others_spoke(actor, session)
    found = []
    for name, label in LABELS.items():
        text, now = getattr(draft.user_profile, name), getattr(user, name)
        if name == "preferred_name":
            now = now or user.name
        if text and text != now and (name != "timezone" or zones.exists(text)):
            is_example = text == PROPOSAL["user_profile"][name]
            found.append(Learned(name, label, text, now or "", is_theirs and not is_example))
    return found if typed is None else [replace(one, is_ticked=bool(typed.get(one.name))) for one in found]


async def _others_spoke(actor: Actor, session: OnboardingSession) -> bool:
    return bool(
        await rows(
            "SELECT 1 AS one FROM events WHERE board_id = ? AND created_at >= ? AND actor_id <> ?"
            " AND kind IN ('onboarding.started', 'onboarding.answered') LIMIT 1",
            session.board_id,
            session.created_at,
            actor.user_id,
        )
    )
