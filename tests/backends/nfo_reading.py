"""Reads a whole folder in a test."""

from dataclasses import dataclass, field

from mediasync.backends.base import Enumerated, Finding, Found, NothingStored, Remark, Unchanged, Unreadable
from mediasync.backends.nfo import NfoBackend
from mediasync.models import Library, MediaItem, Source


@dataclass
class Reading:
    """What was read: the libraries, all findings in order, and how each library ended."""

    libraries: list[Library] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    library_of: dict[str, str] = field(default_factory=dict)
    enumerated: dict[str, Enumerated] = field(default_factory=dict)

    @property
    def items(self) -> dict[str, MediaItem]:
        return {found.item.remote_id: found.item for found in self.findings if isinstance(found, Found)}

    @property
    def problems(self) -> dict[str, tuple[str, ...]]:
        found = (finding for finding in self.findings if isinstance(finding, Found))
        return {finding.item.remote_id: finding.problems for finding in found if finding.problems}

    @property
    def unreadable(self) -> dict[str, str]:
        return {found.remote_id: found.reason for found in self.findings if isinstance(found, Unreadable)}

    @property
    def failed(self) -> dict[str, str]:
        """Why items could not be read, or only in part."""
        return {
            found.item.remote_id if isinstance(found, Found) else found.remote_id: (
                found.failure if isinstance(found, Found) else found.reason
            )
            for found in self.findings
            if isinstance(found, Unreadable) or (isinstance(found, Found) and found.failure)
        }

    @property
    def remarks(self) -> dict[str, str]:
        return {found.subject: found.text for found in self.findings if isinstance(found, Remark)}

    @property
    def unchanged(self) -> list[str]:
        return [found.remote_id for found in self.findings if isinstance(found, Unchanged)]

    @property
    def tokens(self) -> dict[str, str]:
        return {key: item.change_token for key, item in self.items.items() if item.change_token}


def make_backend(root, **options) -> NfoBackend:
    return NfoBackend(root, source=Source(id="folder", kind="nfo"), **options)


async def read(root, known=None, **options) -> Reading:
    """Read every library of *root*; an item that is named twice fails the test."""
    backend = make_backend(root, **options)
    reading = Reading()
    named: set[str] = set()
    async with backend.open():
        reading.libraries = await backend.fetch_libraries()
        for library in reading.libraries:
            async for finding in backend.iter_items(library, NothingStored(known or {})):
                assert library.id not in reading.enumerated, "nothing comes behind the end"
                if isinstance(finding, Enumerated):
                    reading.enumerated[library.id] = finding
                    continue
                reading.findings.append(finding)
                if isinstance(finding, Found):
                    key = finding.item.remote_id
                    reading.library_of[key] = library.id
                elif isinstance(finding, Unchanged | Unreadable):
                    key = finding.remote_id
                else:
                    continue
                assert key not in named, f"{key} was named twice"
                named.add(key)
            assert library.id in reading.enumerated
    return reading


def people(item: MediaItem) -> list[tuple[str, str, str | None]]:
    assert item.credits is not None
    assert [credit.sort_order for credit in item.credits] == list(range(len(item.credits)))
    return [(str(credit.person_type), credit.person.name, credit.role) for credit in item.credits]


def write(root, files):
    """Create files below *root* from their text or bytes by path."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


def movie(title, extra=""):
    return f"<movie><title>{title}</title><year>2000</year>{extra}</movie>"


def episode(title, season=None, number=None, extra=""):
    numbers = "" if season is None else f"<season>{season}</season><episode>{number}</episode>"
    return f"<episodedetails><title>{title}</title>{numbers}{extra}</episodedetails>"


def actor(name, role="", **fields):
    extra = "".join(f"<{key}>{value}</{key}>" for key, value in fields.items())
    return f"<actor><name>{name}</name><role>{role}</role>{extra}</actor>"
