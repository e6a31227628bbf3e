"""Calls of GitHub, GitLab and Forgejo: signed by each in its way, shown by the tasks whose code they are about."""

import hmac
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from mission_control.boards.models import Board, ForgeState
from mission_control.events.leases import Delivery
from mission_control.memory.models import BoardMemory
from mission_control.webhooks.incoming import commands as webhooks
from mission_control.webhooks.models import WebhookPayload
from tests.cast import Answer, Cast, events, head
from tests.claiming import taken
from tests.forges import FORGEJO, FORGEJO_AT, GITHUB, GITLAB, GITLAB_AT, HEAD, LATER, REPOSITORY, changed
from tests.needs.test_needs import one_of
from tests.needs.test_needs_answers import answer
from tests.runs.test_code_handed_in import code_handed_in, hand_in

pytestmark = pytest.mark.dialect

OPENED, RUN = GITHUB["pull_request.opened"], GITHUB["check_run.completed"]
PASSED = changed(RUN, check_run__conclusion="success")
PUSHED = changed(
    OPENED, action="synchronize", pull_request__head__sha=LATER, pull_request__updated_at="2019-05-15T15:20:40Z"
)
MERGED = changed(
    GITHUB["pull_request.closed"], pull_request__merged=True, pull_request__merged_at="2019-05-15T15:21:18Z"
)
CODE: dict[str, Any] = {"head": HEAD, "branch": "changes", "pull_request": f"{REPOSITORY}/pull/2", "commits": []}


@pytest.fixture(autouse=True)
def no_calls_yet() -> None:
    webhooks.calls.clear()


class Hook:
    """A webhook of a forge, and its calls as the forge sends them."""

    def __init__(self, cast: Cast, made: dict[str, Any]) -> None:
        self.cast, self.secret = cast, str(made["secret"])
        self.path = f"{cast.home}/webhooks/{made['id']}"

    async def send(self, payload: Any, **headers: str) -> Answer:
        body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
        if not headers:
            headers = {"X-Hub-Signature-256": "sha256=" + hmac.new(self.secret.encode(), body, "sha256").hexdigest()}
        sent = {"Content-Type": "application/json", "X-GitHub-Event": "any"} | headers
        return await self.cast.nobody.call("POST", self.path, data=body, headers=sent)

    async def take(self, *payloads: Any) -> dict[str, Any]:
        """Take calls; return what is kept of the last."""
        for payload in payloads:
            found = await self.send(payload)
            assert found.status == 202, found.body
        return dict((await self.cast.ada.get(f"{self.path}/payloads/{found.body['payload_id']}")).ok()["payload"])


async def made(cast: Cast, forge: str = "github", repository: str = REPOSITORY, **more: Any) -> Hook:
    body = {"description": "The code", "forge": forge, "repository": repository} | more
    return Hook(cast, (await cast.ada.post(f"{cast.home}/webhooks", body)).ok() | more)


async def reported(cast: Cast, task: dict[str, Any]) -> dict[str, Any] | None:
    [run] = (await cast.cleo.get(f"{cast.task(task)}/runs")).ok()["items"]
    found: dict[str, Any] | None = run["code"]["reported"]
    return found


async def test_pull_request_of_a_hand_in_is_told_with_its_state(cast: Cast) -> None:
    hook = await made(cast)
    await hook.take(OPENED)  # before the work is handed in
    task = await code_handed_in(cast, **CODE)
    first = await reported(cast, task)
    assert first is not None and first.pop("reported_at")
    assert first == {
        "number": 2, "url": f"{REPOSITORY}/pull/2", "state": "open", "head": HEAD, "checks": None, "review": None,
    }  # fmt: skip
    before = await head(cast)
    kept = await hook.take(PASSED)
    assert kept["repository"] == "github.com/codertocat/hello-world" and "ignored" not in kept
    [event] = await events(before, kind="task.code_reported")
    assert (event.actor_kind, str(event.task_id)) == ("system", task["id"])
    assert event.message == "GitHub: PR 2 open, checks passed"
    assert orjson.loads(event.data)["report"]["checks"] == "passed"
    before = await head(cast)
    assert (await hook.take(PASSED))["ignored"] == "Nothing new." and await events(
        before, kind="task.code_reported"
    ) == []
    await hook.take(MERGED, OPENED, GITHUB["check_run.created"])
    last = await reported(cast, task)
    assert last is not None and (last["state"], last["checks"]) == ("merged", "passed")
    assert await BoardMemory.all().count() == 0 and await Delivery.filter(header="WEBHOOK EVENT RECEIVED").count() == 0


