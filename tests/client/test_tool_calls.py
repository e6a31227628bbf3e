"""What `work` tells of the calls of a program that speaks the Agent Client Protocol."""

from unittest.mock import Mock

from mission_control.client.work.reports import Reports
from mission_control.client.work.tool_calls import ToolCalls


def test_each_call_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    reports = Mock(Reports)
    calls = ToolCalls(reports, Mock())
    for status in ("pending", "in_progress", "in_progress", "completed", "completed"):
        calls.update({"toolCallId": "1", "kind": "read", "status": status}, is_replayed=False)
    calls.update({"toolCallId": "2", "kind": "read", "status": "failed"}, is_replayed=False)
    told = [(call.args[0], call.kwargs["tool_use_id"]) for call in reports.tell.call_args_list]
    assert told == [("PreToolUse", "1"), ("PostToolUse", "1"), ("PreToolUse", "2"), ("PostToolUseFailure", "2")]
