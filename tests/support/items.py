"""Short names for the factories, and where their items are saved."""

from __future__ import annotations

from mediasync.testing.factories import make_cast as cast
from mediasync.testing.factories import make_credit as credit
from mediasync.testing.factories import make_episode as episode
from mediasync.testing.factories import make_movie as movie
from mediasync.testing.factories import make_person as person
from mediasync.testing.factories import make_season as season
from mediasync.testing.factories import make_show as show

__all__ = ["MOVIES", "SHOWS", "cast", "credit", "episode", "movie", "person", "season", "show"]

MOVIES = {"library_id": "movies", "source_id": "home"}
SHOWS = {"library_id": "shows", "source_id": "home"}