@pytest.mark.parametrize("asks", [True, False], ids=["approval", "review"])
async def test_push_after_the_hand_in_asks_to_look_again(cast: Cast, asks: bool) -> None:
    hook = await made(cast)
    task = await code_handed_in(cast, asks=asks, **CODE)
    await hook.take(OPENED)
    seen = await one_of(cast.cleo, "approval" if asks else "review")
    whole = await cast.cleo.get(cast.task(task))
    await hook.take(PUSHED)
    refused = await answer(cast.cleo, seen, "approve", substance=seen["substance"])
    assert (refused.status, refused.code) == (409, "need_changed") and LATER in str(refused.detail)
    review = {"decision": "approved", "substance": seen["substance"]}
    assert (await cast.cleo.post(f"{cast.task(task)}/reviews", review)).status in (409, 422)
    late = await cast.cleo.call(
        "PATCH", cast.task(task), json={"priority": "high"}, headers={"If-Match": whole.headers["ETag"]}
    )
    assert late.status == 412
    now = await one_of(cast.cleo, "approval" if asks else "review")
    assert now["version"] != seen["version"]
    (await answer(cast.cleo, now, "approve", substance=now["substance"])).ok()


async def test_work_that_is_handed_in_anew_is_what_was_pushed(cast: Cast) -> None:
    hook = await made(cast)
    task = await code_handed_in(cast, asks=False, **CODE)
    await hook.take(OPENED, PUSHED)
    (await cast.cleo.post(f"{cast.task(task)}/reviews", {"decision": "changes_requested", "note": "More."})).ok()
    again = (await cast.vega.post("/agent/next", {"wait_seconds": 0})).ok()
    before = await head(cast)
    await hook.take(changed(PUSHED, pull_request__updated_at="2019-05-15T15:20:50Z"))
    assert await events(before, kind="task.code_reported") == []  # it is not in review
    await hand_in(cast, again["task"] | {"fence": again["lease"]["fence"]}, **CODE | {"head": LATER})
    [last, _] = (await cast.cleo.get(f"{cast.task(task)}/runs")).ok()["items"]
    assert last["code"]["reported"]["head"] == last["code"]["head"] == LATER


async def test_branch_is_enough_where_a_commit_names_the_repository(cast: Cast) -> None:
    hook = await made(cast)
    commit = {"id": HEAD, "url": f"{REPOSITORY}/commit/{HEAD}"}
    task = await code_handed_in(cast, **CODE | {"pull_request": None, "commits": [commit]})
    push = changed(GITHUB["push"], ref="refs/heads/changes", after=HEAD)
    await hook.take(push)
    found = await reported(cast, task)
    assert found is not None and (found["number"], found["head"]) == (None, HEAD)
    await hook.take(changed(push, before=HEAD, after=LATER))
    found = await reported(cast, task)
    assert found is not None and found["head"] == LATER
    await hook.take(OPENED)  # its head is the one before the push
    found = await reported(cast, task)
    assert found is not None and (found["number"], found["head"]) == (2, LATER)


async def test_only_the_named_repository_is_heard(cast: Cast) -> None:
    hook = await made(cast, repository=f"{REPOSITORY}-2")
    task = await code_handed_in(cast, **CODE)
    assert (await hook.take(OPENED))["ignored"] == "It is about another repository."
    assert await reported(cast, task) is None and await ForgeState.all().count() == 0
    owner = await made(cast, repository="https://github.com/CODERTOCAT/")
    await owner.take(OPENED)
    assert (await reported(cast, task) or {})["number"] == 2
    assert (await hook.take({"zen": "x"}))["ignored"] == "Not used."


async def test_board_hears_only_its_own_webhooks(cast: Cast) -> None:
    hook = await made(cast)
    await hook.take(OPENED)
    await ForgeState.all().update(board_id=cast.other_board.id)
    assert await reported(cast, await code_handed_in(cast, **CODE)) is None


