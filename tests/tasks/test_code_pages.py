"""Code in the panel and on its page: the diff by file, comments at lines, and what is refused."""

import re

import pytest

from tests.cast import Cast
from tests.forges import HEAD as HEAD_OF_FORGE
from tests.forges import LATER, REPOSITORY
from tests.runs.test_code_handed_in import CODE, HEAD, again, code_handed_in
from tests.visitor import visitor
from tests.webhooks.test_forge_webhooks import CODE as OF_FORGE
from tests.webhooks.test_forge_webhooks import OPENED, PUSHED, RUN, made

AT = "line:new:12:app.py"


async def test_panel_shows_the_diff_by_file_and_nothing_of_it_is_markup(cast: Cast) -> None:
    task = await code_handed_in(cast)
    page = await (await visitor(cast.app, cast.cleo)).get(cast.task(task))
    page.has(
        "app.py", "TTL = 300", "SIZE = &#34;&lt;b&gt;10&lt;/b&gt;&#34;", "+2", HEAD[:10], "task/1-cache",
        "Pull request", "Keep it longer", "41 passed", f'value="{AT}"', "Request changes",
    ).lacks("<b>10</b>", "\x1b[32m")  # fmt: skip
    reader = await (await visitor(cast.app, cast.dan)).get(cast.task(task))
    reader.has("TTL = 300").lacks(f'value="{AT}"')


async def test_task_without_code_has_no_changes_and_no_page_of_them(cast: Cast) -> None:
    task = await cast.add_task()
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(cast.task(task))).lacks("data-diff")
    (await cleo.get(f"{cast.task(task)}/diff")).is_status(404)


@pytest.mark.parametrize("asks", [True, False], ids=["approval", "review"])
async def test_comments_are_collected_and_sent_without_scripts(cast: Cast, asks: bool) -> None:
    task = await code_handed_in(cast, asks=asks)
    cleo, url = await visitor(cast.app, cast.cleo), f"{cast.task(task)}"
    page = await cleo.get(f"{url}/diff")
    form = page.is_status(200).form(f"{url}/reviews")
    page = (await cleo.post(f"{url}/reviews", form | {"at": AT, "note": "Almost."})).is_status(422)
    page.has(f'name="{AT}"', "Almost.")
    old = "line:old:12:app.py"
    page = (await cleo.post(f"{url}/reviews", form | {"note": "Almost.", AT: "Why 300?", "at": old})).is_status(422)
    page.has("Why 300?", f'name="{old}"')
    sent = form | {"note": "Almost.", AT: "Why\r\n300?", old: " ", "line:file::app.py": "Test it."}
    assert (await cleo.post(f"{url}/reviews", sent)).is_status(303).leads_to.endswith(url)
    told = await again(cast)
    assert told["comments"][-1]["message"] == "Almost.\n\n`app.py:12`: Why\n300?\n\n`app.py`: Test it."
    (await cleo.get(url)).has("TTL = 300").lacks(f'value="{AT}"')  # nothing to send back at the moment


async def test_refusal_keeps_what_was_typed(cast: Cast) -> None:
    task = await code_handed_in(cast)
    cleo, url = await visitor(cast.app, cast.cleo), f"{cast.task(task)}"
    form = (await cleo.get(f"{url}/diff")).form(f"{url}/reviews")
    (await cleo.post(f"{url}/reviews", form | {"note": ""})).is_status(422).has("Say what should change.", AT)
    (await cast.ada.patch(cast.task(task), {"description": "All of it."})).ok()
    for sender, sign in ((cleo, "Why 300?"), (cleo.with_htmx, "data-reason")):
        refused = (await sender.post(f"{url}/reviews", form | {AT: "Why 300?"})).is_status(409)
        refused.has("This changed while you looked.", sign)
    fresh = (await cleo.get(f"{url}/diff")).form(f"{url}/reviews")
    sent = await cleo.with_htmx.post(f"{url}/reviews", fresh | {AT: "Why 300?"})
    assert "sent back" in sent.is_status(204).headers["HX-Trigger"] and "/needs/undos" in sent.headers["HX-Trigger"]


async def test_sent_back_work_is_taken_back(cast: Cast) -> None:
    for asks in (True, False):
        task = await code_handed_in(cast, asks=asks)
        cleo, url = await visitor(cast.app, cast.cleo), f"{cast.task(task)}"
        form = (await cleo.get(f"{url}/diff")).form(f"{url}/reviews")
        sent = await cleo.with_htmx.post(f"{url}/reviews", form | {AT: "Why 300?"})
        [needs] = re.findall(r'"needs": "([^"]+)"', sent.headers["HX-Trigger"])
        (await cleo.post("/needs/undos", {"needs": needs, "next": url})).is_status(303)
        assert (await cast.cleo.get(url)).ok()["status"] == "review"


