"""Transcripts of gateways: what people read of them, what is masked, and runs that are put together from pieces."""

from typing import Any

import pytest

from mission_control.core.text.masking import Mask
from mission_control.core.values import to_json
from mission_control.gateway_agents.sessions.following import PIECE_BYTES, fitted, pieces
from mission_control.gateway_agents.sessions.transcript import (
    LONGEST_TEXT,
    MOST_PARTS,
    Entry,
    History,
    Part,
    Run,
    entries_of,
    moment_of,
    settled_before,
)
from mission_control.gateway_agents.sessions.view import Received
from mission_control.gateways.protocol.payload import Payload

TOKEN = "mca_" + "Zq9-" * 12
GATEWAY = "the-token-of-the-gateway"
PLAIN = Mask()


def message(role: str, content: Any, seq: int = 1, **own: Any) -> dict[str, Any]:
    return {
        "role": role,
        "content": content,
        "timestamp": 1795697458824,
        "__openclaw": {"id": f"m{seq}", "seq": seq, **own},
    }


def call(call_id: str = "c1", **arguments: Any) -> dict[str, Any]:
    return {"type": "toolCall", "id": call_id, "name": "exec", "arguments": arguments}


def read(*messages: Any) -> list[Entry]:
    return entries_of(messages, PLAIN)


def test_result_stands_at_its_call() -> None:
    [entry] = read(
        message("assistant", [call(command="ls")]),
        {
            "role": "toolResult",
            "toolCallId": "c1",
            "toolName": "exec",
            "content": [{"type": "text", "text": "a"}],
            "isError": True,
        },
    )
    assert (entry.kind, entry.name, entry.text, entry.result, entry.is_error) == ("tool", "exec", "ls", "a", True)
    assert not entry.is_open


def test_result_without_its_call_stands_alone() -> None:
    [entry] = read({"role": "toolResult", "toolCallId": "c9", "toolName": "read", "content": "text"})
    assert (entry.kind, entry.name, entry.result) == ("tool", "read", "text")


def test_message_has_an_entry_for_each_part() -> None:
    entries = read(message("assistant", [{"type": "text", "text": "Well."}, call("c1", path="/a"), call("c2")]))
    assert [one.kind for one in entries] == ["assistant", "tool", "tool"]
    assert len({one.id for one in entries}) == 3
    assert entries[1].text == '{\n  "path": "/a"\n}' and entries[2].text == ""
    assert all(one.is_open for one in entries[1:])


@pytest.mark.parametrize(("given", "kind", "text"), [
    (message("system", "", kind="reset"), "system", "The session began anew"),
    (message("system", "Something new", kind="unknown"), "system", "Something new"),
    (message("alien", None), "system", "A note of the gateway"),
    ({"role": "assistant", "content": [], "errorMessage": "No credit"}, "system", "No credit"),
    (
        message("user", "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>> x"),
        "system",
        "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>> x",
    ),
    (message("user", [{"type": "image", "data": "x"}]), "system", "An image"),
])  # fmt: skip
def test_markers(given: dict[str, Any], kind: str, text: str) -> None:
    [entry] = read(given)
    assert (entry.kind, entry.text) == (kind, text)


def test_what_is_no_message_is_passed_over() -> None:
    assert read(None, 7, "text", [], {"role": "assistant"}, message("assistant", [None, 3, {"type": "new"}])) == []


def test_key_of_a_sent_message_is_known() -> None:
    [entry] = read(message("user", "Hi.", idempotencyKey="k:user"))
    assert entry.sent_as == "k"


@pytest.mark.parametrize("value", [None, True, [], "soon", 1e300, -1e300, float("nan")])
def test_times_of_no_known_form_are_none(value: Any) -> None:
    assert moment_of(value) is None


def test_times_are_milliseconds_seconds_or_texts() -> None:
    moments = {moment_of(1795697458000), moment_of(1795697458), moment_of("2026-11-26T12:50:58Z")}
    assert len(moments) == 1


def test_position_is_the_number_or_on_old_gateways_the_time() -> None:
    old = {"role": "user", "content": "a", "timestamp": 1795697458824}
    assert [one.position for one in read(message("user", "a", 7), old)] == [7, 1795697458824]


def test_transcript_is_settled_before_a_tool_that_runs() -> None:
    entries = tuple(read(message("user", "a", 1), message("assistant", [call()], 2), message("user", "b", 3)))
    assert settled_before(entries, is_running=False) == 1
    assert settled_before(entries[:1], is_running=False) == 1
    assert settled_before(entries[:1], is_running=True) == 0
    assert settled_before((), is_running=True) == 0


