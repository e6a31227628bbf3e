"""`work --install`: the file by which systemd or launchd starts a worker of this user, and starts it again."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

from mission_control.client import credentials, files
from mission_control.client.problems import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.work.worker import Worker

SYSTEMD = """[Unit]
Description=Mission Control: tasks of {board}
After=network-online.target

[Service]
ExecStart={command}
WorkingDirectory={folder}
Environment="PATH={path}"
Restart=on-failure
RestartSec=300
KillMode=mixed
TimeoutStopSec=60

[Install]
WantedBy=default.target
"""
LAUNCHD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>{label}</string>
<key>ProgramArguments</key><array>{arguments}</array>
<key>WorkingDirectory</key><string>{folder}</string>
<key>EnvironmentVariables</key><dict><key>PATH</key><string>{path}</string></dict>
<key>RunAtLoad</key><true/>
<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
<key>StandardErrorPath</key><string>{log}</string>
</dict></plist>
"""


def install(worker: Worker) -> None:
    """Write the file, and say how it is started; with --dry-run only show it."""
    if worker.connection.path == "":
        raise Problem(
            f"The token comes from {worker.connection.source}, where no service finds it: `{credentials.called()}"
            " sign-in` stores one.",
            "token_not_stored",
        )
    name = re.sub(r"[^a-z0-9]+", "-", f"mission-control-{os.path.basename(worker.folder)}".lower()).strip("-")
    arguments = _arguments()
    is_mac = sys.platform == "darwin"
    if is_mac:
        path = os.path.expanduser(f"~/Library/LaunchAgents/{name}.plist")
        log = os.path.join(worker.folder, "work.log")
        words = "".join(f"<string>{_xml(word)}</string>" for word in arguments)
        values = {"folder": _xml(worker.top), "path": _xml(os.environ.get("PATH", "")), "log": _xml(log)}
        content = LAUNCHD.format(label=name, arguments=words, **values)
        commands = [["launchctl", "load", "-w", path]]
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        path = os.path.join(base, "systemd", "user", f"{name}.service")
        values = {"folder": worker.top.replace("%", "%%"), "path": os.environ.get("PATH", "").replace("%", "%%")}
        board = re.sub(r"[^\w .-]", "", worker.board["name"])
        content = SYSTEMD.format(board=board, command=" ".join(_systemd(word) for word in arguments), **values)
        commands = [["systemctl", "--user", "daemon-reload"], ["systemctl", "--user", "enable", "--now", name]]
    print(f"{path}:\n\n{content}")
    starts = "\n".join(f"  {shlex.join(command)}" for command in commands)
    if worker.given.dry_run:
        print(f"It would be written, and started by:\n{starts}\nNothing was changed.")
        return
    files.write(path, content.encode(), 0o644)
    try:
        for command in commands:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Problem(f"It is written, and could not be started: {error}. Start it by:\n{starts}") from error
    print("It runs, and starts again with you." + ("" if is_mac else " Without you too: loginctl enable-linger"))


def _arguments() -> list[str]:
    own = [sys.executable, os.path.abspath(credentials.program())] if credentials.program() else [
        os.path.abspath(sys.argv[0])
    ]  # fmt: skip
    return [*own, *(word for word in sys.argv[1:] if word not in ("--install", "--dry-run", "--once", "--json"))]


def _systemd(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
