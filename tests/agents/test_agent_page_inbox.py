"""An agent's inbox on its page: what became of each notice, sending one again, and the callback with its secret."""

import asyncio
import re
from typing import Any

import orjson

from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.background.sending import settle
from mission_control.core.actor import system
from mission_control.events import broker
from mission_control.events.leases import Delivery
from mission_control.gateways.models import Gateway
from tests.agents_on_gateways import add_gateway, hire_on
from tests.cast import Cast
from tests.visitor import visitor


async def told(cast: Cast, **columns: Any) -> Delivery:
    """A notice to Vega, brought into a state."""
    await cast.add_task(title="Align <the> mirror", assigned_agent_id=str(cast.vega.id))
    found = await Delivery.filter(agent_id=cast.vega.id).order_by("-seq").first()
    assert found is not None
    await found.update_from_dict(columns).save()
    return found


async def test_notices_update_live(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    (await ada.get(f"{path}/inbox")).has("Nothing yet", "GET /api/v1/agent/inbox", "Set a callback")
    async with ada.watching(f"{path}/live?tab=inbox") as watch:
        delivery = await told(cast)
        assert "&lt;the&gt;" in await watch.until("Task assigned")
        watch.text = ""
        (await cast.vega.get(f"/agent/inbox?after={delivery.seq}")).ok()
        await watch.until("Received")
    seen = await ada.get(f"{path}/inbox")
    seen.has(str(delivery.seq), "Received", "Open the task")


async def test_arrival_that_no_event_tells_of_is_signalled(cast: Cast) -> None:
    delivery, running = await told(cast), broker.current()
    assert running is not None
    await Delivery.filter(id=delivery.id).update(data={})
    (await cast.vega.get("/agent/inbox")).ok()  # it is online before
    async with running.subscribe(cast.organization.id) as reader, asyncio.timeout(60):
        (await cast.vega.get(f"/agent/inbox?after={delivery.seq}")).ok()
        while {"inbox_of": str(cast.vega.id)} not in await reader.take():
            pass


async def test_failed_notice_is_sent_again(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    delivery = await told(cast, state="failed", attempts=6, last_error="The callback answered with status 503.")
    path = f"/agents/{cast.vega.id}"
    again = f"{path}/deliveries/{delivery.id}/resends"
    (await ada.get(f"{path}/inbox")).has("Given up", "status 503", "6 attempts", again)
    (await ada.get(path)).has("Task assigned")
    async with ada.watching(f"{path}/live?tab=inbox&state=failed") as watch:
        seen = (await ada.with_htmx.post(again)).is_status(204)
        assert orjson.loads(seen.headers["HX-Trigger"])["toast"]["message"] == "On its way again"
        assert "None of these" in await watch.until("None of these")
    late = (await ada.with_htmx.post(again)).is_status(409)
    late.has("Only a delivery that was given up can be sent again.", "data-reason")
    assert (await Delivery.get(id=delivery.id)).state == "waiting"
    elsewhere = f"/agents/{cast.rigel.id}/deliveries/{delivery.id}/resends"
    (await ada.post(elsewhere)).is_status(404).has("There is nothing here").lacks("agent was deleted")


async def test_failed_attempt_is_shown_at_once(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    delivery = await told(cast, state="sending", attempts=1, leased_by="me")
    async with ada.watching(f"/agents/{cast.vega.id}/live?tab=inbox") as watch:
        await settle(system(cast.organization.id), delivery, "No route.", final=False)
        assert "1 attempt, the next" in await watch.until("No route.")


async def test_notices_are_filtered_and_paged(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/inbox"
    for _ in range(27):
        last = await told(cast)
    await Delivery.filter(id=last.id).update(state="failed", last_error="Gone.")
    first = (await ada.get(path)).has("1-25 of 27 notices", f"notice-{last.id}", "from=25")
    assert first.text.count('id="notice-') == 25
    (await ada.get(f"{path}?from=25")).has("26-27 of 27 notices", 'rel="prev"').lacks(f"notice-{last.id}")
    waiting = (await ada.get(f"{path}?state=waiting")).has("1-25 of 26", "state=waiting&amp;from=25")
    waiting.has("tab=inbox&amp;state=waiting").lacks(f"notice-{last.id}")
    (await ada.get(f"{path}?state=failed")).has(f"notice-{last.id}", "Send again")
    (await ada.get(f"{path}?state=sent")).has("None of these")
    (await ada.get(f"{path}?state=odd&from=x")).has("of 27 notices")


async def test_callback_is_set_and_removed_with_its_secret_shown_once(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}"
    form = f"{path}/callback"
    (await ada.with_htmx.get(form)).has("<dialog", "Address").lacks("<!doctype")
    seen = (await ada.with_htmx.post(form, {"url": "https://agent.example/notices?key=1"})).is_status(200)
    secret = re.search(r"whsec_[\w+/]{43}=", seen.text)
    assert secret and seen.headers["Cache-Control"] == "no-store"
    seen.has("only time that the secret is shown", "Standard Webhooks", "data-once").lacks("<form")
    (await ada.get(f"{path}/inbox")).has("https://agent.example/notices?key=1", "none yet", "Remove").lacks(secret[0])
    (await ada.get(form)).has('value="https://agent.example/notices?key=1"')
    (await ada.with_htmx.get(f"{form}/removal")).has("<dialog", "The secret is forgotten")
    assert (await ada.post(f"{form}/removal")).leads_to == f"{path}/inbox"
    assert (await Agent.get(id=cast.vega.id)).callback_url is None
    (await ada.get(f"{form}/removal")).is_status(404).has("was removed already")


async def test_invalid_callback_address_is_refused_in_the_form(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/callback"
    for url, sentence in (
        ("ftp://agent.example", "An http or https address without a user is needed."),
        ("http://127.0.0.1/x", "This address may not be reached from here."),
        ("", "Fill this in."),
    ):
        for browser in (ada, ada.with_htmx):
            seen = (await browser.post(path, {"url": url, "secret": "sixteen characters"})).is_status(422)
            seen.has(sentence, f'value="{url}"', 'value="sixteen characters"', 'aria-invalid="true"')
    (await ada.post(path, {"url": "https://a.example", "secret": "short"})).is_status(422).has("at least 16")
    (await (await visitor(cast.app, cast.cleo)).post(path, {"url": "https://a.example"})).is_status(403)


async def test_way_of_an_agent_on_a_gateway_is_shown(cast: Cast) -> None:
    """Its session and its gateway; while the gateway is away the page says that nothing is given up for that."""
    gateway = await add_gateway(cast.organization.id, cast.other_board, name="Basement")
    lyra = await hire_on(cast.app, gateway, cast.other_board, "Lyra")
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{lyra.id}/inbox"
    await Delivery.create(
        organization_id=cast.organization.id, seq=1, kind=NOTICE, agent_id=lyra.id, header="TASK ASSIGNED",
        text="Board: Dome", last_error="The gateway is not connected.",
    )  # fmt: skip
    shown = (await ada.get(path)).has("Basement", f"agent:mc-{lyra.id}:main", "Tried again")
    shown.lacks("Set a callback", "0 attempts", "nothing is given up")
    await Gateway.filter(id=gateway.id).update(state="unreachable")
    (await ada.get(path)).has("The gateway is not connected", "nothing is given up for that")
