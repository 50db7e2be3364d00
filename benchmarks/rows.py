"""The rows of the table: what each measures, how, and the value it must reach."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from typing import Any

from benchmarks import postgres, servers, starting, worker
from benchmarks.clock import median_ratio, percentile
from benchmarks.figures import Figure, Row, column
from benchmarks.lab import PROCESSES, SMALL_SHARE, Lab, Runs, remove
from benchmarks.loader import BATCH

_MOST_FILMS_WITH_EVENTS = 1_500
_FILMS_PER_EVENT = 50
"""The library of the row of events has so many films for each of them."""


def _loader(lab: Lab, row: Row) -> list[Figure]:
    runs = lab.saves()
    path = lab.path("loader-models")
    models = lab.call("load", path=str(path), movies=lab.movies, models="list")
    remove(path)
    size = f"{lab.movies:,} movies × 15, transactions of {BATCH}"
    return [
        _seconds("loader", f"the loader: cold, {size}", runs["loader cold"]),
        _seconds("loader-resync", "the loader: resync of the same", runs["loader resync"]),
        _seconds("loader-models", "the loader reading models instead of tuples: cold", [models]),
    ]


def _seconds(name: str, what: str, runs: list[dict[str, Any]]) -> Figure:
    walls = column(runs, "wall")
    detail = {"wall": walls, "cpu": column(runs, "cpu")}
    return Figure(name, what, statistics.median(walls), "s", detail=detail)


def _ratio(
    runs_name: str, divisor_name: str, measured: Callable[[Lab], Runs] = Lab.saves
) -> Callable[[Lab, Row], list[Figure]]:
    def measure(lab: Lab, row: Row) -> list[Figure]:
        runs = measured(lab)
        ours = column(runs[runs_name], "wall")
        theirs = column(runs[divisor_name], "wall")
        cpu = median_ratio(column(runs[runs_name], "cpu"), column(runs[divisor_name], "cpu"))
        return [row.figure(median_ratio(ours, theirs), cpu_ratio=cpu, wall=ours, loader_wall=theirs)]

    return measure


def _cpu(lab: Lab, row: Row) -> list[Figure]:
    ours, theirs = (column(lab.saves()[name], "cpu") for name in ("cold", "loader cold"))
    return [row.figure(median_ratio(ours, theirs), cpu=ours, loader_cpu=theirs)]


def _written(lab: Lab, row: Row) -> list[Figure]:
    path = lab.path("written")
    run = lab.call("rows_written", path=str(path), movies=lab.movies)
    remove(path)
    return [row.figure(run["ratio"], written=run["written"], differing=run["differing"])]


def _postgres(name: str, divisor: str) -> Callable[[Lab, Row], list[Figure]]:
    def measure(lab: Lab, row: Row) -> list[Figure]:
        runs = lab.postgres()
        ours, theirs = column(runs[name], "wall"), column(runs[divisor], "wall")
        return [row.figure(median_ratio(ours, theirs), wall=ours, other_wall=theirs)]

    return measure


def _postgres_processes(lab: Lab, row: Row) -> list[Figure]:
    runs = lab.postgres()
    many, one = (column(runs[f"{count} processes"], "per_second") for count in (PROCESSES, 1))
    return [row.figure(median_ratio(many, one), per_second=many, per_second_alone=one)]


def _scale(lab: Lab, row: Row) -> list[Figure]:
    runs = lab.scale()
    ratio = median_ratio(*(column(runs[side], "per_credit") for side in ("big", "small")))
    return [row.figure(ratio, **{f"{side}_wall": column(runs[side], "wall") for side in runs})]


def _memory(lab: Lab, row: Row) -> list[Figure]:
    path = lab.path("memory")
    run = lab.call("save_stream", path=str(path), movies=lab.big_movies)
    remove(path)
    return [row.figure(run["peak_mb"], before_mb=run["before_mb"], wall=run["wall"])]


def _read_aside(lab: Lab, row: Row) -> list[Figure]:
    rounds = [_read_aside_once(lab) for _ in range(lab.options.rounds)]
    floor, spare, both = ([sides[number] for sides in rounds] for number in range(3))
    return [
        row.figure(_median_rise(spare), **_reads(spare)),
        Figure(
            "read-aside-both",
            "the same while the sync may use both cores",
            _median_rise(both),
            detail=_reads(both),
        ),
        Figure(
            "read-aside-floor",
            "the same while the loader writes another file: the machine's own share",
            _median_rise(floor),
            detail=_reads(floor),
        ),
    ]


def _read_aside_once(lab: Lab) -> list[dict[str, Any]]:
    path = str(lab.copy_of_stored(lab.movies, "aside"))
    size = {"movies": lab.movies}
    # The floor is measured first: it must not see the libraries that the syncs add.
    floor = _read_beside(lab, path, "load_while_read", path=str(lab.path("aside-loader")), **size)
    syncing = [
        _read_beside(lab, path, "save_while_read", path=path, first=number * lab.movies, spare=spare, **size)
        for number, spare in enumerate((True, False), start=1)
    ]
    return [floor, *syncing]


def _read_beside(lab: Lab, read: str, task: str, **parameters: Any) -> dict[str, Any]:
    signals = str(lab.folder("signals"))
    reading = {"path": read, "movies": lab.movies, "rest_reads": lab.rest_reads, "signals": signals}
    reader, other = worker.call_together(("read_aside", reading), (task, {**parameters, "signals": signals}))
    rest, busy = (reader[when]["p99_ms"] for when in ("rest", "busy"))
    lab.say(f"  read_aside: p99 {rest:.2f} ms at rest, {busy:.2f} ms beside {task} ({other['wall']:.2f} s)")
    return reader


def _median_rise(rounds: list[dict[str, Any]]) -> float:
    return median_ratio(*([run[when]["p99_ms"] for run in rounds] for when in ("busy", "rest")))


def _read_within(lab: Lab, row: Row) -> list[Figure]:
    rounds = []
    for _ in range(lab.options.rounds):
        path = str(lab.copy_of_stored(lab.movies, "within"))
        size = {"movies": lab.movies, "first": lab.movies, "rest_reads": lab.rest_reads}
        rounds.append(lab.call("read_within", path=path, **size))
    reads = _reads(rounds)
    return [row.figure(reads["busy"]["p99_ms"], **reads)]


def _reads(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians over the rounds of the figures at rest and during the sync."""
    return {
        when: {key: statistics.median(run[when][key] for run in rounds) for key in rounds[0][when]}
        for when in ("rest", "busy")
    }


