"""Nothing of the front end is left over: templates, macros, icons, classes and variables that nothing uses."""

import re
from collections import Counter

from mission_control.core.paths import data_dir
from mission_control.web.shared_macros import SHARED
from tests.contract.source import ROOT

STATIC, TEMPLATES = data_dir("static"), data_dir("templates")
PAGES = {path.relative_to(TEMPLATES).as_posix(): path.read_text() for path in TEMPLATES.rglob("*.html")}
STYLES = {path.name: re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S) for path in STATIC.glob("css/*.css")}
SCRIPTS = "\n".join(path.read_text() for path in [*STATIC.glob("js/*.js"), *STATIC.glob("vendor/*.js")])
PROGRAM = "\n".join(path.read_text() for path in ROOT.rglob("*.py"))
ALL = "\n".join([*PAGES.values(), SCRIPTS, PROGRAM])
WORDS = set(re.findall(r"[\w-]+", ALL))


def test_every_template_is_rendered_or_included() -> None:
    rendered = {name for name in PAGES if f'"{name}"' in ALL} | set(SHARED.values())
    assert sorted(PAGES.keys() - rendered) == []


def test_every_macro_is_called() -> None:
    macros = {(name, macro) for name, text in PAGES.items() for macro in re.findall(r"{%-?\s*macro\s+(\w+)", text)}
    named = Counter(re.findall(r"\w+", ALL))
    assert [one for one in sorted(macros) if named[one[1]] < 2] == []


def test_every_icon_is_shown() -> None:
    symbols = re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons" / "sprite.svg").read_text())
    named = set(re.findall(r"[\"'#]([\w-]+)[\"']", ALL))
    assert [name for name in symbols if name not in named] == []


def test_every_css_class_is_used() -> None:
    classes = {(name, one) for name, text in STYLES.items() for one in re.findall(r"\.([a-zA-Z][\w-]*)", text)}
    assert [one for one in sorted(classes) if one[1] not in WORDS] == []


def test_every_css_variable_is_used() -> None:
    read = set(re.findall(r"var\((--[\w-]+)", "\n".join(STYLES.values()) + ALL))
    made = {(name, one) for name, text in STYLES.items() for one in re.findall(r"(?:^|[\s{;])(--[\w-]+):", text)}
    assert [one for one in sorted(made) if one[1] not in read] == []
