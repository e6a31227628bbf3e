"""Microsoft Teams: messages in a team's channel by a workflow, with a link that leads to the answer."""

import re

from mission_control.channels.channel import Channel, Line, Message, Setting
from mission_control.channels.providers.chats import fields, problem, texts
from mission_control.core.values import JsonObject

# Connectors that Teams keeps for a while answer 200 with the status of the inner request.
_INNER = re.compile(r"HTTP error (\d{3})")
MOST_ROWS = 80  # of a card, whose JSON may have 28 KB: each costs 70 bytes beside its text
GONE = ("WorkflowNotFound", "WorkflowTriggerNotFound")


class Teams(Channel):
    kind = "teams"
    name = "Microsoft Teams"
    glyph = "users"
    team = Setting(
        "webhook",
        "Address of the workflow",
        "https://…api.powerplatform.com/…",
        is_secret=True,
        pattern=r"https?://\S+",
    )
    steps = (
        "In Teams open the ⋯ menu beside the channel and choose Workflows.",
        "Choose the template Send webhook alerts to a channel, then the team and the channel, and save it.",
        "Copy the address that is shown, paste it below.",
        "If nothing arrives, let the workflow's trigger accept Anyone.",
    )

    async def send(self, line: Line, message: Message) -> str:
        answer = await line.request("POST", line.to.strip(), json=_written(message))
        inner = _INNER.search(answer.text) if answer.status == 200 else None
        if 200 <= answer.status < 300 and inner is None:
            return ""  # a workflow tells no name of the message
        error = fields(answer).get("error")
        error = error if isinstance(error, dict) else {}
        words = error.get("message") or (answer.text if inner else "")
        is_gone = error.get("code") in GONE or answer.status == 410
        raise problem(self, line, answer, words, is_gone=is_gone, is_later=inner is not None and _passes(inner[1]))


def _passes(status: str) -> bool:
    return status == "429" or status.startswith("5")


def _run(text: str, **more: object) -> JsonObject:
    """Return a text that no Markdown is made of, unlike that of a TextBlock."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **more}]}


def _written(message: Message) -> JsonObject:
    shown = texts(message, 250, 3000)
    rows = [_run(shown.title, weight="Bolder", size="Medium")]
    lines = [one for one in shown.body.split("\n") if one]
    rows += [_run(one) for one in lines[:MOST_ROWS]]
    if len(lines) > MOST_ROWS:
        rows.append(_run(f"and {len(lines) - MOST_ROWS} more lines"))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": rows,
    }
    if shown.url:
        title = "Look" if message.has_ended else "Look and answer"
        card["actions"] = [{"type": "Action.OpenUrl", "title": title, "url": shown.url}]
    part = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [part]}


TEAMS = Teams()
