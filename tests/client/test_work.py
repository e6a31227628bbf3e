"""The commands of an agent's work, against a real server."""

import asyncio
import json
import signal
import stat
import subprocess

import pytest

from mission_control.client.git import repository_address
from tests.client.terminal import Terminal, ended
from tests.live.crew import Crew
from tests.live.servers import API

pytestmark = pytest.mark.database


async def test_task_from_claim_to_hand_in(made: Crew, vega: Terminal) -> None:
    wanted = await made.add_task("Read “prices”", description="Slowly.\nAnd well.", priority="high")
    claimed = await vega.done("claim")
    assert claimed.startswith("# Task #1: Read “prices”\n\nin progress · priority high\n")
    assert "with fence 1" in claimed and "## What it is about\n\nSlowly.\nAnd well." in claimed

    assert await vega.done("comment", "It reads @lead all three.") == "Commented.\n"
    assert await vega.done("comment", "#1", "--task", "1") == "Commented.\n"
    assert await vega.done("comment", "-", typed="**Typed**\n\nin two lines") == "Commented.\n"
    assert "Directive: continue" in await vega.done(
        "report", "Ran the tests", "--doing", "Mend it", "--plan", "[x] Look", "--plan", "[>] Mend", "--plan", "Tell"
    )
    assert (await made.task(wanted))["status"] == "in_progress"
    seen = await vega.done("show")
    assert "Vega has it until" in seen and "**Typed**\n\n  in two lines" in seen

    (vega.folder / "shot.txt").write_text("it works")
    handed = await vega.done(
        "finish", "All three are read.", "--checked", "A thousand rows", "--evidence", "Tests=https://ci.example.org/41",
        "--evidence", "https://example.org/", "--attach", "shot.txt", "--confidence", "90", "--cost-usd", "0.04",
    )  # fmt: skip
    assert handed == "Handed in #1: it is in review now.\n"
    [run] = (await made.ask("GET", f"{made.tasks}/{wanted}/runs"))["items"]
    assert (run["checked"], run["cost_usd"], run["artifacts"][0]["name"]) == ("A thousand rows", 0.04, "shot.txt")
    assert [one["title"] for one in run["evidence"]] == ["Tests", None]


async def test_json_is_the_answer_as_it_is(made: Crew, vega: Terminal) -> None:
    wanted = await made.add_task("Count")
    claimed = (await vega.run("claim", "--json")).json
    assert (claimed["task"]["id"], claimed["lease"]["fence"], claimed["kind"]) == (wanted, 1, "work")
    shown = (await vega.run("show", "--json")).json
    assert (shown["id"], len(shown["runs"])) == (wanted, 1)
    refused = await vega.run("claim", "#99", "--json")
    assert (refused.code, refused.json["detail"]["code"]) == (1, "not_found") and "no task #99" in refused.err
    status = (await vega.run("status", "--json")).json
    assert (status["agent"]["name"], status["held"][0]["task_id"]) == ("Vega", wanted)


async def test_nothing_to_do_is_an_exit_code_of_its_own(made: Crew, vega: Terminal) -> None:
    for command in (("claim",), ("claim", "--wait", "0.5"), ("show",), ("finish", "Done.")):
        printed = await vega.run(*command)
        assert (printed.code, printed.out) == (3, "") and printed.err.endswith("\n")


async def test_numbers_are_found_wherever_the_task_is(made: Crew, vega: Terminal) -> None:
    await made.add_task("First")
    second = await made.add_task("Second")
    for name in ("2", "#2", second):
        assert (await vega.run("show", name, "--json")).json["id"] == second
    await vega.done("claim", "#2")
    assert (await vega.run("claim", "2", "--json")).json["why"]["kind"] == "held"
    assert (await made.task(second))["assigned_agent_id"] == made.vega.id
    wrong = await vega.run("show", "second")
    assert wrong.code == 2 and "Write its number" in wrong.err


