-- Schema 1 of mediasync, filled: the first version, without person_word, item_rating and the view of ratings.
-- Tests upgrade a database made of it. It is never changed.

CREATE TABLE schema_version (
    version     INTEGER NOT NULL,
    upgraded_at INTEGER NOT NULL
);

CREATE TABLE source (
    source_key  INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    server_id   TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);

CREATE TABLE library (
    library_key INTEGER PRIMARY KEY,
    source_key  INTEGER NOT NULL REFERENCES source (source_key),
    id          TEXT    NOT NULL UNIQUE,
    remote_id   TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);

CREATE INDEX library_of_source ON library (source_key);

CREATE TABLE media_item (
    item_key            INTEGER PRIMARY KEY,
    library_key         INTEGER NOT NULL REFERENCES library (library_key),
    parent_key          INTEGER REFERENCES media_item (item_key) ON DELETE CASCADE,
    id                  TEXT    NOT NULL UNIQUE,
    remote_id           TEXT    NOT NULL,
    media_type          TEXT    NOT NULL,
    title               TEXT    NOT NULL,
    original_title      TEXT,
    sort_title          TEXT,
    overview            TEXT,
    tagline             TEXT,
    year                INTEGER,
    premiere_date       TEXT,
    runtime_seconds     INTEGER,
    content_rating      TEXT,
    season_number       INTEGER,
    episode_number      INTEGER,
    episode_number_end  INTEGER,
    imdb_id             TEXT,
    tmdb_id             TEXT,
    tvdb_id             TEXT,
    path                TEXT,
    added_at            INTEGER,
    added_text          TEXT,
    changed_at          INTEGER,
    changed_text        TEXT,
    completeness        TEXT    NOT NULL DEFAULT 'none'
                        CHECK (completeness IN ('none', 'preview', 'full')),
    item_fingerprint    TEXT,
    credits_fingerprint TEXT,
    change_token        TEXT,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
);

CREATE INDEX media_item_of_library ON media_item (library_key, media_type);

CREATE INDEX media_item_of_parent ON media_item (parent_key) WHERE parent_key IS NOT NULL;

CREATE INDEX media_item_by_imdb ON media_item (imdb_id) WHERE imdb_id IS NOT NULL;

CREATE INDEX media_item_by_tmdb ON media_item (tmdb_id) WHERE tmdb_id IS NOT NULL;

CREATE INDEX media_item_by_tvdb ON media_item (tvdb_id) WHERE tvdb_id IS NOT NULL;

CREATE TABLE item_external_id (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    provider    TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    PRIMARY KEY (item_key, provider)
) WITHOUT ROWID;

CREATE INDEX item_external_id_by_value ON item_external_id (provider, value);

CREATE TABLE item_genre (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    PRIMARY KEY (item_key, position)
) WITHOUT ROWID;

CREATE INDEX item_genre_by_name ON item_genre (name);

CREATE TABLE item_image (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    PRIMARY KEY (item_key, kind)
) WITHOUT ROWID;

CREATE TABLE person (
    person_key   INTEGER PRIMARY KEY,
    source_key   INTEGER NOT NULL REFERENCES source (source_key),
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    image_path   TEXT    NOT NULL DEFAULT '',
    provider_ids TEXT    NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);

CREATE INDEX person_by_name ON person (name);

CREATE INDEX person_of_source ON person (source_key);

CREATE TABLE credit (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    sort_order  INTEGER NOT NULL,
    person_key  INTEGER NOT NULL REFERENCES person (person_key),
    person_type TEXT    NOT NULL,
    role        TEXT,
    PRIMARY KEY (item_key, sort_order)
) WITHOUT ROWID;

CREATE INDEX credit_of_person ON credit (person_key);

CREATE TABLE sync_run (
    run_key     INTEGER PRIMARY KEY,
    source_key  INTEGER NOT NULL REFERENCES source (source_key),
    status      TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    seen        INTEGER NOT NULL DEFAULT 0,
    saved       INTEGER NOT NULL DEFAULT 0,
    unchanged   INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    error       TEXT
);

CREATE INDEX sync_run_of_source ON sync_run (source_key, started_at);

CREATE TABLE sync_run_problem (
    run_key     INTEGER NOT NULL REFERENCES sync_run (run_key) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    PRIMARY KEY (run_key, position)
) WITHOUT ROWID;

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

