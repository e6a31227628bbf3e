"""Mail over SMTP: one message to one person, as text and as simple HTML."""

import ipaddress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import aiosmtplib

SECONDS = 20.0
PORTS = {"smtp": 587, "smtps": 465}
PERMANENT = 500


class MailError(Exception):
    """The mail server did not take a message; the text says how it answered, for people."""


class MailRefused(MailError):
    """The mail server refuses the address for good."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message. Its id stays the same when it is sent again, so that a mailbox can tell that it has it."""

    id: str
    to: str
    subject: str
    text: str
    html: str


async def send_mail(server: str, sender: str, mail: Mail) -> None:
    """Hand a message to the mail server. A name and password are sent over TLS only, unless the server is local."""
    parts = urlsplit(server)
    host, user = parts.hostname or "", unquote(parts.username or "") or None
    try:
        await aiosmtplib.send(
            _message(sender, mail),
            hostname=host,
            port=parts.port or PORTS[parts.scheme],
            username=user,
            password=unquote(parts.password or "") or None,
            use_tls=parts.scheme == "smtps",
            start_tls=_start_tls(parts.scheme, host, needs_it=user is not None),
            timeout=SECONDS,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        answers = [one for one in error.recipients if one.code >= PERMANENT]
        kind = MailRefused if answers else MailError
        raise kind(f"The mail server does not take mail for {mail.to}: {_said(error.recipients[0].message)}") from error
    except aiosmtplib.SMTPResponseException as error:
        raise MailError(f"The mail server answered {error.code}: {_said(error.message)}") from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise MailError(f"The mail server cannot be reached or does not answer: {_said(str(error))}") from error


def _start_tls(scheme: str, host: str, *, needs_it: bool) -> bool | None:
    """Return whether TLS must be started; None starts it where the server offers it."""
    if scheme == "smtps":
        return False
    return True if needs_it and not _is_local(host) else None


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _message(sender: str, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{mail.id}@mission-control>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _said(text: str) -> str:
    return " ".join(text.split())[:300] or "no reason given"
