"""The audit pages: a check of the log, its head, its export, and the account log for owners."""

import asyncio
from typing import Any

import orjson
import pytest

from mission_control.events import event_log
from mission_control.events.models import Event
from mission_control.people.audit.organization_logs import RUNNING
from mission_control.people.models import InstanceSetting
from tests.cast import Cast
from tests.people.test_jobs import accepted, ended
from tests.visitor import PASSWORD, give_password, opened, visitor

pytestmark = pytest.mark.dialect

AUDIT = "/settings/audit"
API = "/organizations/me/audit"


async def test_admin_checks_the_log_and_everybody_reads_by_whom(cast: Cast) -> None:
    await cast.add_task()
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    (await ada.get(AUDIT)).is_status(200).has("Not checked here yet", "mission-control audit verify --against FILE")
    async with ada.watching(f"{AUDIT}/live") as watch:
        assert (await ben.post(f"{AUDIT}/checks")).leads_to == f"{AUDIT}#check"
        await watch.until("Verified up to number")
    checked = (await cast.ada.get(API)).ok()
    assert (checked["check"]["fault"], checked["check"]["checked_by"]) == (None, "Ben")
    assert checked["check"]["seq"] == checked["seq"]
    (await ada.get(AUDIT)).has(f"Verified up to number {checked['seq']:,}", "by Ben.")
    await cast.add_task()
    (await ada.get(AUDIT)).has("newer events are not checked")


async def test_changed_event_is_found(cast: Cast) -> None:
    await cast.add_task()
    await Event.filter(organization_id=cast.organization.id, seq=2).update(message="Nothing happened.")
    job = await ended(cast, accepted(await cast.ben.post(f"{API}/checks")))
    assert (job["state"], job["result"]["summary"]) == ("done", "Event 2 was changed after it was written.")
    found = (await cast.ben.get(API)).ok()["check"]
    assert (found["seq"], found["fault"]) == (1, "Event 2 was changed after it was written.")
    (await (await visitor(cast.app, cast.ada)).get(AUDIT)).has("Event 2 was changed after it was written.")


async def test_second_check_waits_for_the_first(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = asyncio.Event()

    async def slow(*_: Any, **__: Any) -> tuple[int, None]:
        await go_on.wait()
        return 1, None

    monkeypatch.setattr(event_log, "verify", slow)
    job = accepted(await cast.ben.post(f"{API}/checks"))
    assert (await cast.ada.post(f"{API}/checks")).refused(409) == RUNNING
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(AUDIT)).has("Progress of Check the log").lacks("Check the log now")
    go_on.set()
    assert (await ended(cast, job))["state"] == "done"


async def test_export_holds_every_event_and_the_head(cast: Cast) -> None:
    await cast.add_task()
    seen = await (await visitor(cast.app, cast.ada)).get(f"{AUDIT}/events.jsonl")
    *events, head = [orjson.loads(line) for line in seen.text.splitlines()]
    assert [one["seq"] for one in events] == list(range(1, head["seq"] + 1))
    assert events[-1]["hash"] == head["hash"] and head["log"] == str(cast.organization.id)
    listed = (await cast.ada.get(f"{API}/events?after=1&limit=1")).ok()
    assert [(one["seq"], one["prev_hash"]) for one in listed["items"]] == [(2, events[0]["hash"])]


async def test_owners_read_the_account_log_by_group_and_person(cast: Cast) -> None:
    nobody = await opened(cast)
    await give_password(cast.cleo)
    for password in (PASSWORD, "wrong"):
        await nobody.post("/sign-in", {"email": "cleo@example.org", "password": password})
    await visitor(cast.app, cast.eve)
    log = "/organizations/me/account-log"
    entries = (await cast.ada.get(f"{log}?group=sign-ins")).ok()["items"]
    assert [(one["kind"], one["user_name"]) for one in entries] == [
        ("account.sign_in_refused", "Cleo"), ("account.signed_in", "Cleo"),
    ]  # fmt: skip
    assert (await cast.ada.get(f"{log}?group=sign-ins&user_id={cast.ben.id}")).ok()["total"] == 0
    (await cast.ada.get(f"{log}?group=love")).refused(422)
    (await cast.ben.patch(f"/organizations/me/members/{await member_id(cast)}", {"role": "admin"})).ok()
    [rights] = (await cast.ada.get(f"{log}?group=rights&limit=1")).ok()["items"]
    assert (rights["kind"], rights["user_name"], rights["actor_name"]) == ("member.role_changed", "Dan", "Ben")
    page = await (await visitor(cast.app, cast.ada)).get(f"{AUDIT}/accounts?group=sign-ins&person={cast.cleo.id}")
    page.has("did not belong together", "Cleo", f'value="{cast.cleo.id}" selected')


async def member_id(cast: Cast) -> str:
    """Dan's membership."""
    return str((await cast.dan.get("/organizations/me/member")).ok()["id"])


async def test_rights_to_the_logs(cast: Cast) -> None:
    ada, ben, cleo = [await visitor(cast.app, one) for one in (cast.ada, cast.ben, cast.cleo)]
    (await ada.get(AUDIT)).has("Account log")
    (await ben.get(AUDIT)).is_status(200).lacks("Account log")
    (await ben.get(f"{AUDIT}/accounts")).is_status(403)
    for path in (AUDIT, f"{AUDIT}/events.jsonl", f"{AUDIT}/accounts"):
        (await cleo.get(path)).is_status(403)
    (await cleo.get("/settings")).lacks(AUDIT)


async def test_deleted_organization_leaves_no_check(cast: Cast) -> None:
    job = accepted(await cast.eve.post(f"{API}/checks"))
    while (await cast.eve.get(f"/jobs/{job['id']}")).ok()["state"] == "running":
        await asyncio.sleep(0.02)
    assert await InstanceSetting.filter(name__startswith="audit:").exists()
    (await cast.eve.delete("/organizations/me")).ok()
    assert not await InstanceSetting.filter(name__startswith="audit:").exists()
