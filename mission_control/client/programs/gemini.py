"""Gemini CLI: hooks, telemetry and the tools of the board in its user settings, which may have comments."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil

from mission_control.client import files
from mission_control.client.credentials import TOKEN
from mission_control.client.jsonc import Document
from mission_control.client.program import SERVER, JsonSettings, Place, Program, Settings, Turn
from mission_control.client.work.ends import OVERLOAD, SIGN_IN, WINDOW, Sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.changes import Change, Kept
    from mission_control.client.connect import Target

OTLP = "/api/v1/connect/otlp"
PATIENCE = "OTEL_EXPORTER_OTLP_TIMEOUT"  # of which it reads the milliseconds from its environment alone
LINES = f"# Of Mission Control. While this file is there, Gemini CLI reads no ~/.env.\n{PATIENCE}=1000\n".encode()
PROMPTS = (
    "Gemini CLI's prompts are answered at its keyboard, for no hook can answer one; run it by `work` to answer them"
    " on the board."
)
MODEL = "gemini-2.5-flash"  # with a name it asks no other model which one to take
QUIET = {
    "GEMINI_API_KEY": "none", "GOOGLE_GENAI_USE_VERTEXAI": "false", "GOOGLE_GENAI_USE_GCA": "false",
    "GEMINI_CLI_TRUST_WORKSPACE": "true", "GEMINI_CLI_NO_RELAUNCH": "true",
}  # fmt: skip


class Gemini(Program):
    key, name, command, least = "gemini", "Gemini CLI", "gemini", (0, 61, 0)
    plan = f"nothing else is done. {PROMPTS}"
    # Those of the model are not among them: they come with every piece of an answer, and have the whole conversation.
    events = "SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "Notification", "AfterAgent", "SessionEnd"
    timeout, hook_names = 10_000, {"name": SERVER}  # milliseconds
    asked = "Look around, as Mission Control looks whether its connection works."
    call = ("list_directory", {"dir_path": "."})  # which it may do without asking
    acp_commands, acp_mode, lacks = ("gemini --acp",), "default", "routing"
    signs = (  # 0.61
        Sign(WINDOW, words=r"exhausted your (daily )?quota|current quota"),
        Sign(SIGN_IN, "401", words=r"api key not valid"),
        Sign(OVERLOAD, "429", "500", "503", words=r"exhausted your capacity|resource.exhausted"),
    )
    account_names = "GEMINI_CLI_HOME", "GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT"

    @property
    def path(self) -> str:
        return os.path.join(os.environ.get("GEMINI_CLI_HOME") or os.path.expanduser("~"), ".gemini", "settings.json")

    @property
    def environment_path(self) -> str:
        return os.path.join(os.path.dirname(self.path), ".env")

    def files(self, kept: Kept) -> list[Settings]:
        places = [Place(("mcpServers", SERVER), tools_of), Place(("telemetry",), telemetry_of, is_our_telemetry)]
        return [
            JsonSettings(self, self.path, places, secret=True),
            Settings(self.environment_path, patient, lambda content: content.replace(LINES, b"")),
        ]

    def changes(self, kept: Kept, target: Target) -> list[Change]:
        settings, environment = super().changes(kept, target)
        counts = is_our_telemetry(Document(settings.after, self.path))
        return [settings, environment] if counts and self._may_be_patient() else [settings]

    def _may_be_patient(self) -> bool:
        """Whether its own environment is the place: with one it would no longer read that of its person."""
        own = os.path.dirname(os.path.dirname(self.environment_path))
        return os.path.exists(self.environment_path) or not os.path.exists(os.path.join(own, ".env"))

    def finish(self, kept: Kept, target: Target) -> str:
        if not is_our_telemetry(self.document):
            return "Its telemetry goes where its settings send it already: what it costs is not counted on the board."
        if self._may_be_patient():
            return "What it costs is counted, but where a project's own settings send telemetry elsewhere."
        return f"When the board is away, closing it takes ten seconds: {PATIENCE}=1000 in your ~/.env makes that one."

    def asks_nobody(self) -> str:
        return PROMPTS

    def entries(self, program: str) -> str:
        document = self.document
        if document.get("hooksConfig", "enabled") is False or SERVER in (document.get("hooksConfig", "disabled") or ()):
            return f"hooksConfig in {document.name} switches our hooks off"
        missing = self.missing(document)
        if document.get("mcpServers", SERVER) is None:
            missing.append("the tools of the board")
        return f"nothing of ours for {', '.join(missing)}: connect it again" if missing else ""

    def look(self, url: str, folder: str) -> tuple[list[str], dict[str, str]]:
        # For its folder alone it is signed in by a key, and offers the tools of the board, for which it would ask.
        own = {
            "security": {"auth": {"selectedType": "gemini-api-key"}}, "general": {"enableAutoUpdate": False},
            "tools": {"allowed": [f"mcp_{SERVER}_*"]},
        }  # fmt: skip
        files.write(os.path.join(folder, ".gemini", "settings.json"), json.dumps(own).encode())
        command = ["-p", self.asked, "-m", MODEL, "--output-format", "stream-json"]
        return command, {"GOOGLE_GEMINI_BASE_URL": url, **QUIET}

    def turn(self, program: str, url: str, folder: str) -> Turn:
        turn = super().turn(program, url, folder)
        self.forget(folder)
        return turn

    def forget(self, folder: str) -> None:
        """Remove what it keeps of a folder: its chats, its history, and that it knows the folder."""
        home, path = os.path.dirname(self.path), os.path.realpath(folder)
        for root in glob.glob(os.path.join(glob.escape(home), "*", "*", ".project_root")):
            with open(root, encoding="utf-8") as file:
                if os.path.realpath(file.read().strip()) != path:
                    continue
            shutil.rmtree(os.path.dirname(root), ignore_errors=True)
        with contextlib.suppress(OSError, ValueError, KeyError, AttributeError):
            with open(os.path.join(home, "projects.json"), encoding="utf-8") as file:
                listed = json.load(file)
            projects = {one: name for one, name in listed["projects"].items() if os.path.realpath(one) != path}
            if projects != listed["projects"]:
                files.write(file.name, json.dumps({**listed, "projects": projects}, indent=2).encode())


def tools_of(document: Document, target: Target) -> object:
    headers = {"Authorization": f"Bearer {secret_of(target)}"}
    return {"url": f"{target.url}/mcp", "type": "http", "headers": headers}


def telemetry_of(document: Document, target: Target) -> object:
    """Return where it sends its telemetry, None where it sends it somewhere already.

    It takes headers of telemetry from the shell alone, where all that it starts would have them too.
    """
    if document.get("telemetry") is not None:
        return None
    scheme, _, rest = target.url.partition("://")
    endpoint = f"{scheme}://agent:{secret_of(target)}@{rest}{OTLP}"
    return {"enabled": True, "target": "local", "otlpEndpoint": endpoint, "otlpProtocol": "http", "logPrompts": False}


def secret_of(target: Target) -> str:
    return target.token if target.in_settings else f"${TOKEN}"


def is_our_telemetry(document: Document) -> bool:
    return OTLP in str(document.get("telemetry", "otlpEndpoint"))


def patient(content: bytes, target: Target) -> bytes:
    """Return an environment in which it does not wait ten seconds, when it is closed, for a board that is away."""
    if PATIENCE.encode() in content:
        return content
    end = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + end + LINES


PROGRAM = Gemini()
