"""Who is in which arm of an experiment: always the same for one author, whatever the event."""

from hashlib import blake2b

from rules.domain.event import Event
from rules.domain.model import Experiment

TREATMENT, HOLDOUT = "treatment", "holdout"


def arm(experiment: Experiment, event: Event) -> str:
    """Return the arm of the event's author (of the object, where a platform hides the author).

    Rules that share an experiment's name share the draw. A larger share keeps everyone who was in the treatment.
    """
    author = event.author_id or event.object
    key = f"experiment\x1f{event.brand}\x1f{experiment.name}\x1f{event.platform}\x1f{author}"
    drawn = int.from_bytes(blake2b(key.encode(), digest_size=6).digest()) / 2**48
    return TREATMENT if drawn < experiment.share else HOLDOUT
