"""What the Graph API's error codes mean, as data. The code is the authority; the HTTP status is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from publisher.domain.model import Reason


class Remedy(StrEnum):
    """What an error asks of us."""

    REFUSE = "refuse"  # for good
    WAIT = "wait"  # nothing was done, the channel rests
    CREDENTIAL = "credential"  # nothing was done, and nothing will be with this credential
    DUPLICATE = "duplicate"  # the same text is there already
    UNCLEAR = "unclear"  # it may have been done


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """Codes `first` to `last`; with a subcode the row is only about that one, and goes before rows without."""

    first: int
    last: int
    remedy: Remedy
    reason: Reason = Reason.NONE
    subcode: int | None = None
    pause: float = 0.0


RATE_PAUSE = 60.0
"""Seconds of rest after a rate limit whose length the platform does not say; its windows slide by the minute."""

BLOCK_PAUSE = 900.0
"""Seconds of rest after a block for abuse: going on makes it longer."""


def _one(code: int, remedy: Remedy, reason: Reason = Reason.NONE, *, subcode: int | None = None, pause: float = 0.0) -> ErrorRow:
    return ErrorRow(code, code, remedy, reason, subcode, pause)


ERRORS: Sequence[ErrorRow] = (
    _one(1, Remedy.UNCLEAR),
    _one(2, Remedy.UNCLEAR),
    _one(4, Remedy.WAIT, pause=RATE_PAUSE),
    _one(17, Remedy.WAIT, pause=RATE_PAUSE),
    _one(32, Remedy.WAIT, pause=RATE_PAUSE),
    _one(341, Remedy.WAIT, pause=RATE_PAUSE),
    _one(613, Remedy.WAIT, pause=RATE_PAUSE),
    _one(80001, Remedy.WAIT, pause=RATE_PAUSE),
    _one(80002, Remedy.WAIT, pause=RATE_PAUSE),
    _one(80006, Remedy.WAIT, pause=RATE_PAUSE),
    _one(102, Remedy.CREDENTIAL, Reason.CREDENTIAL),
    _one(104, Remedy.CREDENTIAL, Reason.CREDENTIAL),
    _one(190, Remedy.CREDENTIAL, Reason.CREDENTIAL),
    _one(10, Remedy.REFUSE, Reason.UNREACHABLE_PERSON, subcode=2018278),
    _one(3, Remedy.REFUSE, Reason.PERMISSION),
    _one(10, Remedy.REFUSE, Reason.PERMISSION),
    ErrorRow(200, 299, Remedy.REFUSE, Reason.PERMISSION),
    _one(100, Remedy.REFUSE, Reason.TARGET_GONE, subcode=33),
    _one(100, Remedy.REFUSE, Reason.UNREACHABLE_PERSON, subcode=2018001),
    _one(100, Remedy.REFUSE, Reason.INVALID),
    _one(12, Remedy.REFUSE, Reason.UNSUPPORTED),
    _one(2500, Remedy.REFUSE, Reason.INVALID),
    _one(506, Remedy.DUPLICATE, Reason.DUPLICATE_CONTENT),
    _one(368, Remedy.REFUSE, Reason.POLICY, pause=BLOCK_PAUSE),
    _one(1609005, Remedy.REFUSE, Reason.POLICY),
    _one(551, Remedy.REFUSE, Reason.UNREACHABLE_PERSON),
    _one(10900, Remedy.REFUSE, Reason.ALREADY_DONE),
    _one(10902, Remedy.REFUSE, Reason.UNSUPPORTED),
    _one(10903, Remedy.REFUSE, Reason.UNREACHABLE_PERSON),
)

UNKNOWN_CLIENT_ERROR = ErrorRow(0, 0, Remedy.REFUSE, Reason.INVALID)
"""A code we do not know, with a 4xx status: the platform says that it did nothing."""

UNKNOWN_SERVER_ERROR = ErrorRow(0, 0, Remedy.UNCLEAR)
"""A code we do not know, with any other status: it may have been done."""


def row_for(code: int, subcode: int | None, status: int) -> ErrorRow:
    """Return what an error means; `status` counts only where the table is silent."""
    rows = [row for row in ERRORS if row.first <= code <= row.last and row.subcode in {None, subcode}]
    if rows:
        return next((row for row in rows if row.subcode is not None), rows[0])
    return UNKNOWN_CLIENT_ERROR if 400 <= status < 500 else UNKNOWN_SERVER_ERROR
