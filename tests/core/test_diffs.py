"""Diffs by file: renames, binary files, odd names, bad counts, and what hides in a text."""

import pytest

from mission_control.core.text.diffs import LONGEST_LINE, parsed, visible

RENAMED = """diff --git a/old name.py b/new name.py
similarity index 90%
rename from old name.py
rename to new name.py
--- a/old name.py
+++ b/new name.py
@@ -1,2 +1,2 @@ def f():
-a
+b
 c
diff --git a/logo.png b/logo.png
new file mode 100644
Binary files /dev/null and b/logo.png differ
diff --git "a/gr\\303\\274n.txt" "b/gr\\303\\274n.txt"
deleted file mode 100644
--- "a/gr\\303\\274n.txt"
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
"""


def test_renames_binary_files_names_and_modes_are_said() -> None:
    found = {one.path: one for one in parsed(RENAMED, "", 100)}
    assert [*found] == ["new name.py", "logo.png", "grün.txt", "run.sh"]
    assert [one.state for one in found.values()] == ["renamed", "binary", "deleted", "mode 100755"]
    renamed = found["new name.py"]
    assert (renamed.former, renamed.added, renamed.removed) == ("old name.py", 1, 1)


def test_removed_lines_that_look_like_heads_are_lines() -> None:
    text = "--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,1 @@\n--- drop it\n keep\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n"
    first, second = parsed(text, "", 100)
    assert [line.text for line in first.lines[1:]] == ["-- drop it", "keep"] and second.path == "y"


def test_lines_beyond_a_bad_count_are_shown() -> None:
    [one] = parsed("--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n+c\n", "", 100)
    assert (one.added, one.removed) == (2, 1)


def test_what_is_not_seen_is_written_out_and_lines_are_bounded() -> None:
    [one] = parsed("--- a/x\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\u202eb\x07\n+" + "y" * 5000, "", 100)
    first, second = one.lines[1:]
    assert first.text == "a\\u202eb\\u0007" and len(second.text) == LONGEST_LINE + 1
    assert visible("a\tb\nc\u200b") == "a\tb\nc\\u200b"


def test_lines_of_all_files_are_bounded_and_counted() -> None:
    text = "".join(f"diff --git a/{n} b/{n}\n--- a/{n}\n+++ b/{n}\n@@ -0,0 +1,9 @@\n" + "+x\n" * 9 for n in range(3))
    found = parsed(text, "", 12)
    assert [(len(one.lines), one.hidden, one.added) for one in found] == [(10, 0, 9), (2, 8, 9), (0, 10, 9)]


@pytest.mark.parametrize("odd", ["", "@@", "@@ -1 +1 @@", "diff --git ", '--- "', "rename to ", "\n\n", "+++ \n--- "])
def test_odd_texts_are_no_trouble(odd: str) -> None:
    parsed(odd, "", 5)
