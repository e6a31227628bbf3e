"""Who may import whom: the rooms in one written order, each only those before it, without exceptions."""

import ast
import functools
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from tests.contract.source import ROOT, trees

# From the ground floor up.
ORDER = [
    "core", "database", "events", "background", "http", "web",
    "people", "needs", "gateways", "boards", "approvals", "agents", "tasks", "runs",
    "groups", "memory", "metrics", "search", "questions", "gateway_agents", "webhooks", "transfer", "notifications",
    "home", "channels", "mcp", "api_docs", "server", "cli",
]  # fmt: skip
# No room: the program for terminals, which stands alone.
ALONE = {"client"}
# What both read alike: the server for what it answers, the program for when it gets no answer.
SHARED = {"client.shell.patterns", "client.forges.states"}
MOST_MODULES = 25
# Libraries that a start does without. They stand in functions, or at the head of a module on demand (`_name.py`), which
# functions import.
ON_DEMAND = {
    "aerich", "aiosmtplib", "authlib", "httpx2", "joserfc", "markdown_it", "mcp", "mcp_types", "nh3", "regex",
    "websockets", "zxcvbn",
}  # fmt: skip
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield from _walk(child)


def imports(tree: ast.Module) -> Iterator[str]:
    """What a module imports of the program, wherever it stands in it, for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mission_control."):
            base = node.module.removeprefix("mission_control.")
            yield from (f"{base}.{one.name}" for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "mission_control":
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name.removeprefix("mission_control.") for one in node.names)


@functools.cache
def rooms() -> frozenset[str]:
    return frozenset({name.split(".")[0] for name, _ in trees() if "." in name} - ALONE)


def test_order_names_every_room() -> None:
    assert set(ORDER) == rooms() and len(set(ORDER)) == len(ORDER)


def test_templates_and_tests_lie_in_folders_of_rooms() -> None:
    root, shared = ROOT.parent, {"client", "ui", "layouts", "mail", "clients", "contract", "browser", "live", "long"}
    shared |= {"examples", "forges", "fuzz", "programs", "tokens", "__pycache__"}
    for name in ("templates", "tests"):
        assert {path.name for path in (root / name).iterdir() if path.is_dir()} - {*ORDER, *shared} == set(), name


def test_folders_hold_few_modules_and_no_folder_that_is_missing() -> None:
    folders: dict[str, list[str]] = defaultdict(list)
    for name, _ in trees():
        folder, _, module = name.rpartition(".")
        if module != "__init__":
            folders[folder].append(module)
    for folder, modules in folders.items():
        assert len(modules) <= MOST_MODULES, folder
        prefixes = Counter(module.split("_")[0] for module in modules if not module.startswith("_"))
        assert [prefix for prefix, count in prefixes.items() if count > 2] == [], folder


def test_every_room_is_in_the_glossary() -> None:
    _, _, rest = (ROOT.parent / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Glossary")
    terms = {term.strip() for row in re.findall(r"^\| ([^|]+) \|", rest, re.MULTILINE) for term in row.split(",")}
    assert {
        room for room in ORDER if not {room.replace("_", " "), room.replace("_", " ").removesuffix("s")} & terms
    } == set()


def test_rooms_say_what_they_are_for() -> None:
    for name, tree in trees():
        if name.endswith(".__init__") and name.count(".") == 1:
            assert (ast.get_docstring(tree) or "").count(".") >= 2, name


@pytest.mark.parametrize("room", ORDER)
def test_rooms_import_only_those_before_them(room: str) -> None:
    allowed = {*ORDER[: ORDER.index(room) + 1], "__version__"}
    beside = {name for name, _ in trees() if "." not in name} | ALONE
    found = {
        f"{name} -> {one}"
        for name, tree in trees()
        if name.split(".")[0] == room
        for one in imports(tree)
        if one.split(".")[0] in rooms() | beside
        and one.split(".")[0] not in allowed
        and one.rpartition(".")[0] not in SHARED
        and name != "cli.terminal"  # the installed package has its commands
    }
    assert found == set()


def test_client_imports_itself_and_the_standard_library_alone() -> None:
    for name, tree in trees():
        imported = {one for statement, _ in statements(tree) for one in asked_for(statement)}
        rooms_of = {one.removeprefix("mission_control.").split(".")[0] for one in imported if "mission_control." in one}
        if name.split(".")[0] in ALONE:
            assert {one.split(".")[0] for one in imported} <= sys.stdlib_module_names | {"mission_control"}, name
            assert rooms_of <= {*ALONE, "__version__"}, name
        elif name != "cli.terminal":  # the installed package has its commands
            of_client = {one.removeprefix("mission_control.") for one in imported if "mission_control.client" in one}
            assert {one.rpartition(".")[0] for one in of_client} <= SHARED, name


def is_on_demand(imported: str) -> bool:
    """Whether a start does without a library, or a module of the program."""
    first, *others = imported.split(".")
    return first in ON_DEMAND or (first == "mission_control" and any(re.match(r"_(?!_)", one) for one in others))


@functools.cache
def statements(tree: ast.Module) -> tuple[tuple[str, bool], ...]:
    """Every import of a module as a statement, and whether it stands in a function."""
    inside = {id(one) for node in _walk(tree) if isinstance(node, FUNCTIONS) for one in _walk(node)}
    return tuple(
        (ast.unparse(node), id(node) in inside) for node in _walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)
    )


@functools.cache
def asked_for(statement: str) -> list[str]:
    """The modules, or what is in them, that an import names."""
    match ast.parse(statement).body:
        case [ast.ImportFrom(module=str(module), names=names)]:
            return [f"{module}.{one.name}" for one in names]
        case [ast.Import(names=names)]:
            return [one.name for one in names]
    return []


def test_functions_alone_import_what_a_start_does_without() -> None:
    for name, tree in trees():
        room, module = name.split(".")[0], name.rpartition(".")[2]
        if room in ("server", "cli", "client"):  # they import what a command or a process needs
            continue
        for statement, is_inside in statements(tree):
            on_demand = {is_on_demand(one) for one in asked_for(statement)}
            assert on_demand <= ({True} if is_inside else {False, module.startswith("_")}), f"{name}: {statement}"


def test_functions_find_what_they_import() -> None:
    for _, tree in trees():
        for statement, is_inside in statements(tree):
            if is_inside:
                exec(statement, {})


def from_quart(tree: ast.Module) -> set[str]:
    """The names that a module imports from Quart."""
    return {
        one.asname or one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("quart", "quart_auth")
        for one in node.names
    }


def declared(tree: ast.Module, *by: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = {ast.unparse(one).partition("(")[0] for one in node.decorator_list}
            if decorators & set(by):
                yield node


def test_models_query_no_other_room() -> None:
    features = set(ORDER[ORDER.index("people") :])
    for name, tree in trees():
        if name.endswith(".models"):
            imported = {one for one in imports(tree) if one.split(".")[0] in features - {name.split(".")[0]}}
            assert {one for one in imported if ".models." not in one} == set(), name


def test_commands_rules_and_reactions_know_no_request() -> None:
    for name, tree in trees():
        if name.endswith(("commands", "models", "reactions")):
            assert from_quart(tree) == set(), name
        for function in (*declared(tree, "command"), *declared(tree, "reacts_to"), *rules(tree)):
            used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            assert not used & from_quart(tree), f"{name}.{function.name}"


def rules(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any("rule(" in ast.unparse(one) for one in node.decorator_list):
                yield node


def test_rules_do_no_io() -> None:
    found = [(name, rule) for name, tree in trees() for rule in rules(tree)]
    assert [f"{name}.{rule.name}" for name, rule in found if isinstance(rule, ast.AsyncFunctionDef)] == []
    decorators = [one for _, rule in found for one in rule.decorator_list if isinstance(one, ast.Call)]
    assert sum(len(one.args) for one in decorators) > 100
