"""What the app measures, in a registry of its own: several apps in one process do not mix."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediasync.models import PendingRemoval
from mediasync.reports import SourceSummary
from mediasync.vocabulary import RunStatus

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class StoredState:
    """What the database says about the sources.

    Attributes:
        sources: how much is stored of each.
        pending: the removals that wait for a confirmation.
    """

    sources: Sequence[SourceSummary]
    pending: Sequence[PendingRemoval]


class Metrics:
    """Measures the requests of one app.

    Args:
        is_public: whether everybody may read the metrics; else only those who may read the mirror.
    """

    def __init__(self, *, is_public: bool = False) -> None:
        self.is_public = is_public
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "mediasync_http_request_seconds",
            "Seconds until the answer to a request began, by the path of its route.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note a request.

        Args:
            method: its HTTP method.
            route: the path of its route with the names of parameters; never what the client sent.
            status: of the answer.
            seconds: until the answer began.
        """
        known = method if method in _METHODS else "other"
        self._seconds.labels(known, route, str(status)).observe(seconds)

    def render(self, state: StoredState, accept: str, *, syncs: int, streams: int) -> tuple[bytes, str]:
        """Return the metrics as Prometheus reads them, and their content type.

        Args:
            state: what the database says.
            accept: the header of the request.
            syncs: how many syncs are under way.
            streams: how many streams of events are open.
        """
        encode, content_type = choose_encoder(accept)
        families = [*_families(state, syncs, streams), *self._registry.collect()]
        return encode(_Collected(families)), content_type


class _Collected(CollectorRegistry):
    """Metrics that were collected already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        super().__init__()
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Yield them."""
        yield from self._families


def _families(state: StoredState, syncs: int, streams: int) -> Iterator[Metric]:
    counted = {
        "libraries": "Libraries of a source.",
        "items": "Items of a source that are shown.",
        "removed": "Items of a source that it no longer has and that are kept.",
        "people": "People of a source that are shown.",
        "credits": "Credits of the items of a source.",
    }
    for name, text in counted.items():
        family = GaugeMetricFamily(f"mediasync_{name}", text, labels=["source"])
        for one in state.sources:
            family.add_metric([one.source.id], getattr(one, name))
        yield family
    yield from _last_runs(state.sources)
    pending = GaugeMetricFamily(
        "mediasync_pending_removals", "Items whose removal waits for a confirmation.", labels=["source"]
    )
    waiting = Counter({one.source.id: 0 for one in state.sources})
    for removal in state.pending:
        waiting[removal.source_id] += removal.items
    for source_id, items in waiting.items():
        pending.add_metric([source_id], items)
    yield pending
    yield GaugeMetricFamily("mediasync_syncs_running", "Syncs that this process runs.", value=syncs)
    yield GaugeMetricFamily("mediasync_streams_open", "Streams of events that are open.", value=streams)


def _last_runs(sources: Sequence[SourceSummary]) -> Iterator[Metric]:
    status = GaugeMetricFamily(
        "mediasync_last_run_status",
        "1 for the status of the newest run of a whole source, 0 for the others.",
        labels=["source", "status"],
    )
    ended = GaugeMetricFamily(
        "mediasync_last_run_end_timestamp_seconds",
        "When the newest run of a whole source ended.",
        labels=["source"],
    )
    lasted = GaugeMetricFamily(
        "mediasync_last_run_duration_seconds",
        "How long the newest run of a whole source took.",
        labels=["source"],
    )
    failed = GaugeMetricFamily(
        "mediasync_last_run_failed_items",
        "Items that the newest run of a whole source could not save.",
        labels=["source"],
    )
    for one in sources:
        run = one.last_run
        if run is None:
            continue
        for each in RunStatus:
            status.add_metric([one.source.id, each.replace(" ", "_")], float(run.status is each))
        failed.add_metric([one.source.id], run.failed)
        if run.finished_at is not None:
            ended.add_metric([one.source.id], run.finished_at.timestamp())
            lasted.add_metric([one.source.id], (run.finished_at - run.started_at).total_seconds())
    yield from (status, ended, lasted, failed)


class Measured:
    """Notes each request of an app.

    Args:
        app: the app.
        metrics: where they are noted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        noted = False

        async def send_and_note(message: Message) -> None:
            nonlocal noted
            if message["type"] == "http.response.start" and not noted:
                noted = True
                seconds = time.perf_counter() - began
                self._metrics.note(scope["method"], _path_of(scope), message["status"], seconds)
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            if not noted:
                seconds = time.perf_counter() - began
                self._metrics.note(scope["method"], _path_of(scope), 500, seconds)
            raise


def _path_of(scope: Scope) -> str:
    route = scope.get("route")
    return route.path if isinstance(route, Route | Mount) else "none"
