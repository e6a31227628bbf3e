"""Pages on which people choose how they are reached, link accounts, and admins set channels up."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from mission_control.channels.channel import Refused, Said
from mission_control.channels.devices import codes
from mission_control.channels.models import Device, ReachChannel, ReachCode, ReachMessage, ReachSettings
from mission_control.core import times
from mission_control.people.models import User
from tests.cast import Cast, Person
from tests.channels.fake_channel import installed
from tests.channels.one_channel import SECRET, Chat, Hook, Typing, a_chat, set_up
from tests.visitor import Seen, Visitor, visitor

PATH = "/settings/notifications"


@pytest.fixture
def chat() -> Iterator[Chat]:
    with a_chat() as made:
        yield made


async def device(person: Person, **more: object) -> Device:
    made = Device(user_id=person.id, kind="push", address="", label="Firefox on Linux", mark=uuid4().hex)
    await made.update_from_dict(more).save(force_create=True)
    return made


async def a_message(cast: Cast, title: str, **more: object) -> ReachMessage:
    made = ReachMessage(organization_id=cast.organization.id, user_id=cast.cleo.id, kind="mail", why="first")
    await made.update_from_dict({"title": title, **more}).save(force_create=True)
    return made


def sent_as_it_is(seen: Seen, **changes: object) -> dict[str, object]:
    """What a browser sends of the page's choices when they are saved as they are, but for some changes."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r'<input[^>]*form="reach"[^>]*>', seen.text):
        about = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if about.get("type") not in ("radio", "checkbox") or " checked" in tag:
            found.setdefault(about["name"], []).append(html.unescape(about.get("value", "")))
    for name, inner in re.findall(r'<select[^>]*name="(\w+)"[^>]*form="reach"[^>]*>(.*?)</select>', seen.text, re.S):
        chosen = re.findall(r'value="([^"]*)"\s+selected', inner)
        found.setdefault(name, []).append(chosen[0] if chosen else "")
    return {**found, **changes}


async def test_page_saved_as_it_is_changes_nothing(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    before = (await cast.cleo.get("/users/me/reach")).ok()
    seen = (await cleo.get(PATH)).is_status(200)
    assert (await cleo.post(PATH, sent_as_it_is(seen))).leads_to == f"{PATH}?saved=1"
    assert (await cast.cleo.get("/users/me/reach")).ok() == before
    assert not await ReachSettings.exists()
    wanted = {"mode": "page", "next_after": 45, "days_off": [5, 6], "kinds": {"review": "digest"}, "mail": False}
    wanted |= {"boards": [{"board_id": str(cast.board.id), "how": "never"}], "has_quiet": False, "shows": "nothing"}
    chosen = (await cast.cleo.call("PUT", "/users/me/reach", wanted)).ok()
    await cleo.post(PATH, sent_as_it_is(await cleo.get(PATH)))
    assert (await cast.cleo.get("/users/me/reach")).ok() == {**chosen, "mail": False}


async def test_choices_are_saved_by_the_form(cast: Cast) -> None:
    await User.filter(id=cast.cleo.id).update(timezone="Europe/Stockholm")
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get(PATH)).has("Europe/Stockholm").lacks("Quiet hours do not count yet")
    sent = sent_as_it_is(seen, quiet_to="07:30", days_off=["5", "6"], board=str(cast.board.id), how="never")
    assert (await cleo.post(PATH, sent)).leads_to == f"{PATH}?saved=1#boards"
    chosen = (await cast.cleo.get("/users/me/reach")).ok()
    assert (chosen["quiet_to"], chosen["days_off"]) == ("07:30", [5, 6])
    assert chosen["boards"] == [{"board_id": str(cast.board.id), "how": "never"}]
    (await cleo.with_htmx.post(PATH, sent_as_it_is(await cleo.get(PATH), wake="true"))).is_status(204)
    assert (await cast.cleo.get("/users/me/reach")).ok()["wake"] is True


async def test_refused_choices_are_shown_as_they_were_typed(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    sent = sent_as_it_is(await cleo.get(PATH), quiet_from="07:00", quiet_to="07:00", morning="true", mode="page")
    seen = (await cleo.post(PATH, sent)).is_status(422)
    seen.has('id="quiet_to-error">The quiet hours begin and end at the same time', 'value="07:00"')
    again = sent_as_it_is(seen)
    assert (again["morning"], again["mode"]) == (["true"], ["page"])
    (await cleo.post(PATH, {**sent, "quiet_to": ""})).is_status(422).has("Enter a time such as 22:00.")
    assert not await ReachSettings.exists()


async def test_page_says_what_is_missing(cast: Cast, chat: Chat) -> None:
    cleo, ada = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.ada)
    (await cleo.get(PATH)).has(
        "Quiet hours do not count yet", "sends no mail yet", "Chat", "an admin sets them up first", "Nothing was sent"
    )
    (await ada.get(PATH)).has("set up first under")
    await set_up(cast)
    (await cleo.get(PATH)).has("Link an account of Our chat")


