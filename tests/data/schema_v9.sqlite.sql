BEGIN TRANSACTION;
CREATE TABLE change (
        number      INTEGER NOT NULL PRIMARY KEY,
        changed_at  INTEGER NOT NULL,
        run_key     INTEGER,
        reason      TEXT    NOT NULL,
        entity      TEXT    NOT NULL,
        entity_id   TEXT    NOT NULL,
        what        TEXT    NOT NULL,
        before      TEXT,
        other_id    TEXT
    );
INSERT INTO "change" VALUES(1,1700000300000,NULL,'api','item','home:500','added',NULL,NULL);
INSERT INTO "change" VALUES(2,1700000300000,NULL,'api','item','home:500','changed','{"title":"Heat","credits":[["home:500","actor","Vincent Hanna"]]}',NULL);
CREATE TABLE change_counter (
        newest      INTEGER NOT NULL,
        pruned      INTEGER NOT NULL
    );
INSERT INTO "change_counter" VALUES(2,0);
CREATE TABLE credit (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    sort_order  INTEGER NOT NULL,             
    person_key  INTEGER NOT NULL REFERENCES person (person_key),
    person_type TEXT    NOT NULL,             
    role        TEXT,                         
    PRIMARY KEY (item_key, sort_order)
) WITHOUT ROWID;
INSERT INTO "credit" VALUES(1,0,3,'actor','Amélie');
INSERT INTO "credit" VALUES(2,0,5,'actor','Neo');
INSERT INTO "credit" VALUES(2,1,4,'actor','Morpheus');
INSERT INTO "credit" VALUES(2,2,7,'director',NULL);
INSERT INTO "credit" VALUES(11,0,12,'guest_star','Jonas');
INSERT INTO "credit" VALUES(13,0,15,'actor','Kikuchiyo');
INSERT INTO "credit" VALUES(13,1,17,'actor','Kambei');
INSERT INTO "credit" VALUES(13,2,16,'director',NULL);
INSERT INTO "credit" VALUES(14,0,18,'actor','Kris');
INSERT INTO "credit" VALUES(19,0,20,'actor','Lt. Vincent Hanna');
CREATE TABLE item_external_id (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    provider    TEXT    NOT NULL,             
    value       TEXT    NOT NULL,
    PRIMARY KEY (item_key, provider)
) WITHOUT ROWID;
INSERT INTO "item_external_id" VALUES(13,'imdb','tt0047478');
INSERT INTO "item_external_id" VALUES(2,'imdb','tt0133093');
INSERT INTO "item_external_id" VALUES(1,'tmdb','194');
INSERT INTO "item_external_id" VALUES(13,'tmdb','346');
INSERT INTO "item_external_id" VALUES(2,'tmdb','603');
INSERT INTO "item_external_id" VALUES(19,'tmdb','949');
CREATE TABLE item_genre (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    position    INTEGER NOT NULL,             
    name        TEXT    NOT NULL,
    PRIMARY KEY (item_key, position)
) WITHOUT ROWID;
INSERT INTO "item_genre" VALUES(2,0,'Action');
INSERT INTO "item_genre" VALUES(19,0,'Crime');
INSERT INTO "item_genre" VALUES(13,0,'Drama');
INSERT INTO "item_genre" VALUES(2,1,'Science Fiction');
CREATE TABLE item_image (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,             
    path        TEXT    NOT NULL,
    PRIMARY KEY (item_key, kind)
) WITHOUT ROWID;
INSERT INTO "item_image" VALUES(2,'poster','Items/603/Images/Primary');
CREATE TABLE item_library (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    library_key INTEGER NOT NULL REFERENCES library (library_key) ON DELETE CASCADE,
    id          TEXT    NOT NULL,             
    PRIMARY KEY (item_key, library_key)
) WITHOUT ROWID;
CREATE TABLE item_rating (
    item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
    position    INTEGER NOT NULL,             
    name        TEXT    NOT NULL,             
    value       REAL    NOT NULL,             
    votes       INTEGER,
    PRIMARY KEY (item_key, position)
) WITHOUT ROWID;
INSERT INTO "item_rating" VALUES(2,0,'imdb',8.7,2000000);
CREATE TABLE item_rekeyed (
    current_id  TEXT    NOT NULL PRIMARY KEY, 
    id          TEXT    NOT NULL UNIQUE REFERENCES media_item (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE item_word (
    word        TEXT    NOT NULL,
    place       INTEGER NOT NULL,             
    item_key    INTEGER NOT NULL,
    PRIMARY KEY (word, place, item_key)
) WITHOUT ROWID;
INSERT INTO "item_word" VALUES('1',30000,10);
INSERT INTO "item_word" VALUES('1995',1995,19);
INSERT INTO "item_word" VALUES('=dark',12017,9);
INSERT INTO "item_word" VALUES('=fabuleuxdestindameliepoulain',2001,1);
INSERT INTO "item_word" VALUES('=heat1995',1995,19);
INSERT INTO "item_word" VALUES('=matrix',1999,2);
INSERT INTO "item_word" VALUES('=season1',30000,10);
INSERT INTO "item_word" VALUES('=secrets',20000,11);
INSERT INTO "item_word" VALUES('=sevensamurai',1954,13);
INSERT INTO "item_word" VALUES('=солярис',1972,14);
INSERT INTO "item_word" VALUES('=七人の侍',1954,13);
INSERT INTO "item_word" VALUES('amelie',2001,1);
INSERT INTO "item_word" VALUES('d',2001,1);
INSERT INTO "item_word" VALUES('dark',12017,9);
INSERT INTO "item_word" VALUES('destin',2001,1);
INSERT INTO "item_word" VALUES('fabuleux',2001,1);
INSERT INTO "item_word" VALUES('heat',1995,19);
INSERT INTO "item_word" VALUES('le',2001,1);
INSERT INTO "item_word" VALUES('matrix',1999,2);
INSERT INTO "item_word" VALUES('no',1954,13);
INSERT INTO "item_word" VALUES('poulain',2001,1);
INSERT INTO "item_word" VALUES('qi',1954,13);
INSERT INTO "item_word" VALUES('ren',1954,13);
INSERT INTO "item_word" VALUES('samurai',1954,13);
INSERT INTO "item_word" VALUES('season',30000,10);
INSERT INTO "item_word" VALUES('secrets',20000,11);
INSERT INTO "item_word" VALUES('seven',1954,13);
INSERT INTO "item_word" VALUES('shi',1954,13);
INSERT INTO "item_word" VALUES('solyaris',1972,14);
INSERT INTO "item_word" VALUES('the',1999,2);
INSERT INTO "item_word" VALUES('солярис',1972,14);
INSERT INTO "item_word" VALUES('の侍',1954,13);
INSERT INTO "item_word" VALUES('七人の侍',1954,13);
INSERT INTO "item_word" VALUES('人の侍',1954,13);
INSERT INTO "item_word" VALUES('侍',1954,13);
CREATE TABLE lease (
        source_id   TEXT    NOT NULL PRIMARY KEY,
        fence       INTEGER NOT NULL,
        holder      TEXT,
        expires_at  INTEGER NOT NULL
    ) WITHOUT ROWID
    ;
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
INSERT INTO "library" VALUES(1,1,'home:movies','movies','Movies','movies',1700000000000,1700000000000);
INSERT INTO "library" VALUES(2,1,'home:shows','shows','Shows','shows',1700000000000,1700000000000);
INSERT INTO "library" VALUES(3,2,'films:.','.','films','movies',1700000180000,1700000180000);
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
, missing_since INTEGER, missing_run INTEGER, sort_key TEXT NOT NULL DEFAULT '', rating REAL);
INSERT INTO "media_item" VALUES(1,1,NULL,'home:194','194','movie','Le Fabuleux Destin d''Amélie Poulain',NULL,NULL,NULL,NULL,2001,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'194',NULL,NULL,NULL,NULL,NULL,NULL,'full','2:0e36d04ce9ec42d9efcca2d8eedcf0da','2:3cf253e5d2fc4f5894b5f2fc8803a221',NULL,1700000000000,1700000060000,NULL,NULL,'fabuleux destin d amelie poulain',NULL);
INSERT INTO "media_item" VALUES(2,1,NULL,'home:603','603','movie','The Matrix','The Matrix',NULL,'A hacker; a pill.','Free your mind',1999,NULL,8160,'R',NULL,NULL,NULL,'tt0133093','603',NULL,'/films/The Matrix.mkv',NULL,NULL,NULL,NULL,'full','2:6d52d96097c1ac59b9d3059c4a721211','2:8328261b6daae786d0dde6200a9da475',NULL,1700000000000,1700000000000,NULL,NULL,'matrix',8.7);
INSERT INTO "media_item" VALUES(9,2,NULL,'home:s','s','show','Dark',NULL,NULL,NULL,NULL,2017,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'none','2:72d1fbb1e1e02bff432a64806b1764de',NULL,NULL,1700000120000,1700000120000,NULL,NULL,'dark',NULL);
INSERT INTO "media_item" VALUES(10,2,9,'home:s-1','s-1','season','Season 1',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'none','2:13b3c8e4f3f618d65dfcbb1dd6e4af87',NULL,NULL,1700000120000,1700000120000,NULL,NULL,'season 011',NULL);
INSERT INTO "media_item" VALUES(11,2,10,'home:s-1-1','s-1-1','episode','Secrets',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'full','2:d03c37b560804dbef3bdc4d8c1e25335','2:a0a253727f66f0784b434dce404e6004',NULL,1700000120000,1700000120000,NULL,NULL,'secrets',NULL);
INSERT INTO "media_item" VALUES(13,3,NULL,'films:Seven Samurai (1954)','Seven Samurai (1954)','movie','Seven Samurai','七人の侍',NULL,NULL,NULL,1954,NULL,NULL,NULL,NULL,NULL,NULL,'tt0047478','346',NULL,'Seven Samurai (1954)/Seven Samurai (1954).mkv',NULL,NULL,NULL,NULL,'full','2:eb8a1a0fd710added5afe13e6b6354c4','2:6d033fdb13e2adbe515d0f5a6ab49ca3','448-1600000000000000000-1-a723906d1735e25f-movie',1700000180000,1700000180000,NULL,NULL,'seven samurai',NULL);
INSERT INTO "media_item" VALUES(14,3,NULL,'films:Solaris (1972)','Solaris (1972)','movie','Солярис',NULL,NULL,NULL,NULL,1972,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Solaris (1972)/Solaris (1972).mkv',NULL,NULL,NULL,NULL,'full','2:18bc04b27fd28f7cf58b700b5262f887','2:233d5b5e5c618f383cca511972f66b45','146-1600000000000000000-1-6d530b85455b06e2-movie',1700000180000,1700000180000,NULL,NULL,'солярис',NULL);
INSERT INTO "media_item" VALUES(19,1,NULL,'home:500','500','movie','Heat (1995)',NULL,NULL,NULL,NULL,1995,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'949',NULL,'/films/Heat.mkv',NULL,NULL,NULL,NULL,'full','2:7a0be7530f0ec75a333baf3660d6c18a','2:da7f70d28dca83f521a5ea4ac383398a',NULL,1700000300000,1700000300000,NULL,NULL,'heat 041995',NULL);
CREATE TABLE pending_removal (
        library_key INTEGER NOT NULL PRIMARY KEY REFERENCES library (library_key) ON DELETE CASCADE,
        run_key     INTEGER NOT NULL,
        asked_at    INTEGER NOT NULL,
        items       INTEGER NOT NULL,
        stored      INTEGER NOT NULL,
        reason      TEXT    NOT NULL,
        digest      TEXT    NOT NULL
    ) WITHOUT ROWID
    ;
CREATE TABLE person (
    person_key   INTEGER PRIMARY KEY,
    source_key   INTEGER NOT NULL REFERENCES source (source_key),
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    image_path   TEXT    NOT NULL DEFAULT '', 
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    uncredited_since INTEGER,                 
    given_by     INTEGER,                     
    replaced     TEXT                         
, sort_key TEXT NOT NULL DEFAULT '');
INSERT INTO "person" VALUES(3,1,'home:2405','Audrey Tautou','',1700000000000,1700000000000,NULL,NULL,NULL,'audrey tautou');
INSERT INTO "person" VALUES(4,1,'home:2975','Laurence Fishburne','',1700000000000,1700000000000,NULL,NULL,NULL,'laurence fishburne');
INSERT INTO "person" VALUES(5,1,'home:6384','Keanu Reeves','Items/6384/Images/Primary',1700000000000,1700000000000,NULL,NULL,NULL,'keanu reeves');
INSERT INTO "person" VALUES(6,1,'home:77','Renée O''Connor','',1700000000000,1700000000000,1700000060000,NULL,NULL,'renee o connor');
INSERT INTO "person" VALUES(7,1,'home:9339','Lilly Wachowski','',1700000000000,1700000000000,NULL,NULL,NULL,'lilly wachowski');
INSERT INTO "person" VALUES(12,1,'home:1252','Louis Hofmann','',1700000120000,1700000120000,NULL,NULL,NULL,'louis hofmann');
INSERT INTO "person" VALUES(15,2,'films:tmdb:7450','三船 敏郎','',1700000180000,1700000180000,NULL,NULL,NULL,'三船 敏郎');
INSERT INTO "person" VALUES(16,2,'films:tmdb:5026','黒澤 明','',1700000180000,1700000180000,NULL,NULL,NULL,'黒澤 明');
INSERT INTO "person" VALUES(17,2,'films:name:takashi shimura','Takashi Shimura','',1700000180000,1700000180000,NULL,NULL,NULL,'takashi shimura');
INSERT INTO "person" VALUES(18,2,'films:tmdb:84','Donatas Banionis','',1700000180000,1700000180000,NULL,NULL,NULL,'donatas banionis');
INSERT INTO "person" VALUES(20,1,'home:500','Al Pacino','',1700000300000,1700000300000,NULL,NULL,NULL,'al pacino');
CREATE TABLE person_alias (
    id          TEXT    NOT NULL PRIMARY KEY,
    person_key  INTEGER NOT NULL REFERENCES person (person_key) ON DELETE CASCADE,
    shared      INTEGER NOT NULL DEFAULT 0    
) WITHOUT ROWID;
INSERT INTO "person_alias" VALUES('films:imdb:nm0001536',15,0);
INSERT INTO "person_alias" VALUES('films:name:donatas banionis',18,0);
INSERT INTO "person_alias" VALUES('films:name:三船 敏郎',15,0);
INSERT INTO "person_alias" VALUES('films:name:黒澤 明',16,0);
CREATE TABLE person_external_id (
        person_key  INTEGER NOT NULL REFERENCES person (person_key) ON DELETE CASCADE,
        provider    TEXT    NOT NULL,
        value       TEXT    NOT NULL,
        PRIMARY KEY (person_key, provider)
    ) WITHOUT ROWID
    ;
INSERT INTO "person_external_id" VALUES(3,'wikidata','Q"1\2');
INSERT INTO "person_external_id" VALUES(4,'tmdb','2975');
INSERT INTO "person_external_id" VALUES(5,'imdb','nm0000206');
INSERT INTO "person_external_id" VALUES(5,'tmdb','6384');
INSERT INTO "person_external_id" VALUES(15,'imdb','nm0001536');
INSERT INTO "person_external_id" VALUES(15,'tmdb','7450');
INSERT INTO "person_external_id" VALUES(16,'tmdb','5026');
INSERT INTO "person_external_id" VALUES(18,'tmdb','84');
INSERT INTO "person_external_id" VALUES(20,'tmdb','1158');
CREATE TABLE person_word (
    word        TEXT    NOT NULL,
    person_key  INTEGER NOT NULL,
    PRIMARY KEY (word, person_key)
) WITHOUT ROWID;
INSERT INTO "person_word" VALUES('al',20);
INSERT INTO "person_word" VALUES('audrey',3);
INSERT INTO "person_word" VALUES('banionis',18);
INSERT INTO "person_word" VALUES('chuan',15);
INSERT INTO "person_word" VALUES('connor',6);
INSERT INTO "person_word" VALUES('donatas',18);
INSERT INTO "person_word" VALUES('fishburne',4);
INSERT INTO "person_word" VALUES('hei',16);
INSERT INTO "person_word" VALUES('hofmann',12);
INSERT INTO "person_word" VALUES('keanu',5);
INSERT INTO "person_word" VALUES('lang',15);
INSERT INTO "person_word" VALUES('laurence',4);
INSERT INTO "person_word" VALUES('lilly',7);
INSERT INTO "person_word" VALUES('louis',12);
INSERT INTO "person_word" VALUES('min',15);
INSERT INTO "person_word" VALUES('ming',16);
INSERT INTO "person_word" VALUES('o',6);
INSERT INTO "person_word" VALUES('pacino',20);
INSERT INTO "person_word" VALUES('reeves',5);
INSERT INTO "person_word" VALUES('renee',6);
INSERT INTO "person_word" VALUES('san',15);
INSERT INTO "person_word" VALUES('shimura',17);
INSERT INTO "person_word" VALUES('takashi',17);
INSERT INTO "person_word" VALUES('tautou',3);
INSERT INTO "person_word" VALUES('wachowski',7);
INSERT INTO "person_word" VALUES('ze',16);
INSERT INTO "person_word" VALUES('三船',15);
INSERT INTO "person_word" VALUES('敏郎',15);
INSERT INTO "person_word" VALUES('明',16);
INSERT INTO "person_word" VALUES('澤',16);
INSERT INTO "person_word" VALUES('船',15);
INSERT INTO "person_word" VALUES('郎',15);
INSERT INTO "person_word" VALUES('黒澤',16);
CREATE TABLE run_problem (
    series      INTEGER NOT NULL,             
    from_run    INTEGER NOT NULL,             
    position    INTEGER NOT NULL,             
    until_run   INTEGER,                      
    kind        TEXT    NOT NULL,             
    subject     TEXT    NOT NULL,             
    reason      TEXT    NOT NULL,
    PRIMARY KEY (series, from_run, position)
) WITHOUT ROWID;
INSERT INTO "run_problem" VALUES(1,1,0,NULL,'remark','No Description.mkv','a video without an NFO file');
CREATE TABLE schema_version (
    version     INTEGER NOT NULL,
    upgraded_at INTEGER NOT NULL
);
INSERT INTO "schema_version" VALUES(9,1700000400000);
CREATE TABLE source (
    source_key  INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,      
    kind        TEXT    NOT NULL,             
    name        TEXT    NOT NULL,
    server_id   TEXT,                         
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    key_blocks  INTEGER NOT NULL DEFAULT 0,   
    watermark   TEXT                          
, compared_at INTEGER);
INSERT INTO "source" VALUES(1,'home','jellyfin','Home','5e1f',1700000000000,1700000000000,0,NULL,NULL);
INSERT INTO "source" VALUES(2,'films','nfo','films',NULL,1700000180000,1700000180000,0,NULL,NULL);
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
    error       TEXT,                         
    selection   TEXT    NOT NULL DEFAULT '',  
    series      INTEGER                       
, fence INTEGER, last_change INTEGER);
INSERT INTO "sync_run" VALUES(1,2,'succeeded',1700000180000,1700000180000,2,2,0,0,NULL,'',1,NULL,NULL);
CREATE TABLE sync_run_library (
    run_key     INTEGER NOT NULL REFERENCES sync_run (run_key) ON DELETE CASCADE,
    library_key INTEGER NOT NULL REFERENCES library (library_key) ON DELETE CASCADE,
    counted     INTEGER,                      
    seen        INTEGER NOT NULL,             
    unseen      INTEGER,                      
    previews    INTEGER NOT NULL,             
    complete    INTEGER NOT NULL,             
    reason      TEXT,                         
    PRIMARY KEY (run_key, library_key)
) WITHOUT ROWID;
INSERT INTO "sync_run_library" VALUES(1,3,NULL,2,0,0,1,NULL);
CREATE INDEX library_of_source ON library (source_key);
CREATE INDEX media_item_of_library ON media_item (library_key, media_type, id, completeness);
CREATE INDEX media_item_by_title ON media_item (title);
CREATE INDEX media_item_by_created ON media_item
    (strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch'));
CREATE INDEX media_item_of_parent ON media_item (parent_key) WHERE parent_key IS NOT NULL;
CREATE INDEX media_item_by_imdb ON media_item (imdb_id) WHERE imdb_id IS NOT NULL;
CREATE INDEX media_item_by_tmdb ON media_item (tmdb_id) WHERE tmdb_id IS NOT NULL;
CREATE INDEX media_item_by_tvdb ON media_item (tvdb_id) WHERE tvdb_id IS NOT NULL;
CREATE INDEX media_item_by_path ON media_item (substr(path, 1, 200)) WHERE path IS NOT NULL;
CREATE INDEX item_library_of_library ON item_library (library_key, id);
CREATE INDEX item_external_id_by_value ON item_external_id (provider, value);
CREATE INDEX item_genre_by_name ON item_genre (name);
CREATE INDEX person_by_name ON person (name);
CREATE INDEX person_of_source ON person (source_key);
CREATE INDEX person_given_by ON person (given_by) WHERE given_by IS NOT NULL;
CREATE INDEX person_uncredited ON person (person_key) WHERE uncredited_since IS NOT NULL;
CREATE INDEX person_alias_of_person ON person_alias (person_key);
CREATE INDEX credit_of_person ON credit (person_key);
CREATE INDEX sync_run_of_source ON sync_run (source_key, started_at);
CREATE INDEX run_problem_until ON run_problem (series, until_run);
CREATE INDEX sync_run_library_of_library ON sync_run_library (library_key, run_key);
CREATE INDEX change_of_entity ON change (entity_id, number);
CREATE INDEX change_of_run ON change (run_key, number) WHERE run_key IS NOT NULL;
CREATE INDEX media_item_missing ON media_item (missing_since) WHERE missing_since IS NOT NULL;
CREATE INDEX media_item_by_sort_key ON media_item (media_type, sort_key, id);
CREATE INDEX media_item_by_year ON media_item (media_type, year, id);
CREATE INDEX media_item_by_rating ON media_item (media_type, rating, id);
CREATE INDEX media_item_by_added ON media_item
        (strftime('%Y-%m-%dT%H:%M:%fZ', added_at / 1000.0, 'unixepoch'), id)
    ;
CREATE INDEX media_item_by_updated ON media_item
        (strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch'), id)
    ;
CREATE INDEX person_by_sort_key ON person (sort_key, id);
CREATE VIEW sources AS
SELECT id, kind, name, server_id,
       strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch') AS updated_at
FROM source CROSS JOIN schema_version;
CREATE VIEW libraries AS
SELECT l.id, s.id AS source_id, l.remote_id, l.title, l.kind,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM library l LEFT JOIN source s ON s.source_key = l.source_key;
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
LEFT JOIN library l ON l.library_key = i.library_key
LEFT JOIN source s ON s.source_key = l.source_key
LEFT JOIN media_item p ON p.item_key = i.parent_key
WHERE i.missing_since IS NULL;
CREATE VIEW removed_items AS
SELECT i.id, s.id AS source_id, l.id AS library_id, p.id AS parent_id, i.remote_id, i.media_type,
       i.title, i.original_title, i.sort_title, i.overview, i.tagline, i.year, i.premiere_date,
       i.runtime_seconds, i.content_rating, i.season_number, i.episode_number, i.episode_number_end,
       i.imdb_id, i.tmdb_id, i.tvdb_id, i.path,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.added_at / 1000.0, 'unixepoch') AS added_at, i.added_text,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.changed_at / 1000.0, 'unixepoch') AS changed_at, i.changed_text,
       i.completeness,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.updated_at / 1000.0, 'unixepoch') AS updated_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.missing_since / 1000.0, 'unixepoch') AS missing_since, i.missing_run
