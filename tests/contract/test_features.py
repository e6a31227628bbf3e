"""Parts are installed by `installation.install()`, completely, and nothing registers anything outside of it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from uuid import UUID

import pytest

from mission_control.boards.models import Board
from mission_control.core.actor import RULES, Scope
from mission_control.events.unit_of_work import REACTIONS, record
from mission_control.http.registry import LOOKUPS
from mission_control.server import installation
from tests.contract.source import ROOT, trees

# The registries, by module and name; each is filled by parts that `installation.py` installs.
REGISTRIES = {
    "core.programs.PROGRAMS", "runs.hooks.reading.READERS", "needs.kinds.KINDS", "needs.schemas.GLYPHS",
    "channels.channel.CHANNELS", "needs.unanswered.LOOKS", "events.unit_of_work.REACTIONS", "core.actor.RULES",
    "database.setup.MODEL_MODULES", "gateways.connections.events.HANDLERS", "http.body_limit.BODY_LIMITS",
    "http.request_log.SECRET_PATHS", "agents.notices.NOTICES", "events.wakeup_channels._callbacks",
    "events.wakeup_channels._families", "events.event_log.ACCOUNT_KINDS", "events.event_log.KINDS",
    "mcp.registry.PEOPLES_TOOLS", "mcp.registry.TOOLS", "http.registry.LOOKUPS", "http.registry.OPERATIONS",
    "server.installation._blueprints", "background.sending._senders", "background.loops.LOOPS", "web.regions.REGIONS",
    "web.side_panels.ASIDES", "web.shell.ENTRIES", "web.shell.SETTINGS",
}  # fmt: skip
# Empty module-level lists, dicts and sets that remember something while the program runs.
MEMORIES = {
    "core.current_app._made",
    "channels.delivery.sending._at_work",
    "channels.delivery.sending._resting",
    "channels.delivery.sending._turns",
    "gateway_agents.sessions.following._storing",  # what is about to be stored
    "gateway_agents.notices._next",
    "metrics.counting._asked_for",  # organizations whose figures were read
    "gateways.connections.link._recorded",
    "http.lookups._asked",
    "http.lookups._fresh",
    "http.lookups._quiet",  # agents that were told of nothing
    "channels.providers.push.key._known",  # the key of this installation
    "runs.hooks.queue._dropped",  # how much came too fast
    "http.absences._returned",
    "agents.work_state._seen",  # agents whose presence is to be written down
    "http.authentication._renewed",
    "http.authentication._seen",
    "http.authentication._used",
    "boards.live._shared",
    "events.commands._running",
    "gateway_agents.requests.answer_loop._refused",
    "gateway_agents.failed_turns._doubts",  # messages whose turn may have failed
    "gateway_agents.sessions.usage._active",
    "gateway_agents.sessions.usage._ahead",  # how far our clock is before a gateway's
    "gateway_agents.sessions.usage._measured",
    "gateways.connections.connector._links",
    "gateway_agents.sessions.following._followed",
    "gateway_agents.sessions.following._lists",
    "gateway_agents.sessions.reading._masks",
    "gateway_agents.sessions.view._received",
    "gateway_agents.sessions.following._until",
    "runs.sessions.signals._last",
    "gateway_agents.sessions.feed._waiting",
    "runs.sessions.signals._later",
    "people.sign_in.provider_accounts._asked",
    "people.audit._running",
    "gateway_agents.provisioning.gateway_agent._patched_at",
    "gateway_agents.provisioning.gateway_agent._wishes",
    "gateway_agents.provisioning.gateway_agent._writing",
    "gateway_agents.provisioning.gateway_agent._changing",
    "gateway_agents.provisioning.gateway_agent._changes_of",  # what messages wait for after a change
    "core.request_facts._unanswered",
    "events.wakeup_channels._waiting",
    "events.event_log._reported",
    "events.wakeup_channels._queues",
    "mcp.calls._calls",
    "mcp.calls._early",
}
IMPORT_AS_ITSELF = re.compile(r"\bimport (?:.*, )?(\w+) as \1\b")
IMPORT_ALL = """
import gc, importlib, pkgutil, sys
import mission_control
from mission_control.core.extensions import Hook
for found in pkgutil.walk_packages(mission_control.__path__, "mission_control."):
    if not found.name.endswith(("__main__", "aerich_config")):  # programs of their own
        importlib.import_module(found.name)
for name in sys.argv[1:]:
    module, _, attribute = name.rpartition(".")
    if getattr(sys.modules["mission_control." + module], attribute):
        print(name)
print(*[function for one in gc.get_objects() if type(one) is Hook for function in one.functions])
"""
FORGOTTEN = """
import gc
from types import FunctionType
from quart import Blueprint
from mission_control.server import installation
from mission_control.core.extensions import Part
from mission_control.http.operation_api import Api
from mission_control.web.regions import REGIONS
from mission_control.web.shell import ENTRIES
parts = [*installation.declared_parts()]
installation.install()
known = {id(one) for one in (*parts, *REGIONS, *ENTRIES)}
known |= {id(one.blueprint) for one in parts if type(one) is Api}
marks = {id(vars(one).get("parts")) for one in parts if type(one) is FunctionType}  # a wrapper shares its function's
for one in gc.get_objects():
    if issubclass(type(one), (Part, Blueprint)) and id(one) not in known:
        print(one)
    if type(one) is FunctionType and "parts" in vars(one) and id(vars(one)["parts"]) not in marks:
        print(one.__qualname__)
"""


def printed(script: str, *arguments: str) -> list[str]:
    """Return the words that a script prints in a process of its own."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, cwd=ROOT.parent)
    return done.stdout.split()


def test_importing_registers_nothing() -> None:
    assert printed(IMPORT_ALL, *sorted(REGISTRIES)) == []


def test_every_part_is_found() -> None:
    assert printed(FORGOTTEN) == []


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


def test_installing_again_changes_nothing() -> None:
    before = dict(RULES), {kind: list(run) for kind, run in REACTIONS.items()}
    installation.install()
    assert (dict(RULES), REACTIONS) == before


@pytest.mark.parametrize("folder", ["mission_control", "tests", "tools", "bench"])
def test_nothing_is_imported_for_its_side_effects(folder: str) -> None:
    ours = [path for path in (ROOT.parent / folder).rglob("*.py") if "node_modules" not in path.parts]
    assert [str(path) for path in ours if IMPORT_AS_ITSELF.search(path.read_text(encoding="utf-8"))] == []


def test_command_without_a_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RULES, "board.update")
    with pytest.raises(RuntimeError, match=r"the verb board\.update has no rule"):
        installation.check_verbs()


def test_undeclared_kind_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"No module declares events of the kind task\.sung"):
        record("task.sung", Scope(UUID(int=0)), "Somebody sang.")


def test_verb_with_two_rules_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"task\.change is declared twice"):
        vars(RULES["task.change"])["parts"][0](RULES["task.change"])


def test_operation_without_its_lookup_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(LOOKUPS, Board)
    with pytest.raises(RuntimeError, match=r"no look-up finds .*Board"):
        installation.check_lookups()


def test_type_with_two_lookups_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"Board.* is declared twice"):
        vars(LOOKUPS[Board])["parts"][0](LOOKUPS[Board])
