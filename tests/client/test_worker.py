"""`work`: tasks from a board, each in a worktree, done by a program, handed in exactly once."""

import json
import os
import signal
from typing import Any

import pytest

from tests.client.shop import Shop, git, until
from tests.client.terminal import ended
from tests.live.servers import API

pytestmark = [pytest.mark.database, pytest.mark.once]


async def test_a_task_from_the_inbox_to_done(shop: Shop) -> None:
    task = await shop.task("do: plan Look,Write\ndo: call echo hi\ndo: write work.txt oiled\ndo: say It is mended.")
    said = await shop.once()
    assert "is handed in" in said
    [run] = await shop.runs(task)
    assert (run["state"], run["summary"]) == ("completed", "It is mended.")
    assert run["checked"] == "`test -s work.txt` succeeds."
    code = run["code"]
    assert code["check"] == {"command": "test -s work.txt", "exit_code": 0, "commit": code["head"]}
    assert [code[name] for name in ("files", "added", "removed")] == [1, 1, 0]
    assert code["branch"] == "mission-control/1-mend-the-lock" and len(code["commits"]) == 1
    assert git(shop.top, "show", f"{code['head']}:work.txt") == "oiled\n"
    [prompt] = shop.prompts()
    assert "Be brief." in prompt and "Write tests." in prompt and "# Task #1: Mend the lock" in prompt
    session = await shop.session()
    assert (session["client"], session["branch"], session["state"]) == ("other", code["branch"], "idle")
    assert [one["text"] for one in session["plan"]] == ["Look", "Write"] and session["cost_usd"] == 0.25
    assert (await shop.made.task(task))["status"] == "review" and len(shop.trees()) == 1
    await shop.review(task, decision="approved")
    await shop.once(code=3)
    assert shop.trees() == [] and shop.left() == []
    assert git(shop.top, "branch", "--list", code["branch"]).strip()


async def test_names_add_no_line_to_the_terminal(shop: Shop) -> None:
    hostile = "\n#7 is handed in.\x1b[2J\u202e\x9b2J"
    await shop.made.ask("PATCH", f"{API}/boards/{shop.made.board_id}", {"name": f"Telescope{hostile}"})
    task = await shop.task("do: write work.txt one", title=f"Mend{hostile}")
    looked = await shop.terminal.done(*shop.work, "--dry-run")
    claimed = await shop.terminal.done("show", "1")
    printed = [*(await shop.once()).splitlines(), *looked.splitlines(), *claimed.splitlines()]
    assert not [one for one in printed if one.startswith("#7") or not one.replace("\t", "").isprintable()], printed
    as_json = [
        await shop.terminal.done(*words) for words in (("status", "--json"), ("GET", f"{shop.made.tasks}/{task}"))
    ]
    status, found = map(json.loads, as_json)
    assert (status["board"]["name"], found["title"]) == (f"Telescope{hostile}", f"Mend{hostile}")
    assert all(one.strip().isprintable() for one in as_json)


async def test_nothing_is_claimed_to_look(shop: Shop) -> None:
    task = await shop.task()
    out = await shop.terminal.done(*shop.work, "--dry-run", "--board", "Telescope")
    assert "Board Telescope" in out and "checked by test -s work.txt" in out and "Nothing was claimed." in out
    assert (await shop.made.task(task))["status"] == "inbox"
    unit = await shop.terminal.run(*shop.work, "--install", "--dry-run")
    assert unit.code == 1 and "sign-in" in unit.err
    stored = shop.terminal.config / "connections" / "vega.env"
    stored.parent.mkdir(parents=True, mode=0o700)
    names = {name: shop.terminal.environment.pop(name) for name in ("MISSION_CONTROL_URL", "MISSION_CONTROL_TOKEN")}
    stored.write_text("".join(f"{name}={value}\n" for name, value in names.items()))
    stored.chmod(0o600)
    unit = await shop.terminal.run(*shop.work, "--install", "--dry-run", "--connection", "vega")
    assert unit.code == 0 and '"--connection" "vega"' in unit.out and names["MISSION_CONTROL_TOKEN"] not in unit.out
    assert f"WorkingDirectory={shop.top}" in unit.out and not (shop.terminal.folder / ".config" / "systemd").exists()
    shop.terminal.environment |= names
    other = await shop.terminal.run(*shop.work, "--board", "Garden")
    assert other.code == 2 and "signed in for the board Telescope" in other.err


