"""What the documents say of files is so."""

import re
import tomllib
from pathlib import Path

import pytest

from mission_control.gateway_agents.provisioning.workspace import FILES
from tests.contract.source import ROOT

HOME = Path("ARCHITECTURE.md").parent
NAMED = re.compile(r"`([\w./-]+(?:\.py|\.md|\.csv|/))`")


def places(row: str) -> list[tuple[str, list[Path]]]:
    """The files that a row names, with where each may be: in the tree, the program, or a folder named before it."""
    found, folders = [], [HOME, ROOT]
    for name in NAMED.findall(row):
        found.append((name, [folder / name for folder in folders]))
        folders.append(ROOT / name if name.endswith("/") else (ROOT / name).parent)
    return found


def test_architecture_names_existing_files() -> None:
    text = HOME.joinpath("ARCHITECTURE.md").read_text(encoding="utf-8")
    stories = text.partition("## Follow a change")[2].partition("\n## ")[0].split("\n\n")
    table = text.partition("## Where things are")[2].partition("\n## ")[0]
    rows = [*stories, *(row for row in table.splitlines() if row.startswith("| "))]
    named = [one for row in rows for one in places(row)]
    assert len(named) > 100
    assert [name for name, where in named if not any(path.exists() for path in where)] == []


def test_every_package_is_in_the_architecture() -> None:
    text = Path("ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert [name for name in sorted(packages) if f"`{name}/" not in text and f" {name}," not in text] == []


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