async def test_rows_say_how_each_device_is(cast: Cast) -> None:
    now = times.clock_now()
    works = await device(cast.cleo, last_ok_at=now, position=1, who="abc")
    fails = await device(cast.cleo, last_error='{"code":40301}', failed_at=now, label="ntfy, <topic>", position=2)
    ended = await device(cast.cleo, ended_at=now, last_error="Forbidden: bot was blocked", label="Old phone")
    await device(cast.ben, label="Ben's phone")
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get(PATH)).lacks("Ben&#39;s phone", "Move Firefox on Linux up")
    seen.has("also when no tab is open", 'data-push-here="abc"', "does not work", "passed over")
    seen.has("{&#34;code&#34;:40301}", "ntfy, &lt;topic&gt;", "Forbidden: bot was blocked", "No longer used")
    order = {"ids": [str(works.id), str(fails.id)], "up": str(fails.id)}
    (await cleo.post(f"{PATH}/order", order)).is_status(303)
    [first, _, _] = (await cast.cleo.get("/users/me/reach/devices")).ok()["items"]
    assert first["label"] == "ntfy, <topic>"
    (await cleo.post(f"{PATH}/devices/{ended.id}/removals")).is_status(303)
    (await cleo.get(PATH)).lacks("Old phone")


async def test_test_says_how_it_went(cast: Cast) -> None:
    with installed(Typing()) as chat:
        added = await cast.cleo.post("/users/me/reach/addresses", {"kind": "typing", "values": {"topic": "x"}})
        path = f"{PATH}/devices/{added.ok()['id']}/tests"
        cleo = (await visitor(cast.app, cast.cleo)).with_htmx
        assert "took a test after" in (await cleo.post(path)).is_status(204).headers["HX-Trigger"]
        chat.raises = Refused("quota exceeded")
        assert "quota exceeded" in (await cleo.post(path)).headers["HX-Trigger"]
        (await cleo.get(PATH)).has("quota exceeded", "does not work")


