"""Mails as text and HTML, from the same few sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from quart import Quart, current_app

from mission_control.outbound.mail import Mail, MailRefused, send_mail
from mission_control.sending.loop import GiveUp
from mission_control.web.fragments import render_macro


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says: sentences about it, one link, and what to know about the link."""

    to: str
    subject: str
    paragraphs: Sequence[str]
    link: str
    label: str
    notes: Sequence[str]

    def mail(self, id: UUID) -> Mail:
        """Return it as a mail."""
        texts = [*self.paragraphs, f"{self.label}:\n{self.link}", *self.notes]
        fields: dict[str, Any] = {name: getattr(self, name) for name in ("paragraphs", "link", "label", "notes")}
        html = render_macro("mail/letter.html", "letter", **fields)
        return Mail(str(id), self.to, self.subject, "\n\n".join(texts) + "\n", html)


def sends_mail() -> bool:
    """Whether this installation has a mail server."""
    return bool(current_app.config["SETTINGS"].smtp_url)


async def send_letter(app: Quart, id: UUID, letter: Letter) -> None:
    """Send a letter; what the mail server refuses for good is given up."""
    settings = app.config["SETTINGS"]
    try:
        async with app.app_context():
            mail = letter.mail(id)
        await send_mail(settings.smtp_url, settings.mail_from, mail)
    except MailRefused as error:
        raise GiveUp(str(error)) from error