def _filmography(lab: Lab, row: Row) -> list[Figure]:
    result = lab.call("filmographies", path=str(lab.stored(lab.big_movies)))
    return [row.figure(result["popular"]["p50_ms"], **result)]


def _pages(lab: Lab, row: Row) -> list[Figure]:
    result = lab.call("read_pages", path=str(lab.stored(lab.big_movies)), movies=lab.big_movies)
    return [row.figure(result["slowest_ms"], **result)]


def _pages_postgres(lab: Lab, row: Row) -> list[Figure]:
    with postgres.server() as new_database:
        url = new_database("pages")
        lab.call("save_stream", path=url, movies=lab.big_movies)
        postgres.settle(url)
        result = lab.call("read_pages", path=url, movies=lab.big_movies)
    return [row.figure(result["slowest_ms"], **result)]


def _site(lab: Lab, row: Row) -> list[Figure]:
    path = str(lab.stored(lab.big_movies))
    result = lab.call("time_site", path=path, movies=lab.big_movies, calls=lab.page_calls)
    return [row.figure(result["slowest_ms"], **result)]


def _site_postgres(lab: Lab, row: Row) -> list[Figure]:
    with postgres.server() as new_database:
        url = new_database("site")
        lab.call("save_stream", path=url, movies=lab.big_movies)
        postgres.settle(url)
        result = lab.call("time_site", path=url, movies=lab.big_movies, calls=lab.page_calls)
    return [row.figure(result["slowest_ms"], **result)]


def _doctor(lab: Lab, row: Row) -> list[Figure]:
    path = lab.path("doctor")
    result = _examined(lab, str(path))
    remove(path)
    return [row.figure(result["slowest_ms"], **result)]


def _doctor_postgres(lab: Lab, row: Row) -> list[Figure]:
    with postgres.server() as new_database:
        result = _examined(lab, new_database("doctor"))
    return [row.figure(result["slowest_ms"], **result)]