async def test_no_text_of_an_agent_moves_what_stands_around_it(cast: Cast) -> None:
    odd, written = "fix\u202etxt.exe\x1b[2J", "fix\\u202etxt.exe\\u001b[2J"
    task = await code_handed_in(cast, branch=odd, commits=[{"id": "c0ffee1", "title": odd}])
    (await cast.vega.post(f"{cast.task(task)}/comments", {"message": f"{odd} \U0001f469\u200d\U0001f680"})).ok()
    (await cast.ada.patch(cast.task(task), {"title": odd})).ok()
    (await cast.ada.patch(cast.home, {"name": odd})).ok()
    cleo = await visitor(cast.app, cast.cleo)
    for path in ("/", "/approvals", f"/boards/{cast.board.id}", cast.task(task), f"{cast.task(task)}/diff"):
        (await cleo.get(path)).is_status(200).has(written).lacks("\u202e", "\x1b")
    (await cleo.get(cast.task(task))).has("\U0001f469\u200d\U0001f680")  # what joins letters stays


@pytest.mark.parametrize("number", ["\u0663", "9" * 5000], ids=["arabic", "long"])
async def test_number_of_a_diff_that_is_none_is_a_line(cast: Cast, number: str) -> None:
    task = await code_handed_in(cast, diff=f"--- a/x\n+++ b/x\n@@ -{number} +1 @@\n-a\n+b\n")
    (await (await visitor(cast.app, cast.cleo)).get(f"{cast.task(task)}/diff")).is_status(200)


BINARY = "diff --git a/l.png b/l.png\nBinary files a/l.png and b/l.png differ\n"


@pytest.mark.parametrize("diff", ["", "no diff at all", BINARY])
async def test_odd_diffs_are_shown_as_far_as_they_go(cast: Cast, diff: str) -> None:
    task = await code_handed_in(cast, diff=diff)
    page = await (await visitor(cast.app, cast.cleo)).get(cast.task(task))
    page.is_status(200).has(CODE["branch"], "Request changes")


async def test_panel_says_what_the_forge_tells(cast: Cast) -> None:
    hook = await made(cast)
    task = await code_handed_in(cast, **OF_FORGE)
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(cast.task(task))).has("Pull request").lacks("PR 2")
    await hook.take(OPENED, RUN)
    page = (await cleo.get(cast.task(task))).has("PR 2 open, checks failed", f'href="{REPOSITORY}/pull/2"')
    page.has("GitHub: PR 2 open, checks failed").lacks("hanged since the hand-in")
    await hook.take(PUSHED)
    (await cleo.get(cast.task(task))).has(f"Changed since the hand-in: {HEAD_OF_FORGE[:7]} → {LATER[:7]}.")


@pytest.mark.parametrize("asks", [True, False], ids=["approval", "review"])
async def test_cards_say_it_and_finish_only_what_was_seen(cast: Cast, asks: bool) -> None:
    hook = await made(cast)
    task = await code_handed_in(cast, asks=asks, **OF_FORGE)
    await hook.take(OPENED, RUN)
    cleo, url = await visitor(cast.app, cast.cleo), cast.task(task)
    board = (await cleo.get(cast.home)).has("PR 2 open, checks failed")
    (await cleo.get(f"{cast.home}?view=table&q=is:open")).has('name="seen"')
    [seen] = re.findall(r'name="seen" form="bulk" value="[0-9a-f-]{36} ([^"]+)"', board.text)
    for form in ((await cleo.get(url)).form(f"{url}/moves"), (await cleo.get(f"{url}/moves")).form(f"{url}/moves")):
        assert seen in form["substance"]
    await hook.take(PUSHED)
    (await cleo.get(cast.home)).has("Changed since the hand-in")
    move = {"status": "done", "substance": seen, "approve": "true"}
    (await cleo.with_htmx.post(f"{url}/moves", move)).has("This changed while you looked.")
    bulk = {"task_ids": task["id"], "change": "move:done", "seen": f"{task['id']} {seen}"}
    (await cleo.with_htmx.post(f"{cast.home}/tasks/bulk", bulk)).has("This changed while you looked.")
    assert (await cast.cleo.get(url)).ok()["status"] == "review"
    [now] = (await cleo.get(url)).form(f"{url}/moves")["substance"]
    if asks:  # the offer to approve and finish has it too
        offer = await cleo.with_htmx.post(f"{url}/moves", {"status": "done", "substance": now})
        offer.has(f'name="substance" value="{now}"', "Approve and finish")
    await cleo.with_htmx.post(f"{url}/moves", move | {"substance": now})
    assert (await cast.cleo.get(url)).ok()["status"] == "done"