@pytest.mark.parametrize("forge", ["github", "gitlab", "forgejo"])
async def test_unsigned_and_wrongly_signed_calls_are_refused(cast: Cast, forge: str) -> None:
    hook = await made(cast, forge)
    other = "sha256=" + hmac.new(b"other", orjson.dumps(OPENED), "sha256").hexdigest()
    assert "missing" in (await hook.send(OPENED, X_Other="1")).refused(403)
    for name in (
        "X-Hub-Signature-256",
        "X-Forgejo-Signature",
        "X-Gitea-Signature",
        "X-Gitlab-Token",
        "Webhook-Signature",
    ):
        (await hook.send(OPENED, **{name: other})).refused(403)
    assert await WebhookPayload.all().count() == 0 and await ForgeState.all().count() == 0


async def test_forgejo_and_gitea_sign_by_their_own_headers(cast: Cast) -> None:
    hook = await made(cast, "forgejo", FORGEJO_AT)
    code = CODE | {"pull_request": f"{FORGEJO_AT}/pulls/7"}
    task = await code_handed_in(cast, **code)
    for payload, name in ((FORGEJO["pull_request"], "X-Forgejo-Signature"), (FORGEJO["status"], "X-Gitea-Signature")):
        signature = hmac.new(hook.secret.encode(), orjson.dumps(payload), "sha256").hexdigest()
        assert (await hook.send(payload, **{name: signature})).status == 202
    found = await reported(cast, task)
    assert found is not None and (found["state"], found["checks"]) == ("open", "running")


async def test_gitlab_signs_or_shows_its_token(cast: Cast) -> None:
    hook = await made(cast, "gitlab", GITLAB_AT)
    assert hook.secret.startswith("whsec_") and len(b64decode(hook.secret[6:])) == 32
    task = await code_handed_in(cast, **CODE | {"pull_request": f"{GITLAB_AT}/-/merge_requests/12"})
    assert (await hook.send(GITLAB["merge_request"], **{"X-Gitlab-Token": hook.secret})).status == 202
    (await hook.send(GITLAB["pipeline"], **{"X-Gitlab-Token": "wrong"})).refused(403)
    body = orjson.dumps(GITLAB["pipeline"])
    digest = hmac.digest(b64decode(hook.secret[6:]), b"d1.1764410000." + body, "sha256")
    signed = {
        "Webhook-Id": "d1",
        "Webhook-Timestamp": "1764410000",
        "Webhook-Signature": f"v1,{b64encode(b'x').decode()} v1,{b64encode(digest).decode()}",
    }
    (await hook.send(body, **signed | {"Webhook-Id": "d2"})).refused(403)
    (await hook.send(body, **signed | {"Webhook-Signature": "v1,"}, **{"X-Gitlab-Token": hook.secret})).refused(403)
    assert (await hook.send(body, **signed)).status == 202
    found = await reported(cast, task)
    assert found is not None and (found["number"], found["state"], found["checks"]) == (12, "open", "passed")


async def test_form_of_github_is_read(cast: Cast) -> None:
    hook = await made(cast)
    task = await code_handed_in(cast, **CODE)
    body = urlencode({"payload": orjson.dumps(OPENED).decode()}).encode()
    signature = "sha256=" + hmac.new(hook.secret.encode(), body, "sha256").hexdigest()
    sent = await hook.send(
        body, **{"X-Hub-Signature-256": signature, "Content-Type": "application/x-www-form-urlencoded"}
    )
    assert sent.status == 202 and (await reported(cast, task) or {})["state"] == "open"


async def test_test_call_tells_nothing(cast: Cast) -> None:
    hook = await made(cast)
    sent = (await cast.ada.post(f"{hook.path}/tests", {"content": orjson.dumps(OPENED).decode()})).ok()
    kept = (await cast.ada.get(f"{hook.path}/payloads/{sent['payload_id']}")).ok()
    assert kept["is_test"] and kept["payload"]["ignored"] == "Only signed calls of the forge count."
    assert await ForgeState.all().count() == 0
    (await cast.ada.post(f"{hook.path}/payloads/{sent['payload_id']}/resends")).refused(409)


async def test_busy_repository_is_not_limited_and_its_log_is(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "KEPT_CALLS", 3)
    monkeypatch.setattr(webhooks.calls, "count", 2)
    hook = await made(cast)
    for _ in range(5):
        await hook.take(OPENED)
    assert await WebhookPayload.all().count() == 3
    for _ in range(2):
        (await hook.send(OPENED, X_Other="1")).refused(403)
    (await hook.send(OPENED)).refused(429)