async def test_what_was_sent_back_goes_on_in_its_session(shop: Shop) -> None:
    task = await shop.task("do: write work.txt one\ndo: say First.")
    await shop.once()
    first = await shop.session()
    assert (await shop.made.task(task))["status"] == "review" and len(shop.trees()) == 1
    note = "Again.\ndo: write work.txt two\ndo: say Second."
    lines = [{"path": "work.txt", "line": 1, "text": "Why one?"}]
    await shop.review(task, decision="changes_requested", note=note, lines=lines)
    await shop.once()
    second, old = (await shop.runs(task))[:2]
    assert (second["summary"], old["summary"]) == ("Second.", "First.")
    prompt = shop.prompts()[1]
    assert prompt.startswith("Your work was sent back.") and "`work.txt:1`: Why one?" in prompt
    assert git(shop.top, "show", f"{second['code']['head']}:work.txt") == "one\ntwo\n"
    assert second["code"]["base"] == old["code"]["base"] and second["code"]["branch"] == old["code"]["branch"]
    again = await shop.session()
    assert again["id"] == first["id"]


@pytest.mark.parametrize(("decision", "exists"), [("approved", True), ("rejected", False)])
async def test_what_it_asks_people_decide(shop: Shop, decision: str, exists: bool) -> None:
    task = await shop.task("do: ask touch made.txt\ndo: write work.txt done")
    process = await shop.terminal.start(*shop.work, "--once")
    approvals = f"{API}/boards/{shop.made.board_id}/approvals"

    async def asked() -> Any:
        return (await shop.made.ask("GET", f"{approvals}?status=pending"))["items"]

    [approval] = await until(asked)
    assert approval["payload"]["session_request"]["command"] == "touch made.txt"
    await shop.made.ask("POST", f"{approvals}/{approval['id']}/decisions", {"decision": decision, "note": "So be it."})
    assert (await ended(process)).code == 0
    [run] = await shop.runs(task)
    assert ("made.txt" in git(shop.top, "ls-tree", "--name-only", run["code"]["head"])) == exists
    assert exists or "So be it." in shop.prompts()[1]


async def test_a_no_that_stops_lets_people_say_how_it_goes_on(shop: Shop) -> None:
    task = await shop.task("do: ask touch made.txt\ndo: sleep 600")
    process = await shop.terminal.start(*shop.work, "--once")
    approvals = f"{API}/boards/{shop.made.board_id}/approvals"

    async def asked() -> Any:
        return (await shop.made.ask("GET", f"{approvals}?status=pending"))["items"]

    [approval] = await until(asked)
    body = {"decision": "rejected", "stop": True, "note": "Not like that."}
    await shop.made.ask("POST", f"{approvals}/{approval['id']}/decisions", body)
    assert "Not like that." in (await ended(process)).err and shop.left() == []
    [question] = (await shop.made.ask("GET", f"{API}/boards/{shop.made.board_id}/questions"))["items"]
    assert "Not like that." in question["content"]
    assert [one["state"] for one in await shop.runs(task)] == ["waiting"]


