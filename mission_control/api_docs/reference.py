"""The OpenAPI document for people and models: tables of fields and schemas by tag, its parts, a text."""

import json
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from mission_control.core.values import JsonObject

JSON = "application/json"
CREDENTIALS = ("X-Agent-Token",)
TONES = {"GET": "run", "POST": "ok", "PATCH": "warn", "PUT": "warn", "DELETE": "bad"}
ADVICE = {"x-when-to-use": "Use it", "x-when-not-to-use": "Rather not", "x-negative-guidance": "Never"}
TITLES = {
    "agent": "Agents' own paths",
    "agent-lead": "For leads",
    "agent-worker": "For workers",
    "agent-main": "For main agents",
    "users": "People",
    "auth": "Signing in",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table. `kind` is a list of words; words with a schema are linked."""

    name: str
    kind: list[tuple[str, str]]
    required: bool
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A named JSON object; `is_sent`: requests have it, so that it matters what is needed."""

    name: str
    description: str
    fields: list[Field]
    is_sent: bool = True


@dataclass(slots=True)
class Entry:
    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    body: Shape | None
    answer: list[tuple[str, str]]
    # The status of a good answer, what it is, and the headers that it may have.
    status: str
    said: str
    headers: list[str]
    is_stream: bool
    errors: list[str]
    curl: str
    advice: list[tuple[str, str]] = field(default_factory=list)

    @property
    def tone(self) -> str:
        return TONES.get(self.method, "")


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    title: str
    description: str
    count: int


@dataclass(frozen=True, slots=True)
class Hit:
    id: str
    tag: str
    method: str
    tone: str
    path: str
    summary: str


def tags(document: JsonObject) -> list[Tag]:
    counts = Counter(tag for _, _, operation in _operations(document) for tag in operation["tags"])
    known = [(one["name"], one["description"]) for one in document["tags"]]
    known.sort(key=lambda one: not one[0].startswith("agent-"))
    return [
        Tag(name, TITLES.get(name, name.replace("-", " ").capitalize()), text, counts[name])
        for name, text in known
        if counts[name]
    ]


def entries_for(
    document: JsonObject, is_wanted: Callable[[JsonObject], bool], base: str = ""
) -> Iterator[tuple[JsonObject, Entry]]:
    """Yield the wanted operations, each as the document has it and as it is shown."""
    for path, method, operation in _operations(document):
        if is_wanted(operation):
            yield operation, _entry(document, path, method, operation, base)


def shapes(document: JsonObject, tag: str) -> list[Shape]:
    operations = [operation for _, _, operation in _operations(document) if tag in operation["tags"]]
    bodies = {name for one in operations if (name := _ref(_content(one.get("requestBody", {}))))}
    known = document["components"]["schemas"]
    linked = needed(document, [[one["responses"] for one in operations], [known[name] for name in bodies]])
    return [one for one in shapes_of(document, operations) if ("schemas", one.name) in linked]


def shapes_of(document: JsonObject, operations: list[JsonObject]) -> list[Shape]:
    names = sorted(name for kind, name in needed(document, operations) if kind == "schemas")
    sent = needed(document, [one.get("requestBody") for one in operations])
    known = document["components"]["schemas"]
    return [
        replace(_shape(document, name), is_sent=("schemas", name) in sent)
        for name in names
        if not known[name].keys().isdisjoint({"properties", "enum"})
    ]


def search(document: JsonObject, query: str) -> list[Hit]:
    """Return operations that contain every word of the query; matches in path, id or summary first."""
    words = query.lower().split()
    named: list[Hit] = []
    others: list[Hit] = []
    for path, method, one in _operations(document):
        name = " ".join((method, path, one["summary"], one["operationId"])).lower()
        text = " ".join((name, one["description"], *one["tags"], _who(one))).lower()
        if all(word in text for word in words):
            hit = Hit(one["operationId"], one["tags"][0], method, TONES.get(method, ""), path, one["summary"])
            (named if all(word in name for word in words) else others).append(hit)
    return named + others


def _operations(document: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _entry(document: JsonObject, path: str, method: str, operation: JsonObject, base: str) -> Entry:
    body = _content(operation.get("requestBody", {}))
    status, good = next((code, one) for code, one in operation["responses"].items() if code < "300")
    answer = good.get("content", {})
    schema = answer.get(JSON, {}).get("schema", {})
    parameters = [_resolved(document, one) for one in operation.get("parameters", [])]
    return Entry(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        parameters=[
            _field(one["name"], one.get("schema", {}), one.get("required", False), one["description"], one["in"])
            for one in parameters
            if one["name"] not in CREDENTIALS
        ],
        body=_named(document, body),
        answer=_kind(schema) if schema else [],
        status=status,
        said=good["description"],
        headers=[name for name in good.get("headers", {}) if not name.startswith("RateLimit-")],  # all have these
        is_stream="text/event-stream" in answer,
        errors=sorted(code for code in operation["responses"] if code >= "400"),
        curl=_curl(path, method, operation, base),
        advice=[(title, " ".join(operation[key])) for key, title in ADVICE.items() if operation.get(key)],
    )


def _resolved(document: JsonObject, node: JsonObject) -> JsonObject:
    while "$ref" in node:
        _, _, kind, name = node["$ref"].split("/")
        node = document["components"][kind][name]
    return node


def _who(operation: JsonObject) -> str:
    first = next((name for scheme in operation["security"] for name in scheme), None)
    agents = any("AgentToken" in scheme for scheme in operation["security"])
    people = first == "HTTPBearer"
    if people and agents:
        return "People and agents"
    return "People" if people else "Agents" if agents else "Anybody"


def _content(part: JsonObject) -> JsonObject:
    schema: JsonObject = part.get("content", {}).get(JSON, {}).get("schema", {})
    return schema


def _field(name: str, schema: JsonObject, is_required: bool, description: str, place: str = "") -> Field:
    known = [json.dumps(schema[key]) for key in ("default", "x-default") if key in schema]
    return Field(name, _kind(schema), is_required, "".join(known), description + " (a header)" * (place == "header"))


def _named(document: JsonObject, schema: JsonObject) -> Shape | None:
    name = _ref(schema)
    known = name and document["components"]["schemas"].get(name, {})
    return _shape(document, name) if known and "properties" in known else None


def _ref(schema: dict[str, object]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _shape(document: JsonObject, name: str) -> Shape:
    schema = document["components"]["schemas"][name]
    required = set(schema.get("required", []))
    fields = [
        _field(key, part, key in required, part.get("description", ""))
        for key, part in schema.get("properties", {}).items()
    ]
    return Shape(name, schema.get("description", ""), fields)


def _kind(schema: JsonObject) -> list[tuple[str, str]]:
    """Return a type in words: `list of `, `TaskRead` (linked), ` or `, `null`."""
    if name := _ref(schema):
        return [(name, name)]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        words: list[tuple[str, str]] = []
        for option in options:
            words += [(" or ", ""), *_kind(option)] if words else _kind(option)
        return words
    if "enum" in schema:
        return [(", ".join(json.dumps(value) for value in schema["enum"]), "")]
    if "const" in schema:
        return [(json.dumps(schema["const"]), "")]
    if schema.get("type") == "array":
        return [("list of ", ""), *_kind(schema.get("items", {}))]
    kind = str(schema.get("type", "anything"))
    notes = [str(schema["format"])] if "format" in schema else []
    notes += [f"at least {schema[key]}" for key in ("minimum", "minLength") if key in schema]
    notes += [f"at most {schema[key]}" for key in ("maximum", "maxLength") if key in schema]
    return [(f"{kind} ({', '.join(notes)})" if notes else kind, "")]


def _curl(path: str, method: str, operation: JsonObject, base: str) -> str:
    parts = ["curl -sS"]
    if method != "GET":
        parts.append(f"-X {method}")
    if "text/event-stream" in operation["responses"].get("200", {}).get("content", {}):
        parts[0] = "curl -sSN"
    parts.append(shlex.quote(base + path) if "{" in path else base + path)
    if _who(operation) == "Agents":
        parts.append('-H "X-Agent-Token: $TOKEN"')
    elif operation["security"]:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if (body := operation.get("requestBody", {}).get("content", {}).get(JSON)) is not None:
        parts += ["-H 'Content-Type: application/json'", "-d " + shlex.quote(json.dumps(body["example"]))]
    return " \\\n  ".join(parts)


def sliced(document: JsonObject, tags: Collection[str]) -> JsonObject:
    paths = {
        path: kept
        for path, methods in document["paths"].items()
        if (kept := {method: one for method, one in methods.items() if not set(tags).isdisjoint(one["tags"])})
    }
    operations = [one for methods in paths.values() for one in methods.values()]
    carried = {tag for one in operations for tag in one["tags"]}
    names = needed(document, operations)
    names |= {("securitySchemes", name) for one in operations for scheme in one["security"] for name in scheme}
    components = {
        kind: kept
        for kind, of in document["components"].items()
        if (kept := {name: one for name, one in of.items() if (kind, name) in names})
    }
    tags_kept = [one for one in document["tags"] if one["name"] in carried]
    return document | {"tags": tags_kept, "paths": paths, "components": components}


def needed(document: JsonObject, node: object) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    waiting = [node]
    while waiting:
        for reference in _references(waiting.pop()):
            _, _, kind, name = reference.split("/")
            if (kind, name) not in found:
                found.add((kind, name))
                waiting.append(document["components"][kind][name])
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        for one in node.values():
            yield from _references(one)
    elif isinstance(node, list):
        for one in node:
            yield from _references(one)


def whole(document: JsonObject, introduction: str) -> str:
    found = list(entries_for(document, lambda one: any("AgentToken" in scheme for scheme in one["security"])))
    operations = [operation for operation, _ in found]
    parts = [introduction, "## Operations", *(_operation_text(entry) for _, entry in found)]
    parts.append("## Shapes")
    for shape in shapes_of(document, operations):
        parts.append("\n".join([f"### {shape.name}", "", shape.description, *_fields("Fields", shape.fields)]))
    return "\n\n".join(parts) + "\n"


def _operation_text(one: Entry) -> str:
    lines = [f"### {one.method} {one.path}", "", one.summary + ".", "", one.description]
    lines += [f"- {title}: {text}" for title, text in one.advice]
    lines += _fields("Parameters", one.parameters)
    if one.body is not None:
        lines.append(f"- Body: {one.body.name}")
    lines.append(f"- Answer {one.status}: {_kind_text(one.answer) or one.said}")
    lines.append(f"- Errors: {', '.join(one.errors)}")
    return "\n".join(lines)


def _fields(title: str, fields: Iterable[Field]) -> list[str]:
    lines = [
        f"  - `{one.name}` ({_kind_text(one.kind)}{', required' if one.required else ''})"
        f"{': ' + one.description if one.description else ''}"
        for one in fields
    ]
    return [f"- {title}:", *lines] if lines else []


def _kind_text(words: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in words)
