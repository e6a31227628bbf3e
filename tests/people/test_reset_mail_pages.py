"""A forgotten password: a link by mail, the same answer for everybody, and no more than a few of them."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from quart import Quart

from mission_control.core import times
from mission_control.events.leases import Delivery
from mission_control.people.models import AccountEvent, MailRequest
from tests.cast import Cast
from tests.deliveries import look_away, send_due
from tests.mail import Post, mail_server
from tests.visitor import PASSWORD, Visitor, give_password

FORGOTTEN = "/sign-in/forgotten"
SENT = "a link is on its way there"


@pytest.fixture
async def post(app: Quart, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    """A mail server, and a delivery loop that is turned by hand."""
    await look_away(monkeypatch)
    async with mail_server(app) as found:
        yield found


async def test_link_by_mail_sets_a_new_password(cast: Cast, post: Post) -> None:
    await give_password(cast.ada)
    nobody = Visitor(cast.app)
    (await nobody.get("/sign-in")).has(FORGOTTEN)
    (await nobody.post(FORGOTTEN, {"email": "Ada@example.org"})).is_status(200).has(SENT)
    assert "/reset/" not in str(await Delivery.all().values())
    await send_due()
    [mail] = post.mails
    found = re.search(r"https://mission.example.org(/reset/mcr_[\w-]+)", post.text())
    assert mail["To"] == "ada@example.org" and found
    (await nobody.get(found[1])).is_status(200)
    assert (await nobody.post(found[1], {"password": PASSWORD + " new"})).leads_to == "/"
    (await nobody.get(found[1])).is_status(404)
    assert await AccountEvent.filter(kind="account.reset_link_made", user_id=cast.ada.id).count() == 1


async def test_answer_does_not_say_who_has_an_account(cast: Cast, post: Post) -> None:
    await give_password(cast.ada)
    for email in ("ada@example.org", "nobody@example.org"):
        (await Visitor(cast.app).post(FORGOTTEN, {"email": email})).is_status(200).has(SENT, email)
    await send_due()
    assert [one["To"] for one in post.mails] == ["ada@example.org"]
    (await Visitor(cast.app).post(FORGOTTEN, {"email": "no address"})).is_status(422).has('value="no address"')


async def test_few_links_in_an_hour(cast: Cast, post: Post) -> None:
    await give_password(cast.ada)
    for email, status in (("ada@example.org", 200), ("nobody@example.org", 200)):
        for _ in range(3):
            (await Visitor(cast.app).post(FORGOTTEN, {"email": email})).is_status(status)
        (await Visitor(cast.app).post(FORGOTTEN, {"email": email})).is_status(429)


async def test_links_are_counted_in_the_database_for_an_hour(cast: Cast, post: Post) -> None:
    await give_password(cast.ada)
    answers = await asyncio.gather(*(Visitor(cast.app).post(FORGOTTEN, {"email": "ada@example.org"}) for _ in range(6)))
    assert sorted(one.status for one in answers) == [200] * 3 + [429] * 3
    for number in range(7):
        (await Visitor(cast.app).post(FORGOTTEN, {"email": f"{number}@example.org"})).is_status(200)
    refused = (await Visitor(cast.app).post(FORGOTTEN, {"email": "fay@example.org"})).is_status(429)
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    assert "example.org" not in str(await MailRequest.all().values())
    with times.travelled(timedelta(hours=1, seconds=5)):
        (await Visitor(cast.app).post(FORGOTTEN, {"email": "ada@example.org"})).is_status(200)
    assert await MailRequest.all().count() == 2, "what is older than an hour is deleted"


async def test_without_a_mail_server_an_admin_makes_the_link(cast: Cast) -> None:
    await give_password(cast.ada)
    nobody = Visitor(cast.app)
    (await nobody.get("/sign-in")).lacks(FORGOTTEN).has("makes a one-time link")
    (await nobody.get(FORGOTTEN)).is_status(404)
    (await nobody.post(FORGOTTEN, {"email": "ada@example.org"})).is_status(404)