async def test_rows_follow_on_an_open_page(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    with installed(Typing()):
        async with cleo.watching(f"{PATH}/live") as watch:
            added = await cast.cleo.post("/users/me/reach/addresses", {"kind": "typing", "values": {"topic": "x"}})
            assert "A topic" in await watch.until('hx-target="#reach-devices"')
            (await cast.cleo.post(f"/users/me/reach/devices/{added.ok()['id']}/tests")).ok()
            await watch.until('hx-target="#reach-sent"')


async def test_address_is_added_by_a_form_that_keeps_what_was_typed(cast: Cast) -> None:
    with installed(Typing()):
        cleo = await visitor(cast.app, cast.cleo)
        (await cleo.get(f"{PATH}/addresses/typing")).has("Topic", "Make a bot.", "Buttons need a public address.")
        sent = {"kind": "typing", "value_topic": "", "value_key": "my key", "label": "Phone"}
        seen = (await cleo.post(f"{PATH}/addresses", sent)).is_status(422)
        seen.has('id="field-value_topic-error">Fill this in.', 'value="my key"', 'value="Phone"')
        assert "#device-" in (await cleo.post(f"{PATH}/addresses", sent | {"value_topic": "x"})).leads_to
        assert await Device.filter(user_id=cast.cleo.id, label="Phone").exists()
    (await cleo.get(f"{PATH}/addresses/mail")).is_status(404)


async def made_code(cast: Cast, browser: Visitor, channel: ReachChannel) -> tuple[str, str]:
    """The text of a new code and its page."""
    seen = (await browser.post(f"{PATH}/codes", {"channel_id": str(channel.id)})).is_status(200)
    assert seen.headers["Cache-Control"] == "no-store"
    found = re.search(r"MC-\w{4}-\w{4}-\w{4}", seen.text)
    assert found
    return found[0], f"{PATH}/codes/{(await ReachCode.all().order_by('-created_at').first()).id}"  # type: ignore[union-attr]


async def test_code_is_shown_once_and_its_page_asks_who_sent_it(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    cleo = await visitor(cast.app, cast.cleo)
    text, path = await made_code(cast, cleo, channel)
    (await cleo.get(path)).has("Nobody sent it yet", "Buttons need a public address.").lacks(text)
    chat.answers = True  # as it is set up, buttons work
    (await cleo.get(path)).lacks("Buttons need a public address.")
    async with cleo.watching(f"{path}/live") as watch, cast.app.app_context():
        await codes.take_code(channel, Said("U024", text, "cleo <b>", "D1"))
        assert "Is this you?" in await watch.until('hx-target="#code-state"')
    (await cleo.get(path)).has("Our chat: cleo &lt;b&gt;. Is this you?")
    assert (await cleo.post(f"{path}/confirmations")).leads_to == f"{PATH}#devices"
    (await cleo.get(path)).has("This account is linked.")
    (await cleo.get(PATH)).has("Our chat, cleo &lt;b&gt;", "Unlink")
    (await (await visitor(cast.app, cast.ben)).get(path)).is_status(404)


async def test_code_that_somebody_else_sent_is_dropped(cast: Cast, chat: Chat) -> None:
    channel = await set_up(cast)
    cleo = await visitor(cast.app, cast.cleo)
    text, path = await made_code(cast, cleo, channel)
    (await cleo.post(f"{path}/confirmations")).is_status(409).has("Send it to the bot first")
    async with cast.app.app_context():
        await codes.take_code(channel, Said("U666", text, "eve", "D6"))
    (await cleo.post(f"{path}/endings")).is_status(303)
    (await cleo.get(path)).has("This code has expired")
    assert not await Device.exists()


async def test_absence_is_a_day_to_come(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    day = (times.clock_now() + timedelta(days=9)).date().isoformat()
    sent = {"away_until": day, "stand_in_id": str(cast.ben.id)}
    (await cleo.post(f"{PATH}/away", sent)).is_status(303)
    me = (await cast.cleo.get("/users/me")).ok()
    assert (me["away_until"], me["stand_in_id"]) == (f"{day}T00:00:00Z", str(cast.ben.id))
    (await cleo.get(PATH)).has(f'value="{day}"', f'value="{cast.ben.id}" selected')
    (await cleo.post(f"{PATH}/away", sent | {"away_until": "2001-01-01"})).is_status(422).has("to come", "2001-01-01")
    (await cleo.post(f"{PATH}/away", {"away_until": "", "stand_in_id": ""})).is_status(303)
    assert (await cast.cleo.get("/users/me")).ok()["away_until"] is None


async def test_next_digest_shows_what_waits(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(f"{PATH}/next")).has("Nothing waits for you now")
    await cast.ask(cast.vega)
    (await cleo.get(f"{PATH}/next")).has("/needs/approval:", "Waits")
    (await cast.cleo.call("PUT", "/users/me/reach", {"kinds": {"approval": "never"}})).ok()
    (await cleo.get(f"{PATH}/next")).has("Nothing waits for you now")
    never = {"boards": [{"board_id": str(cast.board.id), "how": "never"}]}
    (await cast.cleo.call("PUT", "/users/me/reach", never)).ok()
    (await cleo.get(f"{PATH}/next")).has("Nothing waits for you now")


async def test_all_that_was_sent_stands_on_a_page(cast: Cast) -> None:
    for number in range(12):
        await a_message(cast, f"Deploy {number}", state="elsewhere", ended_how="Ben was faster")
    cleo = await visitor(cast.app, cast.cleo)
    assert (await cleo.get(PATH)).has("Ben was faster").text.count("Deploy ") == 10
    assert (await cleo.get(f"{PATH}/sent")).text.count("Deploy ") == 12


async def test_admin_sets_a_channel_up_in_steps(cast: Cast, chat: Chat) -> None:
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    (await cleo.get("/settings/channels")).is_status(403)
    (await ada.get("/settings/channels")).has("No chat is set up yet", "Set up Chat")
    (await ada.get("/settings/channels/new/chat")).has("Paste its token here.", "Buttons need a public address.")
    (await ada.get("/settings/channels/new/mail")).is_status(404)
    chat.raises = Refused("invalid_auth")
    sent = {"kind": "chat", "name": "Ours", "value_token": "wrong", "value_server": "https://chat.example.org"}
    seen = (await ada.post("/settings/channels/new", sent)).is_status(422)
    seen.has("Chat does not take this: invalid_auth.", 'value="Ours"')
    seen = (await ada.post("/settings/channels/new", sent | {"value_token": ""})).is_status(422)
    seen.has('href="#field-value_token"', 'id="field-value_token-error">Fill this in.')
    chat.raises = None
    (await ada.post("/settings/channels/new", sent | {"value_token": SECRET})).is_status(303)
    row = await ReachChannel.get()
    page = (await ada.get("/settings/channels")).has("Ours", "@bot", "0 accounts").lacks(SECRET)
    path = f"/settings/channels/{row.id}"
    assert path in page.text
    (await ada.get(f"{path}/edit")).has("stored").lacks(SECRET)
    server = "https://chat.example.org"
    elsewhere = {"name": "New", "value_token": "", "value_server": "https://evil.example.org"}
    (await ada.post(f"{path}/edit", elsewhere)).is_status(422).has("Type it again").lacks(SECRET)
    (await ada.post(f"{path}/edit", {"name": "New", "value_token": "", "value_server": server})).is_status(303)
    assert chat.checked[-1]["token"] == SECRET
    opened = re.findall(r'name="version" value="([^"]*)"', (await ada.get(f"{path}/edit")).text)[0]
    typed = {"name": "New", "value_token": "", "value_server": server, "version": html.unescape(opened)}
    (await ada.post(f"{path}/edit", typed | {"name": "Newer"})).is_status(303)
    (await ada.post(f"{path}/edit", typed | {"name": "Mine"})).is_status(409).has(
        "Somebody changed it to “Newer”", "Mine"
    )
    (await ada.post(f"{path}/edit", typed)).is_status(303)  # the name was not touched
    assert (await ReachChannel.get()).name == "Newer"
    (await ada.post(f"{path}/edit", {"name": "New", "value_token": "", "value_server": server})).is_status(303)
    (await ada.post(f"{path}/state", {"state": "off"})).is_status(303)
    (await ada.get("/settings/channels")).has("New", "Switch New on")
    (await ada.with_htmx.post(f"{path}/tests")).is_status(204)
    (await ada.get(f"{path}/removal")).has("Remove the channel", "linked there. Its secrets are erased")
    (await ada.post(f"{path}/removal")).is_status(303)
    assert not await ReachChannel.exists()


async def test_message_that_was_not_written_yet_is_no_test(cast: Cast) -> None:
    await a_message(cast, "", state="queued")
    await a_message(cast, "", state="failed", error="No topic.")
    cleo, ada = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.ada)
    (await cleo.get(PATH)).has("Something that waits", "on its way").lacks("A test")
    (await ada.get("/settings/channels")).has("Something that waits", "No topic.").lacks("A test")
    await a_message(cast, "", state="queued", why="test")
    (await cleo.get(PATH)).has("A test")


async def test_admin_reads_what_was_given_up_and_sends_it_again(cast: Cast) -> None:
    failed = await a_message(cast, "Deploy", state="failed", error="550 no such user")
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/settings/channels")).has("Given up", "550 no such user", "Send again")
    (await ada.post(f"/settings/channels/messages/{failed.id}/resends")).is_status(303)
    assert (await ReachMessage.get(id=failed.id)).state == "queued"


async def test_team_of_a_board_gets_a_channel(cast: Cast, chat: Chat) -> None:
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    path = f"/boards/{cast.board.id}/team"
    (await cleo.get(path)).has("Nowhere")
    channel = await set_up(cast)
    with installed(Hook()):
        (await cleo.get(path)).has("Our chat", "Hook: Address")
        (await dan.get(path)).is_status(403)
        sent = {"channel": f"chat:{channel.id}", "place": "", "name": "#platform"}
        (await cleo.post(path, sent)).is_status(422).has("Enter where messages go.", "#platform")
        (await cleo.post(path, sent | {"place": "C1"})).is_status(303)
        (await cleo.get(path)).has('value="C1"', "Send a test to #platform")
        (await cleo.get(f"/boards/{cast.board.id}/settings")).has("What waits is posted in #platform, too.")
        (await cleo.post(f"{path}/tests")).is_status(303)
        assert [to for to, _ in chat.messages] == ["C1"]
        (await cast.ada.patch(f"/organizations/me/channels/{channel.id}", {"state": "off"})).ok()
        (await cleo.get(path)).has(f'value="chat:{channel.id}" selected', "Our chat (switched off)")
        opened = re.findall(r'name="version" value="([^"]*)"', (await cleo.get(path)).text)[0]
        (await cleo.post(path, sent | {"place": "C1", "name": "#ops"})).is_status(303)
        late = sent | {"place": "C1", "name": "#dev", "version": html.unescape(opened)}
        (await cleo.post(path, late)).is_status(409).has("Somebody changed it to “#ops”. Saving replaces that.", "#dev")
        (await cleo.post(path, late | {"place": "C2", "name": "#platform"})).is_status(303)
        (await cleo.get(path)).has('value="C2"', 'value="#ops"')
        secret = "https://hooks.example.org/secret"
        (await cleo.post(path, {"channel": "hook", "place": secret, "name": ""})).is_status(303)
        (await cleo.get(path)).lacks(secret)
        (await cleo.post(path, {"channel": "", "place": ""})).is_status(303)
        assert not await Device.filter(board_id=UUID(str(cast.board.id)), ended_at=None).exists()
