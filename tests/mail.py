"""A mail server in the test's process, which keeps what it takes and refuses what it is told to."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from quart import Quart

from mission_control.background.sending import Sender, _senders, install_sender
from mission_control.core.settings import Settings
from mission_control.people.organizations import invitations
from mission_control.people.sign_in import browser_sessions as reset_mail

OK = "250 OK"


@dataclass(slots=True)
class Post:
    """What arrived, also as it was sent, and what the server answers to a recipient and to a message."""

    mails: list[EmailMessage] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    recipient: str = OK
    message: str = OK

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        """Take a recipient, or refuse it as told."""
        if self.recipient == OK:
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message, or refuse it as told."""
        if self.message == OK:
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            self.mails.append(message_from_bytes(content, policy=policy.default))
            self.sent.append(content.decode("ascii"))
        return self.message

    def head(self) -> dict[str, str]:
        """The headers of the newest mail as they were sent, unfolded: nothing is decoded."""
        lines = re.sub(r"\r\n[ \t]", " ", self.sent[-1].partition("\r\n\r\n")[0]).split("\r\n")
        return {name: value for name, _, value in (line.partition(": ") for line in lines)}

    def text(self) -> str:
        part = self.mails[-1].get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    def html(self) -> str:
        part = self.mails[-1].get_body(("html",))
        assert part is not None
        return str(part.get_content())


@asynccontextmanager
async def mail_box(before: Settings) -> AsyncIterator[tuple[Post, Settings]]:
    """A mail server of this process, and settings that send mail to it."""
    post = Post()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(post), "127.0.0.1", 0)
    url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = replace(
        before, smtp_url=url, mail_from="Mission Control <mission@example.org>", base_url="https://mission.example.org"
    )
    async with server:
        yield post, settings


@asynccontextmanager
async def mail_server(app: Quart) -> AsyncIterator[Post]:
    before = app.config["SETTINGS"]
    senders: list[Sender] = []
    try:
        async with mail_box(before) as (post, settings):
            app.config["SETTINGS"] = settings
            senders = [*invitations.senders(app), *reset_mail.senders(app)]
            for sender in senders:
                install_sender(sender)
            yield post
    finally:
        app.config["SETTINGS"] = before
        for sender in senders:
            _senders.pop(sender.key, None)