async def test_fence_is_kept_for_its_user_alone_and_found_without(made: Crew, vega: Terminal) -> None:
    await made.add_task("Keep")
    await vega.done("claim")
    [kept] = (vega.folder / ".local" / "state" / "mission-control").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert made.vega.token not in kept.read_text()
    kept.unlink()
    assert "Handed in #1" in await vega.done("finish", "From another machine.")


async def test_kept_fence_does_not_write_for_a_later_attempt(made: Crew, vega: Terminal) -> None:
    task_id = await made.add_task("Lost")
    await vega.done("claim")
    await made.ask("PATCH", f"{made.tasks}/{task_id}", {"status": "inbox", "assigned_agent_id": None})
    other = Terminal(vega.folder.parent / "other", vega.environment)
    other.fetch(made.server.url)
    await other.run("claim")
    late = await vega.run("finish", "Too late.")
    assert late.code == 1 and "Your lease of this task is over" in late.err
    assert (await made.task(task_id))["status"] == "in_progress"


async def test_several_held_tasks_are_named(made: Crew, vega: Terminal) -> None:
    for title in ("First", "Second"):
        await made.add_task(title)
        await vega.done("claim", "--another")
    printed = await vega.run("finish", "Which?")
    assert printed.code == 2 and "You hold #1, #2: say which one." in printed.err
    assert "Handed in #2" in await vega.done("finish", "This one.", "--task", "2")
    assert "Handed in #1" in await vega.done("finish", "The only one left.")


async def test_given_back_with_a_reason(made: Crew, vega: Terminal) -> None:
    task_id = await made.add_task("Far")
    await vega.done("claim")
    without = await vega.run("give-back")
    assert without.code == 2 and "Why?" in without.err
    assert await vega.done("give-back", "Not reachable from here.") == "Given back.\n"
    assert (await made.task(task_id))["status"] == "inbox"
    assert (await vega.run("show")).code == 3


async def answer(made: Crew, kind: str, body: dict[str, str]) -> None:
    """Wait until something is asked, and answer it."""
    path = f"{API}/boards/{made.board_id}/{kind}"
    while not (items := (await made.ask("GET", path))["items"]):
        await asyncio.sleep(0.05)
    if kind == "approvals":
        await made.ask("PATCH", f"{path}/{items[0]['id']}", body)
    else:
        await made.ask("POST", f"{path}/{items[0]['id']}/answers", body)


async def test_question_is_answered_while_the_command_waits(made: Crew, vega: Terminal) -> None:
    await made.add_task("Sell")
    await vega.done("claim")
    asking = await vega.start(
        "ask", "Where first?", "--option", "France: I start with it.", "--option", "Spain", "--recommend", "1", "--wait"
    )
    await answer(made, "questions", {"option_id": "2"})
    printed = await ended(asking)
    assert printed.code == 0 and "answered: Spain" in printed.out
    [question] = (await made.ask("GET", f"{API}/boards/{made.board_id}/questions"))["items"]
    assert [one["outcome"] for one in question["options"]] == ["I start with it.", None]


@pytest.mark.parametrize(("decision", "code"), [("approved", 0), ("rejected", 1)])
async def test_exit_code_says_whether_people_said_yes(made: Crew, vega: Terminal, decision: str, code: int) -> None:
    await made.add_task("Deploy")
    await vega.done("claim")
    asking = await vega.start("ask", "--approve", "deploy", "It is tested on staging.", "--wait")
    await answer(made, "approvals", {"status": decision})
    printed = await ended(asking)
    assert printed.code == code and f": {decision}" in printed.out
    [asked] = (await made.ask("GET", f"{API}/boards/{made.board_id}/approvals"))["items"]
    assert (asked["confidence"], asked["payload"]["confidence"]) == (0, None)  # nobody stated any


