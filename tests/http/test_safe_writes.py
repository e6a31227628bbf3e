"""Writes that are safe to send again (`Idempotency-Key`) and safe against other people's changes (`If-Match`)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.core import times
from mission_control.core.secrets import encrypt
from mission_control.database.sql import rows
from mission_control.http import retries
from mission_control.tasks.models import Task
from tests.cast import Cast, head
from tests.things import filled, things_of

pytestmark = pytest.mark.dialect

KEY = {"Idempotency-Key": "f3c1"}


async def test_repeated_write_returns_the_first_answer(cast: Cast) -> None:
    first = await cast.ada.post(cast.tasks, {"title": "Once"}, headers=KEY)
    before = await head(cast)
    again = await cast.ada.post(cast.tasks, {"title": "Once"}, headers=KEY)
    assert again.ok() == first.ok()
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert await head(cast) == before
    assert await Task.filter(title="Once").count() == 1


async def test_key_reuse_with_another_request_is_refused(cast: Cast) -> None:
    (await cast.ada.post(cast.tasks, {"title": "Once"}, headers=KEY)).ok()
    other_body = await cast.ada.post(cast.tasks, {"title": "Twice"}, headers=KEY)
    assert other_body.refused(422) == "This Idempotency-Key was used for another request."
    (await cast.ada.patch(cast.home, {"name": "Once"}, headers=KEY)).refused(422)
    assert await Task.filter(title="Twice").count() == 0


@pytest.mark.parametrize("path", [
    "/boards/<board_id>/tasks/<task_id>",
    "/boards/<board_id>/tasks/<task_id>/comments/<comment_id>",
    "/boards/<board_id>/tasks/<task_id>/attachments/<attachment_id>",
    "/boards/<board_id>/tasks/<task_id>/checklist/<item_id>",
    "/boards/<board_id>",
    "/tags/<tag_id>",
    "/organizations/me/custom-fields/<task_custom_field_definition_id>",
    "/board-groups/<group_id>",
])  # fmt: skip
async def test_repeated_deletion_returns_the_first_answer(cast: Cast, path: str) -> None:
    thing = filled(path, await things_of(cast, path))
    first = await cast.ada.delete(thing, headers=KEY)
    before = await head(cast)
    again = await cast.ada.delete(thing, headers=KEY)
    assert again.ok() == first.ok() and again.headers["Idempotency-Replayed"] == "true"
    assert await head(cast) == before
    (await cast.ben.delete(thing, headers=KEY)).refused(404)
    (await cast.ada.delete(thing, headers={"Idempotency-Key": "other"})).refused(404)
    assert (await cast.ada.delete(f"{thing}?more=0", headers=KEY)).status in (404, 422)
    with times.travelled(timedelta(hours=25)):
        (await cast.ada.delete(thing, headers=KEY)).refused(404)


async def test_repeated_write_after_losing_the_right_returns_the_first_answer(cast: Cast) -> None:
    ben = (await cast.ben.get("/organizations/me/member")).ok()["id"]
    path, body = "/organizations/me/ownership", {"member_id": ben}
    first = await cast.ada.post(path, body, headers=KEY)
    again = await cast.ada.post(path, body, headers=KEY)
    assert again.ok() == first.ok() and again.headers["Idempotency-Replayed"] == "true"
    (await cast.ada.post(path, body)).refused(403)


async def test_repeated_answer_has_its_etag(cast: Cast) -> None:
    task = await cast.add_task()
    first = await cast.ada.patch(cast.task(task), {"title": "Once"}, headers=KEY)
    again = await cast.ada.patch(cast.task(task), {"title": "Once"}, headers=KEY)
    assert again.headers["ETag"] == first.headers["ETag"] == (await cast.ada.get(cast.task(task))).headers["ETag"]


async def test_keys_belong_to_their_sender(cast: Cast) -> None:
    one = (await cast.ada.post(cast.tasks, {"title": "Once"}, headers=KEY)).ok()
    two = (await cast.ben.post(cast.tasks, {"title": "Once"}, headers=KEY)).ok()
    assert one["id"] != two["id"]


async def test_refused_write_can_be_retried_with_its_key(cast: Cast) -> None:
    task = await cast.add_task()
    await cast.rule(require_approval_for_done=True)
    (await cast.vega.patch(cast.task(task), {"status": "done"}, headers=KEY)).refused(409)
    await cast.rule(require_approval_for_done=False)
    assert (await cast.vega.patch(cast.task(task), {"status": "done"}, headers=KEY)).ok()["status"] == "done"


async def test_key_expires_after_a_day(cast: Cast) -> None:
    one = (await cast.ada.post(cast.tasks, {"title": "Daily"}, headers=KEY)).ok()
    with times.travelled(timedelta(hours=25)):
        two = (await cast.ada.post(cast.tasks, {"title": "Daily"}, headers=KEY)).ok()
    assert one["id"] != two["id"]


async def test_expired_records_are_removed_without_their_senders(cast: Cast) -> None:
    for caller in (cast.cleo, cast.vega):
        (await caller.post(f"{cast.home}/memory", {"content": "Once"}, headers={"Idempotency-Key": "once"})).ok()
    await rows("UPDATE kept_answers SET created_at = ?", times.clock_now() - timedelta(hours=25))
    (await cast.ada.post(f"{cast.home}/memory", {"content": "Now"}, headers={"Idempotency-Key": "now"})).ok()
    assert [row["key"] for row in await rows("SELECT key FROM kept_answers")] == ["now"]


async def test_ten_concurrent_writes_with_one_key_happen_once(cast: Cast) -> None:
    sent = [cast.ada.post(cast.tasks, {"title": "Rush"}, headers=KEY) for _ in range(10)]
    answers = [answer.ok() for answer in await asyncio.gather(*sent)]
    assert len({answer["id"] for answer in answers}) == 1
    assert await Task.filter(title="Rush").count() == 1


async def test_records_of_a_deleted_agent_are_removed(cast: Cast) -> None:
    for agent in (cast.vega, cast.rigel):
        (await agent.post("/agent/heartbeat", headers={"Idempotency-Key": "beat"})).ok()
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()
    assert [str(row["actor_id"]) for row in await rows("SELECT actor_id FROM kept_answers")] == [str(cast.rigel.id)]


async def test_idempotency_records_hold_no_readable_secret(cast: Cast) -> None:
    new = {"name": "Lyra", "board_id": str(cast.board.id)}
    made = (await cast.ada.post("/agents", new, headers=KEY)).ok()
    [kept] = await rows("SELECT answer FROM kept_answers")
    assert made["token"].startswith("mca_") and made["token"] not in kept["answer"]
    assert (await cast.ada.post("/agents", new, headers=KEY)).ok()["token"] == made["token"]


async def test_too_long_key_is_refused(cast: Cast) -> None:
    (await cast.ada.post(cast.tasks, {"title": "x"}, headers={"Idempotency-Key": "k" * 256})).refused(422)


async def test_reads_carry_an_etag_for_304(cast: Cast) -> None:
    task = await cast.add_task()
    answer = await cast.ada.get(cast.task(task))
    tag = answer.headers["ETag"]
    known = await cast.ada.get(cast.task(task), headers={"If-None-Match": tag})
    assert (known.status, known.body) == (304, b"") and known.headers["ETag"] == tag
    for weak in (f"W/{tag}", f'"another", W/{tag}', "*"):  # as caches in between send them
        assert (await cast.ada.get(cast.task(task), headers={"If-None-Match": weak})).status == 304
    (await cast.ada.patch(cast.task(task), {"title": "Renamed"})).ok()
    assert (await cast.ada.get(cast.task(task), headers={"If-None-Match": tag})).status == 200


async def test_lists_carry_an_etag_too(cast: Cast) -> None:
    await cast.add_task()
    for path in (cast.tasks, f"{cast.home}/snapshot", "/activity", "/agents", "/users/me"):
        tag = (await cast.ada.get(path)).headers["ETag"]
        assert (await cast.ada.get(path, headers={"If-None-Match": tag})).status == 304, path
    tag = (await cast.ada.get(cast.tasks)).headers["ETag"]
    await cast.add_task()
    assert (await cast.ada.get(cast.tasks, headers={"If-None-Match": tag})).ok()["total"] == 2


async def test_write_with_current_if_match_succeeds(cast: Cast) -> None:
    task = await cast.add_task()
    tag = (await cast.ada.get(cast.task(task))).headers["ETag"]
    changed = await cast.ada.patch(cast.task(task), {"title": "Mine"}, headers={"If-Match": tag})
    assert changed.ok()["title"] == "Mine"
    assert changed.headers["ETag"] == (await cast.ada.get(cast.task(task))).headers["ETag"] != tag


async def test_write_with_stale_if_match_returns_the_current_state(cast: Cast) -> None:
    task = await cast.add_task()
    tag = (await cast.ada.get(cast.task(task))).headers["ETag"]
    (await cast.ben.patch(cast.task(task), {"title": "Theirs"})).ok()
    detail = (await cast.ada.patch(cast.task(task), {"title": "Mine"}, headers={"If-Match": tag})).refused(412)
    assert detail["current"]["title"] == "Theirs"
    assert detail["etag"] == (await cast.ada.get(cast.task(task))).headers["ETag"]
    (await cast.ada.delete(cast.task(task), headers={"If-Match": tag})).refused(412)
    (await cast.ada.delete(cast.task(task), headers={"If-Match": "*"})).ok()


@pytest.mark.parametrize(
    ("method", "noun", "body"),
    [("POST", "moves", {"status": "review"}), ("POST", "archivals", ...), ("DELETE", "archivals", ...)],
)
async def test_sub_resource_writes_return_the_resources_etag(cast: Cast, method: str, noun: str, body: Any) -> None:
    task = await cast.add_task(status="done")
    tag = (await cast.ada.get(cast.task(task))).headers["ETag"]
    path = f"{cast.task(task)}/{noun}"
    (await cast.ben.patch(cast.task(task), {"title": "Theirs"})).ok()
    stale = await cast.ada.call(method, path, body, headers={"If-Match": tag})
    assert stale.refused(412)["current"]["title"] == "Theirs"
    now = (await cast.ada.get(cast.task(task))).headers["ETag"]
    done = await cast.ada.call(method, path, body, headers={"If-Match": now})
    assert done.status == 200 and done.headers["ETag"] == (await cast.ada.get(cast.task(task))).headers["ETag"]


async def test_if_match_is_refused_where_there_is_no_state(cast: Cast) -> None:
    task = await cast.add_task()
    for path, body in (("/comments", {"message": "Odd."}), ("/checklist", {"text": "Odd."})):
        sent = await cast.ada.post(cast.task(task) + path, body, headers={"If-Match": "*"})
        assert "does not support If-Match" in sent.refused(422)


async def test_concurrent_writes_with_one_etag_succeed_once(cast: Cast) -> None:
    task = await cast.add_task()
    match = {"If-Match": (await cast.ada.get(cast.task(task))).headers["ETag"]}
    sent = [who.patch(cast.task(task), {"title": who.name}, headers=match) for who in (cast.ada, cast.ben, cast.cleo)]
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status for answer in answers) == [200, 412, 412]


async def test_agent_path_uses_the_same_etag(cast: Cast) -> None:
    task = await cast.add_task()
    tag = (await cast.vega.get(cast.task(task))).headers["ETag"]
    own_path = f"/agent{cast.task(task)}"
    (await cast.vega.patch(own_path, {"status": "in_progress"}, headers={"If-Match": '"other"'})).refused(412)
    claimed = await cast.vega.patch(own_path, {"status": "in_progress"}, headers={"If-Match": tag})
    assert claimed.ok()["assigned_agent_id"] == str(cast.vega.id)


async def test_stored_answer_is_smaller_than_the_response(cast: Cast) -> None:
    text = "Point the telescope at the next field and wait for the guide star. " * 200
    answer = await cast.ada.post(cast.tasks, {"title": "Once", "description": text}, headers=KEY)
    [kept] = await rows("SELECT answer FROM kept_answers")
    assert len(kept["answer"]) < len(text) / 5
    again = await cast.ada.post(cast.tasks, {"title": "Once", "description": text}, headers=KEY)
    assert again.ok() == answer.ok()


async def test_uncompressed_records_are_still_read(cast: Cast) -> None:
    first = await cast.ada.post(cast.tasks, {"title": "Once"}, headers=KEY)
    [kept] = await rows("SELECT answer FROM kept_answers")
    async with cast.app.app_context():
        body = retries.unpacked(kept["answer"])
    await rows("UPDATE kept_answers SET answer = ?", encrypt(body, cast.app.config["SECRET_KEY"]))
    assert (await cast.ada.post(cast.tasks, {"title": "Once"}, headers=KEY)).ok() == first.ok()


async def test_evicted_answers_are_not_executed_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    retries._since.clear()
    monkeypatch.setattr(retries, "MOST_BYTES", 4000)
    for number in range(12):
        (await cast.ada.post(cast.tasks, {"title": f"T{number}"}, headers={"Idempotency-Key": str(number)})).ok()
    (await cast.ben.post(cast.tasks, {"title": "Ben's"}, headers=KEY)).ok()
    [size] = await rows("SELECT SUM(LENGTH(answer)) AS n FROM kept_answers WHERE actor_id = ?", cast.ada.id)
    assert size["n"] <= 4000
    again = await cast.ada.post(cast.tasks, {"title": "T0"}, headers={"Idempotency-Key": "0"})
    assert "its answer is no longer stored" in str(again.refused(409))
    assert await Task.filter(title="T0").count() == 1
    (await cast.ada.post(cast.tasks, {"title": "T11"}, headers={"Idempotency-Key": "11"})).ok()
    (await cast.ben.post(cast.tasks, {"title": "Ben's"}, headers=KEY)).ok()


async def test_oldest_records_of_an_actor_are_evicted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    retries._since.clear()
    monkeypatch.setattr(retries, "MOST_REQUESTS", 5)
    for number in range(12):
        with times.travelled(timedelta(seconds=number)):
            (await cast.ada.post(cast.tasks, {"title": f"T{number}"}, headers={"Idempotency-Key": str(number)})).ok()
    known = await rows("SELECT key FROM kept_answers ORDER BY created_at")
    assert [row["key"] for row in known] == ["7", "8", "9", "10", "11"]
