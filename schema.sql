-- The tables of mediasync, and the views that anyone may query.
--
-- Read this file as the documentation of what is stored. It runs as it is in sqlite3 (3.38 or newer).
-- Query the views (sources, libraries, media_items, media_people, people, …): they show text ids and
-- readable times and stay as they are. The tables behind them are storage and may change with the version.
--
-- * Ids are text, "{source_id}:{remote_id}", stored and indexed. Inside, rows point at each other by integer
--   keys, which never leave the database.
-- * Times are integers, UTC, in milliseconds since 1970. The views show them as ISO 8601 text.
-- * A text that is missing is NULL, never ''; person.image_path and person.provider_ids, which every save
--   compares, are '' instead.

-- section: tables

-- Which schema this is. One row; a database of a newer version is refused, an older one is upgraded.
CREATE TABLE schema_version (
    version     INTEGER NOT NULL,
    upgraded_at INTEGER NOT NULL
);

-- One configured server or folder.
CREATE TABLE source (
    source_key  INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,      -- chosen by the user: "plex-home"
    kind        TEXT    NOT NULL,             -- plex, jellyfin, emby, kodi, nfo
    name        TEXT    NOT NULL,
    server_id   TEXT,                         -- the server's own id of itself
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);

-- A section of a source.
CREATE TABLE library (
    library_key INTEGER PRIMARY KEY,
    source_key  INTEGER NOT NULL REFERENCES source (source_key),
    id          TEXT    NOT NULL UNIQUE,      -- "plex-home:1"
    remote_id   TEXT    NOT NULL,             -- the source's own key
    title       TEXT    NOT NULL,
    kind        TEXT    NOT NULL,             -- movies, shows, mixed
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX library_of_source ON library (source_key);

-- Movies, shows, seasons and episodes.
CREATE TABLE media_item (
    item_key            INTEGER PRIMARY KEY,
    library_key         INTEGER NOT NULL REFERENCES library (library_key),
    parent_key          INTEGER REFERENCES media_item (item_key) ON DELETE CASCADE,
    id                  TEXT    NOT NULL UNIQUE,   -- fixed at first sight
    remote_id           TEXT    NOT NULL,          -- the source's current key
    media_type          TEXT    NOT NULL,          -- movie, show, season, episode
    title               TEXT    NOT NULL,
    original_title      TEXT,
    sort_title          TEXT,
    overview            TEXT,
    tagline             TEXT,
    year                INTEGER,
    premiere_date       TEXT,                      -- YYYY-MM-DD
    runtime_seconds     INTEGER,
    content_rating      TEXT,
    season_number       INTEGER,                   -- 0: specials
    episode_number      INTEGER,
    episode_number_end  INTEGER,                   -- the last one, if one item holds several
    imdb_id             TEXT,                      -- these three also stand in item_external_id
    tmdb_id             TEXT,
    tvdb_id             TEXT,
    path                TEXT,                      -- the file as the source names it
    added_at            INTEGER,                   -- when the source got it, where that time has a zone
    added_text          TEXT,                      -- the same, as the source wrote it, where it has none
    changed_at          INTEGER,                   -- when the source says that it changed
    changed_text        TEXT,
    completeness        TEXT    NOT NULL DEFAULT 'none'
                        CHECK (completeness IN ('none', 'preview', 'full')),
    item_fingerprint    TEXT,                      -- "{rule}:{hash}" of the fields in normal form
    credits_fingerprint TEXT,                      -- the same of the credit list; NULL: compare anew
    change_token        TEXT,                      -- what the source gives to tell whether it changed
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
);
CREATE INDEX media_item_of_library ON media_item (library_key, media_type);
CREATE INDEX media_item_of_parent ON media_item (parent_key) WHERE parent_key IS NOT NULL;
CREATE INDEX media_item_by_imdb ON media_item (imdb_id) WHERE imdb_id IS NOT NULL;
CREATE INDEX media_item_by_tmdb ON media_item (tmdb_id) WHERE tmdb_id IS NOT NULL;
CREATE INDEX media_item_by_tvdb ON media_item (tvdb_id) WHERE tvdb_id IS NOT NULL;

-- All ids of an item at public providers.
CREATE TABLE item_external_id (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    provider    TEXT    NOT NULL,             -- imdb, tmdb, tvdb, …
    value       TEXT    NOT NULL,
    PRIMARY KEY (item_key, provider)
) WITHOUT ROWID;
CREATE INDEX item_external_id_by_value ON item_external_id (provider, value);

CREATE TABLE item_genre (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    position    INTEGER NOT NULL,             -- in the source's order, from 0
    name        TEXT    NOT NULL,
    PRIMARY KEY (item_key, position)
) WITHOUT ROWID;
CREATE INDEX item_genre_by_name ON item_genre (name);

CREATE TABLE item_rating (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    position    INTEGER NOT NULL,             -- 0: the item's main rating
    name        TEXT    NOT NULL,             -- imdb, themoviedb, critics, …
    value       REAL    NOT NULL,             -- 0 to 10
    votes       INTEGER,
    PRIMARY KEY (item_key, position)
) WITHOUT ROWID;

-- Pictures as references: a path or tag at the source, or a public URL; never with a secret.
CREATE TABLE item_image (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,             -- poster, fanart, …
    path        TEXT    NOT NULL,
    PRIMARY KEY (item_key, kind)
) WITHOUT ROWID;

-- A human, as one source knows them.
CREATE TABLE person (
    person_key   INTEGER PRIMARY KEY,
    source_key   INTEGER NOT NULL REFERENCES source (source_key),
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    image_path   TEXT    NOT NULL DEFAULT '', -- a reference, as in item_image
    provider_ids TEXT    NOT NULL DEFAULT '', -- JSON: {"imdb":"nm0000206"}; '' for none
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE INDEX person_by_name ON person (name);
CREATE INDEX person_of_source ON person (source_key);

-- The words of people's names, accents and case folded, for search by the beginning of any word.
CREATE TABLE person_word (
    word        TEXT    NOT NULL,
    person_key  INTEGER NOT NULL REFERENCES person (person_key) ON DELETE CASCADE,
    PRIMARY KEY (word, person_key)
) WITHOUT ROWID;

-- Person × item × function × character. (item, person, type, role) is unique; that is kept by the normal
-- form every list is brought into before it is stored, and `mediasync check` proves it.
CREATE TABLE credit (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    sort_order  INTEGER NOT NULL,             -- billing order, 0 first, dense
    person_key  INTEGER NOT NULL REFERENCES person (person_key),
    person_type TEXT    NOT NULL,             -- actor, guest_star, director, writer, …
    role        TEXT,                         -- the character, or the crew job's own words
    PRIMARY KEY (item_key, sort_order)
) WITHOUT ROWID;
CREATE INDEX credit_of_person ON credit (person_key);

-- One sync of one source.
CREATE TABLE sync_run (
    run_key     INTEGER PRIMARY KEY,
    source_key  INTEGER NOT NULL REFERENCES source (source_key),
    status      TEXT    NOT NULL,             -- running, succeeded, failed, cancelled, interrupted
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    seen        INTEGER NOT NULL DEFAULT 0,   -- items the source named
    saved       INTEGER NOT NULL DEFAULT 0,
    unchanged   INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    error       TEXT                          -- why the run as a whole failed
);
CREATE INDEX sync_run_of_source ON sync_run (source_key, started_at);

-- What one sync could not read or store, or what people should know of it.
CREATE TABLE sync_run_problem (
    run_key     INTEGER NOT NULL REFERENCES sync_run (run_key) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    kind        TEXT    NOT NULL,             -- failure, problem, remark
    subject     TEXT    NOT NULL,             -- the item's id, or the file's name
    reason      TEXT    NOT NULL,
    PRIMARY KEY (run_key, position)
) WITHOUT ROWID;

-- section: views

CREATE VIEW sources AS
SELECT id, kind, name, server_id,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch') AS updated_at
FROM source;

CREATE VIEW libraries AS
SELECT l.id, s.id AS source_id, l.remote_id, l.title, l.kind,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM library l JOIN source s ON s.source_key = l.source_key;

CREATE VIEW media_items AS
SELECT i.id, s.id AS source_id, l.id AS library_id, p.id AS parent_id, i.remote_id, i.media_type,
       i.title, i.original_title, i.sort_title, i.overview, i.tagline, i.year, i.premiere_date,
       i.runtime_seconds, i.content_rating, i.season_number, i.episode_number, i.episode_number_end,
       i.imdb_id, i.tmdb_id, i.tvdb_id, i.path,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.added_at / 1000.0, 'unixepoch') AS added_at, i.added_text,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.changed_at / 1000.0, 'unixepoch') AS changed_at, i.changed_text,
       i.completeness,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM media_item i
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
LEFT JOIN media_item p ON p.item_key = i.parent_key;

