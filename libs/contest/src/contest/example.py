"""`python -m contest.example`: write the certificate that stands in `docs/examples/certificate.json`.

Its seed and entries come from counting, so that everybody gets the same file; a real seed comes from the system's
randomness, and real entries from people.
"""

import hashlib
import json
import sys
from datetime import datetime

from contest.certificate import Contest, make_certificate

_ENTRIES = 40

CONTEST = Contest(
    brand="acme",
    campaign="summer-ugc",
    published=datetime.fromisoformat("2026-02-27T10:00:00+01:00"),
    closed=datetime.fromisoformat("2026-04-01T00:00:00+02:00"),
    winners=3,
    alternates=3,
)


def example() -> str:
    """Return the file."""
    seed = hashlib.sha256(b"antiphon example seed").digest()
    entries = [hashlib.sha256(f"antiphon example entry {number}".encode()).hexdigest() for number in range(_ENTRIES)]
    at = datetime.fromisoformat("2026-04-01T10:00:00+02:00")
    return json.dumps(make_certificate(CONTEST, seed, entries, at=at), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(example())
