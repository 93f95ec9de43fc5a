"""The use case of checking a whole audit chain."""

from dataclasses import dataclass

from rules.audit import GENESIS, AuditEntry, first_broken
from rules.ports import ConfigStore

_PAGE = 500
"""Entries held at a time: a chain of years must not be read into memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a chain holds; with `first_broken` the entries before it were counted."""

    entries: int
    first_broken: int | None
    last_hash: str

    @property
    def intact(self) -> bool:
        """Tell whether nothing is broken."""
        return self.first_broken is None


async def verify(store: ConfigStore, brand: str) -> Verdict:
    """Check the chain of a brand (or of the installation) from its first entry. Raises Transient."""
    last: AuditEntry | None = None
    while True:
        after = last.sequence if last else 0
        page = await store.audit(brand, after, _PAGE)
        broken = first_broken(page, after=last)
        if broken is not None:
            return Verdict(entries=broken - 1, first_broken=broken, last_hash=_hash(last))
        last = page[-1] if page else last
        if len(page) < _PAGE:
            return Verdict(entries=last.sequence if last else 0, first_broken=None, last_hash=_hash(last))


def _hash(last: AuditEntry | None) -> str:
    return last.hash if last else GENESIS