CREATE VIEW people AS
SELECT p.id, s.id AS source_id, p.name,
       nullif(p.image_path, '') AS image_path,
       nullif(p.provider_ids, '') AS provider_ids,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM person p JOIN source s ON s.source_key = p.source_key;

CREATE VIEW media_people AS
SELECT i.id AS media_item_id, p.id AS person_id, c.person_type, c.role, c.sort_order
FROM credit c
JOIN media_item i ON i.item_key = c.item_key
JOIN person p ON p.person_key = c.person_key;

CREATE VIEW external_ids AS
SELECT i.id AS media_item_id, x.provider, x.value
FROM item_external_id x JOIN media_item i ON i.item_key = x.item_key;

CREATE VIEW genres AS
SELECT i.id AS media_item_id, g.name, g.position
FROM item_genre g JOIN media_item i ON i.item_key = g.item_key;

CREATE VIEW ratings AS
SELECT i.id AS media_item_id, r.name, r.value, r.votes, r.position
FROM item_rating r JOIN media_item i ON i.item_key = r.item_key;

CREATE VIEW images AS
SELECT i.id AS media_item_id, g.kind, g.path
FROM item_image g JOIN media_item i ON i.item_key = g.item_key;

CREATE VIEW sync_runs AS
SELECT r.run_key AS id, s.id AS source_id, r.status,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.started_at / 1000.0, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.finished_at / 1000.0, 'unixepoch') AS finished_at,
       r.seen, r.saved, r.unchanged, r.failed, r.error
FROM sync_run r JOIN source s ON s.source_key = r.source_key;

CREATE VIEW sync_run_problems AS
SELECT run_key AS run_id, position, kind, subject, reason
FROM sync_run_problem;