def test_secrets_are_masked_everywhere() -> None:
    mask = Mask([GATEWAY, None, "short"])
    assert mask.text(f"a {TOKEN} b {GATEWAY} short") == "a mca_•••• b •••• short"
    assert mask.value({"a": [f"x{GATEWAY}", 3, {"b": TOKEN}], "c": None}) == {
        "a": ["x••••", 3, {"b": "mca_••••"}],
        "c": None,
    }
    messages = [message("assistant", [{"type": "text", "text": TOKEN}, call(command=f"curl {TOKEN}")])]
    messages.append({"role": "toolResult", "toolCallId": "c1", "content": GATEWAY})
    messages.append(message("assistant", [{"type": "toolCall", "id": "c2", "name": TOKEN, "arguments": {}}]))
    assert TOKEN not in str(entries_of(messages, mask)) and GATEWAY not in str(entries_of(messages, mask))


def test_growing_text_shows_no_beginning_of_a_secret() -> None:
    mask = Mask([GATEWAY])
    for length in range(4, len(GATEWAY)):
        assert mask.growing(f"It is: {GATEWAY[:length]}") == "It is: "
    for length in range(5, len(TOKEN) + 1):
        assert mask.growing(f"It is: {TOKEN[:length]}") == "It is: mca_••••"


def take(run: Run, stream: str, data: dict[str, Any]) -> None:
    run.agent_event(stream, Payload(data))


def said(run: Run, text: str, item: str = "i1") -> None:
    take(run, "assistant", {"text": text, "itemId": item})


def test_run_is_a_sequence_of_texts_and_tools() -> None:
    run = Run("r1")
    take(run, "lifecycle", {"phase": "start"})
    said(run, "Let me")
    run.chat_delta(Payload({"message": {"content": [{"type": "text", "text": "Let me"}]}}))
    said(run, "Let me look.")
    take(run, "tool", {"phase": "start", "name": "exec", "toolCallId": "c1", "args": {"command": "ls"}})
    use = {"name": "exec", "toolCallId": "c1"}
    take(run, "tool", {**use, "phase": "update", "partialResult": {"content": [{"type": "text", "text": "a"}]}})
    assert run.status == "Using exec" and run.parts[1].result == "a" and not run.parts[1].is_done
    take(run, "tool", {**use, "phase": "result", "result": {"content": [{"type": "text", "text": "ab"}]}})
    take(run, "tool", {**use, "phase": "update", "partialResult": {"content": []}})
    said(run, "Done.", "i2")
    assert [(one.kind, one.text, one.result) for one in run.parts] == [
        ("text", "Let me look.", None), ("tool", "ls", "ab"), ("text", "Done.", None),
    ]  # fmt: skip
    assert run.is_whole


def test_old_gateway_tells_texts_by_chat_alone() -> None:
    run = Run("r1")
    for text in ("A", "A long", "A long day."):
        run.chat_delta(Payload({"state": "delta", "message": {"content": [{"type": "text", "text": text}]}}))
    assert [one.text for one in run.parts] == ["A long day."] and not run.is_whole


def test_tools_of_a_run_that_somebody_else_began_come_as_items() -> None:
    run = Run("r1")
    about = {"toolCallId": "c1", "name": "exec"}
    take(run, "item", {**about, "kind": "tool", "phase": "start", "meta": "list files", "status": "running"})
    take(run, "command_output", {**about, "phase": "delta", "output": "a"})
    [part] = run.parts
    assert (part.text, part.result, part.is_done, run.status) == ("list files", "a", False, "Using exec")
    take(run, "item", {**about, "kind": "tool", "phase": "end", "status": "failed"})
    take(run, "command_output", {**about, "phase": "delta", "output": "late"})
    take(run, "command_output", {**about, "phase": "end", "output": "ab"})
    take(run, "item", {"kind": "thought", "phase": "start"})
    assert (part.result, part.is_done, part.is_error, len(run.parts)) == ("ab", True, True, 1)


def test_input_of_a_tool_takes_the_place_of_what_it_is_about() -> None:
    run = Run("r1")
    about = {"toolCallId": "c1", "name": "exec"}
    take(run, "item", {**about, "kind": "tool", "phase": "start", "meta": "list files"})
    take(run, "tool", {**about, "phase": "start", "args": {"command": "ls"}})
    take(run, "item", {**about, "kind": "tool", "phase": "update", "meta": "list files"})
    assert [one.text for one in run.parts] == ["ls"]


