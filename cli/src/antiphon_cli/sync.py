"""Files and brand brought together: pull, diff and push, without a word to the terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from antiphon_cli.client import Refused
from antiphon_cli.directory import Directory
from antiphon_cli.documents import Document
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.meaning import digest
from antiphon_cli.plan import Difference, Plan, Remote, Status, Step, differences
from antiphon_cli.remote import BrandApi, restricted


@dataclass(frozen=True)
class Look:
    """Both sides as they were read."""

    files: Mapping[str, Document]
    remote: Mapping[str, Remote]
    met: Mapping[str, tuple[str, str]]

    @cached_property
    def here(self) -> dict[str, Mapping[str, Any]]:
        """Return what the files say."""
        return {key: document.data for key, document in self.files.items()}

    @cached_property
    def there(self) -> dict[str, Remote]:
        """Return what the brand says about what the files speak of."""
        return restricted(self.remote, self.here)

    @cached_property
    def differences(self) -> list[Difference]:
        """Return what is not the same."""
        return differences(self.here, self.there, self.met)

    def same(self) -> dict[str, tuple[str, str]]:
        """Return what both sides agree on, for the lock file; agreements of before stay where one side has changed since."""
        apart = {difference.key for difference in self.differences}
        agreed = {
            key: (digest(self.here[key]), digest(self.there[key].document))
            for key in self.here
            if key in self.there and key not in apart
        }
        return {key: pair for key, pair in self.met.items() if key in apart} | agreed


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did."""

    written: Sequence[Path]
    ahead: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Sync:
    """A folder and a brand. Every method raises Failure."""

    directory: Directory
    remote: BrandApi

    def look(self) -> Look:
        """Read both sides."""
        brand, met = self.directory.lock()
        if brand and brand != self.remote.brand:
            raise Failure(
                f"these files belong to the brand {brand!r}, not to {self.remote.brand!r}",
                "choose another folder, or remove antiphon.lock to use these files for another brand",
            )
        files = self.directory.read()
        archived = {key for key, document in files.items() if document.data.get("state") == "archived"}
        return Look(files, self.remote.read(archived), met)

    def pull(self, *, force: bool) -> Pulled:
        """Write what has changed there to the files. Files changed here stay; changed on both sides is a conflict."""
        look = self.look()
        if "brand" not in look.remote:
            raise Failure(f"there is no brand {self.remote.brand!r}", "check the spelling; a key sees only its own brands")
        wanted = [each for each in look.differences if force or each.status is Status.THERE]
        conflicts = [each.key for each in look.differences if each.status is Status.BOTH and not force]
        if conflicts:
            raise Failure(
                f"changed here and there: {', '.join(conflicts)}",
                "look with `antiphon rules diff`; `--force` takes the brand's and drops yours",
                code=Exit.CONFLICT,
            )
        fresh = {each.key: each.there.document if each.there else None for each in wanted}
        if "brand" not in look.here or (force and "brand" in fresh):
            fresh["brand"] = look.remote["brand"].document
        written = self.directory.write(fresh)
        self.directory.write_lock(self.remote.brand, self.look().same())
        return Pulled(written, [each for each in look.differences if each not in wanted])

    def push(self, look: Look, plan: Plan, done: Callable[[Step, Any], None]) -> None:
        """Carry the steps out one by one and tell each; what was done is kept in the lock file also when a later step fails."""
        met = look.same()
        try:
            for step in plan.steps:
                answer = self._apply(step)
                met.pop(step.key, None)
                if step.difference.here is not None:
                    met[step.key] = self._met(step.key, look)
                done(step, answer)
        finally:
            self.directory.write_lock(self.remote.brand, met)

    def _apply(self, step: Step) -> Any:
        try:
            return self.remote.apply(step)
        except Refused as refusal:
            if refusal.code is not Exit.CONFLICT:
                raise
            raise Failure(
                f"{step.key} was changed meanwhile {self.remote.who(step.key)}",
                "nothing of theirs was overwritten: `antiphon rules pull`, then push again",
                code=Exit.CONFLICT,
            ) from refusal

    def _met(self, key: str, look: Look) -> tuple[str, str]:
        now = restricted({key: self.remote.document(key)}, look.here)
        return digest(look.here[key]), digest(now[key].document)
