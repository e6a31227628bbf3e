"""Every template keeps to the page's rules: nothing the content security policy forbids, nothing unnamed."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, nodes

from mission_control.core.paths import data_dir
from mission_control.web.assets import ENTRY, JOINED, page_assets, page_bundle, read
from mission_control.web.shared_macros import SHARED

TEMPLATES = data_dir("templates")
STATIC = data_dir("static")
FILES = sorted(TEMPLATES.rglob("*.html"))
PARSER = Environment(loader=FileSystemLoader(TEMPLATES))

FORBIDDEN = {
    "an hx-on attribute needs eval": r"\bhx-on[:-]",
    "an event handler attribute": r"<[^>]*\son[a-z]+\s*=",
    "an inline style attribute": r"<[^>]*\sstyle\s*=",
    "a js: or javascript: value": r"[\"'{,\s](?:js|javascript):",
    "a trigger filter needs eval": r"hx-trigger=\"[^\"]*\[",
    "an inline style element": r"<style\b",
    "an inline script": r"<script(?![^>]*\bsrc=)[^>]*>",
    "a name of htmx 2": r"\b(?:sse-swap|sse-connect|hx-disabled-elt|hx-vars|hx-ws)\b",
    "window.confirm instead of a dialog": r"\bhx-confirm\b",
    "a positive tabindex": r"tabindex=\"[1-9]",
}
# What mails may hold, since no policy of ours is about them: mail programs read the styles of elements.
IN_MAILS = {"an inline style attribute", "an inline style element"}


def template(path: Path) -> str:
    return path.relative_to(TEMPLATES).as_posix()


def source(path: Path) -> str:
    return re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S)


@pytest.mark.parametrize("path", FILES, ids=template)
def test_template_parses(path: Path) -> None:
    PARSER.parse(path.read_text(), template(path))


@pytest.mark.parametrize("path", FILES, ids=template)
def test_template_holds_nothing_forbidden(path: Path) -> None:
    text, allowed = source(path), IN_MAILS if template(path).startswith("mail/") else set()
    found = {what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)}
    assert found - allowed == set()


@pytest.mark.parametrize("path", FILES, ids=template)
def test_template_is_short_and_has_one_element_a_line(path: Path) -> None:
    """`djlint` indents; this holds what it leaves to the author."""
    lines = path.read_text().splitlines()
    assert len(lines) <= 150
    assert [number for number, line in enumerate(lines, 1) if len(line) > 120] == []
    crowded = re.compile(r"</(?:div|p|li|ul|ol|dl|section|article|form|h[1-6]|table|tr|details)>\s*[<{]")
    assert [number for number, line in enumerate(lines, 1) if crowded.search(line)] == []


@pytest.mark.parametrize("path", FILES, ids=template)
def test_no_line_break_joins_two_words(path: Path) -> None:
    """A line break after `word{% endif %}` sends nothing, so the next line must not begin with a word."""
    joined = r"[\w.,:;)}]\{% end(?:if|for) %\}\s*\n\s*(?:[^\s<{]|\{\{ (?!\w+\()).*"
    assert re.findall(joined, source(path)) == []


@pytest.mark.parametrize("path", FILES, ids=template)
def test_buttons_have_a_type_and_images_a_text(path: Path) -> None:
    text = source(path)
    assert [tag for tag in re.findall(r"<button\b[^>]*", text) if "type=" not in tag] == []
    assert [tag for tag in re.findall(r"<img\b[^>]*", text) if "alt=" not in tag] == []


@pytest.mark.parametrize("path", FILES, ids=template)
def test_assets_and_icons_exist(path: Path) -> None:
    text = source(path)
    assets = re.findall(r"asset\(\"([^\"]+)\"\)", text)
    assert [name for name in assets if name not in JOINED and not (STATIC / name).is_file()] == []
    named = [name for call in re.findall(r"page_assets\(([^)]*)\)", text) for name in re.findall(r"\"([^\"]+)\"", call)]
    assert [name for name in named if not page_assets(name)] == []
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons" / "sprite.svg").read_text()))
    icons = re.findall(r"\b(?:icon|glyph)\(\"([\w-]+)\"", text)
    icons += re.findall(r"\b(?:button|link_button)\([^()]*\bicon=\"([\w-]+)\"", text)
    icons += re.findall(r"\b(?:icon_button|icon_link|menu_button)\((?:\"[^\"]*\"|[^,()\"]+), \"([\w-]+)\"", text)
    icons += re.findall(r"\bempty\(\"([\w-]+)\"", text)
    assert [name for name in icons if name not in sprite] == []


@pytest.mark.parametrize("path", FILES, ids=template)
def test_submit_button_comes_first(path: Path) -> None:
    rows = re.findall(r'class="form-actions"[^>]*> ?(.{,200})', " ".join(source(path).split()))
    quiet = r'\{\{ (?:link_)?button\([^}]*kind="quiet"|<(?:a|button)[^>]*data-kind="quiet"'
    assert [row for row in rows if re.match(r"(?:\{%[^%]*%\})? ?" + f"(?:{quiet})", row)] == []


@pytest.mark.parametrize("path", FILES, ids=template)
def test_regions_have_names_of_their_own(path: Path) -> None:
    """A screen reader lists the regions of a page; two of one name cannot be told apart."""
    region = r"<(?:section|aside|nav)\b[^>]*|<[a-z]+\b[^>]*role=\"region\"[^>]*"
    names = [
        name for tag in re.findall(region, source(path)) for name in re.findall(r'aria-labelledby="([^"{]+)"', tag)
    ]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", FILES, ids=template)
def test_printed_keys_are_not_part_of_a_name(path: Path) -> None:
    pressed = re.findall(r"<(?:a|button)\b.*?</(?:a|button)>", source(path), flags=re.S)
    assert [one for one in pressed if re.search(r"<kbd[^>]*>[^<]+</kbd>", one)] == []


@pytest.mark.parametrize("path", FILES, ids=template)
def test_pages_import_inside_their_blocks(path: Path) -> None:
    """A block is also rendered alone for a stream; imports at the top of a page do not exist there."""
    tree = PARSER.parse(path.read_text(), template(path))
    if tree.find(nodes.Extends) is None:
        return
    assert [node.lineno for node in tree.body if isinstance(node, nodes.FromImport | nodes.Import)] == []


@pytest.mark.parametrize("path", FILES, ids=template)
def test_shared_macros_are_imported_only_under_another_name(path: Path) -> None:
    imports = re.findall(r'\{% from "ui/[^"]+" import ([^%]+) %\}', path.read_text())
    assert [name for names in imports for name in names.split(", ") if name in SHARED] == []


def test_entry_module_includes_all_imports() -> None:
    text = read(ENTRY).decode()
    names = {path.stem.replace("-", "_") for path in (STATIC / "js").glob("*.js")} - {"theme_init"}
    assert {name for name in names if text.count(f"const modules_{name} = ") == 1} == names
    assert re.findall(r"^(?:import|export)\b.*", text, re.M) == []


@pytest.mark.parametrize("entry", sorted((STATIC / "js" / "pages").glob("*.js")), ids=lambda path: str(path.name))
def test_modules_of_pages_load_none_twice(entry: Path) -> None:
    text, shared = page_bundle(entry), read(ENTRY).decode()
    assert [name for name in re.findall(r"^const (modules_\w+) = ", text, re.M) if f"const {name} = " in shared] == []
    assert re.findall(r"^(?:import|export)\b.*", text, re.M) == []


def test_every_included_template_exists() -> None:
    wanted = {
        name
        for path in FILES
        for name in re.findall(r"\{%-?\s*(?:include|extends|from|import)\s+\"([^\"]+)\"", path.read_text())
    }
    assert [name for name in wanted if not (TEMPLATES / name).is_file()] == []


# What htmx cannot do: tell how far an upload is, and read an answer that is shown nowhere.
FETCHING = {"files.js": "new XMLHttpRequest()", "looking.js": "fetch("}


@pytest.mark.parametrize("path", sorted((STATIC / "js").rglob("*.js")), ids=lambda path: str(path.name))
def test_modules_fetch_nothing_and_stay_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 120
    text = text.replace(FETCHING.get(path.name, "\0"), "")
    assert re.findall(r"\bfetch\(|XMLHttpRequest|EventSource|\beval\(|innerHTML\s*=", text) == []
