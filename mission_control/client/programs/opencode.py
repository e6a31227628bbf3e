"""opencode: one plugin of ours in a file of its own, which also gives it the tools of the board; no token is in it."""

from __future__ import annotations

import json
import os
import pkgutil
import shlex

from mission_control.client import credentials, script
from mission_control.client.program import SERVER, JsonSettings, Place, Program, Settings
from mission_control.client.spool import Spool
from mission_control.client.work.ends import SIGN_IN, WINDOW, Sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mission_control.client.changes import Kept
    from mission_control.client.connect import Target

FIRST, PLACES = "// Mission Control: ", "const PLACES = {};"
ASKS = {"edit": "ask", "bash": "ask"}
# For `work`: it asks, and makes no title, whose request it counts nowhere.
ASKING = (
    '{"permission":{"edit":"ask","bash":"ask","webfetch":"ask"},'
    '"agent":{"title":{"disable":true}}}'
)  # fmt: skip


class Opencode(Program):
    key = name = command = "opencode"
    least = (1, 18, 0)
    mode = (
        "opencode does what it wants where its settings have it ask nobody, here or on the board. Have it ask before it"
        " changes files and runs commands? (sets permission)"
    )
    plan = "nothing else is done: the plugin gives it the tools of the board too."
    session_field, ends_with = "sessionID", '"sessionID"'
    acp_commands, serves = ("opencode acp",), True
    signs = (  # 1.18.33, which hands on the words of the provider
        Sign(WINDOW, words=r"usage limit|free (usage )?limit|current quota|insufficient.quota|credit balance"),
        Sign(SIGN_IN, words=r"incorrect api key|invalid api key|unauthorized"),
    )

    @property
    def folder(self) -> str:
        return os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "opencode")

    @property
    def plugin_path(self) -> str:
        return os.path.join(self.folder, "plugin", f"{SERVER}.js")

    @property
    def path(self) -> str:
        commented = os.path.join(self.folder, "opencode.jsonc")
        return commented if os.path.exists(commented) else os.path.join(self.folder, "opencode.json")

    def files(self, kept: Kept) -> list[Settings]:
        permission = Place(
            ("permission",),
            lambda document, _: ASKS if document.get("permission") is None else None,
            lambda document: document.get("permission") == ASKS,
        )
        plugin = Settings(
            self.plugin_path,
            lambda _, target: plugin_of(target.name),
            lambda content: b"" if content.startswith(FIRST.encode()) else content,
        )
        return [plugin, JsonSettings(self, self.path, [permission])]

    def takes(self, file: Settings, target: Target) -> bool:
        return file.path == self.plugin_path or target.asks

    def strips(self, kept: Kept) -> dict[str, Callable[[bytes], bytes]]:
        changed = {self.plugin_path, *kept.value["files"]}
        strips = super().strips(kept).items()
        return {path: strip for path, strip in strips if not changed.isdisjoint((path, os.path.realpath(path)))}

    def finish(self, kept: Kept, target: Target) -> str:
        return "It has the tools of the board. An opencode that runs already has to be started again."

    def asks_nobody(self) -> str:
        asked = json.dumps(self.document.get("permission"))
        return "" if '"ask"' in asked else "its settings ask for little: of commands and changes nobody is asked"

    def entries(self, program: str) -> str:
        try:
            with open(self.plugin_path, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return "the plugin is not there: connect it again"
        is_ours = text.startswith(FIRST) and PLACES not in text
        return "" if is_ours else f"{self.plugin_path} is not ours: connect it again"

    def look(self, url: str, folder: str) -> tuple[list[str], dict[str, str]]:
        # By a folder for its data the session is in none of its lists.
        model = {"name": "check", "limit": {"context": 100_000, "output": 4_000}}
        options = {"baseURL": f"{url}/v1", "apiKey": "none"}
        provider = {"npm": "@ai-sdk/anthropic", "name": "check", "options": options, "models": {"check": model}}
        own = {"model": "check/check", "provider": {"check": provider}, "permission": {"bash": "allow"}}
        names = {
            "OPENCODE_CONFIG_CONTENT": json.dumps(own), "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1", "XDG_DATA_HOME": os.path.join(folder, ".data"),
        }  # fmt: skip
        return ["run", "--format", "json", self.asked], names

    def environment(self) -> dict[str, str]:
        return {"OPENCODE_CONFIG_CONTENT": ASKING, **super().environment()}


def plugin_of(name: str) -> bytes:
    more = ["--connection", name] if name else []
    flush = [*shlex.split(script.python_command()), "hook", PROGRAM.key, "--send-kept", *more]
    places = {"connection": credentials.path_of(name), "spool": Spool(PROGRAM.key, name).path, "flush": flush}
    text = (pkgutil.get_data("mission_control.client.programs", "opencode.js") or b"").decode()
    return text.replace(PLACES, f"const PLACES = {json.dumps(places)};", 1).encode()


PROGRAM = Opencode()
