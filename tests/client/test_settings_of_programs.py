"""Settings of other people in every shape: ours come in, others stay, and the old bytes come back."""

import json
import os
from pathlib import Path

import pytest

from mission_control.client.changes import Kept
from mission_control.client.connect import Target
from mission_control.client.jsonc import Document
from mission_control.client.problems import Problem
from mission_control.client.program import SERVER, Program, Settings
from mission_control.client.programs import claude_code, codex, gemini, opencode
from mission_control.client.script import is_our_command

OTHERS = '{"type": "command", "command": "true"}'
SHAPES = {
    "none": None,
    "empty": b"",
    "object": b"{}",
    "no-end": b'{"model": "opus"}',
    "others": f'{{\n  "hooks": {{\n    "Stop": [{{"hooks": [{OTHERS}]}}]\n  }},\n  "model": "opus"\n}}\n'.encode(),
    "tabs": b'{\r\n\t"model": "opus",\r\n\t"hooks": {\r\n\t}\r\n}\r\n',
    "surrogates": b'{"greeting": "gr\xc3\xbc\xc3\x9fe", "raw": "\xff"}\n',
    "environment": b'{\n    "env": {"EDITOR": "vi"},\n    "permissions": {"defaultMode": "plan"}\n}\n',
}
TOKEN = "mca_of_a_test"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, without the folders of this machine."""
    for name in (
        "CLAUDE_CONFIG_DIR",
        "CODEX_HOME",
        "GEMINI_CLI_HOME",
        "XDG_STATE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def target(*, in_settings: bool = True, asks: bool = False) -> Target:
    return Target("claude", "http://localhost:8000", TOKEN, "", in_settings=in_settings, asks=asks)


def settings_of(program: Program, place: int = 0) -> Settings:
    return program.files(Kept(program.key))[place]


def connected(home: Path, content: bytes | None, to: Target) -> Path:
    """The settings of Claude Code after it was connected."""
    path = home / ".claude" / "settings.json"
    path.parent.mkdir(exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    again(to)
    return path


def again(to: Target) -> int:
    """Connect, and return how many files that changed."""
    kept = Kept("claude-code")
    changes = [one for one in claude_code.PROGRAM.changes(kept, to) if one.now != one.after]
    kept.write(changes)
    return len(changes)


def removed() -> str:
    kept = Kept("claude-code")
    [said] = [kept.restore(path, strip) for path, strip in claude_code.PROGRAM.strips(kept).items()]
    kept.forget()
    return said


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_old_bytes_come_back(home: Path, content: bytes | None) -> None:
    path = connected(home, content, target(asks=True))
    value = json.loads(path.read_bytes().decode(errors="replace"))
    assert value["env"]["MISSION_CONTROL_TOKEN"] == TOKEN and value["permissions"]["defaultMode"] == "default"
    assert set(claude_code.PROGRAM.events) <= set(value["hooks"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert again(target(asks=True)) == 0
    said = removed()
    assert (path.read_bytes() if path.exists() else None) == content, said
    assert ("byte for byte" in said) is (content is not None)


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_what_was_changed_since_stays(home: Path, content: bytes | None) -> None:
    path = connected(home, content, target())
    document = Document(path.read_bytes(), "settings")
    document.put(("theme",), "dark")
    document.append(("hooks", "Stop"), {"hooks": [json.loads(OTHERS)]})
    path.write_bytes(document.content)
    assert again(target()) == 1
    said = removed()
    assert "as others left it" in said
    before = json.loads((content or b"{}").decode(errors="replace")) if content != b"" else {}
    left = json.loads(path.read_bytes().decode(errors="replace"))
    hooks = left.pop("hooks")
    assert hooks["Stop"][-1] == {"hooks": [json.loads(OTHERS)]} and set(hooks) == {"Stop"}
    before.pop("hooks", None)
    assert left == {**before, "theme": "dark"}


def test_what_somebody_wrote_as_ours_does_not_count_as_the_old_bytes(home: Path) -> None:
    connected(home, b'{"env": {"MISSION_CONTROL_TOKEN": "mca_typed"}, "theme": "dark"}', target())
    assert "as others left it" in removed()
    assert json.loads((home / ".claude" / "settings.json").read_text()) == {"theme": "dark"}


def test_link_stays_one(home: Path) -> None:
    real = home / "dotfiles" / "claude.json"
    real.parent.mkdir()
    real.write_bytes(SHAPES["others"] or b"")
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").symlink_to(real)
    path = connected(home, None, target(in_settings=False))
    assert path.is_symlink() and TOKEN not in path.read_text()
    removed()
    assert path.is_symlink() and real.read_bytes() == SHAPES["others"]


@pytest.mark.parametrize("content", [b'{\n  // mine\n  "a": 1\n}', b'{"a": 1,}', b"[1", b'{"hooks": []}'])
def test_file_that_the_program_does_not_read_is_left_alone(home: Path, content: bytes) -> None:
    with pytest.raises(Problem, match=r"Mend (it|the file)"):
        connected(home, content, target())
    assert (home / ".claude" / "settings.json").read_bytes() == content


def test_telemetry_of_others_stays(home: Path) -> None:
    content = b'{"env": {"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example.org"}}'
    value = json.loads(connected(home, content, target()).read_text())
    assert "otelHeadersHelper" not in value and claude_code.LOGS not in value["env"]
    removed()
    assert (home / ".claude" / "settings.json").read_bytes() == content


def test_what_forbids_hooks_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = connected(home, b"{}", target())
    assert claude_code.PROGRAM.entries("") == ""
    value = json.loads(path.read_text())
    del value["hooks"]["Stop"]
    path.write_text(json.dumps(value))
    assert "no hook of ours for Stop" in claude_code.PROGRAM.entries("")
    managed = home / "managed.json"
    managed.write_text('{"allowManagedHooksOnly": true}')
    monkeypatch.setattr(claude_code, "MANAGED", str(managed))
    assert "allowManagedHooksOnly is set in" in claude_code.PROGRAM.entries("")


def test_difference_hides_the_token(home: Path) -> None:
    [change] = claude_code.PROGRAM.changes(Kept("claude-code"), target())
    assert TOKEN.encode() in change.after and TOKEN not in change.shown(TOKEN)


COMMENTED = b'{\n  // mine\n  "a": [1, /* one */ 2,],\n}\n'


def test_text_with_comments_keeps_them() -> None:
    document = Document(COMMENTED, "settings")
    document.append(("a",), 3)
    document.put(("b", "c"), True)
    assert document.value == {"a": [1, 2, 3], "b": {"c": True}} and b"/* one */" in document.content
    document.remove(("a", 2))
    document.remove(("b",))
    assert document.content == COMMENTED


def test_codex_has_files_of_its_own_and_forgets_our_trust(home: Path) -> None:
    hooks = settings_of(codex.PROGRAM).add(b"", target()).decode()
    assert set(json.loads(hooks)["hooks"]) == set(codex.PROGRAM.events)
    assert json.loads(settings_of(codex.PROGRAM).strip(hooks.encode())) == {}
    assert codex.without_names(codex.with_names(b"A=1", target())) == b"A=1\n"
    key = f"{home}/.codex/hooks.json:stop:0:0"
    mine = b'# mine\nmodel = "x"\n'
    ours = f'\n[mcp_servers.{SERVER}]\nurl = "u"\n\n[hooks.state]\n\n[hooks.state."{key}"]\ntrusted_hash = "h"\n'
    assert codex.without_server(mine + ours.encode(), [key]) == mine
    theirs = b'\n[tui]\nx = 1\n\n[hooks.state."other:stop:0:0"]\ntrusted_hash = "t"\n'
    left = codex.without_server(mine + ours.encode() + theirs, [key])
    assert key.encode() not in left and SERVER.encode() not in left and left.endswith(theirs)


def test_every_event_is_one_that_the_server_reads() -> None:
    from mission_control.runs.programs.claude_code import EVENTS as CLAUDE
    from mission_control.runs.programs.codex import EVENTS as CODEX
    from mission_control.runs.programs.gemini import EVENTS as GEMINI

    assert set(claude_code.PROGRAM.events) <= set(CLAUDE) and set(codex.PROGRAM.events) <= set(CODEX)
    assert set(gemini.PROGRAM.events) <= set(GEMINI)


OF_GEMINI = {
    **{name: content for name, content in SHAPES.items() if name != "environment"},
    "comments": b'{\r\n  // mine\r\n  "ui": {"x": 1}, /* x */\r\n  "mcpServers": {"docs": {"url": "u"}}\r\n}',
}


def test_gemini_keeps_nothing_of_a_look(home: Path) -> None:
    looked, own = home / "looked", home / "own"
    for name, folder in (("looked", looked), ("own", own)):
        for kind in ("tmp", "history"):
            place = home / ".gemini" / kind / name
            place.mkdir(parents=True)
            (place / ".project_root").write_text(str(folder))
    registry = home / ".gemini" / "projects.json"
    registry.write_text(json.dumps({"projects": {str(looked): "looked", str(own): "own"}}))
    gemini.PROGRAM.forget(str(looked))
    assert {path.parent.name for path in home.rglob(".project_root")} == {"own"}
    assert json.loads(registry.read_text()) == {"projects": {str(own): "own"}}


@pytest.mark.parametrize("content", OF_GEMINI.values(), ids=OF_GEMINI)
def test_gemini_has_all_in_one_file_and_its_old_bytes_back(home: Path, content: bytes | None) -> None:
    path, kept = home / ".gemini" / "settings.json", Kept("gemini")
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    changes = gemini.PROGRAM.changes(kept, target())
    assert not any(TOKEN in change.shown(TOKEN) for change in changes)
    kept.write(changes)
    assert (home / ".gemini" / ".env").read_bytes() == gemini.LINES
    document = Document(path.read_bytes(), "settings")
    assert document.get("telemetry", "otlpEndpoint") == f"http://agent:{TOKEN}@localhost:8000/api/v1/connect/otlp"
    assert document.get("mcpServers", SERVER, "headers") == {"Authorization": f"Bearer {TOKEN}"}
    assert gemini.PROGRAM.entries("") == "" and path.stat().st_mode & 0o777 == 0o600
    assert (b"// mine" in document.content) == (b"// mine" in (content or b""))
    assert all(again.now == again.after for again in gemini.PROGRAM.changes(Kept("gemini"), target()))
    assert "there was none before" in Kept("gemini").restore(
        gemini.PROGRAM.environment_path, settings_of(gemini.PROGRAM, 1).strip
    )
    assert not (home / ".gemini" / ".env").exists()
    assert content is None or "byte for byte" in Kept("gemini").restore(str(path), settings_of(gemini.PROGRAM).strip)
    if content is None:
        assert "there was none before" in Kept("gemini").restore(str(path), settings_of(gemini.PROGRAM).strip)
    assert (path.read_bytes() if path.exists() else None) == content


def test_gemini_changed_since_loses_only_ours(home: Path) -> None:
    path, kept = home / ".gemini" / "settings.json", Kept("gemini")
    kept.write(gemini.PROGRAM.changes(kept, target(in_settings=False)))
    assert TOKEN not in path.read_text() and path.read_text().count("$MISSION_CONTROL_TOKEN") == 2
    document = Document(path.read_bytes(), "settings")
    document.append(("hooks", "AfterTool"), {"hooks": [json.loads(OTHERS)]})
    document.put(("hooksConfig", "disabled"), [SERVER])
    path.write_bytes(document.content)
    assert "hooksConfig" in gemini.PROGRAM.entries("")
    assert "as others left it" in Kept("gemini").restore(str(path), settings_of(gemini.PROGRAM).strip)
    left = json.loads(path.read_text())
    assert left == {
        "hooks": {"AfterTool": [{"hooks": [json.loads(OTHERS)]}]},
        "hooksConfig": {"disabled": ["mission-control"]},
    }


@pytest.mark.parametrize("content", [b"A=1", b"A=1\r\n", b"OTEL_EXPORTER_OTLP_TIMEOUT=5\n"])
def test_gemini_keeps_the_environment_of_others(home: Path, content: bytes) -> None:
    path = home / ".gemini" / ".env"
    path.parent.mkdir()
    path.write_bytes(content)
    (home / ".env").write_bytes(b"B=1\n")
    kept = Kept("gemini")
    kept.write([one for one in gemini.PROGRAM.changes(kept, target()) if one.now != one.after])
    assert path.read_bytes().count(b"OTEL_EXPORTER_OTLP_TIMEOUT") == 1 and path.read_bytes().startswith(content)
    path.write_bytes(path.read_bytes() + b"C=1\n")
    Kept("gemini").restore(str(path), settings_of(gemini.PROGRAM, 1).strip)
    assert path.read_bytes().split() == [*content.split(), b"C=1"]


def test_gemini_goes_on_reading_the_environment_of_its_person(home: Path) -> None:
    (home / ".env").write_bytes(b"GEMINI_API_KEY=theirs\n")
    kept = Kept("gemini")
    kept.write(gemini.PROGRAM.changes(kept, target()))
    assert not (home / ".gemini" / ".env").exists() and "in your ~/.env" in gemini.PROGRAM.finish(kept, target())


def test_gemini_sends_telemetry_where_others_want_it(home: Path) -> None:
    content = b'{"telemetry": {"enabled": false}}'
    assert json.loads(settings_of(gemini.PROGRAM).add(content, target()))["telemetry"] == {"enabled": False}


OF_OPENCODE = {
    "none": None,
    "empty": b"",
    "comments": b'{\r\n  // mine\r\n  "tui": {"x": 1}, /* x */\r\n}',
    "its own": b'{"permission": {"bash": {"git push": "ask"}}}\n',
}


@pytest.mark.parametrize("content", OF_OPENCODE.values(), ids=OF_OPENCODE)
@pytest.mark.parametrize("name", ["opencode.json", "opencode.jsonc"])
def test_opencode_gets_a_plugin_without_the_token_and_asks_if_wanted(
    home: Path, content: bytes | None, name: str
) -> None:
    folder, kept = home / ".config" / "opencode", Kept("opencode")
    others = folder / "plugin" / "other.js"
    others.parent.mkdir(parents=True)
    others.write_text("export const Other = async () => ({})")
    settings = folder / (name if content is not None else "opencode.json")
    if content is not None:
        settings.write_bytes(content)
    kept.write(opencode.PROGRAM.changes(kept, target(asks=True)))
    plugin = folder / "plugin" / "mission-control.js"
    assert TOKEN not in plugin.read_text() and opencode.PLACES not in plugin.read_text()
    permission = Document(settings.read_bytes(), "settings").get("permission")
    assert permission == ({"bash": {"git push": "ask"}} if content == OF_OPENCODE["its own"] else opencode.ASKS)
    assert opencode.PROGRAM.entries("") == opencode.PROGRAM.asks_nobody() == ""
    assert [one for one in opencode.PROGRAM.changes(Kept("opencode"), target(asks=True)) if one.now != one.after] == []
    for path, strip in opencode.PROGRAM.strips(Kept("opencode")).items():
        Kept("opencode").restore(path, strip)
    assert (settings.read_bytes() if settings.exists() else None) == content
    assert [one.name for one in others.parent.iterdir()] == ["other.js"]


def test_opencode_changed_since_loses_only_ours(home: Path) -> None:
    kept = Kept("opencode")
    kept.write(opencode.PROGRAM.changes(kept, target(asks=True)))
    plugin, settings = Path(opencode.PROGRAM.plugin_path), Path(opencode.PROGRAM.path)
    plugin.write_text(plugin.read_text() + "// mine\n")
    document = Document(settings.read_bytes(), "settings")
    document.put(("theme",), "dark")
    settings.write_bytes(document.content)
    for path, strip in opencode.PROGRAM.strips(Kept("opencode")).items():
        Kept("opencode").restore(path, strip)
    assert not plugin.exists() and json.loads(settings.read_text()) == {"theme": "dark"}


def test_opencode_is_left_as_it_is_where_nobody_wants_to_be_asked(home: Path) -> None:
    settings = home / ".config" / "opencode" / "opencode.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"permission": opencode.ASKS}))
    kept = Kept("opencode")
    kept.write(opencode.PROGRAM.changes(kept, target()))
    for path, strip in opencode.PROGRAM.strips(Kept("opencode")).items():
        Kept("opencode").restore(path, strip)
    assert json.loads(settings.read_text()) == {"permission": opencode.ASKS}
    assert "not there" in opencode.PROGRAM.entries("")
    settings.unlink()
    assert "nobody is asked" in opencode.PROGRAM.asks_nobody()


def test_hooks_of_an_earlier_version_become_ours(home: Path) -> None:
    command = "/usr/bin/python3 -IS /home/m/.local/share/mission-control/client.pyz hook claude-code"
    old = {"type": "http", "url": f"https://board.example.org{claude_code.HOOKS}", "timeout": 3}
    hooks = {"Stop": [{"hooks": [old]}], "SessionStart": [{"hooks": [{"type": "command", "command": command}]}]}
    assert json.loads(settings_of(claude_code.PROGRAM).strip(json.dumps({"hooks": hooks}).encode())) == {}
    called = {"type": "mcp_tool", "server": SERVER, "tool": "hook", "input": {"client": "codex"}}
    assert (
        json.loads(settings_of(codex.PROGRAM).strip(json.dumps({"hooks": {"Stop": [{"hooks": [called]}]}}).encode()))
        == {}
    )


@pytest.mark.parametrize("folder", ["/home/m", "/home/mara's own", "/Users/Mara Ito"])
def test_own_commands_are_known_again(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", folder)
    to = target()
    to.name = "two"
    for command in (to.hook("codex"), to.hook("codex", 55), to.headers("codex")):
        assert is_our_command(command, "codex") and not is_our_command(command, "claude-code")
    assert not is_our_command("sh /home/m/bin/hook codex", "codex")


def test_nothing_is_written_when_one_file_changed_meanwhile(home: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_bytes(b"{}")
    kept = Kept("claude-code")
    changes = claude_code.PROGRAM.changes(kept, target())
    path.write_bytes(b'{"a": 1}')
    with pytest.raises(Problem, match="changed meanwhile"):
        kept.write(changes)
    assert path.read_bytes() == b'{"a": 1}' and not kept.is_there
    assert os.listdir(path.parent) == ["settings.json"]
