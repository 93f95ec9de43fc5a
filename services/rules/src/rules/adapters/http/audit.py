"""Routes of the audit log: each brand's chain, and the one of what concerns no single brand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from antiphon.auth import ALL_BRANDS, Admin, Principal
from antiphon.problems import Problem
from rules.adapters.http.bodies import BrandViewer, Limit, Out, StrictRoute
from rules.audit import AuditEntry, first_broken
from rules.configuration import ConfigurationService
from rules.entities import INSTALLATION
from rules.ports import ConfigStore
from rules.verification import Verdict, verify

After = Annotated[int, Query(ge=0, description="`next` of the page before")]


class EntryOut(Out):
    """An audit entry with its place in the hash chain."""

    sequence: int
    time: datetime
    actor: str
    action: str
    target: str
    generation: int
    detail: Mapping[str, Any]
    previous: str
    hash: str


class Audit(Out):
    """A page of the audit log; `intact` tells whether the chain holds within the page."""

    items: list[EntryOut]
    intact: bool
    next: int | None


class VerdictOut(Out):
    """Whether a whole chain holds: its length, the first broken place if any, and the last hash.

    Whoever notes length and hash elsewhere can later tell whether the end was cut off.
    """

    intact: bool
    entries: int
    first_broken: int | None
    last_hash: str


def _everywhere(by: Admin) -> Principal:
    if ALL_BRANDS not in by.brands:
        raise Problem(403, "forbidden", "The installation's audit log needs a key for all brands.")
    return by


InstallationAdmin = Annotated[Principal, Depends(_everywhere)]


def audit_routes(configuration: ConfigurationService, store: ConfigStore) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["audit"])

    @router.get("/brands/{brand}/audit")
    async def read_audit(scope: BrandViewer, after: After = 0, limit: Limit = 50) -> Audit:
        await configuration.brand(scope.brand)
        return await _page(store, scope.brand, after, limit)

    @router.get("/brands/{brand}/audit:verify")
    async def verify_audit(scope: BrandViewer) -> VerdictOut:
        await configuration.brand(scope.brand)
        return _verdict(await verify(store, scope.brand))

    @router.get("/audit")
    async def read_installation_audit(_by: InstallationAdmin, after: After = 0, limit: Limit = 50) -> Audit:
        return await _page(store, INSTALLATION, after, limit)

    @router.get("/audit:verify")
    async def verify_installation_audit(_by: InstallationAdmin) -> VerdictOut:
        return _verdict(await verify(store, INSTALLATION))

    return router


async def _page(store: ConfigStore, brand: str, after: int, limit: int) -> Audit:
    # One more in front, so that the first entry of the page is checked against the one before it.
    found = await store.audit(brand, max(0, after - 1), limit + (after > 0))
    before = found[0] if after and found and found[0].sequence == after else None
    entries = found[1:] if before else found
    return Audit(
        items=[_entry(entry) for entry in entries],
        intact=first_broken(entries, after=before) is None,
        next=entries[-1].sequence if len(entries) == limit else None,
    )


def _entry(entry: AuditEntry) -> EntryOut:
    note = {name: getattr(entry.note, name) for name in ("time", "actor", "action", "target", "generation", "detail")}
    return EntryOut(**note, sequence=entry.sequence, previous=entry.previous, hash=entry.hash)


def _verdict(verdict: Verdict) -> VerdictOut:
    return VerdictOut.model_validate(verdict)
