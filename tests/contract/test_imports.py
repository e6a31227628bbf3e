"""Who may import whom: features in a written order, and the ground below them no feature at all."""

import ast
from collections.abc import Iterator

import pytest

from tests.contract.source import trees

ORDER = ["accounts", "organizations", "boards", "approvals", "agents", "tasks"]
BELOW = ["core", "live", "delivery", "web", "database"]
FILES = ["models", "policy", "commands", "queries"]
ALLOWED = {
    "accounts -> organizations.models": "an account's first membership is made with it",
    "accounts -> organizations.policy": "the command that changes a member's role asks its rule",
}


def imports(tree: ast.Module) -> Iterator[str]:
    """What a module imports of the program, wherever it stands in it; type-checking blocks are passed over."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mission_control."):
            base = node.module.removeprefix("mission_control.")
            yield from (f"{base}.{one.name}" for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "mission_control":
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name.removeprefix("mission_control.") for one in node.names)


def features() -> set[str]:
    """The packages that are features: they have models, commands, an API or pages."""
    marks = {"models", "commands", "api", "pages", "policy"}
    return {name.split(".")[0] for name, _ in trees() if name.split(".")[-1] in marks} - set(BELOW)


def test_the_order_names_known_features() -> None:
    assert set(ORDER) <= features()


@pytest.mark.parametrize("ground", BELOW)
def test_the_ground_imports_no_feature(ground: str) -> None:
    found = {
        f"{name} -> {one}"
        for name, tree in trees()
        if name.startswith(f"{ground}.")
        for one in imports(tree)
        if one.split(".")[0] in features()
    }
    assert found == set()


@pytest.mark.parametrize("feature", ORDER)
def test_features_import_downwards(feature: str) -> None:
    above = ORDER[ORDER.index(feature) + 1 :]
    found = {
        f"{feature} -> {'.'.join(one.split('.')[:2])}"
        for name, tree in trees()
        if name.split(".")[0] == feature and name.split(".")[1] in FILES
        for one in imports(tree)
        if one.split(".")[0] in above
    }
    assert found <= set(ALLOWED)


def test_models_query_no_other_feature_and_commands_know_no_request() -> None:
    for name, tree in trees():
        package, _, file = name.partition(".")
        if file == "models":
            others = {one.split(".")[0] for one in imports(tree)} & features() - {package}
            assert others == set(), name
        if file in ("commands", "policy", "models", "reactions"):
            web = [
                node
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("quart", "quart_auth")
            ]
            assert web == [], name


def test_rules_do_no_io() -> None:
    for name, tree in trees():
        if name.endswith(".policy"):
            assert not any(isinstance(node, ast.Await | ast.AsyncFunctionDef) for node in ast.walk(tree)), name
