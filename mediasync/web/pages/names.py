"""The names of sources and libraries, which several pages show."""

from __future__ import annotations

from dataclasses import dataclass

from mediasync.models import Library, Source
from mediasync.web.site import Site


@dataclass(frozen=True, slots=True)
class Names:
    """All sources and libraries.

    Attributes:
        sources: by id.
        libraries: by full id.
    """

    sources: dict[str, Source]
    libraries: dict[str, Library]

    def source(self, source_id: str) -> str:
        """Return the name of a source."""
        known = self.sources.get(source_id)
        return known.name if known and known.name else source_id

    def library(self, library_id: str) -> str:
        """Return the title of a library."""
        known = self.libraries.get(library_id)
        return known.title if known and known.title else library_id


async def find_names(site: Site) -> Names:
    """Return the names of all sources and libraries."""
    sources = await site.ms.media.list_sources()
    libraries = await site.ms.media.list_libraries()
    return Names({one.id: one for one in sources}, {one.full_id: one for one in libraries})
