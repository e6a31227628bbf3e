"""Features install themselves by `features.install()`, completely, and nothing registers anything outside of it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from uuid import UUID

import pytest
from quart import Blueprint

from mission_control import features, installing
from mission_control.boards.models import Board
from mission_control.core.actor import RULES, Rules, Scope, install_rules
from mission_control.doors.registry import Tools
from mission_control.feature import Feature
from mission_control.features import FEATURES
from mission_control.http.operation_api import Api
from mission_control.http.registry import LOOKUPS, install_lookup
from mission_control.log.unit_of_work import REACTIONS, Reactions, record
from mission_control.web.regions import Region
from mission_control.web.shell import PaletteEntry
from mission_control.web.tabs import Tab
from mission_control.work.loops import Loop
from tests.contract.source import ROOT, modules, trees

# The registries, by module and name; each is filled by `installing.py`.
REGISTRIES = {
    "tasks.sentences.TASK_FIELDS",
    "agents.page_frame.TABS",
    "asks.kinds.KINDS",
    "log.unit_of_work.REACTIONS",
    "core.actor.RULES",
    "database.setup.MODEL_MODULES",
    "gateways.events.CONNECTED",
    "gateways.events.HANDLERS",
    "gateways.page_frame.TABS",
    "http.body_limit.BODY_LIMITS",
    "http.request_log.SECRET_PATHS",
    "agents.notices.NOTICES",
    "log.channels._callbacks",
    "log.channels._families",
    "log.event_log.ACCOUNT_KINDS",
    "log.event_log.KINDS",
    "doors.registry.PEOPLES_TOOLS",
    "doors.registry.TOOLS",
    "http.registry.LOOKUPS",
    "http.registry.OPERATIONS",
    "work.loop._senders",
    "web.asides.ASIDES",
    "web.shell.ENTRIES",
    "web.shell.SETTINGS",
}
# Empty module-level lists, dicts and sets that remember something while the program runs.
MEMORIES = {
    "fleet.following._storing",  # what is about to be stored
    "fleet.notice_looking._next",
    "gateways.link._recorded",
    "tasks.board_view._ending",  # announcements on their way
    "tasks.board_view._until",  # who has a board open
    "http.lookups._asked",
    "http.lookups._fresh",
    "http.authentication._seen",
    "http.authentication._used",
    "boards.live._shared",
    "log.commands._running",
    "home.answers._refused",
    "fleet.session_usage._active",
    "fleet.session_usage._measured",
    "gateways.connector._links",
    "fleet.following._followed",
    "fleet.following._lists",
    "fleet.session_reading._masks",
    "fleet.session_view._received",
    "fleet.following._until",
    "people.identity_people._asked",
    "installing._installed",
    "people.audit._running",
    "fleet.gateway_agent._patched_at",
    "fleet.gateway_agent._wishes",
    "fleet.gateway_agent._writing",
    "fleet.gateway_agent._changing",
    "core.request_facts._unanswered",
    "log.channels._waiting",
    "log.event_log._reported",
    "log.channels._queues",
    "doors.calls._calls",
    "doors.calls._early",
}
IMPORT_AS_ITSELF = re.compile(r"\bimport (?:.*, )?(\w+) as \1\b")
COLLECTORS = (Rules, Reactions, Api, Blueprint, Tools, Tab, PaletteEntry, Region, Loop)
IMPORT_ALL = """
import importlib, pkgutil, sys
import mission_control
for found in pkgutil.walk_packages(mission_control.__path__, "mission_control."):
    if not found.name.endswith(("__main__", "aerich_config")):  # programs of their own
        importlib.import_module(found.name)
filled = []
for name in sys.argv[1:]:
    module, _, attribute = name.rpartition(".")
    if getattr(sys.modules["mission_control." + module], attribute):
        filled.append(name)
from mission_control.http.authentication import callbacks
from mission_control.tasks import waiting
from mission_control.web.shell import providers
for one in (callbacks, providers, waiting.callbacks):
    filled += [name for name in one.__slots__ if getattr(one, name) is not None]
print(*filled)
"""


def test_importing_registers_nothing() -> None:
    script = [sys.executable, "-c", IMPORT_ALL, *sorted(REGISTRIES)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=True, cwd=ROOT.parent)
    assert done.stdout.split() == []


def empty_at_import(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module binds to an empty list, dict or set."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
            value, [target] = node.value, [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            is_literal = isinstance(value, ast.List | ast.Dict) and not ast.unparse(value).strip("[]{}")
            is_call = (
                isinstance(value, ast.Call) and not value.args and ast.unparse(value.func) in ("set", "dict", "list")
            )
            if (is_literal or is_call) and isinstance(target, ast.Name):
                yield target.id


def test_every_registry_is_known() -> None:
    found = {f"{name}.{one}" for name, tree in trees() for one in empty_at_import(tree)}
    assert found - MEMORIES == REGISTRIES


def test_every_feature_is_listed_once() -> None:
    files = [sys.modules[name] for name in modules() if name.endswith(".feature")]
    declared = {one.name for file in files for one in vars(file).values() if isinstance(one, Feature)}
    names = [one.name for one in FEATURES]
    assert len(names) == len(set(names)) and set(names) == declared | {"shell"}


def named(value: object) -> Iterator[int]:
    """Yield the identities of everything that a field of a feature names."""
    yield id(value)
    if type(value) is tuple:
        for one in value:
            yield from named(one)


def test_every_collector_is_named_by_its_feature() -> None:
    known = {one for feature in FEATURES for field in fields(Feature) for one in named(getattr(feature, field.name))}
    forgotten = {
        f"{module}.{name}"
        for module in modules()
        for name, value in vars(sys.modules[module]).items()
        if isinstance(value, COLLECTORS) and id(value) not in known
    }
    assert forgotten == set()


def test_installing_again_changes_nothing() -> None:
    before = dict(RULES), {kind: list(run) for kind, run in REACTIONS.items()}
    features.install()
    assert (dict(RULES), REACTIONS) == before


def test_the_list_of_features_stays_short() -> None:
    assert len((ROOT / "features.py").read_text(encoding="utf-8").splitlines()) < 80


@pytest.mark.parametrize("folder", ["mission_control", "tests", "tools", "bench"])
def test_nothing_is_imported_for_its_side_effects(folder: str) -> None:
    ours = [path for path in (ROOT.parent / folder).rglob("*.py") if "node_modules" not in path.parts]
    assert [str(path) for path in ours if IMPORT_AS_ITSELF.search(path.read_text(encoding="utf-8"))] == []


def test_command_whose_rule_nobody_names_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RULES, "board.update")
    with pytest.raises(RuntimeError, match=r"the verb board\.update has no rule"):
        installing.check_verbs()


def test_kind_that_no_feature_declares_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"No feature declares events of the kind task\.sung"):
        record("task.sung", Scope(UUID(int=0)), "Somebody sang.")


def test_verb_with_two_rules_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"task\.change has two rules"):
        install_rules({"task.change": RULES["task.change"]})


def test_operation_whose_lookup_nobody_names_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(LOOKUPS, Board)
    with pytest.raises(RuntimeError, match=r"no look-up finds .*Board"):
        installing.check_lookups()


def test_type_with_two_lookups_is_refused() -> None:
    with pytest.raises(RuntimeError, match="has two look-ups"):
        install_lookup(LOOKUPS[Board])
