"""Every kind that is recorded is declared by a feature, none too many."""

import re

from mission_control.events.event_log import ACCOUNT_KINDS, KINDS
from mission_control.gateways.connections.link import HAPPENED
from mission_control.tasks.snapshots.streams import STREAMED
from tests.contract.source import calls, texts, trees

KIND = re.compile(r"[a-z_]+(\.[a-z_]+)+")


def recorded() -> set[str]:
    """The kinds in calls of `record` and of a task's `save`, and those that a delivery's outcome will have."""
    found: set[str] = set()
    for name, tree in trees():
        for call in calls(tree, "record", "record_change", "save_end", "set_work_state"):
            found |= {text for text in texts(call.args[0]) if KIND.fullmatch(text)}
        for call in calls(tree, "save"):
            found |= {text for one in call.args for text in texts(one) if KIND.fullmatch(text)}
        for call in calls(tree, "deliver"):
            outcomes = [one.value for one in call.keywords if one.arg in ("succeeded", "failed")]
            found |= {text for one in outcomes for text in texts(one)}
        for call in calls(tree, "Deadlines"):  # records what it is given
            found |= {text for one in call.keywords for text in texts(one.value) if KIND.fullmatch(text)}
        if name == "gateways.connections.link":  # records that of a state
            found |= {kind for kind, _ in HAPPENED.values()}
        if name == "tasks.notices":
            stems = [text for call in calls(tree, "_notify") for text in texts(call.args[-1])]
            found |= {f"{stem}_{end}" for stem in stems for end in ("notified", "notify_failed")}
    return found


def test_recorded_kinds_equal_documented_kinds() -> None:
    assert recorded() == set(KINDS)


def test_recorded_account_kinds_equal_documented_kinds() -> None:
    found = {
        text
        for _, tree in trees()
        for call in calls(tree, "record_account")
        for text in texts(call.args[0])
        if KIND.fullmatch(text)
    }
    assert found == set(ACCOUNT_KINDS)


def test_kinds_are_facts_in_one_sentence() -> None:
    for kind, sentence in ({kind: one.recorded_when for kind, one in KINDS.items()} | ACCOUNT_KINDS).items():
        assert KIND.fullmatch(kind) and len(kind) <= 96
        assert re.fullmatch(r"[A-Z].*\.", sentence), kind


def test_streamed_kinds_exist() -> None:
    assert set(KINDS) >= STREAMED
