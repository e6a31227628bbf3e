"""A model for command line clients: it speaks enough of three vendors' APIs to make them call the tools it is told to.

Each request for a completion is answered by the next step of a plan: call a tool of MCP or of the client itself with
arguments, run a command in the client's own shell (`SHELL`), or say something. Arguments of tools may name what an
earlier tool answered: `"$boards.0.id"` looks into the structured content of the last answer that has it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from quart import Quart, Response, request

type Step = tuple[str, dict[str, Any]]
FINISHED = "Everything is done."
# A step that is a command, and the tools that run one, each with the name of its argument.
SHELL = "shell"
SHELLS = {
    "Bash": "command", "bash": "command", "exec_command": "cmd", "shell_command": "command",
    "run_shell_command": "command",
}  # fmt: skip


class FakeModel:
    """A model with a plan."""

    def __init__(self, plan: Iterable[Step]) -> None:
        self.plan = list(plan)
        self.answers: list[dict[str, Any]] = []  # of tools, in order
        self.printed: list[str] = []  # the same as they came
        self.heard = ""  # all that the model was given with the newest request of a turn
        self.offered: set[str] = set()
        self.unknown: list[str] = []
        self.requests = 0  # each is a token in and a token out
        self.app = Quart(__name__)
        self.app.route("/v1/messages", methods=["POST"])(self._messages)
        self.app.route("/v1/messages/count_tokens", methods=["POST"])(self._count)
        self.app.route("/v1/responses", methods=["POST"])(self._responses)
        self.app.route("/v1beta/models/<string:asked>", methods=["POST"])(self._gemini)
        self.app.route("/<path:path>", methods=["GET", "POST", "HEAD"])(self._other)

    async def _other(self, path: str) -> Any:
        self.unknown.append(path)
        return {"data": [], "models": []}

    async def _count(self) -> Any:
        return {"input_tokens": 1}

    # Anthropic Messages

    async def _messages(self) -> Any:
        asked = await request.get_json()
        self.requests += 1
        names = {one["name"] for one in asked.get("tools", ()) if "name" in one}
        self.offered |= names
        if names:
            self.heard = json.dumps(asked, ensure_ascii=False)
        results = [
            block
            for message in asked["messages"]
            if isinstance(message["content"], list)
            for block in message["content"]
            if block["type"] == "tool_result"
        ]
        step = self._next(names, [_text(one["content"]) for one in results]) if names else None
        if step is None:
            said = FINISHED if names else json.dumps({"title": FINISHED})
            block: dict[str, Any] = {"type": "text", "text": said}
        else:
            block = {"type": "tool_use", "id": f"toolu_{len(results)}", "name": step[0], "input": step[1]}
        return (
            self._stream(_anthropic(asked["model"], block)) if asked.get("stream") else _message(asked["model"], block)
        )

    # OpenAI Responses

    async def _responses(self) -> Any:
        asked = await request.get_json()
        self.requests += 1
        names = _flat(asked.get("tools", ()))
        self.offered |= set(names)
        if names:
            self.heard = json.dumps(asked, ensure_ascii=False)
        results = [one for one in asked["input"] if one.get("type") == "function_call_output"]
        step = self._next(set(names), [_text(one["output"]) for one in results]) if names else None
        if step is None:
            item: dict[str, Any] = {
                "type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
                "content": [{"type": "output_text", "text": FINISHED, "annotations": []}],
            }  # fmt: skip
        else:
            space, name = names[step[0]]
            item = {
                "type": "function_call", "id": f"fc_{len(results)}", "call_id": f"call_{len(results)}", "name": name,
                "arguments": json.dumps(step[1]), "status": "completed",
            }  # fmt: skip
            if space:
                item["namespace"] = space
        return self._stream(_openai(item, self.requests))

    # Gemini

    async def _gemini(self, asked: str) -> Any:
        given = await request.get_json()
        self.requests += 1
        declared = [one for tool in given.get("tools", ()) for one in tool.get("functionDeclarations", ())]
        names = {one["name"] for one in declared}
        self.offered |= names
        if names:
            self.heard = json.dumps(given, ensure_ascii=False)
        parts = [part for one in given["contents"] for part in one["parts"]]
        results = [_answer(part["functionResponse"]) for part in parts if "functionResponse" in part]
        step = self._next(names, results) if names else None
        said = {"text": FINISHED} if step is None else {"functionCall": {"name": step[0], "args": step[1]}}
        content, usage = {"role": "model", "parts": [said]}, {"promptTokenCount": 1, "candidatesTokenCount": 1}
        answer = {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}
        if asked.endswith(":streamGenerateContent"):
            return Response(f"data: {json.dumps(answer)}\n\n", content_type="text/event-stream")
        return answer

    def _next(self, names: set[str], results: list[str]) -> Step | None:
        """The step after so many answers."""
        self.printed, self.answers = results, [_structured(one) for one in results]
        if len(results) >= len(self.plan):
            return None
        tool, given = self.plan[len(results)]
        if tool == SHELL:
            [name] = names & set(SHELLS)
            return name, {SHELLS[name]: given["command"]}
        [name] = [one for one in names if one == tool or one.endswith(f"_{tool}")]
        return name, {key: self._filled(value) for key, value in given.items()}

    def _filled(self, value: Any) -> Any:
        if not (isinstance(value, str) and value.startswith("$")):
            return value
        first, *path = value[1:].split(".")
        found: Any = next(one for one in reversed(self.answers) if first in one)[first]
        for part in path:
            found = found[int(part)] if part.isdigit() else found[part]
        return found

    @staticmethod
    def _stream(events: list[dict[str, Any]]) -> Response:
        body = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
        return Response(body, content_type="text/event-stream")


def _flat(tools: Iterable[dict[str, Any]]) -> dict[str, tuple[str | None, str]]:
    """The functions by their whole name; a namespace holds several."""
    found: dict[str, tuple[str | None, str]] = {}
    for one in tools:
        if one.get("type") == "namespace":
            for inner in one.get("tools", ()):
                space = one["name"]
                whole = f"{space}{inner['name']}" if space.endswith("__") else f"{space}__{inner['name']}"
                found[whole] = (space, inner["name"])
        elif "name" in one:
            found[one["name"]] = (None, one["name"])
    return found


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(one.get("text", "") for one in content)


def _answer(function: dict[str, Any]) -> str:
    """What a tool of Gemini answered: its text where it has one."""
    output = (function.get("response") or {}).get("output")
    return output if isinstance(output, str) else json.dumps(function)


def _structured(text: str) -> dict[str, Any]:
    """The JSON object in what a tool answered, wherever its client put it."""
    decoder = json.JSONDecoder()
    for start, character in enumerate(text):
        if character == "{":
            try:
                found, _ = decoder.raw_decode(text[start:])
            except ValueError:
                continue
            return found.get("structuredContent", found) if isinstance(found, dict) else {}
    return {}


def _message(model: str, block: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [block],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip


def _anthropic(model: str, block: dict[str, Any]) -> list[dict[str, Any]]:
    whole = _message(model, block)
    is_tool = block["type"] == "tool_use"
    begun = {**block, "input": {}} if is_tool else {"type": "text", "text": ""}
    delta = (
        {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        if is_tool
        else {"type": "text_delta", "text": block["text"]}
    )
    return [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": begun},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ]


def _openai(item: dict[str, Any], number: int) -> list[dict[str, Any]]:
    usage = {
        "input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    response = {"id": f"resp_{number}", "object": "response", "status": "completed", "output": [item], "usage": usage}
    return [
        {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]


@asynccontextmanager
async def served(model: FakeModel) -> AsyncIterator[str]:
    """The address of the model on loopback."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config, stop = Config(), asyncio.Event()
    config.bind = ["127.0.0.1:0"]
    [socket] = config.create_sockets().insecure_sockets
    socket.listen()
    port = socket.getsockname()[1]
    config.bind = [f"fd://{socket.detach()}"]
    serving = asyncio.create_task(serve(model.app, config, shutdown_trigger=stop.wait))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await serving
