"""Outgoing webhooks as pages: making one, its secret, messages as they are sent, testing, pausing, sending again."""

import re

from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from tests.cast import Cast
from tests.outgoing import make, of, send
from tests.outside import Receiver
from tests.visitor import visitor
from tests.webhooks.test_webhooks_pages import live_of

FIELDS = {"description": "Warehouse", "url": "https://receiver.example.org/hooks?key=hidden"}


async def test_empty_lists_say_what_an_outgoing_webhook_is(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/outgoing-webhooks"
    (await ada.get(url)).is_status(200).has("No outgoing webhooks yet", f"{url}/new", "Incoming")
    (await ada.get("/settings/webhooks")).is_status(200).has("No outgoing webhooks yet", "/settings/webhooks/new")
    (await ada.get("/settings")).has("/settings/webhooks")


async def test_pages_are_only_for_those_who_may_change_one(cast: Cast) -> None:
    hook = (await cast.ada.post("/outgoing-webhooks", FIELDS | {"board_id": str(cast.board.id)})).ok()
    of_board, whole = f"/boards/{cast.board.id}/outgoing-webhooks", "/settings/webhooks"
    for person, statuses in ((cast.cleo, (200, 403, 200)), (cast.dan, (403, 403, 403)), (cast.eve, (404, 200, 404))):
        browser = await visitor(cast.app, person)
        for url, status in zip((of_board, whole, of(hook)), statuses, strict=True):
            (await browser.get(url)).is_status(status)
            if status != 200:
                (await browser.get(f"{url}/live")).is_status(status)
    (await (await visitor(cast.app, cast.dan)).get(f"/boards/{cast.board.id}/webhooks")).lacks("Outgoing")


async def test_made_secret_is_shown_once(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/outgoing-webhooks"
    (await ada.get(f"{url}/new")).is_status(200).has("Needs: what waits for people", str(cast.board.id))
    sent = {**FIELDS, "board_id": str(cast.board.id), "which": "some", "groups": "task.*", "names": "need.opened"}
    seen = (await ada.post(f"{url}/new", sent)).is_status(200)
    [secret] = set(re.findall(r"whsec_[\w+/=]+", seen.text))
    assert seen.headers["Cache-Control"] == "no-store"
    webhook = await OutgoingWebhook.get()
    assert (webhook.kinds, webhook.board_id) == (["need.opened", "task.*"], cast.board.id)
    for page in (url, f"/outgoing-webhooks/{webhook.id}"):
        (await ada.get(page)).is_status(200).has("Warehouse", "need.opened, Tasks and comments").lacks(secret)
    seen = (await ada.post(f"/outgoing-webhooks/{webhook.id}/rotations")).is_status(200)
    assert secret not in seen.text and "whsec_" in seen.text
    (await ada.get(f"/outgoing-webhooks/{webhook.id}")).has("Signs too until")


async def test_webhook_of_the_organization_is_made_in_the_settings(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/settings/webhooks/new")).is_status(200).has("The whole organization")
    (await ada.post("/settings/webhooks/new", FIELDS)).is_status(200)
    assert (await OutgoingWebhook.get()).board_id is None
    (await ada.get("/settings/webhooks")).has("Warehouse", "receiver.example.org", "everything").lacks("key=hidden")
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post("/settings/webhooks/new", FIELDS)).is_status(403)


async def test_refused_form_keeps_what_was_typed(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), "/settings/webhooks/new"
    (await ada.post(url, FIELDS | {"which": "some"})).is_status(422).has("Choose at least one kind", "key=hidden")
    seen = (await ada.post(url, FIELDS | {"which": "some", "names": "task.creatd"})).is_status(422)
    seen.has("There are no events task.creatd; did you mean task.created?")
    (await ada.post(url, FIELDS | {"url": "http://127.0.0.1/"})).is_status(422).has("may not be reached from here")
    assert not await OutgoingWebhook.exists()


async def test_fields_are_changed(cast: Cast) -> None:
    ada, hook = await visitor(cast.app, cast.ada), (await cast.ada.post("/outgoing-webhooks", FIELDS)).ok()
    seen = (await ada.get(f"{of(hook)}/edit")).is_status(200).has("Warehouse", "key=hidden")
    [version] = re.findall(r'name="version" value="([^"]*)"', seen.text)
    sent = {
        **FIELDS,
        "description": "Lake",
        "which": "some",
        "groups": "task.*",
        "version": version.replace("&amp;", "&"),
    }
    assert (await ada.post(f"{of(hook)}/edit", sent)).leads_to == of(hook)
    assert ((await OutgoingWebhook.get()).description, (await OutgoingWebhook.get()).kinds) == ("Lake", ["task.*"])


async def test_message_appears_on_the_open_page_and_is_sent_again(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    ada, hook = await visitor(cast.app, cast.ada), await make(cast, receiver, "task.created")
    seen = (await ada.get(of(hook))).is_status(200).has("No messages yet", "Send a test message")
    async with ada.watching(live_of(seen)) as watch:
        await cast.add_task(title="Polish <b>lens</b>")
        await send()
        text = await watch.until("Send it again")
    assert "Taken" in text and "Polish &lt;b&gt;lens" in text and "<b>lens" not in text
    [sent] = await OutgoingDelivery.all()
    again = (await ada.with_htmx.post(f"{of(hook)}/deliveries/{sent.id}/resends")).is_status(204)
    assert "is sent again" in again.headers["HX-Trigger"]
    await send()
    (await ada.get(of(hook))).has("again")
    (await ada.with_htmx.post(f"{of(hook)}/resends", {"hours": "24"})).is_status(204)
    await send()
    assert len(receiver.got) == 3


async def test_test_shows_the_receivers_own_words_without_markup(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    ada, hook = await visitor(cast.app, cast.ada), await make(cast, receiver)
    receiver.answers = ["503 Busy\r\nConnection: close\r\n\r\n<script>alert(1)</script> come back later"]
    toast = (await ada.with_htmx.post(f"{of(hook)}/tests")).is_status(204).headers["HX-Trigger"]
    assert "The receiver answered with status 503." in toast
    (await ada.get(of(hook))).has("&lt;script&gt;alert(1)", "come back later", "503").lacks("<script>alert(1)")
    assert (await ada.post(f"{of(hook)}/tests")).leads_to == of(hook)


async def test_webhook_is_paused_and_resumed(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    ada, hook = await visitor(cast.app, cast.ada), await make(cast, receiver, "task.created")
    await ada.post(f"{of(hook)}/pauses")
    (await ada.get(of(hook))).has("nothing is sent", "Resume with what was missed", "Resume from now on")
    await ada.post(f"{of(hook)}/resumptions", {"skip_missed": "true"})
    (await ada.get(of(hook))).has("Pause it")


async def test_webhook_that_mission_control_paused_is_resumed_from_home(cast: Cast) -> None:
    ada, hook = await visitor(cast.app, cast.ada), (await cast.ada.post("/outgoing-webhooks", FIELDS)).ok()
    await OutgoingWebhook.filter(id=hook["id"]).update(state="failed", reason="The receiver answered with status 503.")
    (await ada.get("/")).has(
        "Webhook Warehouse is paused", "The receiver answered with status 503.", "Resume", of(hook)
    )
    (await ada.get(of(hook))).has("Paused by Mission Control")
    await ada.post(f"{of(hook)}/resumptions")
    (await ada.get("/")).lacks("Webhook Warehouse is paused")


async def test_deletion_is_asked_and_shown_on_open_pages(cast: Cast) -> None:
    ada, hook = await visitor(cast.app, cast.ada), (await cast.ada.post("/outgoing-webhooks", FIELDS)).ok()
    (await ada.get(f"{of(hook)}/delete")).is_status(200).has("Nothing more is sent")
    async with ada.watching(live_of(await ada.get(of(hook)))) as watch:
        assert (await ada.post(f"{of(hook)}/deletion")).leads_to == "/settings/webhooks"
        await watch.until("This webhook was deleted")
    (await ada.get(of(hook))).is_status(404)
