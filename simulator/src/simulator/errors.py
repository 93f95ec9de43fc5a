"""The Graph API's errors: codes, texts, HTTP statuses and the body that carries them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ErrorText:
    """How the platform words one error. `status` is the usual HTTP status; the code is the authority."""

    status: int
    message: str
    title: str = ""
    user_message: str = ""
    type: str = "OAuthException"
    transient: bool = False


CATALOGUE: dict[tuple[int, int | None], ErrorText] = {
    (1, None): ErrorText(500, "An unknown error occurred", transient=True),
    (2, None): ErrorText(500, "An unexpected error has occurred. Please retry your request later.", transient=True),
    (3, None): ErrorText(403, "(#3) Application does not have the capability to make this API call."),
    (4, None): ErrorText(403, "(#4) Application request limit reached", transient=True),
    (10, None): ErrorText(403, "(#10) Application does not have permission for this action"),
    (10, 2018278): ErrorText(403, "(#10) This message is sent outside of allowed window."),
    (12, None): ErrorText(400, "(#12) This endpoint is deprecated for versions v3.2 and higher"),
    (17, None): ErrorText(403, "(#17) User request limit reached", "Too many calls", transient=True),
    (32, None): ErrorText(403, "(#32) Page request limit reached", transient=True),
    (100, None): ErrorText(400, "(#100) Invalid parameter"),
    (100, 33): ErrorText(
        400,
        "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation.",
        type="GraphMethodException",
    ),
    (100, 2018001): ErrorText(400, "(#100) No matching user found"),
    (102, None): ErrorText(401, "Session key invalid or no longer valid"),
    (104, None): ErrorText(401, "An access token is required to request this resource."),
    (190, None): ErrorText(401, "Invalid OAuth access token - Cannot parse access token"),
    (190, 458): ErrorText(401, "Error validating access token: The user has not authorized application."),
    (190, 459): ErrorText(401, "Error validating access token: You cannot access the app till you log in."),
    (190, 460): ErrorText(401, "Error validating access token: The session has been invalidated by a new password."),
    (190, 463): ErrorText(401, "Error validating access token: Session has expired."),
    (190, 467): ErrorText(401, "Error validating access token: This session is invalid."),
    (200, None): ErrorText(403, "(#200) Permissions error"),
    (230, None): ErrorText(403, "(#230) Requires pages_messaging permission to manage the object"),
    (341, None): ErrorText(403, "(#341) Feed action request limit reached", transient=True),
    (368, None): ErrorText(
        403,
        "(#368) The action attempted has been deemed abusive or is otherwise disallowed",
        "You're Temporarily Blocked",
        "We limit how often you can post, comment or do other things in a given amount of time.",
    ),
    (506, None): ErrorText(
        400,
        "(#506) Duplicate status message",
        "Duplicate Status Update",
        "This status update is identical to the last one you posted. Try posting something different.",
    ),
    (551, None): ErrorText(400, "(#551) This person isn't available right now.", "Not available"),
    (613, None): ErrorText(403, "(#613) Calls to this api have exceeded the rate limit.", transient=True),
    (2500, None): ErrorText(400, "Unknown path components: {id}"),
    (10900, None): ErrorText(400, "(#10900) Activity already replied to"),
    (10902, None): ErrorText(400, "(#10902) This activity cannot be replied to"),
    (10903, None): ErrorText(400, "(#10903) This user can't reply to this activity"),
    (80001, None): ErrorText(
        403,
        "(#80001) There have been too many calls to this Page account. Wait a bit and try again.",
        transient=True,
    ),
    (80002, None): ErrorText(
        403,
        "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again.",
        transient=True,
    ),
    (80006, None): ErrorText(403, "(#80006) There have been too many calls to this Messenger account.", transient=True),
}
"""(code, subcode) → wording. A pair that is absent falls back to (code, None), then to code 1's wording."""


@dataclass
class GraphError(Exception):
    """A call the platform refuses; `message` replaces the catalogue's wording."""

    code: int
    subcode: int | None = None
    message: str | None = None
    status: int | None = None
    target: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def _text(self) -> ErrorText:
        fallback = CATALOGUE.get((self.code, None), ErrorText(400, f"(#{self.code}) An error occurred"))
        return CATALOGUE.get((self.code, self.subcode), fallback)

    def http_status(self) -> int:
        """The HTTP status the answer carries."""
        return self.status or self._text().status

    def body(self, trace: str) -> dict[str, object]:
        """The `{"error": …}` object; `trace` becomes `fbtrace_id`."""
        text = self._text()
        error: dict[str, object] = {
            "message": self.message or text.message.replace("{id}", self.target),
            "type": text.type,
            "code": self.code,
        }
        optional = {
            "error_subcode": self.subcode,
            "is_transient": text.transient or None,
            "error_user_title": text.title or None,
            "error_user_msg": text.user_message or None,
        }
        error |= {name: value for name, value in optional.items() if value is not None}
        return {"error": error | {"fbtrace_id": trace}}


def gone(target: str) -> GraphError:
    """The error for an object that is unknown, removed or of another kind."""
    return GraphError(100, 33, target=target)
