"""Texts that agents could write to be more than texts; every channel is sent all of them."""

from mission_control.channels.channel import Button, Item, Message
from tests.channels.samples import TOKENS

TEXTS = {
    "markup": "<b>bold</b> <a href='http://evil.example'>x</a> *bold* _x_ `code` ~s~ ||spoiler|| # head > quote",
    "link": "[Approve](http://evil.example) <http://evil.example|Approve> www.evil.example https://evil.example/a?b=1",
    "image": "![x](http://evil.example/pixel.png) <img src=x onerror=alert(1)>",
    "mentions": "<!channel> <!here> <@U024BE7LH> <#C1> @everyone @here @all @channel @ada <@&9> <at>Ada</at>",
    "entities": "&lt;b&gt; &amp; &#60;script&#62; & < > \" '",
    "right to left": "safe \u202egnp.exe\u202c \u200f\u200e\u2066x\u2069 \u061c",
    "controls": "a\x00b\x07c\x1bd\x7fe\x85f\r\ng\th\u2028i\u2029j",
    "invisible": "pay\u200bments\ufeff \U000e0041\u00ad",
    "lines": "one\n\n\n\n\ntwo\nX-Header: y\n\n---\n- item\n1. item\n```\ncode\n```",
    "many lines": "a\n" * 5_000,
    "template": "{{DATE(2017-02-14T06:00:00Z, SHORT)}} ${1+1} @{triggerBody()} {% x %} %s {0}",
    "long": "x" * 10_000,
    "long and wide": "🚀" * 10_000,
    "long of marks": "@." * 3_000 + "a.b" * 3_000 + "*" * 4_000,
    "lone surrogates": "a\ud800b\udfffc",
    "nothing": "",
    "white": " \t\n ",
    "marks alone": "\u202e\u200b",
}


def message_of(text: str, url: str = "https://mission.example.org/reach/1", *, is_digest: bool = True) -> Message:
    """A message with a hostile text wherever an agent's text can stand; those of a digest have no lines in chats."""
    items = (*(Item(text, text, url, text) for _ in range(10)), Item(text, count=30))
    return Message(
        title=text,
        lines=(text, text),
        url=url,
        buttons=(Button(text, TOKENS[0], "go"), Button(text, TOKENS[1], "stop")),
        sections=((text, items), (text, items)) if is_digest else (),
        key="hostile",
        topic=f"question:{text[:20]!a}",
        board=text,
    )
