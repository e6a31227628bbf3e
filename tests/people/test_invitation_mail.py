"""Invitations by mail: who invites to what, sent by the delivery loop, given up, sent again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart

from mission_control.core import times
from mission_control.events.leases import Delivery
from mission_control.events.models import Event
from tests.cast import Cast
from tests.deliveries import look_away, send_due
from tests.mail import Post, mail_server
from tests.visitor import visitor

INVITES = "/organizations/me/invites"
PAGES = "/settings/people/invitations"


@pytest.fixture
async def post(app: Quart, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    """A mail server, and a delivery loop that is turned by hand."""
    await look_away(monkeypatch)
    async with mail_server(app) as found:
        yield found


async def invited(cast: Cast, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = (await cast.ada.post(INVITES, {"invited_email": "fay@example.org", **more})).ok()
    return made


async def read(cast: Cast, invite: dict[str, Any]) -> dict[str, Any]:
    listed = (await cast.ada.get(INVITES)).ok()["items"]
    return next(one for one in listed if one["id"] == invite["id"])


async def later(**time: float) -> int:
    with times.travelled(timedelta(**time)):
        return await send_due()


async def test_mail_says_who_invites_to_what(cast: Cast, post: Post) -> None:
    access = [{"board_id": str(cast.board.id), "can_write": True}]
    made = await invited(cast, board_access=access)
    assert made["mail"]["state"] == "waiting"
    assert made["token"] not in str(await Delivery.all().values())
    await send_due()
    [mail] = post.mails
    assert (mail["To"], mail["Subject"]) == ("fay@example.org", "Ada invites you to Observatory")
    assert mail["From"] == "Mission Control <mission@example.org>"
    link = f"https://mission.example.org/invitations/{made['token']}"
    for text in (post.text(), post.html()):
        for part in ("Ada (ada@example.org) invites you to Observatory", "as a member", "board Telescope", link, "20"):
            assert part in text
    found = await read(cast, made)
    assert (found["mail"]["state"], found["mail"]["error"]) == ("sent", None)
    kinds = [one.kind for one in await Event.filter(organization_id=cast.organization.id).order_by("seq")]
    assert kinds[-2:] == ["invite.mail_requested", "invite.mailed"]


async def test_names_cannot_forge_headers_or_html(cast: Cast, post: Post) -> None:
    (await cast.ada.patch("/organizations/me", {"name": "A <b>\r\nBcc: eve@example.org"})).ok()
    await invited(cast)
    await send_due()
    assert post.mails[-1]["Bcc"] is None
    assert "&lt;b&gt;" in post.html()


async def test_mail_is_tried_again_given_up_and_sent_again(cast: Cast, post: Post) -> None:
    made = await invited(cast)
    post.message = "451 Later"
    await send_due()
    assert (await read(cast, made))["mail"] | {"error": ""} == {
        "state": "waiting", "attempts": 1, "error": "", "sent_at": None,
    }  # fmt: skip
    assert "451: Later" in (await read(cast, made))["mail"]["error"]
    path = f"{INVITES}/{made['id']}/resends"
    assert "is on its way" in str((await cast.ada.post(path, {})).refused(409))
    for hour in range(1, 6):
        await later(hours=hour)
    assert (await read(cast, made))["mail"]["state"] == "failed"
    [need] = (await cast.ada.get("/needs?kind=delivery")).ok()["items"]
    assert need["title"] == "fay@example.org did not get the invitation"
    assert (await cast.cleo.get("/needs?kind=delivery")).ok()["items"] == []
    post.message = "250 OK"
    (await cast.ada.post(f"/needs/{need['id']}/answers", {"answer": "resend"})).ok()
    await later(hours=6)
    assert len(post.mails) == 1
    assert (await cast.ada.get("/needs?kind=delivery")).ok()["items"] == []


async def test_pages_follow_a_mail_that_is_tried_again(cast: Cast, post: Post) -> None:
    made = await invited(cast)
    ada, path = await visitor(cast.app, cast.ada), f"{PAGES}/{made['id']}"
    post.message = "451 Later"
    async with ada.watching(f"{path}/live") as one, ada.watching("/settings/people/live") as people:
        await send_due()
        await one.until("451: Later")
        for hour in range(1, 6):
            await later(hours=hour)
        await one.until("The mail was given up after 6 tries")
        await people.until("Mail given up")
        one.text = people.text = ""
        (await cast.ada.post(f"{INVITES}/{made['id']}/resends", {})).ok()
        await one.until("is tried again")
        while "Mail given up" in await people.until("fay@example.org"):  # it was on its way before
            people.text = ""


async def test_refused_address_is_given_up_at_once(cast: Cast, post: Post) -> None:
    made = await invited(cast)
    post.recipient = "550 No such person"
    await send_due()
    found = await read(cast, made)
    assert found["mail"]["state"] == "failed" and "No such person" in found["mail"]["error"]
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/settings/people")).has("Mail given up")
    page = (await ada.get(f"{PAGES}/{made['id']}")).has("given up after 1 try", "Send it again", made["token"])
    page.lacks("was sent to")


async def test_revoked_invitation_is_not_sent(cast: Cast, post: Post) -> None:
    made = await invited(cast)
    (await cast.ada.delete(f"{INVITES}/{made['id']}")).ok()
    await send_due()
    assert post.mails == []
    assert (await cast.ada.get("/needs?kind=delivery")).ok()["items"] == []


async def test_page_follows_the_mail_and_sends_another(cast: Cast, post: Post) -> None:
    ben = await visitor(cast.app, cast.ben)
    (await ben.get(f"{PAGES}/new")).has("The invitation is sent there.", "Send the invitation")
    made = await ben.post(PAGES, {"email": "gus@example.org"})
    path = made.leads_to
    (await ben.get(path)).has("is on its way").lacks("Send it again")
    async with ben.watching(f"{path}/live") as watch:
        await send_due()
        await watch.until("The invitation was sent to gus@example.org.")
    (await ben.post(f"{path}/resends", {})).is_status(409).has("Wait a minute")
    await Delivery.all().update(sent_at=times.clock_now() - timedelta(minutes=2))
    assert (await ben.post(f"{path}/resends", {})).leads_to == path
    await send_due()
    assert [one["To"] for one in post.mails] == ["gus@example.org"] * 2
    async with ben.watching(f"{path}/live") as watch:
        assert (await ben.post(f"{path}/revocations", {})).is_status(303)
        await watch.until("This invitation was revoked.")


async def test_admin_does_not_send_an_invitation_for_an_owner(cast: Cast, post: Post) -> None:
    made = await invited(cast, role="owner")
    await send_due()
    await Delivery.all().update(sent_at=times.clock_now() - timedelta(minutes=2))
    assert "Only an owner" in str((await cast.ben.post(f"{INVITES}/{made['id']}/resends", {})).refused(403))
    (await cast.ada.post(f"{INVITES}/{made['id']}/resends", {})).ok()


async def test_without_a_mail_server_the_link_is_handed_over(cast: Cast) -> None:
    made = await invited(cast)
    assert made["mail"] is None
    assert "Hand over the link" in str((await cast.ada.post(f"{INVITES}/{made['id']}/resends", {})).refused(409))
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{PAGES}/new")).has("No mail is sent: you get a link to hand over.")
    (await ada.get(f"{PAGES}/{made['id']}")).has("Give this link to fay@example.org.").lacks("Send it")
