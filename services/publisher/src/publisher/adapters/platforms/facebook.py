"""Facebook Pages."""

from publisher.adapters.platforms.meta import MetaPlatform
from publisher.domain.model import Kind


class Facebook(MetaPlatform):
    """Comments are answered, hidden, liked and deleted; messages go through the Page."""

    name = "facebook"
    kinds = frozenset({Kind.REPLY, Kind.PRIVATE_REPLY, Kind.HIDE, Kind.UNHIDE, Kind.DELETE, Kind.LIKE})
    replies_edge = "comments"
    time_field = "created_time"
    me_fields = "id,name"