async def test_huge_and_odd_bodies(cast: Cast) -> None:
    hook = await made(cast)
    (await hook.send(b"x" * 1_048_577)).refused(413)
    for body in (
        b"",
        b"null",
        b"[1]",
        b"payload=%7B",
        b'{"repository": {"html_url": "\\ud800"}}',
        b"\xff\x00" * 9,
        b"[" * 5000,
    ):
        assert (await hook.take(body))["ignored"] == "Not used."


async def test_forge_needs_a_repository_and_a_secret(cast: Cast) -> None:
    where, body = f"{cast.home}/webhooks", {"description": "Code", "forge": "github", "repository": REPOSITORY}
    for wrong in ({"repository": None}, {"forge": None}, {"repository": "git@x:y"}, {"forge": "svn"}, {"secret": None}):
        (await cast.ada.post(where, body | wrong)).refused(422)
    hook = (await cast.ada.post(where, body)).ok()
    assert (hook["forge"], hook["repository"], hook["warning"]) == ("github", REPOSITORY, None)
    path = f"{where}/{hook['id']}"
    for change in ({"repository": None}, {"secret": None}, {"repository": "x"}):
        (await cast.ada.patch(path, change)).refused(422)
    assert (await cast.ada.patch(path, {"repository": FORGEJO_AT})).ok()["repository"] == FORGEJO_AT
    plain = (await cast.ada.post(where, {"description": "Other"})).ok()
    (await cast.ada.patch(f"{where}/{plain['id']}", {"repository": REPOSITORY})).refused(422)


@pytest.mark.parametrize(("rules", "event", "ends"), [
    ({}, MERGED, "review"),
    ({"done_when_merged": True}, MERGED, "done"),
    ({"done_when_merged": True, "require_approval_for_done": True}, MERGED, "review"),
    ({"done_when_merged": True}, changed(MERGED, pull_request__head__sha=LATER), "review"),
], ids=["no rule", "finishes", "needs an approval", "of something else"])  # fmt: skip
async def test_merge_finishes_where_the_board_says_so(
    cast: Cast, rules: dict[str, bool], event: dict[str, Any], ends: str
) -> None:
    hook = await made(cast)
    task = await code_handed_in(cast, asks=False, **CODE)
    await Board.filter(id=cast.board.id).update(**rules)
    await hook.take(event)
    assert (await cast.cleo.get(cast.task(task))).ok()["status"] == ends


async def test_merge_does_not_pass_over_what_a_task_waits_for(cast: Cast) -> None:
    hook = await made(cast)
    task = await code_handed_in(cast, asks=False, **CODE)
    await Board.filter(id=cast.board.id).update(done_when_merged=True)
    other = await cast.add_task(title="First")
    (await cast.ada.patch(cast.task(task), {"depends_on_task_ids": [other["id"]]})).ok()
    await hook.take(MERGED)
    assert (await cast.cleo.get(cast.task(task))).ok()["status"] == "review"


async def test_old_states_are_forgotten(cast: Cast) -> None:
    hook = await made(cast)
    await hook.take(OPENED)
    await ForgeState.all().update(reported_at="2026-01-01T00:00:00")
    await hook.take(RUN)
    assert [one.kind for one in await ForgeState.all()] == ["commit"]


async def test_work_without_code_hears_nothing(cast: Cast) -> None:
    hook = await made(cast)
    await cast.add_task()
    task = await taken(cast)
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", {"fence": task["fence"], "summary": "Done."})).ok()
    before = await head(cast)
    await hook.take(OPENED, PASSED, MERGED)
    assert await events(before, kind="task.code_reported") == []


async def _review(cast: Cast, task: dict[str, Any], seen: str) -> Answer:
    return await cast.cleo.post(f"{cast.task(task)}/reviews", {"decision": "approved", "substance": seen})


async def _move(cast: Cast, task: dict[str, Any], seen: str) -> Answer:
    return await cast.cleo.post(f"{cast.task(task)}/moves", {"status": "done", "approve": True, "substance": seen})


async def _changes(cast: Cast, task: dict[str, Any], seen: str) -> Answer:
    change = {"task_id": task["id"], "status": "done", "substance": seen}
    found = (await cast.cleo.post(f"{cast.home}/tasks/changes", {"changes": [change], "atomic": False})).ok()
    [result] = found["results"]
    return Answer(result["status"], result, {})


