"""What approvals show of their payloads: diffs, texts, facts, links."""

from typing import Any

import pytest

from mission_control.approvals.payloads import links, shown, what_is
from mission_control.core.text.diffs import is_diff, parsed

GIT = """diff --git a/app/cache.py b/app/cache.py
index 1..2 100644
--- a/app/cache.py
+++ b/app/cache.py
@@ -1,3 +1,4 @@
 import time
-TTL = 5
+TTL = 300
+SIZE = 10
 # end
\\ No newline at end of file
diff --git a/old.txt b/old.txt
--- a/old.txt
+++ /dev/null
@@ -1 +0,0 @@
-gone
"""


def test_git_diff_has_files_lines_and_numbers() -> None:
    first, second = parsed(GIT, "", 400)
    assert (first.path, first.added, first.removed, first.hidden) == ("app/cache.py", 2, 1, 0)
    assert [(one.kind, one.text, one.before, one.after) for one in first.lines[1:]] == [
        ("same", "import time", 1, 1),
        ("removed", "TTL = 5", 2, None),
        ("added", "TTL = 300", None, 2),
        ("added", "SIZE = 10", None, 3),
        ("same", "# end", 3, 4),
    ]
    assert (second.path, second.added, second.removed) == ("old.txt", 0, 1)


def test_long_diff_is_cut_and_says_so() -> None:
    text = "--- a\n+++ b\n@@ -1,0 +1,999 @@\n" + "+line\n" * 999
    [one] = shown({"diff": text}).diffs
    assert (len(one.lines), one.added, one.hidden) == (400, 999, 600)


@pytest.mark.parametrize(
    "payload",
    [{"diff": GIT}, {"patch": GIT}, {"diffs": [{"diff": GIT}]}, {"changes": {"x": GIT}}, {"diffs": [GIT]}],
    ids=["diff", "patch", "list of objects", "by path", "list of texts"],
)
def test_diffs_are_found_where_agents_put_them(payload: dict[str, Any]) -> None:
    assert shown(payload).diff_stat.startswith("2 files +2 ")


@pytest.mark.parametrize("odd", ["", "no diff", "--- ", "+++ b", "@@ nonsense @@", "@@ -1 +1 @@", "\0"])
def test_odd_texts_break_nothing(odd: str) -> None:
    assert isinstance(is_diff(odd), bool)
    assert all(one.path for one in parsed(odd, "", 400))
    assert shown({"diff": odd}).texts == []


def test_payload_is_told_apart_into_texts_and_facts() -> None:
    found = shown(
        {"draft": "One\nTwo", "amountInEuro": 12.5, "urgent": True, "reason": "x", "more": {"a": 1}, "to": []}
    )
    assert (found.texts, found.facts) == ([("Draft", "One\nTwo")], [("Amount in euro", "12.5"), ("Urgent", "yes")])


@pytest.mark.parametrize("odd", [None, 3, "text", [], {"diff": 5, "evidence": 7, "diffs": [None, 3]}])
def test_odd_payloads_show_nothing(odd: Any) -> None:
    assert (shown(odd).diffs, links(odd)) == ([], [])


def test_links_say_what_they_are() -> None:
    urls = {
        "https://github.com/a/b/pull/148": "Pull request",
        "https://github.com/a/b/commit/abcdef1": "Commit",
        "https://github.com/a/b/actions/runs/7": "Checks",
        "https://example.org/shot.PNG?x=1": "Picture",
        "https://example.org/": "Page",
        "https://[bad": "Page",
    }
    assert {url: what_is(url) for url in urls} == urls
    [one] = links({"evidence": [{"url": "https://www.example.org/a.pdf"}, {"url": "javascript:alert(1)"}, 5]})
    assert (one.name, one.what, one.host) == ("https://www.example.org/a.pdf", "Document", "example.org")
