"""Webhooks of a board as pages: making one, its secret, calls as they arrive, trying, replaying, switching off."""

import hmac
import re

import pytest

from mission_control.webhooks.models import Webhook, WebhookPayload
from tests.cast import Cast
from tests.forges import FORGEJO_AT, GITHUB, REPOSITORY
from tests.visitor import Seen, Visitor, visitor
from tests.webhooks.test_forge_webhooks import OPENED
from tests.webhooks.test_forge_webhooks import made as made_of_forge

TEXT = {"description": "Look at the build."}


def live_of(seen: Seen) -> str:
    """The stream of a page."""
    [found] = re.findall(r'hx-sse:connect="([^"]+)"', seen.text)
    return str(found).replace("&amp;", "&")


async def made(cast: Cast, **fields: object) -> str:
    """A webhook made through the API; returns the address of its page."""
    webhook = (await cast.ada.post(f"{cast.home}/webhooks", {**TEXT, **fields})).ok()
    return f"/boards/{cast.board.id}/webhooks/{webhook['id']}"


async def at(cast: Cast) -> tuple[Visitor, str]:
    """Ada's browser and the address of the list."""
    return await visitor(cast.app, cast.ada), f"/boards/{cast.board.id}/webhooks"


async def test_empty_list_says_what_a_webhook_is(cast: Cast) -> None:
    ada, url = await at(cast)
    (await ada.get(url)).is_status(200).has("No webhooks yet", "New webhook")
    (await (await visitor(cast.app, cast.dan)).get(url)).has("needs write access").lacks("New webhook")
    (await (await visitor(cast.app, cast.eve)).get(url)).is_status(404)


async def test_made_secret_is_shown_once(cast: Cast) -> None:
    ada, url = await at(cast)
    (await ada.get(f"{url}/new")).is_status(200).has(cast.vega.name, "The lead of the board")
    seen = (await ada.post(f"{url}/new", {**TEXT, "agent_id": str(cast.vega.id)})).is_status(200)
    [secret] = set(re.findall(r"mcw_[\w-]+", seen.text))
    webhook = await Webhook.get()
    assert str(webhook.agent_id) == str(cast.vega.id)
    shown = (
        (await ada.get(f"{url}/{webhook.id}")).is_status(200).has("Look at the build.", cast.vega.name, "curl -X POST")
    )
    shown.lacks(secret)
    (await ada.get(url)).has("Look at the build.", f"To {cast.vega.name}", "Takes unsigned calls").lacks(secret)


async def test_webhook_without_secret_warns(cast: Cast) -> None:
    ada, url = await at(cast)
    page = (await ada.post(f"{url}/new", {**TEXT, "choice": "none"})).leads_to
    (await ada.get(page)).has("Anybody who knows the address can write to this board").lacks("openssl")
    (await ada.get(url)).has("No secret")


async def test_refused_webhook_keeps_what_was_typed(cast: Cast) -> None:
    ada, url = await at(cast)
    seen = (await ada.post(f"{url}/new", {**TEXT, "choice": "own", "secret": " "})).is_status(422)
    seen.has("Look at the build.", "Enter the secret.")
    sent = {**TEXT, "signature_header": "not a header"}
    (await ada.post(f"{url}/new", sent)).is_status(422).has('id="field-signature_header-error"')
    (await ada.post(f"{url}/new", {**TEXT, "agent_id": str(cast.mira.id)})).is_status(422)
    assert not await Webhook.exists()


async def test_call_arrives_on_the_open_page_with_its_signature(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast, secret="key")
    body = b'{"state": "failed"}'
    signature = "sha256=" + hmac.digest(b"key", body, "sha256").hex()
    async with ada.watching(live_of((await ada.get(url)).has("No calls yet"))) as watch:
        sent = {"X-Hub-Signature-256": signature, "Content-Type": "application/json", "X-Build": "7"}
        answer = await cast.nobody.call("POST", f"/api/v1{url}", data=body, headers=sent)
        assert answer.status == 202, answer.body
        text = await watch.until("Notify the agent again")
    assert "Signed" in text and "&#34;state&#34;: &#34;failed&#34;" in text and "x-build" in text
    assert signature not in (await ada.get(url)).text


async def test_payload_is_never_markup(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast, secret=None)
    assert (await cast.nobody.call("POST", f"/api/v1{url}", data=b"<script>alert(1)</script>")).status == 202
    (await ada.get(url)).has("&lt;script&gt;", "Not signed").lacks("<script>alert(1)")


async def test_test_call_is_marked_and_changes_nothing_about_signatures(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast)
    (await ada.with_htmx.post(f"{url}/tests", {"content": '{"try": 1}'})).is_status(204)
    (await ada.get(url)).has("Test", "&#34;try&#34;: 1")
    [payload] = await WebhookPayload.all()
    assert (payload.is_test, payload.is_signed) == (True, None)
    assert (await Webhook.get()).takes_unsigned
    await ada.post(f"{url}/state", {})
    (await ada.with_htmx.post(f"{url}/tests", {"content": "{}"})).is_status(409)


async def test_payload_is_sent_again(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast, agent_id=str(cast.vega.id))
    await ada.post(f"{url}/tests", {"content": "{}"})
    [payload] = await WebhookPayload.all()
    seen = (await ada.with_htmx.post(f"{url}/payloads/{payload.id}/resends")).is_status(204)
    assert f"{cast.vega.name} is notified again" in seen.headers["HX-Trigger"]