def _examined(lab: Lab, path: str) -> dict[str, Any]:
    lab.call("fill_to_examine", path=path, movies=lab.big_movies)
    if "://" in path:
        postgres.settle(path)
    return lab.call("examine", path=path)


def _event_to_row(lab: Lab, row: Row) -> list[Figure]:
    movies = min(lab.movies, _MOST_FILMS_WITH_EVENTS)
    rounds = max(movies // _FILMS_PER_EVENT, 2)
    folder, paths = lab.path("event-folder"), [lab.path(f"event-{kind}") for kind in ("nfo", "webhook")]
    of_folder = lab.call(
        "folder_events", path=str(paths[0]), folder=str(folder), movies=movies, rounds=rounds
    )
    of_webhook = lab.call("webhooks", path=str(paths[1]), movies=movies, rounds=rounds)
    for path in paths:
        remove(path)
    shutil.rmtree(folder)
    runs = {"nfo": of_folder["seconds"], "webhook": of_webhook["seconds"]}
    return [row.figure(max(percentile(seconds, 95) for seconds in runs.values()), **runs)]


def _recipes(lab: Lab, row: Row) -> list[Figure]:
    path = lab.path("recipes")
    lab.call("save_recipes", path=str(path), credit_count=lab.options.big_credits)
    figure = _slowest(row, lab.call("time_recipes", path=str(path)))
    remove(path)
    return [figure]


def _recipes_postgres(lab: Lab, row: Row) -> list[Figure]:
    with postgres.server() as new_database:
        url = new_database("recipes")
        lab.call("save_recipes", path=url, credit_count=lab.options.big_credits)
        postgres.settle(url)
        return [_slowest(row, lab.call("time_recipes", path=url))]


def _slowest(row: Row, result: dict[str, Any]) -> Figure:
    return row.figure(max(recipe["ms"] for recipe in result["recipes"].values()), **result)


def _who(lab: Lab, row: Row) -> list[Figure]:
    return _who_figures(row, lab.call("ask_who", path=str(lab.stored(lab.big_movies)), movies=lab.big_movies))


def _who_postgres(lab: Lab, row: Row) -> list[Figure]:
    with postgres.server() as new_database:
        url = new_database("who")
        lab.call("save_stream", path=url, movies=lab.big_movies)
        postgres.settle(url)
        return _who_figures(row, lab.call("ask_who", path=url, movies=lab.big_movies))


def _who_figures(row: Row, result: dict[str, Any]) -> list[Figure]:
    what = "the slowest answer that reads all credits: who is credited most often, and in pairs"
    return [
        row.figure(result["one_ms"], **result),
        Figure(f"{row.name}-all", what, result["all_ms"], "ms"),
    ]


_CREDITS_PER_SEARCHED_ITEM = 10
_CREDITS_PER_SEARCHED_PERSON = 4
_SAVED_MEANWHILE = 20_000


def _search(lab: Lab, row: Row) -> list[Figure]:
    path = _searched(lab, str(lab.path("searched")))
    result = lab.call("search_typed", path=path, step=lab.typing_step)
    return [row.figure(result["p95_ms"], **result)]


def _search_within(lab: Lab, row: Row) -> list[Figure]:
    path = _searched(lab, str(lab.path("searched")))
    step = max(5, lab.typing_step)
    result = lab.call("search_typed", path=path, saves=_SAVED_MEANWHILE, step=step)
    return [row.figure(result["p95_ms"], **result)]


def _search_postgres(lab: Lab, row: Row) -> list[Figure]:
    with postgres.server() as new_database:
        url = _searched(lab, new_database("searched"))
        postgres.settle(url)
        result = lab.call("search_typed", path=url, step=lab.typing_step)
    return [row.figure(result["p95_ms"], **result)]


def _searched(lab: Lab, path: str) -> str:
    size = lab.options.big_credits
    lab.call(
        "save_searched",
        path=path,
        movies=size // _CREDITS_PER_SEARCHED_ITEM,
        people=size // _CREDITS_PER_SEARCHED_PERSON,
    )
    return path


def _log_share(of: str) -> Callable[[Lab, Row], list[Figure]]:
    def measure(lab: Lab, row: Row) -> list[Figure]:
        rounds = range(lab.options.rounds)
        found = [lab.call("log_share", path=str(lab.path("log")), movies=lab.movies)[of] for _ in rounds]
        return [row.figure(statistics.median(found))]

    return measure


def _history(of: str) -> Callable[[Lab, Row], list[Figure]]:
    def measure(lab: Lab, row: Row) -> list[Figure]:
        [found] = lab.once("history", _measure_history)["history"]
        return [row.figure(found[of], movies=found["movies"])]

    return measure


def _measure_history(lab: Lab) -> Runs:
    path = lab.path("history")
    movies = max(lab.movies // 10, 50)
    run = lab.call("history", path=str(path), movies=movies)
    remove(path)
    return {"history": [{**run, "movies": movies}]}


def _steps(lab: Lab, row: Row) -> list[Figure]:
    result = lab.call(
        "loop_steps", path=str(lab.path("steps")), movies=lab.movies, credit_count=lab.options.credits // 3
    )
    return [row.figure(max(found["max_ms"] for found in result.values()), **result)]


RIVALS = {
    "databases": ("`databases`, row by row as its documentation shows", 10),
    "orm": ("SQLAlchemy's asyncio ORM, merge", 10),
    "core": ("SQLAlchemy's asyncio Core, in bulk", 1),
}


def _rivals(lab: Lab, row: Row) -> list[Figure]:
    movies = lab.options.rival_movies
    figures = []
    for name, (what, fewer) in RIVALS.items():
        ran = max(movies // fewer, 1)
        path = lab.path(f"rival-{name}")
        run = lab.call("rival", name=name, path=str(path), movies=ran)
        remove(path)
        figures.append(_scaled(f"rival-{name}", what, run["wall"], ran, movies))
    for name, task in (("loader", "load"), ("mediasync", "save")):
        path = lab.path(f"rival-{name}")
        run = lab.call(task, path=str(path), movies=movies)
        remove(path)
        figures.append(_scaled(f"rival-{name}", f"{name}, for comparison", run["wall"], movies, movies))
    return figures


def _scaled(name: str, what: str, seconds: float, ran: int, movies: int) -> Figure:
    return Figure(
        name,
        f"{what}: {movies:,} movies × 15, cold",
        seconds * movies / ran,
        "s",
        scaled=ran != movies,
        detail={"ran_movies": ran, "wall": seconds},
    )


ROWS = (
    Row("loader", "the yardstick itself: the hand-written synchronous loader", _loader),
    Row("cold", "cold save through save_media_items ÷ the loader", _ratio("cold", "loader cold"), 0.9, 0.6),
    Row("cold-cpu", "the same in processor time", _cpu, 1.0, 0.7),
    Row(
        "cold-small",
        f"the same with {SMALL_SHARE:.0%} of the movies",
        _ratio("save", "load", Lab.small_saves),
        1.0,
        0.7,
    ),
    Row(
        "cold-floor",
        "the rows of that cold save, written by one executemany for each table ÷ the loader",
        _ratio("cold-floor", "loader cold"),
    ),
    Row(
        "cold-small-floor",
        "the same with the fewer movies",
        _ratio("cold-small-floor", "load", Lab.small_saves),
    ),
    Row(
        "cold-least",
        "the same, after making the rows from the models as a save makes them ÷ the loader",
        _ratio("cold-least", "loader cold"),
    ),
    Row(
        "cold-small-least",
        "the same with the fewer movies",
        _ratio("cold-small-least", "load", Lab.small_saves),
    ),
    Row(
        "stream",
        "cold save from a stream that builds the models ÷ the loader fed by the same stream",
        _ratio("stream", "loader stream"),
        0.9,
        0.6,
    ),
    Row(
        "tasks",
        "cold save by 1,000 tasks that each await save_media_item ÷ the loader",
        _ratio("tasks", "loader cold"),
        1.2,
        0.9,
    ),
    Row(
        "resync",
        "unchanged resync, no row written ÷ the loader's resync",
        _ratio("resync", "loader resync"),
        0.3,
        0.15,
    ),
    Row(
        "changed",
        "resync with 1 % of items changed ÷ the loader's resync",
        _ratio("changed", "loader resync"),
        0.35,
        0.2,
    ),
    Row(
        "written",
        "rows written by a resync with 1 % of items and of people changed ÷ rows of the views that differ",
        _written,
        1.5,
        1.1,
    ),
    Row("changes-cold", "share of a cold save that the change log takes", _log_share("cold"), 0.05, 0.03),
    Row(
        "changes-changed",
        "share of a resync with 1 % of items changed that the change log takes",
        _log_share("changed"),
        0.1,
        0.05,
    ),
    Row(
        "history-time",
        "share of 50 resyncs, each with 2 % of items changed, that the change log takes",
        _history("time"),
        0.1,
        0.05,
    ),
    Row(
        "history-disk",
        "size of the change log after them ÷ of everything else in the file",
        _history("disk"),
        0.25,
        0.15,
    ),
    Row(
        "read-aside",
        "read of one cast while another process syncs, p99 ÷ the same at rest",
        _read_aside,
        3,
        1.5,
    ),
    Row("read-within", "the same in the syncing process, p99", _read_within, 20, 10, "ms"),
    Row("steps", "the longest CPU time for which one step blocks the event loop", _steps, 20, 10, "ms"),
    Row(
        "postgres-cold",
        "PostgreSQL: cold save ÷ COPY into staging tables and one merge per table",
        _postgres("cold", "yardstick"),
        1.5,
        1.1,
    ),
    Row(
        "postgres-resync",
        "PostgreSQL: unchanged resync, no row written ÷ the same",
        _postgres("resync", "yardstick"),
        0.2,
        0.15,
    ),
    Row("postgres-sqlite", "cold save on PostgreSQL ÷ on SQLite", _postgres("cold", "sqlite")),
    Row(
        "postgres-processes",
        f"PostgreSQL: movies per second by {PROCESSES} processes ÷ by one",
        _postgres_processes,
    ),
    Row("rivals", "other ways from asyncio, for comparison", _rivals),
    *servers.ROWS,
    Row(
        "event-to-row",
        "from a changed NFO file, and from a webhook of Plex, to the committed row, p95",
        _event_to_row,
        2,
        1.5,
        "s",
    ),
    *starting.ROWS,
    Row("scale", "time per credit of the big library ÷ of a tenth of it", _scale, 1.3, 1.1, big=True),
    Row(
        "memory", "peak memory of a sync of the big library from a stream", _memory, 200, 120, "MB", big=True
    ),
    Row(
        "filmography",
        "filmography of one person in the big library, public views",
        _filmography,
        10,
        2,
        "ms",
        big=True,
    ),
    Row(
        "pages",
        "the slowest median of all calls that return a page, in the big library",
        _pages,
        20,
        10,
        "ms",
        big=True,
    ),
    Row("pages-postgres", "the same on PostgreSQL", _pages_postgres, 20, 10, "ms", big=True),
    Row(
        "site",
        "the slowest p95 of all pages of the website, in the big library",
        _site,
        50,
        25,
        "ms",
        big=True,
    ),
    Row("site-postgres", "the same on PostgreSQL", _site_postgres, 50, 25, "ms", big=True),
    Row(
        "doctor",
        "the slowest check of the doctor, at the size of the big library",
        _doctor,
        unit="ms",
        big=True,
    ),
    Row("doctor-postgres", "the same on PostgreSQL", _doctor_postgres, unit="ms", big=True),
    Row(
        "recipes",
        "the slowest of the recipes of plain SQL, in a big library of films and shows",
        _recipes,
        1_000,
        500,
        "ms",
        big=True,
    ),
    Row("recipes-postgres", "the same on PostgreSQL", _recipes_postgres, 1_000, 500, "ms", big=True),
    Row(
        "who",
        "the slowest answer about one or two people (filmography, find, costars) in the big library",
        _who,
        50,
        20,
        "ms",
        big=True,
    ),
    Row("who-postgres", "the same on PostgreSQL", _who_postgres, 50, 20, "ms", big=True),
    Row("search", "a search for what is typed so far, p95, 100,000 items", _search, 20, 10, "ms", big=True),
    Row("search-within", "the same in a process that saves", _search_within, 50, 20, "ms", big=True),
    Row("search-postgres", "the same at rest on PostgreSQL", _search_postgres, 20, 10, "ms", big=True),
)