FROM media_item i
LEFT JOIN library l ON l.library_key = i.library_key
LEFT JOIN source s ON s.source_key = l.source_key
LEFT JOIN media_item p ON p.item_key = i.parent_key
WHERE i.missing_since IS NOT NULL;
CREATE VIEW item_libraries AS
SELECT i.id AS media_item_id, l.id AS library_id
FROM media_item i JOIN library l ON l.library_key = i.library_key
WHERE i.missing_since IS NULL
UNION ALL
SELECT i.id AS media_item_id, l.id AS library_id
FROM item_library m
JOIN media_item i ON i.item_key = m.item_key
JOIN library l ON l.library_key = m.library_key
WHERE i.missing_since IS NULL;
CREATE VIEW library_counts AS
SELECT l.id AS library_id, m.media_type, m.completeness, CAST(sum(m.items) AS bigint) AS items
FROM (
    SELECT i.library_key, i.media_type, i.completeness, count(*) AS items
    FROM media_item i GROUP BY i.library_key, i.media_type, i.completeness
    UNION ALL
    SELECT i.library_key, i.media_type, i.completeness, -count(*) AS items
    FROM media_item i WHERE i.missing_since > 0 GROUP BY i.library_key, i.media_type, i.completeness
    UNION ALL
    SELECT x.library_key, i.media_type, i.completeness, count(*) AS items
    FROM item_library x CROSS JOIN media_item i  
    WHERE i.item_key = x.item_key AND i.missing_since IS NULL
    GROUP BY x.library_key, i.media_type, i.completeness
) m
JOIN library l ON l.library_key = m.library_key
GROUP BY l.id, m.media_type, m.completeness
HAVING sum(m.items) > 0;
CREATE VIEW totals AS
SELECT (SELECT count(*) FROM media_item)
           - (SELECT count(*) FROM media_item WHERE missing_since IS NOT NULL) AS media_items,
       (SELECT count(*) FROM person)
           - (SELECT count(*) FROM person WHERE uncredited_since IS NOT NULL) AS people,
       (SELECT count(*) FROM credit)
           - (SELECT count(*) FROM media_item i CROSS JOIN credit c  
              WHERE i.missing_since IS NOT NULL AND c.item_key = i.item_key) AS media_people;
