"""Notifications by e-mail.

SMTP gives no idempotency key: where the server's answer is lost, the message is sent again with the same Message-ID, by which
mail programs know it for the same.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

import aiosmtplib
from pydantic import SecretStr
from typing_extensions import override

from antiphon.clock import Clock
from antiphon.errors import Invalid, Transient
from publisher.domain.calls import Answer, Deed, Denied, Done, Listing, Rate, Unclear, Untouched
from publisher.domain.entries.rights import Cleared
from publisher.domain.model import EMAIL, MAILTO, Kind, Order, Reason
from publisher.ports import Channel, Platform

_RATE = Rate(5.0, 20.0)
"""Messages a second and at once: nobody reads more, and relays take more for abuse."""

_PERMANENT = 500
"""Replies from here on are final (RFC 5321, 4.2.1); 4xx say "later"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where e-mail is handed in; `tls` None: in clear, `start_tls` False: encrypted from the first byte."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: SecretStr | None = None
    tls: ssl.SSLContext | None = None
    start_tls: bool = True


class Email(Platform):
    """Mailboxes, seen as a platform: `mailto:` and an address is the target."""

    name = EMAIL
    kinds = frozenset({Kind.NOTIFY})
    repeatable = frozenset({Kind.NOTIFY})
    listable: frozenset[Kind] = frozenset()

    def __init__(self, server: Server, clock: Clock, *, timeout: float) -> None:
        self._server, self._clock, self._timeout = server, clock, timeout

    @override
    def default_rate(self) -> Rate:
        return _RATE

    @override
    async def act(self, channel: Channel, deed: Deed) -> Answer:
        if not self._server.host:
            return Answer(Denied(Reason.UNSUPPORTED, "no mail server is set (PUBLISHER_SMTP_HOST)"))
        try:
            message = compose(self._server.sender, deed, self._clock.now())
        except ValueError as error:
            return Answer(Denied(Reason.INVALID, str(error)))
        return Answer(await self._send(message))

    @override
    async def feature(self, channel: Channel, deed: Deed, media: Sequence[Cleared]) -> Answer:
        return Answer(Denied(Reason.UNSUPPORTED, "a mailbox shows nothing"))

    async def _send(self, message: EmailMessage) -> Done | Denied | Untouched | Unclear:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username or None,
            password=server.password.get_secret_value() if server.password else None,
            use_tls=server.tls is not None and not server.start_tls,
            start_tls=server.tls is not None and server.start_tls,
            tls_context=server.tls,
            timeout=self._timeout,
        )
        outcome: Done | Denied | Untouched | Unclear | None = None
        reached = False
        try:
            async with asyncio.timeout(self._timeout):  # of all commands together: past the lease another worker sends it again
                await client.connect()
                reached = True
                outcome = await _handed_over(client, message)
                await client.quit()
        except aiosmtplib.SMTPAuthenticationError as error:
            return Untouched(f"the mail server refuses the login: {error.code}")  # to be mended by whoever runs us
        except (aiosmtplib.SMTPException, OSError) as error:
            if outcome:
                return outcome  # the message was settled; only the farewell failed
            if reached:
                return Unclear("the mail server did not answer in time")
            return Untouched(f"the mail server cannot be reached: {type(error).__name__}")
        finally:
            client.close()
        return outcome

    @override
    async def read_back(self, channel: Channel, order: Order) -> Listing:
        raise Transient("a mailbox cannot be asked what it has received")

    @override
    async def check(self, channel: Channel) -> str:
        raise Invalid("unsupported", "a mailbox has no account")


async def _handed_over(client: aiosmtplib.SMTP, message: EmailMessage) -> Done | Denied | Untouched | Unclear:
    try:
        await client.send_message(message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        refused = error.recipients[0]
        return _refused(refused.code, refused.message)
    except aiosmtplib.SMTPResponseException as error:
        return _refused(error.code, error.message)
    except (aiosmtplib.SMTPException, OSError) as error:
        return Unclear(f"the mail server did not answer: {type(error).__name__}")
    return Done(str(message["Message-ID"]))


def _refused(code: int, words: str) -> Denied | Untouched:
    detail = f"the mail server answered {code} {words}"[:300]
    return Denied(Reason.INVALID, detail) if code >= _PERMANENT else Untouched(detail)


def compose(sender: str, deed: Deed, now: datetime) -> EmailMessage:
    """Return the message; the first line of the deed's text is the subject. Raises ValueError for an address that is none."""
    subject, _, text = deed.text.partition("\n")
    user, _, domain = deed.target.removeprefix(MAILTO).rpartition("@")
    name, address = parseaddr(sender)
    message = EmailMessage()
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(username=user, domain=domain)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{deed.action_id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.lstrip("\n") + "\n")
    return message
