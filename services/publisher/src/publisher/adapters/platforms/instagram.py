"""Instagram."""

from dataclasses import replace

from typing_extensions import override

from publisher.adapters.platforms.graph import Call, path_id
from publisher.adapters.platforms.meta import MetaPlatform
from publisher.domain.calls import Answer, Deed, Done, Unclear, Untouched
from publisher.domain.model import Kind, Order
from publisher.ports import Channel


class Instagram(MetaPlatform):
    """No likes; parameters of comment calls travel in the query, as the platform documents them."""

    name = "instagram"
    kinds = frozenset({Kind.REPLY, Kind.PRIVATE_REPLY, Kind.HIDE, Kind.UNHIDE, Kind.DELETE, Kind.FEATURE})
    replies_edge = "replies"
    time_field = "timestamp"
    me_fields = "id,username"
    picture_types = frozenset({"image/jpeg"})

    @override
    async def post_picture(self, channel: Channel, deed: Deed, url: str) -> Answer:
        """Two calls: the first only prepares, so whatever becomes of it nothing is visible; the second posts."""
        account = path_id(channel.account)
        prepared = await self._write(channel, Call("POST", f"{account}/media", {"image_url": url, "caption": deed.text}), deed)
        match prepared.outcome:
            case Done(container):
                return await self._write(channel, Call("POST", f"{account}/media_publish", {"creation_id": container}), deed)
            case Unclear(detail):
                return replace(prepared, outcome=Untouched(detail))
            case _:
                return prepared

    @override
    def reply(self, target: str, deed: Deed) -> Call:
        edge = "comments" if deed.event_kind == "post" else self.replies_edge
        return Call("POST", f"{target}/{edge}", query={"message": deed.text})

    @override
    def hide(self, target: str, *, hidden: bool) -> Call:
        return Call("POST", target, query={"hide": "true" if hidden else "false"})

    @override
    def listing_edge(self, order: Order) -> str:
        return "comments" if order.event_kind == "post" else self.replies_edge
