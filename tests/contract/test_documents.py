"""What the documents say of files is so."""

import re
import tomllib
from pathlib import Path

import pytest

from mission_control.gateway_agents.provisioning.workspace import FILES
from tests.contract.source import ROOT

HOME = Path("ARCHITECTURE.md").parent
SAME_EVERYWHERE = ("__init__", "models", "queries", "commands", "schemas", "api", "pages", "needs", "reactions")
FOLDERS = (HOME, ROOT, HOME / "tests" / "contract")
NAMED = re.compile(r"`([\w./-]+(?:\.py|\.md|\.csv|/))`")


def test_architecture_is_short_and_names_existing_files_and_every_room() -> None:
    text = HOME.joinpath("ARCHITECTURE.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 250
    named = set(NAMED.findall(text)) - {f"{module}.py" for module in SAME_EVERYWHERE}
    assert len(named) > 50
    assert [name for name in sorted(named) if not any((folder / name).exists() for folder in FOLDERS)] == []
    functions = re.findall(r"`@?(\w+)`(?: functions)?\s(?:in\s|\()`([\w/]+\.py)`", text)
    assert len(functions) > 8
    assert [name for name, file in functions if not re.search(rf"\b{name}\b", (ROOT / file).read_text("utf-8"))] == []
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", text)] == []


def test_page_guide_names_existing_stylesheets_and_macros() -> None:
    guide = Path("static/README.md").read_text(encoding="utf-8")
    macros = guide.partition("## Macros")[2].partition("\nA board:")[0]
    named = re.findall(r"`(\w+\.html)`: ([^.]*(?:\.html)?[^.]*)", macros)
    assert len(named) > 8
    for file, text in named:
        source = Path("templates/ui", file).read_text(encoding="utf-8")
        for macro in re.findall(r"`(\w+)\(", text):
            assert f"macro {macro}(" in source, f"{file} has no {macro}"
    rows = re.findall(r"^\| ([a-z, ]+) \| (`.*) \|$", guide.partition("## CSS")[2], re.M)
    for files, classes in rows:
        styles = "".join(Path(f"static/css/{one}.css").read_text(encoding="utf-8") for one in files.split(", "))
        for one in re.findall(r"[\w-]+", re.sub(r"\[.*?\]", "", classes)):
            assert re.search(rf"\.{one}(?![\w-])", styles), f"{files} have no class {one}"


def test_guide_of_gateways_names_every_file() -> None:
    text = Path("docs/gateways.md").read_text(encoding="utf-8")
    assert [name for name in FILES if name not in text] == []


@pytest.mark.parametrize("document", ["docs/ui.md", "docs/security.md"])
def test_documents_name_existing_tests(document: str) -> None:
    text = Path(document).read_text(encoding="utf-8")
    named = re.findall(r"`(\w+/test_\w+\.py)(?:::(\w+))?`", text)
    tests = Path(__file__).parents[1]
    sources = {file: (tests / file).read_text(encoding="utf-8") for file, _ in named if (tests / file).is_file()}
    assert [file for file, _ in named if file not in sources] == []
    assert [f"{file}::{name}" for file, name in named if name and f"def {name}(" not in sources[file]] == []


def test_the_package_has_a_name_of_its_own_and_a_command_of_that_name() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == "mission-control-boards"
    assert project["scripts"] == dict.fromkeys(
        ("mission-control", "mission-control-boards"), "mission_control.cli:main"
    )


# `mission-control` on the package index is another project.
FOREIGN = re.compile(r"(?:uvx|pipx|uv tool|uv pip|uv add|pip3?|npx)\b[^\n`]*?\smission-control(?![\w./-])")


def test_no_text_tells_anybody_to_install_the_other_project_of_that_name() -> None:
    assert FOREIGN.search("uvx mission-control demo") and FOREIGN.search("pip install -U mission-control")
    assert not FOREIGN.search("uvx --from . mission-control-boards demo")
    folders = [HOME, *(HOME / name for name in ("docs", "examples", "mission_control", "templates", "static", "tools"))]
    files = [
        path
        for folder in folders
        for path in (folder.glob("*") if folder == HOME else folder.rglob("*"))
        if path.suffix in {".py", ".md", ".html", ".js", ".sh", ".txt", ".jinja", ".toml"} or path.name == "Procfile"
    ]
    assert len(files) > 500
    named = [str(path) for path in files if FOREIGN.search(path.read_text(encoding="utf-8"))]
    assert named == []