def test_run_has_limits() -> None:
    run = Run("r1")
    said(run, "x" * (LONGEST_TEXT + 5))
    for number in range(MOST_PARTS + 5):
        take(run, "tool", {"phase": "start", "name": "exec", "toolCallId": str(number)})
    assert len(run.parts) == MOST_PARTS and len(run.parts[0].text) == LONGEST_TEXT


@pytest.mark.parametrize("character", ["a", "é", "星", "😀", "\x01", '"', "\\"])
def test_text_is_cut_by_the_bytes_of_its_json(character: str) -> None:
    cut = fitted(character * 10_000, 3_000, ending="")
    assert 2_900 < len(to_json(cut)) <= 3_000
    assert fitted(character * 10, 3_000) == character * 10


def transferred(part: Part, texts: list[str], mask: Mask = PLAIN) -> tuple[Received, int]:
    """Send each state of a part as pieces, and return what was put together of them, and their number."""
    page, sent, number = Received(), dict[tuple[str, int], str](), 0
    page.take({"number": 1, "runs": {"r": True}, "failure": ""})
    for text in texts:
        part.text = text
        for piece in pieces(part, sent, ("r", 0), mask):
            assert len(to_json(piece)) < 7_500
            number += 1
            page.take({"number": number + 1, "run": "r", "status": "s", "whole": True, "index": 0, **piece})
    return page, number


def test_text_travels_in_pieces() -> None:
    long = "".join(f"{number} 星\n" for number in range(5_000))
    page, number = transferred(Part("text", "i"), ["A", "A star", long])
    assert page.runs["r"].parts[0].text == long
    assert 3 < number < 5 * len(to_json(long)) / PIECE_BYTES


def test_only_the_new_end_of_a_text_travels() -> None:
    sent: dict[tuple[str, int], str] = {}
    part = Part("text", "i", text="Hello")
    pieces(part, sent, ("r", 0), PLAIN)
    part.text = "Hello world"
    [piece] = pieces(part, sent, ("r", 0), PLAIN)
    assert (piece["at"], piece["text"]) == (5, " world")


def test_text_in_which_a_secret_appears_is_taken_back() -> None:
    page, _ = transferred(Part("text", "i"), ["It is mc", f"It is {TOKEN[:9]}", f"It is {TOKEN}."], Mask())
    assert page.runs["r"].parts[0].text == "It is mca_••••."


def test_tool_fits_into_one_piece() -> None:
    tool = Part("tool", "c" * 500, name="n" * 500, text="\x01" * 50_000, result="😀" * 50_000, is_done=True)
    page, number = transferred(tool, ["\x01" * 50_000])
    shown = page.runs["r"].parts[0]
    assert number == 1 and shown.is_done and shown.text.endswith("…") and (shown.result or "").endswith("…")


def test_pieces_that_came_before_change_nothing() -> None:
    page = Received()
    page.take({"number": 1, "runs": {"r": True}, "failure": ""})
    known = {"run": "r", "status": "s", "whole": True, "index": 0, "kind": "text", "id": "i"}
    first, second = {**known, "number": 2, "at": 0, "text": "ab"}, {**known, "number": 3, "at": 2, "text": "cd"}
    for signal in (first, second, first, second):
        page.take(signal)
    assert page.runs["r"].parts[0].text == "abcd"


def test_run_that_ended_is_gone_and_its_failure_stays() -> None:
    page = Received()
    page.take({"number": 1, "runs": {"r": True}, "failure": ""})
    assert page.hidden == {"r"}
    page.take({"number": 2, "runs": {}, "failure": "No credit"})
    page.take({"number": 3, "run": "r", "status": "s", "whole": True})
    assert page.runs == {} and page.hidden == {"r"} and page.failure == "No credit"
    page.put(History(error="gone"))
    page.put(History())
    assert page.hidden == frozenset()


def test_tools_that_the_history_shows_are_not_shown_twice() -> None:
    page = Received(history=History(tuple(read(message("assistant", [call("c1")])))))
    run = Run("r", parts=[Part("text", ""), Part("tool", "c1"), Part("tool", "c2")])
    assert [one.id for one in page.shown(run)] == ["", "c2"]
    run.is_whole = True
    assert len(page.shown(run)) == 3