async def _decide(cast: Cast, task: dict[str, Any], seen: str) -> Answer:
    [asked] = (await cast.cleo.get(f"{cast.approvals}?status=pending")).ok()["items"]
    return await cast.cleo.patch(f"{cast.approvals}/{asked['id']}", {"decision": "approved", "substance": seen})


async def _need(cast: Cast, task: dict[str, Any], seen: str) -> Answer:
    [need] = [one for one in (await cast.cleo.get("/needs")).ok()["items"] if one["kind"] in ("review", "approval")]
    found: Answer = await answer(cast.cleo, need, "approve", substance=seen)
    return found


@pytest.mark.parametrize(("way", "asks"), [
    (_review, False), (_move, False), (_changes, False), (_need, False), (_move, True), (_decide, True), (_need, True),
])  # fmt: skip
async def test_every_way_to_finish_is_bound_to_what_was_seen(cast: Cast, way: Any, asks: bool) -> None:
    hook = await made(cast)
    task = await code_handed_in(cast, asks=asks, **CODE)
    await hook.take(OPENED)
    kind = "approval" if asks else "review"
    seen = (await one_of(cast.cleo, kind))["substance"]
    await hook.take(PUSHED)
    refused = await way(cast, task, seen)
    assert refused.status == 409 and "need_changed" in str(refused.body)
    assert (await cast.cleo.get(cast.task(task))).ok()["status"] == "review"
    assert (await way(cast, task, (await one_of(cast.cleo, kind))["substance"])).status == 200
    assert (await cast.cleo.get(cast.task(task))).ok()["status"] == "done"


async def test_needs_say_what_is_known_of_the_code(cast: Cast) -> None:
    hook = await made(cast)
    for asks in (True, False):
        await code_handed_in(cast, asks=asks, **CODE)
    await hook.take(OPENED, RUN)
    for kind in ("approval", "review"):
        found = (await one_of(cast.cleo, kind))["facts"][0]
        assert found["is_counted"] and (found["text"], found["tone"], found["url"]) == (
            f"PR 2 open, checks failed on {HEAD[:7]}", "bad", f"{REPOSITORY}/pull/2",
        )  # fmt: skip
    await hook.take(PUSHED)
    for kind in ("approval", "review"):
        texts = [one["text"] for one in (await one_of(cast.cleo, kind))["facts"]]
        assert f"changed since the hand-in: {HEAD[:7]} → {LATER[:7]}" in texts


async def test_commit_that_the_forge_has_not_told_of_yet_is_no_change(cast: Cast) -> None:
    hook = await made(cast)
    await hook.take(OPENED)
    await code_handed_in(cast, asks=False, **CODE | {"head": LATER})  # its push is told in a moment
    facts = [one["text"] for one in (await one_of(cast.cleo, "review"))["facts"]]
    assert "PR 2 open" in facts and not any("changed since" in one for one in facts)
    seen = (await one_of(cast.cleo, "review"))["substance"]
    await hook.take(PUSHED)
    assert (await one_of(cast.cleo, "review"))["substance"] == seen
    await hook.take(changed(RUN, check_run__head_sha=LATER))
    assert (await one_of(cast.cleo, "review"))["substance"] != seen  # a check failed since
    await hook.take(changed(PUSHED, pull_request__head__sha="7c" * 20, pull_request__updated_at="2019-05-15T15:21:00Z"))
    assert (await one_of(cast.cleo, "review"))["substance"] != seen


async def test_former_commit_of_the_work_that_is_told_late_is_no_change(cast: Cast) -> None:
    hook = await made(cast)
    commits = [{"id": HEAD}, {"id": LATER}]
    await code_handed_in(cast, asks=False, **CODE | {"head": LATER, "commits": commits})
    seen = (await one_of(cast.cleo, "review"))["substance"]
    await hook.take(OPENED)
    assert (await one_of(cast.cleo, "review"))["substance"] == seen


async def test_commit_that_was_left_before_the_hand_in_is_a_change(cast: Cast) -> None:
    hook = await made(cast)
    await hook.take(OPENED, PUSHED)
    await code_handed_in(cast, asks=False, **CODE)
    facts = [one["text"] for one in (await one_of(cast.cleo, "review"))["facts"]]
    assert f"changed since the hand-in: {HEAD[:7]} → {LATER[:7]}" in facts
