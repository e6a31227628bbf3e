"""What a program asks a permission for: the exact command, change or call, and how dangerous that is."""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

from mission_control.core.text.diffs import LONGEST_LINE, UNSEEN
from mission_control.core.text.masking import TOKEN
from mission_control.core.values import JsonObject
from mission_control.runs.hooks.detail_levels import PATHS, last_part, name_of
from mission_control.runs.hooks.reading import Hook

# Beyond that not all of it could be shown where it is answered, so that only the keyboard answers.
LONGEST, MOST_LINES = 20_000, 400
UNSEEN_WARNING = "It has characters that one does not see. They are written out, such as \\u202e."


class Asked(NamedTuple):
    """A call for which a program asks. `external_id` names it in its session, for the helper that asks."""

    action_type: str
    external_id: str
    payload: JsonObject


def asked_of(hook: Hook, host: str | None, *, is_held: bool = False) -> Asked | None:
    """Return what is asked for; None where it could not be shown whole. `is_held`: only a yes lets it go."""
    if not hook.tool or hook.arguments is None:
        return None
    preview, cwd = _preview(hook.tool, dict(hook.arguments)), hook.body.get("cwd")
    texts = [text for text in (*preview.values(), cwd) if isinstance(text, str)]
    diff = preview.pop("diff", "")
    if not _fits(diff) or sum(map(len, texts)) > LONGEST:
        return None
    hides = any(UNSEEN.search(text.replace("\n", "")) for text in texts)
    reason = preview.pop("reason", "")
    request = _request(hook, preview, host or "", hides=hides, is_held=is_held)
    payload = {"reason": _clean(reason), "confidence": None, "session_request": request}
    if diff:
        payload["diff"] = {"path": request.get("path", ""), "diff": _clean(diff)}
    return Asked(f"session.{request['kind']}", external_id_of(hook), payload)


def _request(hook: Hook, preview: JsonObject, host: str, *, hides: bool, is_held: bool) -> JsonObject:
    kind, cwd = preview.pop("kind"), hook.body.get("cwd")
    level, risks = risk_of(kind, preview.get("command", ""), str(preview.get("path", "")), cwd)
    return {
        "kind": kind,
        "client": hook.program.client,
        "tool": hook.tool,
        **{name: _clean(text) for name, text in preview.items() if text},
        "cwd": _clean(str(cwd or "")),
        "host": host,
        "risk": "high" if hides else level,
        "risk_kinds": ["hides characters", *risks] if hides else risks,
        "warnings": [UNSEEN_WARNING] if hides else [],
        "allowed_decisions": _answers(hook, level, is_held=is_held),
        "asks_there_too": hook.program.asks_there_too and not is_held,
        "is_held": is_held,
        "asks_again": hook.program.asks_again,
        "sha256": digest_of(hook),
        "kept": _kept(hook),
    }


# A rule of Claude Code for a command is a pattern where it has one of these, and not exactly the command.
PATTERN = re.compile(r"[*()\\\n]|:$")


def _fits(diff: str) -> bool:
    return diff.count("\n") <= MOST_LINES and all(len(line) <= LONGEST_LINE for line in diff.splitlines())


def _answers(hook: Hook, level: str, *, is_held: bool) -> list[str]:
    """Return what may be answered: a standing yes is for one plain command that looks harmless."""
    command = (hook.arguments or {}).get("command")
    is_plain = isinstance(command, str) and bool(command.strip()) and not PATTERN.search(command)
    refused = () if hook.tool == "Bash" and is_plain and level != "high" else ("allow-always",)
    answers = ("allow-once", "deny") if is_held else hook.program.answers
    return [answer for answer in answers if answer not in refused]


def _kept(hook: Hook) -> JsonObject | None:
    """Return what is kept of a call when it is over; None: all of it."""
    if hook.kept.level == "all":
        return None
    cwd = hook.of("cwd")
    return {**hook.call, "cwd": last_part(cwd) if hook.kept.level == "names" else cwd}


def external_id_of(hook: Hook) -> str:
    """Return how a call is called in its session: the same call of the same helper is the same.

    A program may name what it asks by itself.
    """
    return f"{hook.of('agent_id')}:{name_of(hook.body.get('permission_id')) or digest_of(hook)}"