INSERT INTO schema_version VALUES (1, 1700000000000);
INSERT INTO source (source_key, id, kind, name, created_at, updated_at)
VALUES (1, 'home', 'jellyfin', 'Home', 1700000000123, 1700000000123);
INSERT INTO library (library_key, source_key, id, remote_id, title, kind, created_at, updated_at)
VALUES (1, 1, 'home:movies', 'movies', 'Movies', 'movies', 1700000000123, 1700000000123);
INSERT INTO library (library_key, source_key, id, remote_id, title, kind, created_at, updated_at)
VALUES (2, 1, 'home:shows', 'shows', 'Shows', 'shows', 1700000000123, 1700000000123);
INSERT INTO media_item (item_key, library_key, id, remote_id, media_type, title, year, imdb_id, tmdb_id, path, added_at, completeness, item_fingerprint, credits_fingerprint, change_token, created_at, updated_at)
VALUES (1, 1, 'home:603', '603', 'movie', 'The Matrix', 1999, 'tt0133093', '603', '/films/The Matrix.mkv', 1582977600000, 'full', '1:2baabed8d3cd78fea4336ba34b9b1bd0', '1:6702468969371815e3c7860c5085e17d', 't1', 1700000000123, 1700000000123);
INSERT INTO media_item (item_key, library_key, id, remote_id, media_type, title, year, added_text, completeness, item_fingerprint, credits_fingerprint, created_at, updated_at)
VALUES (2, 1, 'home:194', '194', 'movie', 'Amélie', 2001, '2001-04-25 20:00:00', 'preview', '1:4835dc9618e22ffa0ea9511ee1c75399', '1:3372d6550d4f769ccccc187f2a1caf3b', 1700000000123, 1700000000123);
INSERT INTO media_item (item_key, library_key, id, remote_id, media_type, title, completeness, item_fingerprint, created_at, updated_at)
VALUES (3, 2, 'home:s', 's', 'show', 'The Show', 'none', '1:049e4d513fdb3bd008a7e0bde58df9ab', 1700000000123, 1700000000123);
INSERT INTO media_item (item_key, library_key, parent_key, id, remote_id, media_type, title, season_number, completeness, item_fingerprint, created_at, updated_at)
VALUES (4, 2, 3, 'home:s-1', 's-1', 'season', 'Season s-1', 1, 'none', '1:3e693194f30235931dc8a43322e54a14', 1700000000123, 1700000000123);
INSERT INTO media_item (item_key, library_key, parent_key, id, remote_id, media_type, title, season_number, episode_number, completeness, item_fingerprint, credits_fingerprint, created_at, updated_at)
VALUES (5, 2, 4, 'home:s-1-1', 's-1-1', 'episode', 'Episode s-1-1', 1, 1, 'full', '1:0614e89ae88e1a885fcd7a90e0102565', '1:1a0e18df0bd81a7cc5f79a1f6f70621b', 1700000000123, 1700000000123);
INSERT INTO item_external_id (item_key, provider, value)
VALUES (1, 'imdb', 'tt0133093');
INSERT INTO item_external_id (item_key, provider, value)
VALUES (1, 'tmdb', '603');
INSERT INTO item_genre (item_key, position, name)
VALUES (1, 0, 'Action');
INSERT INTO item_genre (item_key, position, name)
VALUES (1, 1, 'Science Fiction');
INSERT INTO item_image (item_key, kind, path)
VALUES (1, 'poster', 'p/603.jpg');
INSERT INTO person (person_key, source_key, id, name, image_path, provider_ids, created_at, updated_at)
VALUES (1, 1, 'home:2975', 'Laurence Fishburne', '', '', 1700000000123, 1700000000123);
INSERT INTO person (person_key, source_key, id, name, image_path, provider_ids, created_at, updated_at)
VALUES (2, 1, 'home:6384', 'Keanu Reeves', 'p/6384.jpg', '{"imdb":"nm0000206"}', 1700000000123, 1700000000123);
INSERT INTO person (person_key, source_key, id, name, image_path, provider_ids, created_at, updated_at)
VALUES (3, 1, 'home:9339', 'Lana Wachowski', '', '', 1700000000123, 1700000000123);
INSERT INTO person (person_key, source_key, id, name, image_path, provider_ids, created_at, updated_at)
VALUES (4, 1, 'home:name:audrey tautou', 'Audrey Tautou', '', '', 1700000000123, 1700000000123);
INSERT INTO person (person_key, source_key, id, name, image_path, provider_ids, created_at, updated_at)
VALUES (5, 1, 'home:name:rufus', 'Rufus', '', '', 1700000000123, 1700000000123);
INSERT INTO person (person_key, source_key, id, name, image_path, provider_ids, created_at, updated_at)
VALUES (6, 1, 'home:name:三船 敏郎', '三船 敏郎', '', '', 1700000000123, 1700000000123);
INSERT INTO person (person_key, source_key, id, name, image_path, provider_ids, created_at, updated_at)
VALUES (7, 1, 'home:77', 'Renée O''Connor', '', '', 1700000000123, 1700000000123);
INSERT INTO credit (item_key, sort_order, person_key, person_type, role)
VALUES (1, 0, 2, 'actor', 'Neo');
INSERT INTO credit (item_key, sort_order, person_key, person_type, role)
VALUES (1, 1, 1, 'actor', 'Morpheus');
INSERT INTO credit (item_key, sort_order, person_key, person_type)
VALUES (1, 2, 3, 'director');
INSERT INTO credit (item_key, sort_order, person_key, person_type)
VALUES (1, 3, 3, 'writer');
INSERT INTO credit (item_key, sort_order, person_key, person_type, role)
VALUES (2, 0, 4, 'actor', 'Amélie Poulain');
INSERT INTO credit (item_key, sort_order, person_key, person_type)
VALUES (2, 1, 5, 'actor');
INSERT INTO credit (item_key, sort_order, person_key, person_type)
VALUES (2, 2, 6, 'Special Thanks');
INSERT INTO credit (item_key, sort_order, person_key, person_type, role)
VALUES (5, 0, 2, 'actor', 'Johnny');
INSERT INTO sync_run (run_key, source_key, status, started_at, finished_at, seen, saved, unchanged, failed)
VALUES (1, 1, 'succeeded', 1700000000123, 1700000000456, 5, 5, 0, 0);
INSERT INTO sync_run_problem (run_key, position, kind, subject, reason)
VALUES (1, 0, 'remark', 'x.mkv', 'a video without an NFO file');