CREATE VIEW people AS
SELECT p.id, s.id AS source_id, p.name,
       nullif(p.image_path, '') AS image_path,
       (SELECT nullif(json_group_object(listed.provider, listed.value) || '', '{}') FROM (
            SELECT e.provider, e.value FROM person_external_id e
            WHERE e.person_key = p.person_key ORDER BY e.provider
       ) listed) AS provider_ids,            
       strftime('%Y-%m-%dT%H:%M:%fZ', p.created_at / 1000.0, 'unixepoch') AS created_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM person p LEFT JOIN source s ON s.source_key = p.source_key
WHERE p.uncredited_since IS NULL;
CREATE VIEW media_people AS
SELECT i.id AS media_item_id, p.id AS person_id, c.person_type, c.role, c.sort_order
FROM credit c
JOIN media_item i ON i.item_key = c.item_key
LEFT JOIN person p ON p.person_key = c.person_key
WHERE i.missing_since IS NULL;
CREATE VIEW credits_flat AS
SELECT i.id AS media_item_id,
       (SELECT s.id FROM library l JOIN source s ON s.source_key = l.source_key
        WHERE l.library_key = i.library_key) AS source_id,
       (SELECT l.id FROM library l WHERE l.library_key = i.library_key) AS library_id,
       i.media_type, i.title, i.year,
       
       CASE WHEN i.parent_key IS NOT NULL
            THEN (SELECT w.id FROM media_item n JOIN media_item w ON w.item_key = coalesce(n.parent_key, n.item_key)
                  WHERE n.item_key = i.parent_key)
            WHEN i.media_type = 'show' THEN i.id END AS show_id,
       CASE WHEN i.parent_key IS NOT NULL
            THEN (SELECT w.title FROM media_item n JOIN media_item w ON w.item_key = coalesce(n.parent_key, n.item_key)
                  WHERE n.item_key = i.parent_key)
            WHEN i.media_type = 'show' THEN i.title END AS show_title,
       i.season_number, i.episode_number,
       p.id AS person_id, p.name AS person_name, c.person_type, c.role, c.sort_order