async def test_parked_task_comes_back_with_the_answer(made: Crew, vega: Terminal) -> None:
    await made.add_task("Park")
    await vega.done("claim")
    assert "you are free" in await vega.done("ask", "Which account pays?", "--park")
    assert "waits for people" in await vega.done("status")
    await vega.done("report", "Read mails", "--doing", "Wait")  # ends no wait
    assert "#1 Park: waits for people" in await vega.done("status")
    assert (await vega.run("claim")).code == 3
    waiting = await vega.start("wait")
    await answer(made, "questions", {"answer": "Ours."})
    printed = await ended(waiting)
    assert printed.code == 0 and "# Task #1: Park" in printed.out and "Ours." in printed.out
    assert "Handed in #1" in (await vega.run("finish", "Paid.")).out


async def test_unanswered_question_ends_in_time(made: Crew, vega: Terminal) -> None:
    printed = await vega.run("ask", "Anybody?", "--wait", "1")
    assert printed.code == 3 and "Nobody has answered" in printed.out


async def test_wait_gets_what_people_say(made: Crew, vega: Terminal) -> None:
    task_id = await made.add_task("Listen")
    await vega.done("claim")
    await made.ask("POST", f"{made.tasks}/{task_id}/comments", {"message": "@Vega mind the gap"})
    printed = await vega.run("wait", "30")
    assert printed.code == 0 and "mind the gap" in printed.out and printed.err == ""


async def test_news_go_to_the_errors(made: Crew, vega: Terminal) -> None:
    task_id = await made.add_task("Listen")
    await vega.done("claim")
    await made.ask("POST", f"{made.tasks}/{task_id}/comments", {"message": "@Vega mind \x1b[2J the gap"})
    printed = await vega.run("comment", "On it.", "--json")
    assert printed.code == 0 and printed.json["message"] == "On it."
    assert printed.err.startswith("NEWS ") and "mind � [2J" in printed.err.replace("�[", "� [")


async def test_claim_waits_through_a_pause(made: Crew, vega: Terminal) -> None:
    state = f"{API}/agents/{made.vega.id}/work-state"
    await made.ask("PUT", state, {"state": "paused", "reason": "Lunch."})
    await made.add_task("After lunch")
    paused = await vega.run("claim")
    assert paused.code == 3 and "Lunch." in paused.err
    waiting = await vega.start("claim", "--wait")
    await asyncio.sleep(0.5)
    await made.ask("PUT", state, {"state": "running"})
    printed = await ended(waiting)
    assert printed.code == 0 and "# Task #1: After lunch" in printed.out


async def test_proposals_and_memory(made: Crew, vega: Terminal) -> None:
    assert "Proposed: Redirect the old shop." in await vega.done(
        "propose", "Redirect the old shop", "--reason", "It answers 404."
    )
    assert (await vega.run("propose", "Without a reason")).code == 2
    await vega.done("note", "Prices are stored in cents.", "--tag", "decision")
    assert await vega.done("note", "@lead Ready.", "--tag", "chat") == "Said in the chat.\n"
    kept = (await made.ask("GET", f"{API}/boards/{made.board_id}/memory"))["items"]
    assert {(one["content"], one["is_chat"]) for one in kept} == {
        ("Prices are stored in cents.", False), ("@lead Ready.", True)
    }  # fmt: skip


async def test_call_fills_in_and_picks(made: Crew, vega: Terminal) -> None:
    await made.add_task("Call")
    await vega.done("claim")
    for command in (("call", "get"), ("GET",)):
        printed = await vega.done(*command, "/api/v1/boards/{board_id}/tasks/{task_id}")
        assert json.loads(printed)["title"] == "Call"
    picked = await vega.done("GET", "/api/v1/agent/boards/{board_id}/tasks", "--pick", "number, title,tags.x")
    assert json.loads(picked) == {"number": 1, "title": "Call", "tags.x": []}
    path = "/api/v1/agent/boards/{board_id}/tasks/#1/comments"
    said = await vega.done("POST", path, "-", typed='{"message": "of {task_id}"}')
    assert json.loads(said)["message"] == f"of {json.loads(said)['task_id']}"
    await vega.done("POST", "/api/v1/agent/boards/{board_id}/tasks/{task_id}/completions", '{"summary": "Done."}')
    assert (await vega.run("show")).code == 3
    assert "Your loop" in await vega.done("GET", "/llms.txt")