def digest_of(hook: Hook) -> str:
    arguments = orjson.dumps(hook.body.get("tool_input"), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(hook.tool.encode() + b"\n" + arguments).hexdigest()


def _clean(text: str) -> str:
    """Return a text as it can be stored. Only our own tokens are hidden: what else looks like a secret may run."""
    return TOKEN.sub(r"\1…", text.replace("\0", "\\u0000"))


def _preview(tool: str, arguments: JsonObject) -> JsonObject:
    reason = arguments.pop("description") if isinstance(arguments.get("description"), str) else ""
    path_name = next((name for name in PATHS if isinstance(arguments.get(name), str)), "")
    command = arguments.get("command")
    if isinstance(command, str) and tool != "apply_patch":
        del arguments["command"]
        return {"kind": "exec", "command": command, "reason": reason, "description": _rest(arguments)}
    if path_name and (diff := "".join(f"{line}\n" for line in _diff(arguments))):
        path = arguments.pop(path_name)
        preview = {"kind": "edit", "title": path, "path": path, "diff": diff}
    else:
        preview = {"kind": "tool", "title": tool}
        if isinstance(command, str):  # a patch
            preview["command"] = arguments.pop("command")
    return {**preview, "reason": reason, "description": _rest(arguments)}


def _rest(arguments: JsonObject) -> str:
    return orjson.dumps(arguments, option=orjson.OPT_INDENT_2).decode() if arguments else ""


def _diff(arguments: JsonObject) -> Iterator[str]:
    """Yield the lines of the diff that an edit is, taking out of the input what is in it."""
    if isinstance(arguments.get("diff"), str):
        yield from arguments.pop("diff").rstrip("\n").split("\n")
        return
    for change in _edits(arguments):
        before, after = (change.pop(name).split("\n") if change[name] else [] for name in ("old_string", "new_string"))
        yield from difflib.unified_diff(before, after, "before", "after", lineterm="", n=3)


def _edits(arguments: JsonObject) -> list[JsonObject]:
    edits: list[JsonObject] = arguments.pop("edits") if isinstance(arguments.get("edits"), list) else []
    if edits and all(_is_edit(edit) for edit in edits):
        return edits
    if _is_edit(arguments):
        return [arguments]
    if edits:
        arguments["edits"] = edits
    if isinstance(content := arguments.get("content"), str):
        arguments["content"] = "all of the file, as shown"
        return [{"old_string": "", "new_string": content}]
    return []


def _is_edit(edit: object) -> bool:
    return isinstance(edit, dict) and all(isinstance(edit.get(name), str) for name in ("old_string", "new_string"))


START = r"(?:^|[\s;&|(`\"'/])"
SAME = r"[^;&|\n]{0,300}"  # of one command; bounded, so that no text takes long
DELETES = rf"{START}(?:rm\s{SAME}(?:-\w*[rRf]|\*)|shred\s|rmdir\s|find\s{SAME}-delete|git\s+clean)"
DOWNLOADED = rf"\b(?:curl|wget)\s{SAME}\|\s{{0,9}}(?:sudo\s+)?(?:ba|z|da)?sh\b|\beval\b{SAME}\$\("
REWRITES = rf"\bgit\s+(?:push\s{SAME}(?:--force|-f\b|\s\+)|reset\s+--hard|filter-branch)"
OVERWRITES = rf"{START}(?:mv|cp\s+-\w*f|rm|truncate|tee)\s|(?<![<>=-])>(?!\s*/dev/null|&)"
# What is dangerous in a command, the worst first: what it does in words, by how it looks. What a script does that it
# runs is not seen here: nothing is said to be without risk.
RISKS: tuple[tuple[str, str, str], ...] = (
    ("high", "deletes files", DELETES),
    ("high", "runs what it downloads", DOWNLOADED),
    ("high", "acts as another user", rf"{START}(?:sudo|doas|su)\s"),
    ("high", "overwrites a disk", rf"{START}(?:mkfs|dd\s{SAME}of=|fdisk|parted)|>\s*/dev/(?:sd|nvme|disk)"),
    ("high", "rewrites history", REWRITES),
    ("high", "deletes data", r"(?i:\b(?:drop\s+(?:table|database|schema)|truncate\s+|delete\s+from)\b)"),
    ("high", "removes what runs", r"\b(?:terraform|tofu)\s+destroy|\bkubectl\s+delete|\bdocker\s+\S{0,40}\s*prune"),
    ("high", "opens rights", r"\bchmod\s+(?:-R\s+)?(?:0?777|a\+)|\bchown\s+-R"),
    ("medium", "changes what runs", r"\b(?:terraform|tofu|kubectl)\s+apply|\bhelm\s+(?:install|upgrade)"),
    ("medium", "publishes", r"\bgit\s+push|\b(?:npm|yarn|pnpm|cargo|twine)\s+(?:publish|upload)|\bdocker\s+push"),
    ("medium", "changes a database", r"(?i:\b(?:psql|mysql|sqlite3|mongosh?)\b|\b(?:alter|create)\s+(?:table|index))"),
    ("medium", "uses the network", rf"{START}(?:curl|wget|ssh|scp|rsync|nc|ftp)\s"),
    ("medium", "installs software", r"\b(?:pip3?|npm|yarn|pnpm|apt(?:-get)?|brew|cargo|gem|uv)\s+(?:install|add|i)\b"),
    ("medium", "moves or overwrites files", OVERWRITES),
    ("medium", "stops programs", rf"{START}(?:kill|pkill|killall|systemctl|shutdown|reboot)\s?"),
)
RISKY_FILES = re.compile(r"(?:^|/)(?:\.env\b[^/]*|\.(?:ssh|git|claude|codex)/|\.bashrc|\.profile|\.netrc|id_[a-z0-9]+)")


def risk_of(kind: str, command: str, path: str, folder: object) -> tuple[str, list[str]]:
    if kind == "exec":
        return _risk_of_command(command)
    if path and RISKY_FILES.search(path):
        return "high", ["changes settings or secrets"]
    if path and isinstance(folder, str) and path.startswith("/") and not path.startswith(f"{folder.rstrip('/')}/"):
        return "medium", ["outside of its folder"]
    return ("low", []) if kind == "edit" else ("medium", [])


def _risk_of_command(command: str) -> tuple[str, list[str]]:
    risks = [(level, why) for level, why, form in RISKS if re.search(form, command, re.DOTALL)]
    worst = risks[0][0] if risks else "low"
    return worst, [why for level, why in risks if level == worst][:3]


def reduced(payload: Mapping[str, object]) -> JsonObject | None:
    """Return what is kept of a request that is over, by the board's level when it was asked; None: all of it."""
    request = payload.get("session_request")
    reduction = request.get("kept") if isinstance(request, Mapping) else None
    if not isinstance(request, Mapping) or not isinstance(reduction, Mapping):
        return None
    dropped = ("command", "description", "path", "title", "kept")
    left = {name: value for name, value in request.items() if name not in dropped}
    left |= {name: reduction[name] for name in ("command", "path", "cwd") if name in reduction}
    if request.get("kind") != "exec":
        left["title"] = reduction.get("path") or reduction.get("tool")
    return {"confidence": None, "session_request": left}
