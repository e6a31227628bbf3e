"""Compiled templates are kept, read again, and never older than what they were made of."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, compiler

from mission_control.web import fragments
from mission_control.web.template_cache import CompiledTemplates

type Shown = Callable[..., tuple[str, int]]


def shout(text: str) -> str:
    return text.upper()


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Render a template as a new process does; what it says, and how many templates were compiled for that."""
    (tmp_path / "boat.html").write_text("<p>{{ name|shout }}</p>\n<p>{{ 'ahoy'|shout }}</p>")
    (tmp_path / "boat.txt").write_text("{{ name }}")
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr("sys.pycache_prefix", None)

    def show(template: str = "boat.html", kind: str = "pages") -> Any:
        environment = Environment(loader=FileSystemLoader(tmp_path), extensions=[fragments.TemplateLayout])
        environment.filters["shout"] = shout
        environment.bytecode_cache = CompiledTemplates(environment, kind)
        made: list[str] = []
        genuine = environment._compile

        def noted(source: str, filename: str) -> Any:
            made.append(filename)
            return genuine(source, filename)

        monkeypatch.setattr(environment, "_compile", noted)
        return environment.get_template(template).render(name="Vega"), len(made)

    return show


def test_compiled_template_is_read_again(shown: Shown) -> None:
    assert shown() == ("<p>VEGA</p><p>AHOY</p>", 1)
    assert shown() == ("<p>VEGA</p><p>AHOY</p>", 0)


def test_templates_and_kinds_of_one_name_are_apart(shown: Shown) -> None:
    assert [shown()[1], shown(kind="macros")[1]] == [1, 1]
    assert shown("boat.txt") == ("Vega", 1)


def test_changed_template_is_compiled_again(shown: Shown, tmp_path: Path) -> None:
    before = os.stat(tmp_path / "boat.html")
    shown()
    (tmp_path / "boat.html").write_text("<p>{{ name }}</p>")
    os.utime(tmp_path / "boat.html", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert shown() == ("<p>Vega</p>", 1)


@pytest.mark.parametrize("maker", [compiler.__file__, fragments.__file__])
def test_another_compiler_compiles_again(shown: Shown, monkeypatch: pytest.MonkeyPatch, maker: str) -> None:
    shown()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: read(file) + b"#" * (str(file) == maker))
    assert shown()[1] == 1


def test_broken_or_missing_file_is_made_anew(shown: Shown, tmp_path: Path) -> None:
    shown()
    [file] = (tmp_path / "__pycache__").iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    assert [shown()[1], shown()[1]] == [1, 0]
    file.unlink()
    assert [shown()[1], shown()[1]] == [1, 0]


def test_nothing_is_kept_where_that_cannot_be(shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "__pycache__").write_text("in the way")
    assert [shown()[1], shown()[1]] == [1, 1]
    (tmp_path / "__pycache__").unlink()
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert [shown()[1], shown()[1]] == [1, 1]
    assert not (tmp_path / "__pycache__").exists()