FROM credit c
JOIN media_item i ON i.item_key = c.item_key
JOIN person p ON p.person_key = c.person_key
WHERE i.missing_since IS NULL;
CREATE VIEW filmographies AS
SELECT p.id AS person_id, p.name AS person_name, w.id AS title_id, w.title, w.media_type, w.year,
       substr(max(CASE c.person_type WHEN 'actor' THEN ', actor' ELSE '' END)
           || max(CASE c.person_type WHEN 'guest_star' THEN ', guest_star' ELSE '' END)
           || max(CASE c.person_type WHEN 'director' THEN ', director' ELSE '' END)
           || max(CASE c.person_type WHEN 'writer' THEN ', writer' ELSE '' END)
           || max(CASE c.person_type WHEN 'producer' THEN ', producer' ELSE '' END)
           || max(CASE c.person_type WHEN 'composer' THEN ', composer' ELSE '' END)
           || max(CASE c.person_type WHEN 'creator' THEN ', creator' ELSE '' END)
           || max(CASE c.person_type WHEN 'editor' THEN ', editor' ELSE '' END)
           || max(CASE WHEN c.person_type IN ('actor', 'guest_star', 'director', 'writer', 'producer', 'composer',
                                              'creator', 'editor')
                       THEN '' ELSE ', ' || c.person_type END), 3) AS functions,
       substr(min(CASE WHEN c.person_type IN ('actor', 'guest_star') THEN (1000000 + c.sort_order) || c.role END), 8)
           AS role,
       count(DISTINCT CASE i.media_type WHEN 'episode' THEN i.item_key END) AS episodes,
       min(i.year) AS first_year, max(i.year) AS last_year
