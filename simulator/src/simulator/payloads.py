"""What a webhook says about each happening: the `value` of a change, or an item of `messaging[]`. Pure."""

from simulator.model import Comment, Message, Person, Platform, Post, Review

Json = dict[str, object]


def comment_change(comment: Comment, verb: str, moment: float, *, with_author: bool = True) -> tuple[str, Json]:
    """(field, value) of a comment's `add`, `edited`, `remove`, `hide` or `unhide`; `moment` in unix seconds."""
    if comment.account.platform is Platform.INSTAGRAM:
        return "comments", _instagram_comment(comment, with_author=with_author)
    return "feed", _facebook_comment(comment, verb, moment, with_author=with_author)


def _facebook_comment(comment: Comment, verb: str, moment: float, *, with_author: bool) -> Json:
    value: Json = {
        "item": "comment",
        "verb": verb,
        "comment_id": comment.id,
        "post_id": comment.post.id,
        "parent_id": comment.parent or comment.post.id,
    }
    if with_author:
        value["from"] = {"id": comment.author.id, "name": comment.author.name}
    if comment.ad or comment.post.ad:
        value["post"] = {"id": comment.post.id, "promotion_status": "active", "is_published": False}
    value["created_time"] = int(moment)
    if verb == "remove":
        return value
    if comment.photo:
        value["photo"] = comment.photo
    if comment.text:
        value["message"] = comment.text
    return value


def _instagram_comment(comment: Comment, *, with_author: bool) -> Json:
    value: Json = {"id": comment.id}
    if with_author:
        value["from"] = {"id": comment.author.id, "username": comment.author.name}
    value["text"] = comment.text
    media: Json = {"id": comment.post.id, "media_product_type": "FEED"}
    if comment.ad or comment.post.ad:
        media |= {"media_product_type": "AD", "ad_id": f"{comment.post.id}1", "ad_title": comment.post.text[:40]}
    value["media"] = media
    if comment.parent:
        value["parent_id"] = comment.parent
    return value


def post_change(post: Post, verb: str, moment: float) -> tuple[str, Json]:
    """(field, value) of a post on a Page."""
    value: Json = {
        "item": "post" if post.visitor else "status",
        "verb": verb,
        "post_id": post.id,
        "from": {"id": post.author.id, "name": post.author.name},
        "created_time": int(moment),
    }
    if verb != "remove":
        value["message"] = post.text
    return "feed", value


def reaction_change(target: Comment | Post, person: Person, reaction: str, verb: str, moment: float) -> tuple[str, Json]:
    """(field, value) of a reaction to a comment or a post of a Page."""
    value: Json = {
        "item": "reaction",
        "verb": verb,
        "reaction_type": reaction,
        "from": {"id": person.id, "name": person.name},
        "created_time": int(moment),
    }
    if isinstance(target, Post):
        return "feed", value | {"post_id": target.id, "parent_id": target.account.id}
    parent = target.parent or target.post.id
    return "feed", value | {"comment_id": target.id, "post_id": target.post.id, "parent_id": parent}


def mention_change(platform: Platform, item: str, ids: tuple[str, str], text: str, moment: float) -> tuple[str, Json]:
    """(field, value) of a mention; `ids` are the comment (or "") and the post or medium it stands in."""
    comment, post = ids
    if platform is Platform.INSTAGRAM:
        return "mentions", {"comment_id": comment, "media_id": post} if comment else {"media_id": post}
    value: Json = {"message": text, "post_id": post}
    if comment:
        value["comment_id"] = comment
    return "mention", value | {"created_time": int(moment), "item": item, "verb": "add"}


def review_change(review: Review, verb: str, moment: float) -> tuple[str, Json]:
    """(field, value) of a recommendation of a Page; a removal names only the story and the reviewer."""
    value: Json = {"item": "rating", "verb": verb, "open_graph_story_id": review.story}
    if verb == "remove":
        return "ratings", value | {"reviewer_id": review.reviewer.id}
    return "ratings", value | {
        "reviewer_id": review.reviewer.id,
        "reviewer_name": review.reviewer.name,
        "review_text": review.text,
        "recommendation_type": "POSITIVE" if review.positive else "NEGATIVE",
        "created_time": int(moment),
        "comment_id": None,
    }


def message_event(message: Message, app_id: str) -> Json:
    """An item of `messaging[]`: milliseconds, and `is_echo` for what the brand itself sent."""
    person, account = {"id": message.person.id}, {"id": message.account.id}
    content: Json = {"mid": message.id, "text": message.text}
    if message.outgoing:
        content |= {"is_echo": True, "app_id": app_id, "metadata": ""}
    return {
        "sender": account if message.outgoing else person,
        "recipient": person if message.outgoing else account,
        "timestamp": int(message.created * 1000),
        "message": content,
    }
