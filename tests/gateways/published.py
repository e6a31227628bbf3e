"""What OpenClaw publishes of its protocol, cut down to what this program uses: `protocol.json`.

`python -m tests.gateways.published SCHEMA` writes it anew; a test compares it with the package of npm.
"""

import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "protocol.json"

METHODS = (
    "health", "status", "system.info", "gateway.identity.get", "agents.list", "agents.create", "agents.update",
    "agents.delete", "agents.files.list", "agents.files.get", "agents.files.set", "sessions.list", "sessions.preview",
    "sessions.describe", "sessions.patch", "sessions.create", "sessions.reset", "sessions.delete", "sessions.subscribe",
    "sessions.messages.subscribe", "sessions.messages.unsubscribe", "sessions.usage",
    "sessions.usage.timeseries", "chat.send", "chat.history",
    "chat.abort", "agent", "agent.wait", "config.get", "config.patch", "config.set", "wake", "set-heartbeats",
    "last-heartbeat", "models.list", "exec.approval.list", "exec.approval.get", "exec.approval.resolve",
    "exec.approvals.get", "exec.approvals.set", "approval.get", "approval.resolve", "approval.history",
    "question.list", "question.get", "question.resolve", "skills.status", "skills.install", "skills.update",
    "usage.cost", "cron.list", "cron.add", "cron.remove", "device.pair.list", "device.pair.approve",
    "device.pair.reject", "gateway.restart.request", "commands.list",
)  # fmt: skip
SHAPES = (
    "HelloOk", "ConnectParams", "ErrorShape", "AgentsListResult", "AgentsCreateResult", "AgentsUpdateResult",
    "AgentsDeleteResult", "AgentsFilesListResult", "AgentsFilesGetResult", "AgentsFilesSetResult",
    "SessionsDeleteResult", "SessionsCreateResult", "SessionRow", "ChatEvent", "AgentEvent", "ApprovalGetResult",
    "ApprovalResolveResult", "ApprovalHistoryResult", "ApprovalSnapshot", "QuestionRecord", "QuestionListResult",
    "QuestionGetResult", "QuestionResolveResult", "QuestionResolvedEvent", "DevicePairResolvedEvent", "ShutdownEvent",
    "ModelsListResult",
)  # fmt: skip

type Shape = str | dict[str, Any] | list[Any]


def table(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the used part of a published schema; required fields are marked with `!`."""
    definitions = schema["definitions"]
    by_name = {name.lower(): name for name in definitions}
    methods = {}
    for method in METHODS:
        params = by_name.get(f"{''.join(method.replace('-', '.').split('.'))}params".lower())
        methods[method] = {
            "scope": (schema["methods"].get(method) or {}).get("scope"),
            "params": _shape(definitions[params], definitions) if params else None,
        }
    return {"methods": methods, "shapes": {name: _shape(definitions[name], definitions) for name in SHAPES}}


def written(found: dict[str, Any]) -> str:
    """Return a table as the text of its file: a line for each method and shape."""
    parts = []
    for name, entries in found.items():
        lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(one, sort_keys=True)}" for key, one in entries.items())
        parts.append(f" {json.dumps(name)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _shape(schema: dict[str, Any], definitions: dict[str, Any]) -> Shape:
    if "$ref" in schema:
        return _shape(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return _either([_shape(one, definitions) for one in schema[word]])
    if "const" in schema or "enum" in schema:
        return "|".join(json.dumps(one) for one in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if isinstance(kind, list):
        return "|".join(sorted(kind))
    if kind == "object" and "properties" in schema:
        required = set(schema.get("required", ()))
        fields: dict[str, Any] = {
            name + "!" * (name in required): _shape(one, definitions) for name, one in schema["properties"].items()
        }
        if schema.get("additionalProperties") is not False:
            fields["..."] = "any"
        return fields
    if kind == "array":
        items = schema.get("items") or {}
        if isinstance(items, list):
            return [_either([_shape(one, definitions) for one in items])]
        return [_shape(items, definitions)]
    return kind if isinstance(kind, str) else "any"


def _either(shapes: list[Shape]) -> Shape:
    if all(isinstance(one, str) for one in shapes):
        return "|".join(dict.fromkeys(str(one) for one in shapes))
    return {"either": shapes}


if __name__ == "__main__":
    FILE.write_text(written(table(json.loads(Path(sys.argv[1]).read_text()))))
