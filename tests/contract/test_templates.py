"""Every template keeps to the page's rules: nothing the content security policy forbids, nothing unnamed."""

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, TemplateSyntaxError, nodes

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


@functools.cache
def source(path: Path) -> str:
    """The text of a template; comments leave their line breaks behind, so that lines keep their numbers."""
    return re.sub(r"\{#.*?#\}", lambda comment: "\n" * comment[0].count("\n"), path.read_text(), flags=re.S)


@functools.cache
def tree(path: Path) -> nodes.Template:
    return PARSER.parse(path.read_text(), template(path))


def offences(pattern: str, path: Path, text: str | None = None, flags: int = 0) -> Iterator[str]:
    """Where a pattern is in a template: its file, its line and what stands there."""
    text = source(path) if text is None else text
    for match in re.finditer(pattern, text, flags):
        yield f"{template(path)}:{text.count('\n', 0, match.start()) + 1}: {match[0].strip()[:80]}"


def missing(pattern: str, path: Path, is_known: Callable[[str], object]) -> Iterator[str]:
    """Where the first group of a pattern names what is not known."""
    text = source(path)
    for match in re.finditer(pattern, text):
        if not is_known(match[1]):
            yield f"{template(path)}:{text.count('\n', 0, match.start()) + 1}: {match[1]}"


def test_templates_are_read() -> None:
    assert len(FILES) > 300


def test_templates_parse() -> None:
    wrong = []
    for path in FILES:
        try:
            tree(path)
        except TemplateSyntaxError as error:
            wrong.append(f"{template(path)}:{error.lineno}: {error.message}")
    assert not wrong, "\n".join(wrong)


def test_templates_hold_nothing_forbidden() -> None:
    wrong = [
        f"{where} ({what})"
        for path in FILES
        for what, pattern in FORBIDDEN.items()
        if not (what in IN_MAILS and template(path).startswith("mail/"))
        for where in offences(pattern, path)
    ]
    assert not wrong, "\n".join(wrong)


def test_templates_are_short_and_have_one_element_a_line() -> None:
    """`djlint` indents; this holds what it leaves to the author."""
    crowded = re.compile(r"</(?:div|p|li|ul|ol|dl|section|article|form|h[1-6]|table|tr|details)>\s*[<{]")
    wrong = []
    for path in FILES:
        lines = path.read_text().splitlines()
        wrong += [f"{template(path)}: {len(lines)} lines"] if len(lines) > 150 else []
        numbered = enumerate(lines, 1)
        wrong += [f"{template(path)}:{at}" for at, line in numbered if len(line) > 120 or crowded.search(line)]
    assert not wrong, "\n".join(wrong)


def test_no_line_break_joins_two_words() -> None:
    """A line break after `word{% endif %}` sends nothing, so the next line must not begin with a word."""
    joined = r"[\w.,:;)}]\{% end(?:if|for) %\}\s*\n\s*(?:[^\s<{]|\{\{ (?!\w+\()).*"
    uncommented = {path: re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S) for path in FILES}
    wrong = [where for path, text in uncommented.items() for where in offences(joined, path, text)]
    assert not wrong, "\n".join(wrong)


def test_buttons_have_a_type_and_images_a_text() -> None:
    incomplete = r"<button\b(?![^>]*type=)[^>]*|<img\b(?![^>]*alt=)[^>]*"
    wrong = [where for path in FILES for where in offences(incomplete, path)]
    assert not wrong, "\n".join(wrong)


def test_assets_and_icons_exist() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons" / "sprite.svg").read_text()))
    icons = (
        r"\b(?:icon|glyph)\(\"([\w-]+)\"",
        r"\b(?:button|link_button)\([^()]*\bicon=\"([\w-]+)\"",
        r"\b(?:icon_button|icon_link|menu_button)\((?:\"[^\"]*\"|[^,()\"]+), \"([\w-]+)\"",
        r"\bempty\(\"([\w-]+)\"",
    )
    wrong: list[str] = []
    for path in FILES:
        wrong += missing(r"asset\(\"([^\"]+)\"\)", path, lambda name: name in JOINED or (STATIC / name).is_file())
        for call in re.finditer(r"page_assets\(([^)]*)\)", source(path)):
            unknown = [name for name in re.findall(r"\"([^\"]+)\"", call[1]) if not page_assets(name)]
            wrong += [f"{template(path)}:{source(path).count('\n', 0, call.start()) + 1}: {name}" for name in unknown]
        wrong += [where for pattern in icons for where in missing(pattern, path, sprite.__contains__)]
    assert not wrong, "\n".join(wrong)


def test_submit_button_comes_first() -> None:
    quiet = r'\{\{ (?:link_)?button\([^}]*kind="quiet"|<(?:a|button)[^>]*data-kind="quiet"'
    wrong = []
    for path in FILES:
        for row in re.finditer(r'class="form-actions"[^>]*>', source(path)):
            rest = " ".join(source(path)[row.end() :].split())[:201].lstrip()
            if re.match(r"(?:\{%[^%]*%\})? ?" + f"(?:{quiet})", rest):
                wrong.append(f"{template(path)}:{source(path).count('\n', 0, row.start()) + 1}: {rest[:80]}")
    assert not wrong, "\n".join(wrong)


def test_regions_have_names_of_their_own() -> None:
    """A screen reader lists the regions of a page; two of one name cannot be told apart."""
    region = r"<(?:section|aside|nav)\b[^>]*|<[a-z]+\b[^>]*role=\"region\"[^>]*"
    wrong = []
    for path in FILES:
        seen = set()
        for tag in re.finditer(region, source(path)):
            for name in re.findall(r'aria-labelledby="([^"{]+)"', tag[0]):
                line = source(path).count("\n", 0, tag.start()) + 1
                wrong += [f"{template(path)}:{line}: {name}"] if name in seen else []
                seen.add(name)
    assert not wrong, "\n".join(wrong)


def test_printed_keys_are_not_part_of_a_name() -> None:
    pressed = re.compile(r"<(?:a|button)\b.*?</(?:a|button)>", re.S)
    wrong = []
    for path in FILES:
        for element in pressed.finditer(source(path)):
            if re.search(r"<kbd[^>]*>[^<]+</kbd>", element[0]):
                wrong.append(f"{template(path)}:{source(path).count('\n', 0, element.start()) + 1}")
    assert not wrong, "\n".join(wrong)


def test_pages_import_inside_their_blocks() -> None:
    """A block is also rendered alone for a stream; imports at the top of a page do not exist there."""
    wrong = [
        f"{template(path)}:{node.lineno}"
        for path in FILES
        if tree(path).find(nodes.Extends) is not None
        for node in tree(path).body
        if isinstance(node, nodes.FromImport | nodes.Import)
    ]
    assert not wrong, "\n".join(wrong)


def test_shared_macros_are_imported_only_under_another_name() -> None:
    imports = re.compile(r'\{% from "ui/[^"]+" import ([^%]+) %\}')
    wrong = [
        f"{template(path)}:{path.read_text().count('\n', 0, statement.start()) + 1}: {name}"
        for path in FILES
        for statement in imports.finditer(path.read_text())
        for name in statement[1].split(", ")
        if name in SHARED
    ]
    assert not wrong, "\n".join(wrong)


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