async def test_a_note_reaches_it_in_its_turn(shop: Shop) -> None:
    task = await shop.task("do: call touch begun\ndo: sleep 600\ndo: write work.txt done")
    process = await shop.terminal.start(*shop.work, "--once", ACP_STEERS="1")

    async def works() -> Any:
        items = (await shop.made.ask("GET", f"{API}/boards/{shop.made.board_id}/sessions"))["items"]
        return items and items[0]["doing"]

    await until(works)
    await shop.made.ask("POST", f"{shop.made.tasks}/{task}/notes", {"text": "Mind the step."})

    async def steered() -> bool:
        path = shop.kept / "steered"
        return path.exists() and "> Mind the step." in path.read_text()

    await until(steered)
    await shop.made.ask("POST", f"{shop.made.tasks}/{task}/stop", {"reason": "Enough."})
    printed = await ended(process)
    assert "Enough." in printed.err and shop.left() == []
    [run] = await shop.runs(task)
    assert len(shop.trees()) == 1 and (run["state"], run["gaps"]) == ("released", 1)


@pytest.mark.parametrize(("text", "gaps"), [("do: crash", 1), ("do: garbage", 0)])
async def test_trouble_of_a_program_ends_nothing(shop: Shop, text: str, gaps: int) -> None:
    task = await shop.task(f"do: write work.txt one\n{text}\ndo: child\ndo: say Done.")
    await shop.once()
    assert [(one["state"], one["gaps"]) for one in await shop.runs(task)] == [("completed", gaps)]
    assert shop.left() == []


async def test_beyond_a_limit_people_say_how_it_goes_on(shop: Shop) -> None:
    task = await shop.task("do: call touch begun\ndo: sleep 600")
    said = await shop.once("--time", "0.02")
    assert "more than 0.02 minutes" in said and len(shop.trees()) == 1 and shop.left() == []
    await shop.once(code=3)
    questions = f"{API}/boards/{shop.made.board_id}/questions"
    [question] = (await shop.made.ask("GET", questions))["items"]
    assert question["content"].startswith("It took more than 0.02 minutes.")
    await shop.made.ask("POST", f"{questions}/{question['id']}/answers", {"answer": "Take your time."})
    await shop.once()
    [run] = await shop.runs(task)
    prompt = shop.prompts()[1]
    assert run["state"] == "completed" and prompt.startswith("People answered.") and "Take your time." in prompt


SAYS_HOW = "echo 'do: write mended.txt yes'; exit 3"


@pytest.mark.parametrize(
    ("check", "told", "checked"),
    [
        (f"test -s mended.txt || {{ {SAYS_HOW}; }}", 2, "succeeds."),
        (SAYS_HOW, 4, "ends with exit code 3."),
        (f"yes | head -c 9000000; {SAYS_HOW}", 4, "ends with exit code 3."),
        ("no-such-program\nmend: 1", 2, "ends with exit code 127."),
        (f"{SAYS_HOW}\nmend: 0", 1, "ends with exit code 3."),
    ],
    ids=["fails once", "fails always", "prints megabytes", "is missing", "is not to be mended"],
)
async def test_failing_check_is_mended_in_the_same_session(shop: Shop, check: str, told: int, checked: str) -> None:
    shop.check_by(check)
    check = check.partition("\n")[0]
    task = await shop.task("do: write work.txt one\ndo: say Done.")
    await shop.once()
    [run] = await shop.runs(task)
    assert (run["state"], run["checked"]) == ("completed", f"`{check}` {checked}")
    first, *more = shop.prompts()
    assert len(more) == told - 1 and f"`{check}` is run when you end" in first
    assert all(one.startswith(f"`{check}` ends with exit code ") and len(one) < 4_500 for one in more)
    assert len(list(shop.kept.glob("session-*"))) == 1 and shop.left() == []
    tree = git(shop.top, "ls-tree", "--name-only", run["code"]["head"]).split()
    assert ("mended.txt" in tree) == (check != "no-such-program" and told > 1)


@pytest.mark.parametrize(("check", "is_named"), [
    ("test -e made.txt || echo yes >made.txt", True), ("echo more >>made.txt", False),
], ids=["writes once", "writes each time"])  # fmt: skip
async def test_check_that_writes_files_is_of_the_commit_that_has_them(shop: Shop, check: str, is_named: bool) -> None:
    shop.check_by(check)
    task = await shop.task("do: write work.txt one\ndo: say Done.")
    await shop.once()
    [run] = await shop.runs(task)
    head = run["code"]["head"]
    assert "made.txt" in git(shop.top, "ls-tree", "--name-only", head).split()
    assert run["code"]["check"] == {"command": check, "exit_code": 0, "commit": head if is_named else None}


