"""Instagram."""

from typing_extensions import override

from publisher.adapters.platforms.graph import Call
from publisher.adapters.platforms.meta import MetaPlatform
from publisher.domain.calls import Deed
from publisher.domain.model import Kind, Order


class Instagram(MetaPlatform):
    """No likes; parameters of comment calls travel in the query, as the platform documents them."""

    name = "instagram"
    kinds = frozenset({Kind.REPLY, Kind.PRIVATE_REPLY, Kind.HIDE, Kind.UNHIDE, Kind.DELETE})
    replies_edge = "replies"
    time_field = "timestamp"
    me_fields = "id,username"

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
