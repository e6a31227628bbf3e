"""What messages say about answers."""

from datetime import datetime

from mission_control.asks.schemas import NeedResults
from mission_control.core.times import clock_time

ANSWERED = {"approve": "Approved", "always": "Approved", "send_back": "Sent back", "reject": "Rejected"}


def bare_title(title: str | None) -> str:
    """Return a need's title without the verb that asks for it."""
    return (title or "").removeprefix("Approve: ")


def answered_words(answer_id: str, title: str | None) -> str:
    """Return what was done with what: `Approved: Kit finishes #20`."""
    return f"{ANSWERED.get(answer_id, 'Answered')}: {bare_title(title)}"


def moment_words(until: datetime | None) -> str:
    """Return until when something is put off."""
    return clock_time(until) if until is not None else "it changes"


def many_words(verb: str, results: NeedResults) -> str:
    """Return what became of many answers: how many, and why not the others."""
    said = f"{verb}: {len(results.results) - results.failed}."
    others = [one.message for one in results.results if one.message]
    if not others:
        return said
    reasons = " ".join(dict.fromkeys(others))
    return f"{said} {results.failed} {'was' if results.failed == 1 else 'were'} not: {reasons[:300]}"
