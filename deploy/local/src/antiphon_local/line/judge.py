"""The end of a run: what happened, and whether it is what must happen."""

from dataclasses import dataclass
from typing import Any

from antiphon_local.line.tally import Tally, percentiles


@dataclass(frozen=True, slots=True)
class Summary:
    """What `var/run/summary.json` holds. Latencies in ms from the platform's time of the comment to
    the posted reply; `rss_mb` is the peak memory of each process."""

    accepted: int
    events: int
    duplicates: int
    decisions: dict[str, int]
    actions: int
    posted: int
    failed: int
    suppressed: int
    parked: int
    lost: int
    double_posts: int
    latency_ms: dict[str, float]
    wall_s: float
    rss_mb: dict[str, float]
    complaints: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the summary as JSON's types, percentiles at the top level too."""
        return {
            "accepted": self.accepted,
            "events": self.events,
            "duplicates": self.duplicates,
            "decisions": self.decisions,
            "actions": self.actions,
            "posted": self.posted,
            "failed": self.failed,
            "suppressed": self.suppressed,
            "parked": self.parked,
            "lost": self.lost,
            "double_posts": self.double_posts,
            **{f"{name}_ms": value for name, value in self.latency_ms.items()},
            "wall_s": self.wall_s,
            "rss_mb": self.rss_mb,
            "complaints": list(self.complaints),
        }


def judge(tally: Tally, simulator: dict[str, Any], *, fed: int, wall_s: float, rss_mb: dict[str, float]) -> Summary:
    """Compare what the topics say with what the simulated platforms saw; `fed` is the number of comments written."""
    fates = tally.fates()
    doubles = simulator["comments_answered_twice"] + simulator["comments_private_replied_twice"]
    accepted = min(fed, simulator["accepted_comments"])
    lost = max(0, accepted - tally.heard()) + tally.undecided()
    complaints = {
        f"{lost} accepted comments have no decision": lost,
        f"{fed - accepted} comments were not accepted": fed - accepted,
        f"{tally.contradictions} events were decided in two ways": tally.contradictions,
        f"{fates['open']} actions have no end": fates["open"],
        f"{doubles} comments were answered twice": doubles,
    }
    return Summary(
        accepted=accepted,
        events=len(tally.events),
        duplicates=tally.duplicates,
        decisions=dict(sorted(tally.outcomes.items())),
        actions=len(tally.actions),
        posted=fates["posted"],
        failed=fates["failed"],
        suppressed=fates["suppressed"] + fates["shadowed"] + fates["rejected"],
        parked=fates["parked"],
        lost=lost,
        double_posts=doubles,
        latency_ms=percentiles(tally.latencies_ms),
        wall_s=round(wall_s, 1),
        rss_mb=rss_mb,
        complaints=tuple(text for text, count in complaints.items() if count),
    )