FROM credit c
JOIN media_item i ON i.item_key = c.item_key
JOIN person p ON p.person_key = c.person_key
LEFT JOIN media_item n ON n.item_key = i.parent_key
LEFT JOIN media_item w ON w.item_key = coalesce(n.parent_key, n.item_key, i.item_key)  
WHERE i.missing_since IS NULL
GROUP BY p.id, p.name, w.id, w.title, w.media_type, w.year;
CREATE VIEW show_cast AS
SELECT w.id AS show_id, w.title AS show_title, p.id AS person_id, p.name AS person_name,
       min(c.person_type) AS person_type, substr(min((1000000 + c.sort_order) || c.role), 8) AS role,
       count(DISTINCT CASE i.media_type WHEN 'episode' THEN i.item_key END) AS episodes,
       min(i.season_number) AS first_season, max(i.season_number) AS last_season,
       min(CASE i.media_type WHEN 'show' THEN c.sort_order END) AS sort_order
FROM media_item w

JOIN media_item n ON n.parent_key = w.item_key OR n.item_key = w.item_key
JOIN media_item i ON i.parent_key = n.item_key OR (i.item_key = n.item_key AND n.media_type = 'show')
JOIN credit c ON c.item_key = i.item_key
JOIN person p ON p.person_key = c.person_key
WHERE w.media_type = 'show' AND i.missing_since IS NULL AND c.person_type IN ('actor', 'guest_star')
GROUP BY w.id, w.title, p.id, p.name;
CREATE VIEW removed_media_people AS
SELECT i.id AS media_item_id, p.id AS person_id, p.name AS person_name, c.person_type, c.role, c.sort_order
FROM media_item i
JOIN credit c ON c.item_key = i.item_key
LEFT JOIN person p ON p.person_key = c.person_key
WHERE i.missing_since IS NOT NULL;
CREATE VIEW external_ids AS
SELECT i.id AS media_item_id, x.provider, x.value
FROM item_external_id x JOIN media_item i ON i.item_key = x.item_key
WHERE i.missing_since IS NULL;
CREATE VIEW genres AS
SELECT i.id AS media_item_id, g.name, g.position
FROM item_genre g JOIN media_item i ON i.item_key = g.item_key
WHERE i.missing_since IS NULL;
CREATE VIEW ratings AS
SELECT i.id AS media_item_id, r.name, r.value, r.votes, r.position
FROM item_rating r JOIN media_item i ON i.item_key = r.item_key
WHERE i.missing_since IS NULL;
CREATE VIEW images AS
SELECT i.id AS media_item_id, g.kind, g.path
FROM item_image g JOIN media_item i ON i.item_key = g.item_key
WHERE i.missing_since IS NULL;
CREATE VIEW sync_runs AS
SELECT r.run_key AS id, s.id AS source_id,
       CASE WHEN r.status <> 'running' OR EXISTS (
                SELECT 1 FROM lease h
                WHERE h.source_id = s.id AND h.fence = r.fence AND h.expires_at > strftime('%s', 'now') * 1000
            ) THEN r.status ELSE 'interrupted' END AS status,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.started_at / 1000.0, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.finished_at / 1000.0, 'unixepoch') AS finished_at,
       r.seen, r.saved, r.unchanged, r.failed, r.error
