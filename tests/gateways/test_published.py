"""What the client takes the protocol to be, held against what OpenClaw publishes of it."""

import json
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints

import pytest

from mission_control.gateways.protocol.handshake import ASKED_SCOPES
from tests.gateways import shapes
from tests.gateways.checking import problem_of, protocol
from tests.gateways.published import FILE, METHODS, table, written
from tests.node_packages import Installer

SOURCE = Path(__file__).parent / "published_protocol"
PACKAGE = "node_modules/@openclaw/gateway-protocol/protocol.schema.json"
# Where the shape of a class is published: a shape or the params of a method, and the way into it.
PLACES: dict[type, tuple[str, ...]] = {
    shapes.AgentRow: ("AgentsListResult", "agents!"),
    shapes.AgentsList: ("AgentsListResult",),
    shapes.AgentFile: ("AgentsFilesGetResult", "file!"),
    shapes.AgentFiles: ("AgentsFilesListResult",),
    shapes.OneAgentFile: ("AgentsFilesSetResult",),
    shapes.SessionRow: ("SessionRow",),
    shapes.ChatDelta: ("ChatEvent", "delta"),
    shapes.ChatFinal: ("ChatEvent", "final"),
    shapes.ChatError: ("ChatEvent", "error"),
    shapes.Question: ("QuestionRecord",),
    shapes.QuestionItem: ("QuestionRecord", "questions!"),
    shapes.QuestionOption: ("QuestionRecord", "questions!", "options!"),
    shapes.AgentsCreateParams: ("agents.create",),
    shapes.AgentsUpdateParams: ("agents.update",),
    shapes.AgentsDeleteParams: ("agents.delete",),
    shapes.AgentsFilesSetParams: ("agents.files.set",),
    shapes.SessionsPatchParams: ("sessions.patch",),
    shapes.ChatSendParams: ("chat.send",),
    shapes.ChatHistoryParams: ("chat.history",),
    shapes.ConfigPatchParams: ("config.patch",),
    shapes.WakeParams: ("wake",),
    shapes.ApprovalResolveParams: ("approval.resolve",),
    shapes.ExecApprovalResolveParams: ("exec.approval.resolve",),
}
KINDS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def test_kept_part_is_what_is_published(npm: Installer) -> None:
    folder = npm(SOURCE)
    published = json.loads((folder / PACKAGE).read_text())
    assert written(table(published)) == FILE.read_text(), "python -m tests.gateways.published SCHEMA writes it anew"
    assert set(METHODS) <= set(published["methods"])
    scopes = {facts["scope"] for facts in published["methods"].values()}
    assert set(ASKED_SCOPES) <= scopes


def test_every_shape_has_its_place() -> None:
    defined = {one for one in vars(shapes).values() if isinstance(one, type) and one.__module__ == shapes.__name__}
    assert defined == set(PLACES)


@pytest.mark.parametrize("shape", PLACES, ids=lambda shape: shape.__name__)
def test_shapes_are_those_that_are_published(shape: type) -> None:
    published = place(*PLACES[shape])
    for name, hint in get_type_hints(shape, include_extras=True).items():
        is_optional = get_origin(hint) is NotRequired
        wanted = f"{name}!" if f"{name}!" in published else name
        assert wanted in published, f"{name} is not published"
        assert is_optional == (wanted == name), f"{name} is {'required' if is_optional else 'optional'}"
        inner = get_args(hint)[0] if is_optional else hint
        assert fits(inner, published[wanted]), f"{name} is {published[wanted]}"


def place(name: str, *way: str) -> dict[str, Any]:
    """A published shape."""
    found: Any = protocol()["shapes"].get(name) or protocol()["methods"][name]["params"]
    for step in way:
        if "either" in found:
            found = next(one for one in found["either"] if one["state!"] == f'"{step}"')
        else:
            found = found[step]
            found = found[0] if isinstance(found, list) else found
    assert isinstance(found, dict)
    return found


def fits(hint: Any, published: Any) -> bool:
    """Whether a published field may be read as a type."""
    if hint is object:
        return True
    if isinstance(published, list | dict) and "either" not in published:
        return get_origin(hint) is list if isinstance(published, list) else isinstance(hint, type)
    kinds = set(published.split("|")) if isinstance(published, str) else set()
    if get_origin(hint) is Literal:
        return {json.dumps(one) for one in get_args(hint)} == kinds
    if isinstance(hint, UnionType):
        return kinds <= {KINDS[one] for one in get_args(hint)}
    return kinds == {KINDS[hint]} or (hint is str and all(one.startswith('"') for one in kinds)) or (
        hint is bool and kinds <= {"boolean", "true", "false"}
    )  # fmt: skip


def test_checker_speaks_as_gateways_do() -> None:
    shape = protocol()["methods"]["chat.send"]["params"]
    sent = {"sessionKey": "agent:main:main", "message": "x", "idempotencyKey": "k"}
    assert problem_of(shape, sent) is None
    assert problem_of(shape, {**sent, "foo": 1}) == "at root: unexpected property 'foo'"
    assert problem_of(shape, {"sessionKey": "k", "idempotencyKey": "k"}) == "must have required property 'message'"
    assert problem_of(shape, {**sent, "queueMode": "never"}) is not None
