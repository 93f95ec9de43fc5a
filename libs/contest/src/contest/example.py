"""`python -m contest.example`: write the certificate that stands in `docs/examples/certificate.json`.

Its seed and entries come from counting, so that everybody gets the same file; a real seed comes from the system's
randomness, and real entries from people.
"""

import hashlib
import json
import sys
from datetime import datetime

from contest.certificate import Contest, make_certificate

SEED = hashlib.sha256(b"antiphon example seed").digest()
ENTRIES = [hashlib.sha256(f"antiphon example entry {number}".encode()).hexdigest() for number in range(40)]
DRAWN = datetime.fromisoformat("2026-04-01T10:00:00+02:00")
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
    return json.dumps(make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(example())