FROM sync_run r JOIN source s ON s.source_key = r.source_key;
CREATE VIEW sync_run_problems AS
SELECT r.run_key AS run_id, p.position, p.kind, p.subject, p.reason
FROM sync_run r JOIN run_problem p ON p.series = r.series
WHERE p.from_run <= r.run_key AND (p.until_run IS NULL OR p.until_run > r.run_key);
CREATE VIEW sync_run_libraries AS
SELECT r.run_key AS run_id, l.id AS library_id, x.counted, x.seen, x.unseen, x.previews, x.complete, x.reason
FROM sync_run_library x
JOIN sync_run r ON r.run_key = x.run_key
JOIN library l ON l.library_key = x.library_key;
CREATE VIEW pending_removals AS
SELECT l.id AS library_id, r.run_key AS run_id,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.asked_at / 1000.0, 'unixepoch') AS asked_at,
       r.items, r.stored, r.reason
FROM pending_removal r JOIN library l ON l.library_key = r.library_key;
CREATE VIEW changes AS
SELECT c.number,
       strftime('%Y-%m-%dT%H:%M:%fZ', c.changed_at / 1000.0, 'unixepoch') AS changed_at,
       c.run_key AS run_id, c.reason, c.entity, c.entity_id, c.what, c.before, c.other_id
FROM change c CROSS JOIN schema_version;
COMMIT;