async def test_refused_call_is_said_in_one_shape(made: Crew, vega: Terminal) -> None:
    def detail(out: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(out)["detail"]
        return found

    unknown = await vega.run("GET", f"/api/v1/agent/boards/{made.vega.id}")
    assert (unknown.code, unknown.err, set(detail(unknown.out)) >= {"message", "code"}) == (1, "", True)
    questions = "/api/v1/agent/boards/{board_id}/questions"
    invalid = await vega.run("POST", questions, '{"content": 7}')
    assert invalid.code == 1 and "content" in detail(invalid.out)["message"]
    for wrong, code in ((("POST", questions, "{"), "invalid_json"), (("GET", "no-slash"), "usage")):
        printed = await vega.run(*wrong)
        assert (printed.code, detail(printed.out)["code"]) == (2, code)


async def test_ctrl_c_ends_a_wait_without_words(made: Crew, vega: Terminal) -> None:
    waiting = await vega.start("wait")
    await asyncio.sleep(1)
    waiting.send_signal(signal.SIGINT)
    printed = await ended(waiting)
    assert (printed.code, printed.out, printed.err) == (130, "", "")


async def test_closed_pipe_ends_without_words(made: Crew, vega: Terminal) -> None:
    command = f"'{vega.python}' client.pyz GET /openapi.json; echo $? > code"
    environment = {**vega.environment, "PATH": "/usr/bin:/bin", "HOME": str(vega.folder)}
    process = await asyncio.create_subprocess_shell(
        f"({command}) | head -c 10", cwd=vega.folder, env=environment, stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    assert (err, (vega.folder / "code").read_text().strip()) == (b"", "141")


async def test_what_strangers_type_is_answered_in_words(made: Crew, vega: Terminal) -> None:
    wrong = {
        ("clam",): "Did you mean claim?",
        ("--json",): "no command --json",
        ("claim", "--lease", "soon"): "invalid int value",
        ("comment",): "What do you want to say?",
        ("comment", "a", "--file", "b"): "not both",
        ("comment", "--file", "missing.md"): "missing.md cannot be read: No such file",
        ("finish", "Done.", "--evidence", "my laptop"): "is no link",
        ("ask", "Deploy?", "--approve", "deploy", "--option", "A"): "yes or no",
        ("ask", "Deploy?", "--park", "--wait"): "Either --park",
        ("ask", "Which?", "--option", "A", "--recommend", "2"): "--recommend names an option",
        ("report",): "What did you do?",
        ("call", "FETCH", "/"): "",
        ("show", "é"): "is no task",
    }
    await made.add_task("Held")
    await vega.done("claim")
    for command, words in wrong.items():
        printed = await vega.run(*command)
        assert printed.code == 2 and words in printed.err, printed
    odd = await vega.run("GET", "/é b\r\nX-Odd: 1")
    assert odd.code == 1 and json.loads(odd.out)["detail"]["code"] == "refused"
    binary = await vega.run("comment", "-", typed=b"\xff\xfe")
    assert binary.code == 2 and "UTF-8" in binary.err


async def test_odd_surroundings_are_answered_in_words(made: Crew, vega: Terminal) -> None:
    await made.add_task("Odd")
    await vega.done("claim")
    [kept] = (vega.folder / ".local" / "state" / "mission-control").iterdir()
    for text in ("", "[]", '{"tasks": {"x": 3}}', '{"tasks": {"x": {"fence": "1"}}}'):
        kept.write_text(text)
        assert await vega.done("comment", "Still here.") == "Commented.\n"
    environment = " ".join(f"{name}={value}" for name, value in vega.environment.items())
    for end, code, words in (
        ("comment - <&-", 2, "What do you want to say?"),
        ("status > /dev/full", 1, "The output: No space left"),
        ("status >&-", 0, ""),
    ):
        command = f"env -i HOME='{vega.folder}' {environment} '{vega.python}' client.pyz {end}"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_shell(command, cwd=vega.folder, stdout=pipe, stderr=pipe)
        printed = await ended(process)
        assert printed.code == code and words in printed.err, printed


async def test_help_names_commands_and_exit_codes(made: Crew, vega: Terminal) -> None:
    printed = await vega.done()
    assert "give-back" in printed and "  75  the server is too busy" in printed
    assert "--evidence" in await vega.done("finish", "--help")
    assert await vega.done("--version") == "0.1.0\n"


async def test_commits_and_diff_are_handed_in_from_the_repository(made: Crew, vega: Terminal) -> None:
    await made.add_task("Keep it longer")
    await vega.done("claim")
    assert (await vega.run("finish", "Done.", "--code")).code == 2  # no repository is here

    def git(*words: str) -> str:
        who = ("-c", "user.name=Vega", "-c", "user.email=vega@example.org")
        done = subprocess.run(["git", *who, *words], cwd=vega.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    git("remote", "add", "origin", "https://vega:secret@forge.example/acme/app.git")
    (vega.folder / "app.py").write_text("TTL = 5\n")
    git("add", "app.py")
    git("commit", "--quiet", "--message=Begin")
    git("switch", "--quiet", "--create", "longer")
    (vega.folder / "app.py").write_text("TTL = 300\n")
    git("commit", "--quiet", "--all", "--message=Keep it\tlonger")
    for wrong in ("nothing", "--output=/x"):
        assert (await vega.run("finish", "Done.", f"--code={wrong}")).code == 2
    assert (await vega.run("finish", "Done.", "--check", "make test")).code == 2  # of which code?
    check = "cat app.py; exit 3"
    printed = await vega.run("finish", "Done.", "--code", "--check", check)
    assert printed.code == 0 and "What is not committed is not in it." in printed.err
    [run] = (await made.ask("GET", f"{made.tasks}/{(await made.ask('GET', made.tasks))['items'][0]['id']}/runs"))[
        "items"
    ]
    code = run["code"]
    assert (code["base"], code["head"], code["branch"]) == (
        git("rev-parse", "main"),
        git("rev-parse", "HEAD"),
        "longer",
    )
    url = f"https://forge.example/acme/app/commit/{code['head']}"
    assert code["commits"] == [{"id": code["head"], "title": "Keep it\tlonger", "url": url}]
    assert [one["name"] for one in run["artifacts"]] == ["changes.diff", "tests.txt"]
    assert (code["files"], code["added"], code["removed"]) == (1, 1, 1)
    assert code["check"] == {"command": check, "exit_code": 3, "commit": None}  # a file beside it is not committed


@pytest.mark.parametrize(("remote", "address"), [
    ("https://github.com/acme/app.git\n", "https://github.com/acme/app"),
    ("http://ada:secret@git.example:3000/acme/app/", "http://git.example:3000/acme/app"),
    ("git@github.com:acme/app.git", "https://github.com/acme/app"),
    ("ssh://git@git.example.org:2222/acme/sub/app.git", "https://git.example.org/acme/sub/app"),
    ("work:acme/app.git", ""), ("git@work:acme/app.git", ""), ("../app", ""), ("/srv/app.git", ""), ("", ""),
    ("file:///srv/app", ""), ("https://x/a b", ""), ("https://github.com/", ""), ("https://git.example/a?token=x", ""),
])  # fmt: skip
def test_address_of_a_repository(remote: str, address: str) -> None:
    assert repository_address(remote) == address
