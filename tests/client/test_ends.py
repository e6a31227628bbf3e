"""Why a turn ended, from the words and codes of the programs as they were recorded."""

from datetime import UTC, datetime, timedelta

import pytest

from mission_control.client.program import program_of
from mission_control.client.work.ends import FAULT, OVERLOAD, SIGN_IN, WINDOW, end_of, refusal_of, reset_of

NOW = datetime(2026, 12, 3, 6, 30, tzinfo=UTC)
# What the adapters of Claude Code 2.1.332, Codex 0.171, opencode 1.18.33 and Gemini CLI 0.61 answered to a prompt.
ANSWERS = [
    ("claude-code", WINDOW, ["-32603", "rate_limit"], "You've hit your 5-hour limit · resets 9:28am (UTC)"),
    ("claude-code", WINDOW, ["-32603", "rate_limit"], "You've hit your weekly limit · resets Dec 5, 5:01pm (UTC)"),
    ("claude-code", WINDOW, ["-32603", "billing_error"], "Internal error: Credit balance is too low"),
    ("claude-code", OVERLOAD, ["-32603", "rate_limit"], "API Error: Request rejected (429) · Number of request tokens"),
    ("claude-code", OVERLOAD, ["-32603", "server_error"], "API Error: 529 Overloaded. This is a server-side issue"),
    ("claude-code", OVERLOAD, ["-32603", "server_error"], "API Error: Connection refused — a firewall or proxy"),
    ("claude-code", SIGN_IN, ["-32000", "None"], "Authentication required"),
    ("claude-code", FAULT, ["-32602", "None"], "Invalid params"),
    ("codex", WINDOW, ["-32603", "usageLimitExceeded"], "You\u2019ve hit your usage limit, or try again at 9:32 AM."),
    ("codex", WINDOW, ["-32603", "usageLimitExceeded"], "Quota exceeded. Check your plan and billing details."),
    ("codex", OVERLOAD, ["None"], "Selected model is at capacity. Please try a different model."),
    ("codex", OVERLOAD, ["None"], "exceeded retry limit, last status: 429 Too Many Requests"),
    ("codex", FAULT, ["None"], '{"error": {"message": "Unsupported parameter", "type": "invalid_request_error"}}'),
    ("codex", SIGN_IN, ["-32000"], "Authentication required"),
    ("opencode", WINDOW, ["-32603"], "Internal error: The usage limit has been reached"),
    ("opencode", OVERLOAD, ["-32603"], "Internal error: Our servers are currently overloaded. Please try again later."),
    (
        "opencode",
        OVERLOAD,
        ["-32603"],
        "Internal error: Cannot connect to API: Unable to connect. Is the computer able",
    ),
    ("opencode", SIGN_IN, ["-32603"], "Internal error: Incorrect API key provided"),
    ("gemini", WINDOW, ["429"], "You have exhausted your daily quota on this model."),
    ("gemini", OVERLOAD, ["503"], "The model is overloaded. Please try again later."),
    ("gemini", SIGN_IN, ["400"], '{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}'),
]


@pytest.mark.parametrize(("program", "kind", "codes", "text"), ANSWERS)
def test_every_recorded_answer_has_its_end(program: str, kind: str, codes: list[str], text: str) -> None:
    assert end_of(program_of(program).signs, codes, text, NOW).kind == kind


@pytest.mark.parametrize(
    ("words", "reset"),
    [
        ("resets 9:28am (UTC)", NOW.replace(hour=9, minute=28)),
        ("resets 9am", NOW.replace(hour=9, minute=0)),
        ("resets 1am (UTC)", NOW.replace(hour=1, minute=0)),
        ("resets Dec 5, 5:01pm (UTC)", NOW.replace(day=5, hour=17, minute=1)),
        ("resets Jan 2, 12am (UTC)", datetime(2027, 1, 2, tzinfo=UTC)),
        ("resets 10:30am (Europe/Berlin)", NOW.replace(hour=9)),
        ("try again at 9:32 AM.", NOW.replace(hour=9, minute=32)),
        ("try again at Dec 5th, 2026 5:01 PM.", NOW.replace(day=5, hour=17, minute=1)),
        ("It will reset in 3 hours 5 minutes.", NOW + timedelta(hours=3, minutes=5)),
        ("Please retry in 3h20m.", NOW + timedelta(hours=3, minutes=20)),
        ("resets Feb 30, 5pm (UTC)", None),
        ("resets 25:00pm", None),
        ("Try again later.", None),
    ],
)
def test_reset_is_read_from_words(words: str, reset: datetime | None) -> None:
    assert reset_of(f"You've hit your limit · {words}", NOW) == reset


def test_hour_of_the_next_day_and_of_a_window_that_has_just_opened() -> None:
    assert reset_of("resets 1am (UTC)", NOW.replace(hour=23)) == NOW.replace(day=4, hour=1, minute=0)
    assert reset_of("resets 6:30am (UTC)", NOW + timedelta(seconds=20)) == NOW


def test_hour_without_a_zone_is_that_of_the_machine() -> None:
    there = NOW.astimezone(datetime.strptime("+0200", "%z").tzinfo)
    assert reset_of("try again at 9:32 AM.", there) == NOW.replace(hour=7, minute=32)


@pytest.mark.parametrize(
    ("text", "is_refusal"),
    [
        ("You've hit your session limit · resets 9:30am (UTC)", True),
        ("Claude AI usage limit reached", True),
        ("I mended the text that says: You've hit your session limit.", False),
        (f"You've hit your session limit. {'It is a long report. ' * 30}", False),
        ("Done.", False),
    ],
)
def test_only_words_that_are_all_of_an_answer_close_a_window(text: str, *, is_refusal: bool) -> None:
    assert (refusal_of(program_of("claude-code").signs, text, NOW) is not None) == is_refusal
