"""A brand's configuration as files: `brand.yaml`, `channels.yaml`, a folder for each other kind, and what they last met."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon_cli.documents import Document, dump, read
from antiphon_cli.errors import Failure
from antiphon_cli.plan import Met

LOCK = "antiphon.lock"
_LOCK_HEADER = "# What these files and the brand said when they last met. Written by antiphon; commit it with the files.\n"
_FOLDERS = ("rules", "segments", "topics", "links", "campaigns")
_CHANNELS = "channels.yaml"


@dataclass(frozen=True, slots=True)
class Directory:
    """A folder of files."""

    path: Path

    def read(self) -> dict[str, Document]:
        """Return every document by key. Raises Failure at the first file that cannot be read."""
        found: dict[str, Document] = {}
        if (brand := self.path / "brand.yaml").exists():
            found["brand"] = _mapping(read(brand))
        if (channels := self.path / _CHANNELS).exists():
            found |= _channels(_mapping(read(channels)))
        for key, path in self._files():
            found[key] = _named(_mapping(read(path)), path.stem)
        return found

    def keys(self) -> list[str]:
        """Return the keys of all that has a file of its own, by the files' names; nothing is read, so none can be broken."""
        return [key for key, _ in self._files()]

    def _files(self) -> Iterator[tuple[str, Path]]:
        for folder in _FOLDERS:
            for path in sorted((self.path / folder).glob("*.yaml")):
                yield f"{folder}/{path.stem}", path

    def lock(self) -> tuple[str, dict[str, tuple[str, str]]]:
        """Return the brand of the files (empty: never pulled) and what was met. Raises Failure."""
        path = self.path / LOCK
        if not path.exists():
            return "", {}
        data = _mapping(read(path)).data
        met = data.get("met") or {}
        return str(data.get("brand", "")), {str(key): _pair(str(value)) for key, value in met.items()}

    def write_lock(self, brand: str, met: Met) -> None:
        """Keep what was met."""
        lines = {key: here if here == there else f"{here} {there}" for key, (here, there) in sorted(met.items())}
        text = _LOCK_HEADER + f"brand: {brand}\nmet:\n" + "".join(f"  {key}: '{value}'\n" for key, value in lines.items())
        _replace(self.path / LOCK, text)

    def write(self, documents: Mapping[str, Mapping[str, Any] | None]) -> list[Path]:
        """Write documents to their files, remove those that are None; return the files that changed."""
        changed = []
        channels = {key: document for key, document in documents.items() if key.startswith("channels/")}
        if channels:
            changed.append(self._write_channels(channels))
        for key, document in documents.items():
            if key not in channels:
                path = self.path / f"{key}.yaml"
                changed.append(path)
                if document is None:
                    path.unlink(missing_ok=True)
                else:
                    _replace(path, _header(path) + dump(document))
        return changed

    def _write_channels(self, changed: Mapping[str, Mapping[str, Any] | None]) -> Path:
        path = self.path / _CHANNELS
        now = {key: document.data for key, document in self.read().items() if key.startswith("channels/")} | dict(changed)
        kept = {key.partition("/")[2]: document for key, document in sorted(now.items()) if document is not None}
        _replace(path, _header(path) + dump(kept))
        return path


def project(path: Path) -> Directory:
    """Return the folder of a brand's files that a path belongs to: a rule's file, the folder `rules`, or that folder itself."""
    if (path / "rules").is_dir():
        return Directory(path)
    folder = (path if path.is_dir() else path.parent).resolve()
    return Directory(folder.parent if folder.name == "rules" else folder)


def rule_documents(paths: Iterable[Path]) -> list[Document]:
    """Return the rules in files, in the `rules` of folders, or in folders of rule files. Raises Failure when there is none."""
    found = []
    for path in paths:
        if path.is_dir():
            folder = path / "rules" if (path / "rules").is_dir() else path
            found += [_mapping(read(file)) for file in sorted(folder.glob("*.yaml"))]
        else:
            found.append(_mapping(read(path)))
    if not found:
        raise Failure("there are no rule files", "give a rule's file, or a folder that `antiphon rules pull` has filled")
    return found


def _mapping(document: Document) -> Document:
    if isinstance(document.data, dict):
        return document
    raise Failure(f"{document.path}: not a mapping of names to values", "one file holds one rule: `id: …`, `then: …`")


def _named(document: Document, stem: str) -> Document:
    told = document.data.get("id")
    if told != stem:
        raise Failure(
            f"{document.place('/id')}: the id is {told!r} and the file is named {stem!r}",
            f"name the file {told}.yaml, or write `id: {stem}`",
        )
    return document


def _channels(document: Document) -> dict[str, Document]:
    found = {}
    for name, data in document.data.items():
        lines = {
            pointer.removeprefix(f"/{name}"): line
            for pointer, line in document.lines.items()
            if pointer == f"/{name}" or pointer.startswith(f"/{name}/")
        }
        found[f"channels/{name}"] = _mapping(Document(document.path, data, lines))
    return found


def _pair(value: str) -> tuple[str, str]:
    here, _, there = value.partition(" ")
    return here, there or here


def _header(path: Path) -> str:
    """Return the comment at the top of a file, which is about the file and not about what is in it."""
    if not path.exists():
        return ""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    end = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[:end])


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
