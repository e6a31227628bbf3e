"""Web push: notifications of browsers, also while no page is open. The address is the browser's subscription."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from mission_control.channels.channel import Answer, Channel, Gone, Later, Line, Message, Refused, cut, plain
from mission_control.channels.providers.push.encryption import MOST_BYTES, authorization, encrypt
from mission_control.channels.providers.push.hosts import APPLE, NO_NAME, local_subject, maker_of, subject_of
from mission_control.channels.providers.push.key import push_key
from mission_control.core import times
from mission_control.core.values import JsonObject

LONGEST = timedelta(hours=4)  # that a push service keeps what it cannot deliver
TITLE, BODY = 150, 600  # characters
TOPIC = 32  # characters of base64url at most
SMALLEST_BODY = 16


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser's subscription: where its push service is, and the keys of the browser."""

    endpoint: str
    p256dh: str
    auth: str

    def to_text(self) -> str:
        return json.dumps({"endpoint": self.endpoint, "p256dh": self.p256dh, "auth": self.auth})

    @classmethod
    def of(cls, text: str) -> "Subscription":
        """Read what `to_text` wrote."""
        return cls(**json.loads(text))


def topic_of(message: Message) -> str:
    """Return the name of a message's thread, for `Topic` and `tag`: a newer message of it replaces the older."""
    return urlsafe_b64encode(sha256((message.topic or message.key).encode()).digest()).decode()[:TOPIC]


def payload_of(message: Message, tag: str, *, is_silent: bool = False) -> bytes:
    """Return the notification as JSON of declarative web push, its texts cut so that one record holds it.

    Raises Refused when even without a text it is too long, because the address of the installation is.
    """
    title, body = " ".join(plain(message.title).split()), plain(_body(message))
    most = BODY
    while True:
        text = json.dumps(
            _notification(message, tag, cut(title, min(TITLE, max(most, SMALLEST_BODY))), cut(body, most), is_silent),
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        if len(text) <= MOST_BYTES:
            return text
        if most <= SMALLEST_BODY:
            raise Refused("The notification is too long for a push: the address of this server has too many letters.")
        most = most * 2 // 3


def _body(message: Message) -> str:
    listed = [item.title for _, items in message.sections for item in items]
    return "\n".join(message.lines or listed or [message.board])


def _notification(message: Message, tag: str, title: str, body: str, is_silent: bool) -> JsonObject:
    url = message.url or "/"
    data: JsonObject = {"url": url}
    shown: JsonObject = {
        "title": title or "Mission Control",
        "body": body,
        "navigate": url,
        "tag": tag,
        "lang": "en",
        "dir": "auto",
        "silent": is_silent or message.has_ended,
        "data": data,
    }
    if message.has_ended:
        data["withdrawn"] = True
    elif message.buttons:
        shown["actions"] = [
            {"action": button.token, "title": cut(plain(button.label), PUSH.longest_label), "navigate": url}
            for button in message.buttons[: PUSH.most_buttons]
        ]
    whole: JsonObject = {"web_push": 8030, "notification": shown}
    if message.badge is not None:
        # A number here in the standard's draft, a text there in Apple's browsers.
        whole["app_badge"], shown["app_badge"] = message.badge, str(message.badge)
    return whole


class Push(Channel):
    """Sends to the push service of each browser's maker, which shows a notification even while no page is open."""

    kind = "push"
    name = "Push"
    glyph = "bell"
    links = "browser"
    steps = (
        "Open Mission Control on the device over https, and press “Add this device”.",
        "On an iPhone or iPad add it to the home screen first: share button, “Add to Home Screen”.",
    )
    answers = True
    edits = True
    recognizes = True
    is_brief = True
    most_buttons = 2
    longest_label = 40

    async def send(self, line: Line, message: Message) -> str:
        """Return the tag under which a later message replaces this one."""
        tag = topic_of(message)
        await self._post(line, message, tag)
        return tag

    async def edit(self, line: Line, name: str, message: Message) -> None:
        """Replace what is shown, without a sound. Apple ends a subscription that shows nothing new: none is sent."""
        if maker_of(Subscription.of(line.to).endpoint, line.installation) != APPLE:
            await self._post(line, message, name, is_silent=True)

    async def _post(self, line: Line, message: Message, tag: str, *, is_silent: bool = False) -> None:
        to, now = Subscription.of(line.to), times.clock_now()
        maker = maker_of(to.endpoint, line.installation)
        if maker is None:
            raise Refused("Its push service is not one of the browsers' makers: name its host in PUSH_HOSTS.")
        subject = subject_of(line.installation)
        if subject is None and maker == APPLE:
            raise Refused(NO_NAME)
        left = min(message.expires_at - now, LONGEST) if message.expires_at and not message.has_ended else LONGEST
        key = await push_key(line.installation)
        headers = {
            "Authorization": authorization(
                key, to.endpoint, subject or local_subject(line.installation), times.epoch_seconds()
            ),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(max(0, int(left.total_seconds()))),
            "Topic": tag,
            "Urgency": "high" if message.is_urgent and not is_silent else "normal",
        }
        body = encrypt(payload_of(message, tag, is_silent=is_silent), to.p256dh, to.auth)
        _judge(await line.request("POST", to.endpoint, headers=headers, content=body), maker, to.endpoint)


def _judge(answer: Answer, maker: str, endpoint: str) -> None:
    """Raise what an answer of a push service means. Its words never hold the address, which is a secret."""
    if answer.status < 300:
        return
    said = " ".join(plain(answer.text).replace(endpoint.rpartition("/")[2], "…").split())
    words = f"{maker} answered {answer.status}{f': {cut(said, 200)}' if said else ''}"
    if answer.status in (404, 410):
        raise Gone(f"{words}. The browser no longer takes pushes: it was reset, or turned them off.")
    if answer.status == 429 or answer.status >= 500:
        raise Later(f"{words}.", answer.retry_after)
    raise Refused(f"{words}.")


PUSH = Push()