@pytest.mark.parametrize("steers", ["", "1"])
async def test_note_during_a_check_is_told_with_the_next_prompt(shop: Shop, steers: str) -> None:
    shop.check_by('touch "$ACP_SESSIONS/checks"; until test -e "$ACP_SESSIONS/go"; do sleep 0.05; done')
    task = await shop.task("do: write work.txt one\ndo: say Done.")
    process = await shop.terminal.start(*shop.work, "--once", ACP_STEERS=steers)

    async def checks() -> bool:
        return (shop.kept / "checks").exists()

    await until(checks)
    notes = f"{shop.made.tasks}/{task}/notes"
    await shop.made.ask("POST", notes, {"text": "Mind the step."})

    async def has_arrived() -> bool:
        return (await shop.made.ask("GET", notes))["items"][0]["taken_at"] is not None

    await until(has_arrived)
    (shop.kept / "go").touch()
    assert (await ended(process)).code == 0
    assert len(shop.prompts()) == 2 and "> Mind the step." in shop.prompts()[1] and shop.left() == []


async def test_check_that_hangs_ends_at_a_limit(shop: Shop) -> None:
    shop.check_by("sleep 600")
    task = await shop.task("do: write work.txt one")
    assert "It took more than 0.02 minutes." in await shop.once("--time", "0.02")
    assert [one["state"] for one in await shop.runs(task)] == ["waiting"] and shop.left() == []


async def test_worker_that_is_killed_during_its_check_checks_again(shop: Shop) -> None:
    shop.check_by('test -e "$ACP_SESSIONS/checks" || { touch "$ACP_SESSIONS/checks"; sleep 600; }')
    task = await shop.task("do: write work.txt one\ndo: say Done.")
    process = await shop.terminal.start(*shop.work, "--once")

    async def checks() -> bool:
        return (shop.kept / "checks").exists()

    await until(checks)
    process.kill()
    await ended(process)
    await shop.once()
    [run] = await shop.runs(task)
    assert (run["state"], run["summary"]) == ("completed", "Done.") and "succeeds" in run["checked"]
    assert len(shop.prompts()) == 1 and shop.left() == []


async def without_result(shop: Shop) -> tuple[str, Any]:
    """A task that a command ended without a result, and what people are asked then."""
    task, why = await shop.task("Mend it."), "It ended without a result: nothing was changed, and nothing was said."
    printed = await shop.terminal.run("work", "--agent", "true", "--repository", str(shop.top), "--once")
    assert printed.code == 0 and why in printed.err
    [question] = (await shop.made.ask("GET", f"{API}/boards/{shop.made.board_id}/questions"))["items"]
    assert question["content"].startswith(why) and [one["state"] for one in await shop.runs(task)] == ["waiting"]
    return task, question


async def answer(shop: Shop, question: Any, label: str, words: str) -> None:
    [option] = [one["id"] for one in question["options"] if one["label"] == label]
    path = f"{API}/boards/{shop.made.board_id}/questions/{question['id']}/answers"
    await shop.made.ask("POST", path, {"option_id": option, "answer": words})


async def test_what_is_no_result_is_tried_again_in_a_fresh_session(shop: Shop) -> None:
    task, question = await without_result(shop)
    await answer(shop, question, "Try again", "The lock is in lock.py.")
    await shop.once()
    [run] = await shop.runs(task)
    assert run["state"] == "completed" and run["code"]["files"] == 1
    [prompt] = shop.prompts()
    assert "Mend it." in prompt and "The lock is in lock.py." in prompt


async def test_what_is_no_result_is_dropped_with_the_reason_of_people(shop: Shop) -> None:
    task, question = await without_result(shop)
    await answer(shop, question, "Drop it", "The lock was replaced.")
    await shop.once()
    [run] = await shop.runs(task)
    assert run["state"] == "completed" and run["summary"].endswith("dropped it: The lock was replaced.")
    assert run["code"]["head"] == run["code"]["base"] and not (shop.kept / "prompts").exists()


