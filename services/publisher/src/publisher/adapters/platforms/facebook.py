"""Facebook Pages."""

from typing_extensions import override

from publisher.adapters.platforms.graph import Call, path_id
from publisher.adapters.platforms.meta import MetaPlatform
from publisher.domain.calls import Answer, Deed
from publisher.domain.model import Kind
from publisher.ports import Channel


class Facebook(MetaPlatform):
    """Comments are answered, hidden, liked and deleted; messages go through the Page; pictures become photos of the Page."""

    name = "facebook"
    kinds = frozenset({Kind.REPLY, Kind.PRIVATE_REPLY, Kind.HIDE, Kind.UNHIDE, Kind.DELETE, Kind.LIKE, Kind.FEATURE})
    replies_edge = "comments"
    time_field = "created_time"
    me_fields = "id,name"
    picture_types = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

    @override
    async def post_picture(self, channel: Channel, deed: Deed, url: str) -> Answer:
        body = {"url": url, "message": deed.text}
        return await self._write(channel, Call("POST", f"{path_id(channel.account)}/photos", body), deed)
