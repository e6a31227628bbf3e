"""Outgoing webhooks as people make and change them: who may, which addresses and events, and secrets shown once."""

from datetime import datetime, timedelta

import orjson
import pytest
from quart import Quart

from mission_control.core import times
from mission_control.core.secrets import decrypt
from mission_control.events.models import Event
from mission_control.webhooks.models import OutgoingWebhook
from tests.cast import Cast, Person
from tests.outgoing import HOOKS, make, of, read, sent_by
from tests.outside import Receiver
from tests.settings import having

pytestmark = pytest.mark.dialect

SAMPLE = {"description": "Warehouse", "url": "https://receiver.example.org/hooks?key=hidden"}


async def test_member_with_write_access_makes_one_for_a_board_and_only_admins_one_for_the_organization(
    cast: Cast,
) -> None:
    of_board = SAMPLE | {"board_id": str(cast.board.id)}
    for person in (cast.ada, cast.ben, cast.cleo):
        assert (await person.post(HOOKS, of_board)).ok()["board_id"] == str(cast.board.id)
    (await cast.dan.post(HOOKS, of_board)).refused(403)
    (await cast.eve.post(HOOKS, of_board)).refused(404)
    for person in (cast.ada, cast.ben):
        assert (await person.post(HOOKS, SAMPLE)).ok()["board_id"] is None
    for person in (cast.cleo, cast.dan):
        (await person.post(HOOKS, SAMPLE)).refused(403)
    assert len((await cast.ada.get(f"{HOOKS}?board_id={cast.board.id}")).ok()["items"]) == 3
    assert len((await cast.ada.get(HOOKS)).ok()["items"]) == 2


async def test_reader_of_the_board_reads_none_and_others_find_none(cast: Cast) -> None:
    (await cast.dan.get(f"{HOOKS}?board_id={cast.board.id}")).refused(403)
    whole = (await cast.ada.post(HOOKS, SAMPLE)).ok()
    for person in (cast.cleo, cast.dan, cast.eve):
        (await person.get(of(whole))).refused(404)


@pytest.mark.parametrize(("sent", "stored"), [
    (["task"], ["task.*"]),
    (["task.", "task.created"], ["task.*"]),
    (["approval.*", "need.opened"], ["approval.*", "need.opened"]),
    (["task.created", "task.created", " "], ["task.created"]),
    (["*", "task.created"], []),
    ([], []),
])  # fmt: skip
async def test_kinds_are_stored_in_one_spelling(cast: Cast, sent: list[str], stored: list[str]) -> None:
    assert (await cast.ada.post(HOOKS, SAMPLE | {"kinds": sent})).ok()["kinds"] == stored


async def test_unknown_kind_is_refused_with_the_one_that_was_meant(cast: Cast) -> None:
    [problem] = (await cast.ada.post(HOOKS, SAMPLE | {"kinds": ["task.craeted"]})).refused(422)
    assert problem["msg"] == "Value error, there are no events task.craeted; did you mean task.created?"


@pytest.mark.parametrize("url", [
    "ftp://example.org/x", "https://user:word@example.org/", "nothing", "http://127.0.0.1/", "http://[::1]/",
    "http://169.254.169.254/latest", "http://10.0.0.1:8080/x", "http://2130706433/", "http://0x7f.1/",
    "http://017700000001/", "http://127.1./", "http://\uff11\uff12\uff17\u30020.0.1/", "http://[::ffff:127.0.0.1]/",
])  # fmt: skip
async def test_address_that_must_not_be_reached_is_refused(cast: Cast, url: str) -> None:
    hook = (await cast.ada.post(HOOKS, SAMPLE)).ok()
    for answer in (await cast.ada.post(HOOKS, SAMPLE | {"url": url}), await cast.ada.patch(of(hook), {"url": url})):
        [problem] = answer.refused(422)
        assert problem["loc"] == ["body", "url"]


async def test_host_name_that_leads_inside_is_refused_when_it_is_sent(cast: Cast, app: Quart) -> None:
    hook = (await cast.ada.post(HOOKS, SAMPLE | {"url": "http://localhost:9/x"})).ok()
    test = (await cast.ada.post(f"{of(hook)}/tests")).ok()
    assert test["last_error"] == "The receiver is at an address that may not be reached from here."
    with having(app, outbound_allow_private=True):
        test = (await cast.ada.post(f"{of(hook)}/tests")).ok()
    assert test["last_error"] == "The receiver could not be reached."


