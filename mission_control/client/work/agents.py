"""How programs that `work` runs name their calls by the Agent Client Protocol, and what they used."""

from __future__ import annotations

import json
import re
import shlex
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# What stands in place of an answer when a subscription is used up: Claude Code 2.1.332, Codex 0.171.
USED_UP = re.compile(
    r"\W*(you(.|&apos;)ve (hit|reached) your .{0,60}limit|claude (ai )?usage limit reached|credit balance is too low)",
    re.IGNORECASE,
)


def is_used_up(said: str) -> bool:
    return len(said) < 400 and USED_UP.match(said) is not None


# The tools of the kinds of calls, by the names under which people know them.
TOOLS = {
    "execute": "Bash", "edit": "Edit", "read": "Read", "delete": "Delete", "move": "Move", "search": "Search",
    "fetch": "WebFetch", "think": "Think",
}  # fmt: skip
RENAMED = {"filePath": "file_path", "oldString": "old_string", "newString": "new_string"}


def tool_of(call: dict[str, Any]) -> str:
    meta = call.get("_meta")
    claude = meta.get("claudeCode") if isinstance(meta, dict) else None
    named = claude.get("toolName") if isinstance(claude, dict) else None
    if named:
        return str(named)
    if "todos" in given_to(call):
        return "TodoWrite"
    return TOOLS.get(str(call.get("kind")), str(call.get("name") or "").strip() or "Tool")


def given_to(call: dict[str, Any]) -> dict[str, Any]:
    raw = call.get("rawInput")
    given: dict[str, Any] = (
        {RENAMED.get(str(name), str(name)): one for name, one in raw.items()} if isinstance(raw, dict) else {}
    )
    command = given.get("command")
    if isinstance(command, list) and all(isinstance(one, str) for one in command):
        given["command"] = " ".join(shlex.quote(one) for one in command)
    if call.get("kind") == "execute" and not given.get("command"):
        given["command"] = str(call.get("title") or "")
    diffs = [one for one in _parts(call) if one.get("type") == "diff"]
    if not diffs or "old_string" in given or "content" in given or "edits" in given:
        return given
    edits = [
        {"old_string": str(one.get("oldText") or ""), "new_string": str(one.get("newText") or "")} for one in diffs
    ]
    paths = {str(one.get("path")) for one in diffs}
    if len(paths) == 1:
        return {**given, "file_path": paths.pop(), "edits": edits}
    return {**given, "files": [{"path": str(one.get("path")), **two} for one, two in zip(diffs, edits)]}


def _parts(call: dict[str, Any]) -> list[dict[str, Any]]:
    parts = call.get("content")
    return [one for one in parts if isinstance(one, dict)] if isinstance(parts, list) else []


def output_of(call: dict[str, Any]) -> str:
    texts = []
    for one in _parts(call):
        inner = one.get("content")
        if isinstance(inner, dict) and isinstance(inner.get("text"), str):
            texts.append(inner["text"])
    raw = call.get("rawOutput")
    return "\n".join(texts) or (raw if isinstance(raw, str) else "")


def has_failed(call: dict[str, Any]) -> bool:
    raw, meta = call.get("rawOutput"), call.get("_meta")
    metadata = raw.get("metadata") if isinstance(raw, dict) else None
    end = meta.get("terminal_exit") if isinstance(meta, dict) else None
    codes = [
        metadata.get("exit") if isinstance(metadata, dict) else None,
        end.get("exit_code") if isinstance(end, dict) else None,
    ]
    return call.get("status") == "failed" or any(isinstance(one, int) and one != 0 for one in codes)


ASKED_SECONDS = 10.0
FIGURES = {
    "input_tokens": ("inputTokens", "input_tokens"),
    "output_tokens": ("outputTokens", "output_tokens"),
    "cached_tokens": ("cachedInputTokens", "cachedReadTokens", "cached_input_tokens"),
    "written_tokens": ("cachedWriteTokens", "cacheWriteInputTokens"),
}


def usage_of(result: dict[str, Any], key: str) -> list[dict[str, Any]]:
    meta = result.get("_meta")
    quota = meta.get("quota") if isinstance(meta, dict) else None
    by_model = quota.get("model_usage") if isinstance(quota, dict) else None
    counted = [
        (str(one.get("model") or ""), one.get("token_count")) for one in by_model or () if isinstance(one, dict)
    ] or [("", result.get("usage"))]
    found = []
    for model, counts in counted:
        figures: dict[str, Any] = _figures(counts if isinstance(counts, dict) else {})
        if any(figures.values()):
            figures["input_tokens"] += figures["cached_tokens"] + figures["written_tokens"]
            named = {"model": model[:200]} if model else {}
            found.append({**figures, **named, "key": f"{key}:{model}"[:200], "source": "acp"})
    return found


class Messages:
    """What an opencode keeps of its sessions, which it serves on loopback: its answers tell the last request alone."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.known: set[str] = set()

    def used(self, session: str) -> list[dict[str, Any]]:
        found, sessions = [], [session]
        for one in sessions:  # which grows
            sessions += [str(child.get("id")) for child in self._asked(f"{one}/children")]
            for message in self._asked(f"{one}/message"):
                info = message.get("info") or {}
                is_over = info.get("role") == "assistant" and (info.get("time") or {}).get("completed")
                if is_over and info.get("id") not in self.known:
                    found.append(_message_usage(info))
                    self.known.add(str(info.get("id")))
        return [one for one in found if one["input_tokens"] or one["output_tokens"]]

    def _asked(self, path: str) -> list[dict[str, Any]]:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ASKED_SECONDS)
        try:
            connection.request("GET", f"/session/{path}")
            answer = json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return []  # they are told with the next turn
        finally:
            connection.close()
        return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []


def _message_usage(info: dict[str, Any]) -> dict[str, Any]:
    tokens = info.get("tokens")
    tokens = tokens if isinstance(tokens, dict) else {}
    cache = tokens.get("cache")
    cache = cache if isinstance(cache, dict) else {}
    read, written, taken = _whole(cache.get("read")), _whole(cache.get("write")), _whole(tokens.get("input"))
    cost, model = info.get("cost"), info.get("modelID")
    return {
        "key": f"oc:{info.get('id')}"[:200], "source": "acp", "input_tokens": taken + read + written,
        "output_tokens": _whole(tokens.get("output")) + _whole(tokens.get("reasoning")),
        "cached_tokens": read, "written_tokens": written,
        **({"cost_usd": round(cost, 6)} if isinstance(cost, (int, float)) and cost > 0 else {}),
        **({"model": model[:200]} if isinstance(model, str) and model else {}),
    }  # fmt: skip


def _whole(value: object) -> int:
    return max(0, int(value)) if isinstance(value, (int, float)) else 0


def _figures(counts: dict[str, Any]) -> dict[str, int]:
    found = {}
    for name, names in FIGURES.items():
        value = next((counts[one] for one in names if isinstance(counts.get(one), int)), 0)
        found[name] = max(0, value)
    return found