async def test_webhook_is_switched_off_and_on(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast)
    await ada.post(f"{url}/state", {})
    (await ada.get(url)).has("switched off: callers get 410", "Switch it on")
    assert (await cast.nobody.post(url, {})).status == 410
    await ada.post(f"{url}/state", {"enabled": "true"})
    assert (await Webhook.get()).enabled


async def test_fields_and_secret_are_changed(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast)
    (await ada.get(f"{url}/edit")).is_status(200).has("Look at the build.")
    sent = {
        "description": "Look closely.",
        "enabled": "true",
        "choice": "own",
        "secret": "other",
        "signature_header": "X-Sky",
    }
    assert (await ada.post(f"{url}/edit", sent)).leads_to == url
    (await ada.get(url)).has("Look closely.", "X-Sky").lacks("Unsigned calls are taken")
    seen = (await ada.post(f"{url}/rotations")).is_status(200).has("Keep this secret now", "mcw_")
    assert "no-store" in seen.headers.get("Cache-Control", "")


async def test_two_people_editing_a_webhook(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast)
    [version] = re.findall(r'name="version" value="([^"]+)"', (await ada.get(f"{url}/edit")).text)
    (await cast.ben.patch(url, {"description": "Ben's words"})).ok()
    sent = {"description": "Ada's words", "enabled": "true", "version": version.replace("&amp;", "&")}
    (await ada.post(f"{url}/edit", sent)).is_status(409).has(
        "Somebody changed it to “Ben&#39;s words”", "Ada&#39;s words"
    )
    assert (await Webhook.get()).description == "Ben's words"


async def test_webhook_is_deleted_with_its_calls(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast)
    await ada.post(f"{url}/tests", {"content": "{}"})
    (await ada.get(f"{url}/delete")).is_status(200).has("1 received call is")
    assert (await ada.post(f"{url}/deletion")).leads_to.endswith("/webhooks")
    assert not await Webhook.exists() and not await WebhookPayload.exists()
    (await ada.get(url)).is_status(404)


async def test_reader_reads_calls_and_changes_nothing(cast: Cast) -> None:
    url = await made(cast)
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(url)).is_status(200).lacks("Send a test call", "Edit the webhook", "Make a")
    for part in ("edit", "delete"):
        (await dan.get(f"{url}/{part}")).is_status(403)
    for part in ("tests", "state", "rotations", "deletion"):
        (await dan.post(f"{url}/{part}", {"content": "{}"})).is_status(403)


async def test_calls_are_paged(cast: Cast) -> None:
    ada, url = await visitor(cast.app, cast.ada), await made(cast)
    for number in range(22):
        (await cast.ada.post(f"{url}/tests", {"content": f"call {number:02}"})).ok()
    (await ada.get(url)).has("call 21", "20 of 22 calls").lacks("call 01")
    (await ada.get(f"{url}?page=2")).has("call 01").lacks("call 02", 'rel="next"')
    (await ada.get(f"{url}?page=9999999999")).is_status(200)


OF_FORGE = {"forge": "github", "repository": REPOSITORY, "choice": "make", "description": ""}


async def test_webhook_of_a_forge_is_set_up(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    where = f"{cast.home}/webhooks"
    (await cleo.get(f"{where}/new")).has("Who calls", "GitHub", "GitLab", "Forgejo or Gitea", "Another system")
    page = (await cleo.post(f"{where}/new", OF_FORGE)).is_status(200)
    page.has("Keep this secret now", f'href="{REPOSITORY}/settings/hooks/new"', "Check runs").lacks("curl")
    [webhook] = (await cast.cleo.get(where)).ok()["items"]
    assert (webhook["forge"], webhook["description"]) == ("github", f"What becomes of the code in {REPOSITORY}")
    (await cleo.get(where)).has(REPOSITORY, "0 calls").lacks("Nobody is notified")
    page = (await cleo.get(f"{where}/{webhook['id']}")).has("x-hub-signature-256", "tasks in review show", REPOSITORY)
    page.has("A call appears here as it arrives.").lacks("Send a test call", "openssl")


async def test_calls_of_a_forge_are_listed_with_what_they_tell(cast: Cast) -> None:
    hook = await made_of_forge(cast)
    await hook.take(OPENED, GITHUB["ping"])
    page = (await (await visitor(cast.app, cast.cleo)).get(hook.path)).has(
        "Signed", "any", "It is about another repository."
    )
    page.has("github.com/codertocat/hello-world", "&#34;state&#34;: &#34;open&#34;").lacks(
        "Notify the agent again", "octokit"
    )


async def test_repository_of_a_forge_is_changed(cast: Cast) -> None:
    hook, cleo = await made_of_forge(cast), await visitor(cast.app, cast.cleo)
    form = (await cleo.get(f"{hook.path}/edit")).lacks("Who calls", "Recipient").form(f"{hook.path}/edit")
    (await cleo.post(f"{hook.path}/edit", form | {"repository": "nowhere"})).is_status(422).has(
        "the http or https address"
    )
    (await cleo.post(f"{hook.path}/edit", form | {"repository": FORGEJO_AT})).is_status(303)
    webhook = (await cast.cleo.get(hook.path)).ok()
    assert (webhook["repository"], webhook["description"]) == (FORGEJO_AT, "The code")


@pytest.mark.parametrize(("typed", "field"), [
    ({"repository": ""}, "Enter the address of the repository."), ({"repository": "git@x:y"}, "http or https address"),
    ({"choice": "none"}, "need a secret"), ({"forge": "other"}, "Enter what an agent should do."),
])  # fmt: skip
async def test_refused_webhook_of_a_forge(cast: Cast, typed: dict[str, str], field: str) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.post(f"{cast.home}/webhooks/new", OF_FORGE | typed)).is_status(422).has(field)