async def test_people_are_asked_where_done_needs_more(shop: Shop) -> None:
    await shop.made.ask("PATCH", f"{API}/boards/{shop.made.board_id}", {"done_needs": ["check"]})
    shop.check_by("exit 3\nmend: 0")
    task = await shop.task("do: write work.txt one\ndo: say Done.")
    assert "was not handed in: On this board done needs a check" in await shop.once()
    [question] = (await shop.made.ask("GET", f"{API}/boards/{shop.made.board_id}/questions"))["items"]
    assert "exit code 3" in question["content"] and "How should it go on?" in question["content"]
    assert [one["state"] for one in await shop.runs(task)] == ["waiting"] and shop.left() == []


async def test_program_that_did_nothing_is_told_once(shop: Shop) -> None:
    task = await shop.task("do: sleep 0")
    await shop.once()
    assert [one["state"] for one in await shop.runs(task)] == ["completed"]
    assert shop.prompts()[1:] == ["Nothing was changed, and you said nothing. Say why, or go on."]


async def test_a_program_that_cannot_work_ends_its_worker(shop: Shop) -> None:
    tasks = [await shop.task() for _ in range(4)]
    printed = await shop.terminal.run("work", "--agent", "false", "--acp", "--repository", str(shop.top))
    assert printed.code == 1 and "3 tasks in a row could not be done" in printed.err
    assert [(await shop.made.task(one))["status"] for one in tasks].count("inbox") == 1


async def test_a_worker_that_waits_takes_what_comes_and_is_ended(shop: Shop) -> None:
    process = await shop.terminal.start(*shop.work, "--at-most", "2")
    workers = f"{API}/boards/{shop.made.board_id}/workers"

    async def ready() -> Any:
        return [one for one in (await shop.made.ask("GET", workers))["items"] if one["state"] == "ready"]

    await until(ready)
    task = await shop.task("do: write work.txt done\ndo: say Done.")

    async def in_review() -> bool:
        return bool((await shop.made.task(task))["status"] == "review")

    await until(in_review)
    process.send_signal(signal.SIGTERM)
    assert (await ended(process)).code == 0
    printed = await shop.terminal.run(*shop.work, "--once", CONSTANTS="work.loop.SHORT_SECONDS=0.5")
    assert printed.code == 3 and shop.left() == []


async def test_any_command_does_a_task(shop: Shop) -> None:
    task = await shop.task("Say hello.")
    command = 'sh -c "cat > work.txt; grep -q hello $MISSION_CONTROL_BRIEF && echo It says so."'
    printed = await shop.terminal.run("work", "--agent", command, "--repository", str(shop.top), "--once")
    assert printed.code == 0, printed
    [run] = await shop.runs(task)
    assert (run["state"], run["summary"]) == ("completed", "It says so.")
    assert "Say hello." in git(shop.top, "show", f"{run['code']['head']}:work.txt")


async def test_nobody_works_as_root(shop: Shop) -> None:
    if os.getuid() != 0:
        pytest.skip("It is about root.")
    printed = await shop.terminal.run(*shop.work, IS_SANDBOX="")
    assert printed.code == 2 and "does not run as root" in printed.err


async def test_a_worker_that_is_ended_goes_on_when_it_starts_again(shop: Shop) -> None:
    task = await shop.task("do: call touch begun\ndo: child\ndo: sleep 600")
    process = await shop.terminal.start(*shop.work)

    async def begun() -> bool:
        return (shop.kept / "prompts").exists()

    await until(begun)
    process.send_signal(signal.SIGTERM)
    printed = await ended(process)
    assert printed.code == 0 and "goes on when a worker starts again" in printed.err and shop.left() == []
    await shop.once()
    [run] = await shop.runs(task)
    assert run["state"] == "completed" and "You were interrupted." in shop.prompts()[1]
