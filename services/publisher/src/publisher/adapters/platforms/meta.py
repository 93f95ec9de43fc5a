"""What Facebook and Instagram share: private messages, acting, reading back."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import override

from antiphon.errors import Invalid
from publisher.adapters.platforms.graph import Call, GraphClient, clean, path_id
from publisher.domain.calls import Answer, Deed, Denied, Listing, Rate, Sight
from publisher.domain.entries.rights import Cleared
from publisher.domain.model import PRIVATE, Kind, Order, Reason
from publisher.ports import Channel, Platform

_PAGE = 100
_MOST_PAGES = 50
"""Pages read at most; five thousand replies under one comment. Beyond, the reading is incomplete and says so."""


class MetaPlatform(Platform):
    """The shared half; a platform adds its paths and field names."""

    name: str
    kinds: frozenset[Kind]
    repeatable = frozenset({Kind.HIDE, Kind.UNHIDE, Kind.DELETE, Kind.LIKE})
    listable = frozenset({Kind.REPLY})
    replies_edge: str
    time_field: str
    me_fields: str
    picture_types: frozenset[str]

    def __init__(self, client: GraphClient, base: str, rate: Rate, public_url: str = "") -> None:
        self._client, self._base, self._rate, self._public_url = client, base.rstrip("/"), rate, public_url.rstrip("/")

    @override
    def default_rate(self) -> Rate:
        """Return the rate of a channel that was given none."""
        return self._rate

    @override
    async def act(self, channel: Channel, deed: Deed) -> Answer:
        """Make exactly one call."""
        try:
            call = self.call_for(channel.account, deed)
        except Invalid as error:
            return Answer(Denied(Reason.INVALID, str(error)))
        if call is None:
            return Answer(Denied(Reason.UNSUPPORTED, f"{self.name} has no {deed.kind}"))
        return await self._write(channel, call, deed)

    def call_for(self, account: str, deed: Deed) -> Call | None:
        """Return the request for a deed; None when the platform cannot do it."""
        if deed.kind not in self.kinds or deed.kind is Kind.FEATURE:
            return None
        if deed.kind is Kind.REPLY and deed.event_kind in PRIVATE:
            return self._message(account, {"id": path_id(deed.author)}, deed.text)
        if deed.kind is Kind.PRIVATE_REPLY:
            return self._message(account, self._recipient(deed), deed.text)
        if deed.kind is Kind.REPLY:
            return self.reply(path_id(deed.target), deed)
        if deed.kind in {Kind.HIDE, Kind.UNHIDE}:
            return self.hide(path_id(deed.target), hidden=deed.kind is Kind.HIDE)
        if deed.kind is Kind.DELETE:
            return Call("DELETE", path_id(deed.target))
        return Call("POST", f"{path_id(deed.target)}/likes")

    @override
    async def feature(self, channel: Channel, deed: Deed, media: Sequence[Cleared]) -> Answer:
        """Post the first picture; the platform fetches it from the address under which people reach this installation."""
        pictures = [one for one in media if one.mime in self.picture_types]
        if not pictures or not self._public_url:
            missing = "no picture of a type that the platform takes" if self._public_url else "PUBLISHER_PUBLIC_URL is not set"
            return Answer(Denied(Reason.UNSUPPORTED, missing))
        return await self.post_picture(channel, deed, f"{self._public_url}/media/{pictures[0].sha256}")

    @abstractmethod
    async def post_picture(self, channel: Channel, deed: Deed, url: str) -> Answer:
        """Post one picture from its address. Only `feature`, which holds cleared media, calls this."""

    async def _write(self, channel: Channel, call: Call, deed: Deed) -> Answer:
        return await self._client.write(channel.api_url or self._base, channel, call, deed.deadline)

    def reply(self, target: str, deed: Deed) -> Call:
        """Return the request that answers in public."""
        return Call("POST", f"{target}/{self.replies_edge}", {"message": deed.text})

    def hide(self, target: str, *, hidden: bool) -> Call:
        """Return the request that hides or shows."""
        return Call("POST", target, {"is_hidden": hidden})

    def _recipient(self, deed: Deed) -> Mapping[str, str]:
        if deed.event_kind in PRIVATE:
            return {"id": path_id(deed.author)}
        return {"post_id" if deed.event_kind == "post" else "comment_id": path_id(deed.target)}

    def _message(self, account: str, recipient: Mapping[str, str], text: str) -> Call:
        body: dict[str, Any] = {"recipient": recipient, "message": {"text": text}}
        if "id" in recipient:
            body["messaging_type"] = "RESPONSE"
        return Call("POST", f"{path_id(account)}/messages", body)

    @override
    async def read_back(self, channel: Channel, order: Order) -> Listing:
        """Read every page of what stands under the target."""
        own: list[Sight] = []
        query = {"fields": f"id,from,{self.time_field}", "limit": str(_PAGE)}
        for _ in range(_MOST_PAGES):
            call = Call("GET", f"{path_id(order.target)}/{self.listing_edge(order)}", query=query)
            try:
                page = await self._client.read(channel.api_url or self._base, channel, call)
            except Invalid as error:
                if error.reason == Reason.TARGET_GONE:
                    return Listing(own, complete=True)
                raise
            own += sights(page.body.get("data"), channel.account, self.time_field, page.skew)
            after = _next(page.body)
            if not after:
                return Listing(own, complete=True)
            query = {**query, "after": after}
        return Listing(own, complete=False)

    def listing_edge(self, order: Order) -> str:
        """Return the edge under which answers to this order's target are listed."""
        return self.replies_edge

    @override
    async def check(self, channel: Channel) -> str:
        """Return the account's name as the platform knows it."""
        call = Call("GET", path_id(channel.account), query={"fields": self.me_fields})
        page = await self._client.read(channel.api_url or self._base, channel, call)
        name = page.body.get("name") or page.body.get("username") or ""
        return clean(str(name))


def sights(rows: Any, account: str, time_field: str, skew: float) -> Sequence[Sight]:
    """Return our own posts of a page of a listing, their times on our clock."""
    found: list[Sight] = []
    for row in rows if isinstance(rows, list) else []:
        author = row.get("from") if isinstance(row, dict) else None
        if not isinstance(author, dict) or str(author.get("id", "")) != account:
            continue
        try:
            at = datetime.strptime(str(row.get(time_field)), "%Y-%m-%dT%H:%M:%S%z").timestamp() - skew
        except ValueError:
            continue
        found.append(Sight(str(row.get("id", ""))[:256], at))
    return found


def _next(body: Mapping[str, Any]) -> str:
    paging = body.get("paging")
    cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) else ""