async def test_setting_fields_to_their_current_values_is_a_no_op(cast: Cast) -> None:
    hook = (await cast.ada.post(HOOKS, SAMPLE | {"kinds": ["task.*"]})).ok()
    before = await Event.all().count()
    same = (await cast.ada.patch(of(hook), {"kinds": ["task"], "url": SAMPLE["url"]})).ok()
    assert same["updated_at"] == hook["updated_at"] and await Event.all().count() == before
    changed = (await cast.ada.patch(of(hook), {"description": "Lake", "url": "https://example.org/other"})).ok()
    assert (changed["description"], changed["url"]) == ("Lake", "https://example.org/other")
    (await cast.ada.patch(of(hook), {})).refused(422)


async def test_secrets_and_addresses_are_in_no_log_and_stored_encrypted(cast: Cast, app: Quart) -> None:
    made = (await cast.ada.post(HOOKS, SAMPLE)).ok()
    rotated = (await cast.ada.post(f"{of(made)}/secret-rotations")).ok()
    (await cast.ada.patch(of(made), {"url": "https://receiver.example.org/hooks?key=other"})).ok()
    (await cast.ada.post(f"{of(made)}/pauses")).ok()
    (await cast.ada.post(f"{of(made)}/resumptions", {})).ok()
    row = await OutgoingWebhook.get(id=made["id"])
    key = app.config["SECRET_KEY"]
    assert (decrypt(row.secret, key), decrypt(row.former_secret or "", key)) == (rotated["secret"], made["secret"])
    log = "".join(f"{event.message} {event.data}" for event in await Event.all())
    stored = f"{row.secret} {row.former_secret} {row.url}"
    answers = orjson.dumps([await read(cast, made), (await cast.ada.get(HOOKS)).ok()]).decode()
    for hidden in (made["secret"], rotated["secret"], "key=hidden", "key=other"):
        assert hidden not in log and hidden not in stored
    assert made["secret"] not in answers and rotated["secret"] not in answers
    (await cast.ada.delete(of(made))).ok()
    recorded = [one.kind.partition(".")[2] for one in await Event.filter(subject_id=made["id"]).order_by("seq")]
    assert recorded == ["created", "secret_rotated", "updated", "paused", "resumed", "deleted"]
    (await cast.ada.get(of(made))).refused(404)


async def test_former_secret_ends_after_a_day(cast: Cast) -> None:
    made = (await cast.ada.post(HOOKS, SAMPLE)).ok()
    assert made["former_until"] is None and made["secret"].startswith("whsec_")
    rotated = (await cast.ada.post(f"{of(made)}/secret-rotations")).ok()
    assert (await read(cast, made))["former_until"] == rotated["former_until"]
    now = times.clock_now()
    until = times.naive_utc(datetime.fromisoformat(rotated["former_until"]))
    assert now + timedelta(hours=23) < until <= now + timedelta(hours=24)


async def test_test_shows_what_the_receiver_answered_and_is_kept(cast: Cast, receiver: Receiver) -> None:
    hook = await make(cast, receiver)
    good = (await cast.ada.post(f"{of(hook)}/tests")).ok()
    assert (good["state"], good["status"], good["answer"], good["last_error"]) == ("sent", 200, "no", None)
    [message] = receiver.items
    assert message["type"] == "webhook.test" and message["data"]["outgoing_webhook"]["id"] == hook["id"]
    receiver.answers = ["503 Busy"]
    bad = (await cast.ada.post(f"{of(hook)}/tests")).ok()
    assert (bad["state"], bad["status"], bad["answer"]) == ("failed", 503, "no")
    assert bad["last_error"] == "The receiver answered with status 503."
    assert [one["id"] for one in await sent_by(cast, hook)] == [good["id"], bad["id"]]
    assert (await read(cast, hook))["failing_since"] is None
    (await cast.ada.post(f"{of(hook)}/deliveries/{good['id']}/resends")).refused(409)


async def test_too_many_are_refused(cast: Cast) -> None:
    found = [
        OutgoingWebhook(organization_id=cast.organization.id, description="x", url="x", secret="x") for _ in range(50)
    ]
    await OutgoingWebhook.bulk_create(found)
    (await cast.ada.post(HOOKS, SAMPLE)).refused(409)
    (await cast.ada.post(HOOKS, SAMPLE | {"board_id": str(cast.board.id)})).ok()


async def test_board_in_the_trash_hides_them_and_takes_them_along_for_good(cast: Cast) -> None:
    hook = (await cast.ada.post(HOOKS, SAMPLE | {"board_id": str(cast.board.id)})).ok()
    (await cast.ada.delete(cast.home)).ok()
    (await cast.ada.get(of(hook))).refused(404)
    (await cast.ada.post(f"{cast.home}/restorations")).ok()
    assert await read(cast, hook)


async def test_everybody_who_may_change_it_may_change_that_of_another(cast: Cast) -> None:
    hook = (await cast.ada.post(HOOKS, SAMPLE | {"board_id": str(cast.board.id)})).ok()
    person: Person = cast.cleo
    assert (await person.patch(of(hook), {"description": "Lake"})).ok()["description"] == "Lake"
