"""Every verb has one rule, every rule is used, and nothing unsafe is done without asking one."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from quart import Quart

from mission_control.boards.api import get_board, update_board
from mission_control.core.actor import RULES
from mission_control.events.commands import verb_of
from mission_control.http.registry import OPERATIONS
from mission_control.web.actions import Action, action_of
from tests.contract.source import calls, commands, modules, texts, trees

VERB = re.compile(r"[a-z_]+\.[a-z_]+")
ASKS_NOTHING = {
    "bootstrap_user": "it reads one's own profile; the contract makes it a POST",
    "take_telemetry": "it queues what is reported a moment later, by a command that asks",
}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def verbs_asked() -> set[str]:
    found = set(commands().values()) | {one.rule for one in OPERATIONS if one.rule}
    for _, tree in trees():
        for call in calls(tree, "require", "can"):
            found |= {text for argument in call.args for text in texts(argument) if VERB.fullmatch(text)}
    for template in Path("templates").rglob("*.html"):
        asked = re.findall(r"\bcan\(\s*[^)]*?[\"']([a-z_]+\.[a-z_]+)[\"']", template.read_text(encoding="utf-8"))
        found |= set(asked)
    return found


def test_every_verb_has_a_rule() -> None:
    assert verbs_asked() - set(RULES) == set()


def test_every_rule_is_asked() -> None:
    assert set(RULES) - verbs_asked() == set()


def test_rules_name_whom_they_allow() -> None:
    modules()
    assert [verb for verb, rule in RULES.items() if not (rule.__doc__ or "").strip()] == []


def _names(code: CodeType) -> set[str]:
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*(_names(one) for one in inner)) if inner else set(code.co_names)


def _used(function: FunctionType) -> Iterator[Any]:
    names = _names(function.__code__)
    for name in names:
        thing = function.__globals__.get(name)
        if isinstance(thing, ModuleType):
            yield from (getattr(thing, inner) for inner in names if hasattr(thing, inner))
        elif thing is not None:
            yield thing
    for cell in function.__closure__ or ():
        yield cell.cell_contents


def asks_a_rule(function: Any, seen: set[int] | None = None) -> bool:
    """Whether a function, or one of ours that it uses, is a command or requires a verb."""
    seen = set() if seen is None else seen
    if type(function) is not FunctionType or id(function) in seen:
        return False
    seen.add(id(function))
    name = f"{function.__module__}.{function.__name__}"
    if verb_of(function) is not None or name == "mission_control.core.actor.require":
        return True
    return name.startswith("mission_control.") and any(asks_a_rule(one, seen) for one in _used(function))


def test_search_for_rules_can_fail() -> None:
    assert asks_a_rule(update_board)
    assert not asks_a_rule(get_board)


def test_every_unsafe_operation_asks_a_rule() -> None:
    modules()
    silent = {
        one.name for one in OPERATIONS if one.method in UNSAFE and one.rule is None and not asks_a_rule(one.handler)
    }
    assert silent == set(ASKS_NOTHING)


async def test_every_unsafe_page_asks_a_rule(app: Quart) -> None:
    ours = {f"{one.operation_id}_{one.method.lower()}" for one in OPERATIONS}
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.methods and rule.methods & UNSAFE and rule.endpoint.rpartition(".")[2] not in ours
    }
    assert {endpoint for endpoint in pages if not page_asks_a_rule(app.view_functions[endpoint])} == set()


def page_asks_a_rule(view: Any) -> bool:
    """Whether an action's operation, or what another page runs, asks a rule."""
    made = action_of(view)
    if isinstance(made, Action):
        return made.operation.rule is not None or asks_a_rule(made.operation.handler)
    return asks_a_rule(view if made is None else made.performs)
