"""Who may import whom: packages in one written order, from the ground floor up, and features above it."""

import ast
from collections.abc import Iterator

import pytest

from tests.contract.source import trees

ORDER = [
    "accounts", "asks", "jobs", "organizations", "gateways", "boards", "runs", "approvals", "usage", "agents", "inbox",
    "tags", "custom_fields", "tasks", "activity", "claims", "groups", "memory", "questions", "provisioning",
    "gateway_notices", "gateway_sessions", "gateway_requests", "onboarding", "webhooks", "notifications",
    "skills", "souls", "metrics", "home", "search", "exports", "identity",
]  # fmt: skip
# The ground floor: each package imports only those before it, without exceptions.
GROUND = [
    "config", "feature", "core", "database", "live", "work", "commands", "sending", "http", "authn",
    "operations", "web",
]  # fmt: skip
# What speaks to the outside: each imports `core` and itself, and knows no database.
OUTSIDE = ["outbound", "openclaw"]
# Modules beside the packages that belong to `config`.
CONFIG = {"config", "config_values", "paths", "private_files"}
ABOVE_ALL = {
    "demo": "it fills an installation through everybody's commands",
    "docs": "it shows every operation",
    "mcp": "its tools are adapters of everybody's operations",
}
ALLOWED = {
    "accounts.commands -> organizations.models": "an account's first membership is made with it",
    "accounts.setup -> organizations.models": "the first owner's organization is made with the account",
    "accounts.setup -> organizations.members": "the command line changes a role by the same command as the API",
    "accounts.deletion -> organizations.models": "who deletes an account leaves every organization",
    "accounts.deletion -> organizations.members": "under the same lock as leaving, so that nobody is left ownerless",
    "accounts.deletion -> organizations.commands": "the organizations in which nobody else is go with the account",
}


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from _walk(child)


def imports(tree: ast.Module) -> Iterator[str]:
    """What a module imports of the program, wherever it stands in it; type-checking blocks are passed over."""
    for node in _walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mission_control."):
            base = node.module.removeprefix("mission_control.")
            yield from (f"{base}.{one.name}" for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "mission_control":
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name.removeprefix("mission_control.") for one in node.names)


def features() -> set[str]:
    """The packages that are features: they have a feature, models, commands, an API or pages."""
    marks = {"models", "commands", "api", "pages", "policy", "feature"}
    return {name.split(".")[0] for name, _ in trees() if name.split(".")[-1] in marks} - set(GROUND)


def test_order_names_every_feature() -> None:
    assert set(ORDER) | set(ABOVE_ALL) == features() and len(set(ORDER)) == len(ORDER)


def package_of(module: str) -> str:
    """The package of a module, or of what is imported from one."""
    first = module.split(".")[0]
    return "config" if first in CONFIG else first


@pytest.mark.parametrize("package", GROUND)
def test_ground_packages_import_only_those_before_them(package: str) -> None:
    allowed = {*GROUND[: GROUND.index(package) + 1], "__version__"}
    found = {
        f"{name} -> {one}"
        for name, tree in trees()
        if package_of(name) == package
        for one in imports(tree)
        if package_of(one) not in allowed and not is_foreign(one)
    }
    assert found == set()


@pytest.mark.parametrize("package", OUTSIDE)
def test_what_speaks_to_the_outside_imports_core_only(package: str) -> None:
    found = {
        f"{name} -> {one}"
        for name, tree in trees()
        if package_of(name) == package
        for one in imports(tree)
        if package_of(one) not in {package, "core", "__version__"} and not is_foreign(one)
    }
    assert found == set()


def is_foreign(module: str) -> bool:
    """Whether something comes from outside of the program."""
    return module.split(".")[0] not in {name.split(".")[0] for name, _ in trees()} | {"__version__"}


def upwards(feature: str) -> set[str]:
    """What a feature's modules import from features above it."""
    above = ORDER[ORDER.index(feature) + 1 :] + list(ABOVE_ALL)
    return {
        f"{name} -> {'.'.join(one.split('.')[:2])}"
        for name, tree in trees()
        if name.split(".")[0] == feature
        for one in imports(tree)
        if one.split(".")[0] in above
    }


@pytest.mark.parametrize("feature", ORDER)
def test_features_import_downwards(feature: str) -> None:
    assert upwards(feature) <= set(ALLOWED)


def test_every_import_exception_is_used() -> None:
    assert set().union(*(upwards(feature) for feature in ORDER)) == set(ALLOWED)


def from_quart(tree: ast.Module) -> set[str]:
    """The names that a module imports from Quart."""
    return {
        one.asname or one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("quart", "quart_auth")
        for one in node.names
    }


def declared(tree: ast.Module, *by: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a module under one of these decorators."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = {ast.unparse(one).partition("(")[0] for one in node.decorator_list}
            if decorators & set(by):
                yield node


def test_models_query_no_other_feature() -> None:
    for name, tree in trees():
        package, _, file = name.partition(".")
        if file == "models":
            assert {one.split(".")[0] for one in imports(tree)} & features() - {package} == set(), name


def test_commands_rules_and_reactions_know_no_request() -> None:
    for name, tree in trees():
        if name.split(".")[-1] in ("commands", "models", "reactions"):
            assert from_quart(tree) == set(), name
        for function in declared(tree, "command", "rules.rule", "reactions.to", "reactions.to_all"):
            used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            assert not used & from_quart(tree), f"{name}.{function.name}"


def test_rules_do_no_io() -> None:
    found = [(name, rule) for name, tree in trees() for rule in declared(tree, "rules.rule")]
    assert [f"{name}.{rule.name}" for name, rule in found if isinstance(rule, ast.AsyncFunctionDef)] == []
    assert len(found) > 100
