CREATE SCHEMA mediasync;

CREATE TABLE mediasync.change (
    number bigint NOT NULL,
    changed_at bigint NOT NULL,
    run_key bigint,
    reason text NOT NULL COLLATE pg_catalog."C",
    entity text NOT NULL COLLATE pg_catalog."C",
    entity_id text NOT NULL COLLATE pg_catalog."C",
    what text NOT NULL COLLATE pg_catalog."C",
    before text COLLATE pg_catalog."C",
    other_id text COLLATE pg_catalog."C"
);

CREATE TABLE mediasync.change_counter (
    newest bigint NOT NULL,
    pruned bigint NOT NULL
);

CREATE TABLE mediasync.schema_version (
    version bigint NOT NULL,
    upgraded_at bigint NOT NULL
);

CREATE VIEW mediasync.changes AS
 SELECT c.number,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((c.changed_at / 1000))::double precision * '00:00:01'::interval)) + (((c.changed_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS changed_at,
    c.run_key AS run_id,
    c.reason,
    c.entity,
    c.entity_id,
    c.what,
    c.before,
    c.other_id
   FROM (mediasync.change c
     CROSS JOIN mediasync.schema_version);

CREATE TABLE mediasync.credit (
    item_key bigint NOT NULL,
    sort_order bigint NOT NULL,
    person_key bigint NOT NULL,
    person_type text NOT NULL COLLATE pg_catalog."C",
    role text COLLATE pg_catalog."C"
);

CREATE TABLE mediasync.library (
    library_key bigint NOT NULL,
    source_key bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    remote_id text NOT NULL COLLATE pg_catalog."C",
    title text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);

CREATE TABLE mediasync.media_item (
    item_key bigint NOT NULL,
    library_key bigint NOT NULL,
    parent_key bigint,
    id text NOT NULL COLLATE pg_catalog."C",
    remote_id text NOT NULL COLLATE pg_catalog."C",
    media_type text NOT NULL COLLATE pg_catalog."C",
    title text NOT NULL COLLATE pg_catalog."C",
    original_title text COLLATE pg_catalog."C",
    sort_title text COLLATE pg_catalog."C",
    overview text COLLATE pg_catalog."C",
    tagline text COLLATE pg_catalog."C",
    year bigint,
    premiere_date text COLLATE pg_catalog."C",
    runtime_seconds bigint,
    content_rating text COLLATE pg_catalog."C",
    season_number bigint,
    episode_number bigint,
    episode_number_end bigint,
    imdb_id text COLLATE pg_catalog."C",
    tmdb_id text COLLATE pg_catalog."C",
    tvdb_id text COLLATE pg_catalog."C",
    path text COLLATE pg_catalog."C",
    added_at bigint,
    added_text text COLLATE pg_catalog."C",
    changed_at bigint,
    changed_text text COLLATE pg_catalog."C",
    completeness text DEFAULT 'none'::text NOT NULL COLLATE pg_catalog."C",
    item_fingerprint text COLLATE pg_catalog."C",
    credits_fingerprint text COLLATE pg_catalog."C",
    change_token text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    missing_since bigint,
    missing_run bigint,
    sort_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    rating double precision,
    CONSTRAINT media_item_completeness_check CHECK ((completeness = ANY (ARRAY['none'::text, 'preview'::text, 'full'::text])))
);

CREATE TABLE mediasync.person (
    person_key bigint NOT NULL,
    source_key bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    image_path text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    uncredited_since bigint,
    given_by bigint,
    replaced text COLLATE pg_catalog."C",
    sort_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE mediasync.source (
    source_key bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    server_id text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    key_blocks bigint DEFAULT 0 NOT NULL,
    watermark text COLLATE pg_catalog."C",
    compared_at bigint
);

CREATE VIEW mediasync.credits_flat AS
 SELECT i.id AS media_item_id,
    ( SELECT s.id
           FROM (mediasync.library l
             JOIN mediasync.source s ON ((s.source_key = l.source_key)))
          WHERE (l.library_key = i.library_key)) AS source_id,
    ( SELECT l.id
           FROM mediasync.library l
          WHERE (l.library_key = i.library_key)) AS library_id,
    i.media_type,
    i.title,
    i.year,
        CASE
            WHEN (i.parent_key IS NOT NULL) THEN ( SELECT w.id
               FROM (mediasync.media_item n
                 JOIN mediasync.media_item w ON ((w.item_key = COALESCE(n.parent_key, n.item_key))))
              WHERE (n.item_key = i.parent_key))
            WHEN (i.media_type = 'show'::text) THEN i.id
            ELSE NULL::text
        END AS show_id,
        CASE
            WHEN (i.parent_key IS NOT NULL) THEN ( SELECT w.title
               FROM (mediasync.media_item n
                 JOIN mediasync.media_item w ON ((w.item_key = COALESCE(n.parent_key, n.item_key))))
              WHERE (n.item_key = i.parent_key))
            WHEN (i.media_type = 'show'::text) THEN i.title
            ELSE NULL::text
        END AS show_title,
    i.season_number,
    i.episode_number,
    p.id AS person_id,
    p.name AS person_name,
    c.person_type,
    c.role,
    c.sort_order
   FROM ((mediasync.credit c
     JOIN mediasync.media_item i ON ((i.item_key = c.item_key)))
     JOIN mediasync.person p ON ((p.person_key = c.person_key)))
  WHERE (i.missing_since IS NULL);

CREATE TABLE mediasync.item_external_id (
    item_key bigint NOT NULL,
    provider text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW mediasync.external_ids AS
 SELECT i.id AS media_item_id,
    x.provider,
    x.value
   FROM (mediasync.item_external_id x
     JOIN mediasync.media_item i ON ((i.item_key = x.item_key)))
  WHERE (i.missing_since IS NULL);

CREATE VIEW mediasync.filmographies AS
 SELECT p.id AS person_id,
    p.name AS person_name,
    w.id AS title_id,
    w.title,
    w.media_type,
    w.year,
    substr(((((((((max(
        CASE c.person_type
            WHEN 'actor'::text THEN ', actor'::text
            ELSE ''::text
        END) || max(
        CASE c.person_type
            WHEN 'guest_star'::text THEN ', guest_star'::text
            ELSE ''::text
        END)) || max(
        CASE c.person_type
            WHEN 'director'::text THEN ', director'::text
            ELSE ''::text
        END)) || max(
        CASE c.person_type
            WHEN 'writer'::text THEN ', writer'::text
            ELSE ''::text
        END)) || max(
        CASE c.person_type
            WHEN 'producer'::text THEN ', producer'::text
            ELSE ''::text
        END)) || max(
        CASE c.person_type
            WHEN 'composer'::text THEN ', composer'::text
            ELSE ''::text
        END)) || max(
        CASE c.person_type
            WHEN 'creator'::text THEN ', creator'::text
            ELSE ''::text
        END)) || max(
        CASE c.person_type
            WHEN 'editor'::text THEN ', editor'::text
            ELSE ''::text
        END)) || max(
        CASE
            WHEN (c.person_type = ANY (ARRAY['actor'::text, 'guest_star'::text, 'director'::text, 'writer'::text, 'producer'::text, 'composer'::text, 'creator'::text, 'editor'::text])) THEN ''::text
            ELSE (', '::text || c.person_type)
        END)), 3) AS functions,
    substr(min(
        CASE
            WHEN (c.person_type = ANY (ARRAY['actor'::text, 'guest_star'::text])) THEN ((1000000 + c.sort_order) || c.role)
            ELSE NULL::text
        END), 8) AS role,
    count(DISTINCT
        CASE i.media_type
            WHEN 'episode'::text THEN i.item_key
            ELSE NULL::bigint
        END) AS episodes,
    min(i.year) AS first_year,
    max(i.year) AS last_year
   FROM ((((mediasync.credit c
     JOIN mediasync.media_item i ON ((i.item_key = c.item_key)))
     JOIN mediasync.person p ON ((p.person_key = c.person_key)))
     LEFT JOIN mediasync.media_item n ON ((n.item_key = i.parent_key)))
     LEFT JOIN mediasync.media_item w ON ((w.item_key = COALESCE(n.parent_key, n.item_key, i.item_key))))
  WHERE (i.missing_since IS NULL)
  GROUP BY p.id, p.name, w.id, w.title, w.media_type, w.year;

CREATE TABLE mediasync.item_genre (
    item_key bigint NOT NULL,
    "position" bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW mediasync.genres AS
 SELECT i.id AS media_item_id,
    g.name,
    g."position"
   FROM (mediasync.item_genre g
     JOIN mediasync.media_item i ON ((i.item_key = g.item_key)))
  WHERE (i.missing_since IS NULL);

CREATE TABLE mediasync.item_image (
    item_key bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW mediasync.images AS
 SELECT i.id AS media_item_id,
    g.kind,
    g.path
   FROM (mediasync.item_image g
     JOIN mediasync.media_item i ON ((i.item_key = g.item_key)))
  WHERE (i.missing_since IS NULL);

CREATE TABLE mediasync.item_library (
    item_key bigint NOT NULL,
    library_key bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW mediasync.item_libraries AS
 SELECT i.id AS media_item_id,
    l.id AS library_id
   FROM (mediasync.media_item i
     JOIN mediasync.library l ON ((l.library_key = i.library_key)))
  WHERE (i.missing_since IS NULL)
UNION ALL
 SELECT i.id AS media_item_id,
    l.id AS library_id
   FROM ((mediasync.item_library m
     JOIN mediasync.media_item i ON ((i.item_key = m.item_key)))
     JOIN mediasync.library l ON ((l.library_key = m.library_key)))
  WHERE (i.missing_since IS NULL);

CREATE TABLE mediasync.item_rating (
    item_key bigint NOT NULL,
    "position" bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    value double precision NOT NULL,
    votes bigint
);

CREATE TABLE mediasync.item_rekeyed (
    current_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE mediasync.item_word (
    word text NOT NULL COLLATE pg_catalog."C",
    place bigint NOT NULL,
    item_key bigint NOT NULL
);

CREATE TABLE mediasync.lease (
    source_id text NOT NULL COLLATE pg_catalog."C",
    fence bigint NOT NULL,
    holder text COLLATE pg_catalog."C",
    expires_at bigint NOT NULL
);

CREATE VIEW mediasync.libraries AS
 SELECT l.id,
    s.id AS source_id,
    l.remote_id,
    l.title,
    l.kind,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((l.created_at / 1000))::double precision * '00:00:01'::interval)) + (((l.created_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS created_at,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((l.updated_at / 1000))::double precision * '00:00:01'::interval)) + (((l.updated_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS updated_at
   FROM (mediasync.library l
     LEFT JOIN mediasync.source s ON ((s.source_key = l.source_key)));

CREATE VIEW mediasync.library_counts AS
 SELECT l.id AS library_id,
    m.media_type,
    m.completeness,
    (sum(m.items))::bigint AS items
   FROM (( SELECT i.library_key,
            i.media_type,
            i.completeness,
            count(*) AS items
           FROM mediasync.media_item i
          GROUP BY i.library_key, i.media_type, i.completeness
        UNION ALL
         SELECT i.library_key,
            i.media_type,
            i.completeness,
            (- count(*)) AS items
           FROM mediasync.media_item i
          WHERE (i.missing_since > 0)
          GROUP BY i.library_key, i.media_type, i.completeness
        UNION ALL
         SELECT x.library_key,
            i.media_type,
            i.completeness,
            count(*) AS items
           FROM (mediasync.item_library x
             CROSS JOIN mediasync.media_item i)
          WHERE ((i.item_key = x.item_key) AND (i.missing_since IS NULL))
          GROUP BY x.library_key, i.media_type, i.completeness) m
     JOIN mediasync.library l ON ((l.library_key = m.library_key)))
  GROUP BY l.id, m.media_type, m.completeness
 HAVING (sum(m.items) > (0)::numeric);

ALTER TABLE mediasync.library ALTER COLUMN library_key ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME mediasync.library_library_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE mediasync.media_item ALTER COLUMN item_key ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME mediasync.media_item_item_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW mediasync.media_items AS
 SELECT i.id,
    s.id AS source_id,
    l.id AS library_id,
    p.id AS parent_id,
    i.remote_id,
    i.media_type,
    i.title,
    i.original_title,
    i.sort_title,
    i.overview,
    i.tagline,
    i.year,
    i.premiere_date,
    i.runtime_seconds,
    i.content_rating,
    i.season_number,
    i.episode_number,
    i.episode_number_end,
    i.imdb_id,
    i.tmdb_id,
    i.tvdb_id,
    i.path,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.added_at / 1000))::double precision * '00:00:01'::interval)) + (((i.added_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS added_at,
    i.added_text,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.changed_at / 1000))::double precision * '00:00:01'::interval)) + (((i.changed_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS changed_at,
    i.changed_text,
    i.completeness,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.created_at / 1000))::double precision * '00:00:01'::interval)) + (((i.created_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS created_at,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.updated_at / 1000))::double precision * '00:00:01'::interval)) + (((i.updated_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS updated_at
   FROM (((mediasync.media_item i
     LEFT JOIN mediasync.library l ON ((l.library_key = i.library_key)))
     LEFT JOIN mediasync.source s ON ((s.source_key = l.source_key)))
     LEFT JOIN mediasync.media_item p ON ((p.item_key = i.parent_key)))
  WHERE (i.missing_since IS NULL);

CREATE VIEW mediasync.media_people AS
 SELECT i.id AS media_item_id,
    p.id AS person_id,
    c.person_type,
    c.role,
    c.sort_order
   FROM ((mediasync.credit c
     JOIN mediasync.media_item i ON ((i.item_key = c.item_key)))
     LEFT JOIN mediasync.person p ON ((p.person_key = c.person_key)))
  WHERE (i.missing_since IS NULL);

CREATE TABLE mediasync.pending_removal (
    library_key bigint NOT NULL,
    run_key bigint NOT NULL,
    asked_at bigint NOT NULL,
    items bigint NOT NULL,
    stored bigint NOT NULL,
    reason text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW mediasync.pending_removals AS
 SELECT l.id AS library_id,
    r.run_key AS run_id,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((r.asked_at / 1000))::double precision * '00:00:01'::interval)) + (((r.asked_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS asked_at,
    r.items,
    r.stored,
    r.reason
   FROM (mediasync.pending_removal r
     JOIN mediasync.library l ON ((l.library_key = r.library_key)));

CREATE TABLE mediasync.person_external_id (
    person_key bigint NOT NULL,
    provider text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW mediasync.people AS
 SELECT p.id,
    s.id AS source_id,
    p.name,
    NULLIF(p.image_path, ''::text) AS image_path,
    ( SELECT NULLIF(((('{'::text || string_agg(((to_json(listed.provider) || ':'::text) || to_json(listed.value)), ','::text)) || '}'::text) || ''::text), '{}'::text) AS "nullif"
           FROM ( SELECT e.provider,
                    e.value
                   FROM mediasync.person_external_id e
                  WHERE (e.person_key = p.person_key)
                  ORDER BY e.provider) listed) AS provider_ids,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((p.created_at / 1000))::double precision * '00:00:01'::interval)) + (((p.created_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS created_at,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((p.updated_at / 1000))::double precision * '00:00:01'::interval)) + (((p.updated_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS updated_at
   FROM (mediasync.person p
     LEFT JOIN mediasync.source s ON ((s.source_key = p.source_key)))
  WHERE (p.uncredited_since IS NULL);

CREATE TABLE mediasync.person_alias (
    id text NOT NULL COLLATE pg_catalog."C",
    person_key bigint NOT NULL,
    shared bigint DEFAULT 0 NOT NULL
);

ALTER TABLE mediasync.person ALTER COLUMN person_key ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME mediasync.person_person_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE mediasync.person_word (
    word text NOT NULL COLLATE pg_catalog."C",
    person_key bigint NOT NULL
);

CREATE VIEW mediasync.ratings AS
 SELECT i.id AS media_item_id,
    r.name,
    r.value,
    r.votes,
    r."position"
   FROM (mediasync.item_rating r
     JOIN mediasync.media_item i ON ((i.item_key = r.item_key)))
  WHERE (i.missing_since IS NULL);

CREATE VIEW mediasync.removed_items AS
 SELECT i.id,
    s.id AS source_id,
    l.id AS library_id,
    p.id AS parent_id,
    i.remote_id,
    i.media_type,
    i.title,
    i.original_title,
    i.sort_title,
    i.overview,
    i.tagline,
    i.year,
    i.premiere_date,
    i.runtime_seconds,
    i.content_rating,
    i.season_number,
    i.episode_number,
    i.episode_number_end,
    i.imdb_id,
    i.tmdb_id,
    i.tvdb_id,
    i.path,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.added_at / 1000))::double precision * '00:00:01'::interval)) + (((i.added_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS added_at,
    i.added_text,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.changed_at / 1000))::double precision * '00:00:01'::interval)) + (((i.changed_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS changed_at,
    i.changed_text,
    i.completeness,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.created_at / 1000))::double precision * '00:00:01'::interval)) + (((i.created_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS created_at,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.updated_at / 1000))::double precision * '00:00:01'::interval)) + (((i.updated_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS updated_at,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((i.missing_since / 1000))::double precision * '00:00:01'::interval)) + (((i.missing_since % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS missing_since,
    i.missing_run
   FROM (((mediasync.media_item i
     LEFT JOIN mediasync.library l ON ((l.library_key = i.library_key)))
     LEFT JOIN mediasync.source s ON ((s.source_key = l.source_key)))
     LEFT JOIN mediasync.media_item p ON ((p.item_key = i.parent_key)))
  WHERE (i.missing_since IS NOT NULL);

CREATE VIEW mediasync.removed_media_people AS
 SELECT i.id AS media_item_id,
    p.id AS person_id,
    p.name AS person_name,
    c.person_type,
    c.role,
    c.sort_order
   FROM ((mediasync.media_item i
     JOIN mediasync.credit c ON ((c.item_key = i.item_key)))
     LEFT JOIN mediasync.person p ON ((p.person_key = c.person_key)))
  WHERE (i.missing_since IS NOT NULL);

CREATE TABLE mediasync.run_problem (
    series bigint NOT NULL,
    from_run bigint NOT NULL,
    "position" bigint NOT NULL,
    until_run bigint,
    kind text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW mediasync.show_cast AS
 SELECT w.id AS show_id,
    w.title AS show_title,
    p.id AS person_id,
    p.name AS person_name,
    min(c.person_type) AS person_type,
    substr(min(((1000000 + c.sort_order) || c.role)), 8) AS role,
    count(DISTINCT
        CASE i.media_type
            WHEN 'episode'::text THEN i.item_key
            ELSE NULL::bigint
        END) AS episodes,
    min(i.season_number) AS first_season,
    max(i.season_number) AS last_season,
    min(
        CASE i.media_type
            WHEN 'show'::text THEN c.sort_order
            ELSE NULL::bigint
        END) AS sort_order
   FROM ((((mediasync.media_item w
     JOIN mediasync.media_item n ON (((n.parent_key = w.item_key) OR (n.item_key = w.item_key))))
     JOIN mediasync.media_item i ON (((i.parent_key = n.item_key) OR ((i.item_key = n.item_key) AND (n.media_type = 'show'::text)))))
     JOIN mediasync.credit c ON ((c.item_key = i.item_key)))
     JOIN mediasync.person p ON ((p.person_key = c.person_key)))
  WHERE ((w.media_type = 'show'::text) AND (i.missing_since IS NULL) AND (c.person_type = ANY (ARRAY['actor'::text, 'guest_star'::text])))
  GROUP BY w.id, w.title, p.id, p.name;

ALTER TABLE mediasync.source ALTER COLUMN source_key ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME mediasync.source_source_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW mediasync.sources AS
 SELECT source.id,
    source.kind,
    source.name,
    source.server_id,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((source.created_at / 1000))::double precision * '00:00:01'::interval)) + (((source.created_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS created_at,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((source.updated_at / 1000))::double precision * '00:00:01'::interval)) + (((source.updated_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS updated_at
   FROM (mediasync.source
     CROSS JOIN mediasync.schema_version);

CREATE TABLE mediasync.sync_run (
    run_key bigint NOT NULL,
    source_key bigint NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C",
    started_at bigint NOT NULL,
    finished_at bigint,
    seen bigint DEFAULT 0 NOT NULL,
    saved bigint DEFAULT 0 NOT NULL,
    unchanged bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    error text COLLATE pg_catalog."C",
    selection text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    series bigint,
    fence bigint,
    last_change bigint
);

CREATE TABLE mediasync.sync_run_library (
    run_key bigint NOT NULL,
    library_key bigint NOT NULL,
    counted bigint,
    seen bigint NOT NULL,
    unseen bigint,
    previews bigint NOT NULL,
    complete bigint NOT NULL,
    reason text COLLATE pg_catalog."C"
);

CREATE VIEW mediasync.sync_run_libraries AS
 SELECT r.run_key AS run_id,
    l.id AS library_id,
    x.counted,
    x.seen,
    x.unseen,
    x.previews,
    x.complete,
    x.reason
   FROM ((mediasync.sync_run_library x
     JOIN mediasync.sync_run r ON ((r.run_key = x.run_key)))
     JOIN mediasync.library l ON ((l.library_key = x.library_key)));

CREATE VIEW mediasync.sync_run_problems AS
 SELECT r.run_key AS run_id,
    p."position",
    p.kind,
    p.subject,
    p.reason
   FROM (mediasync.sync_run r
     JOIN mediasync.run_problem p ON ((p.series = r.series)))
  WHERE ((p.from_run <= r.run_key) AND ((p.until_run IS NULL) OR (p.until_run > r.run_key)));

ALTER TABLE mediasync.sync_run ALTER COLUMN run_key ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME mediasync.sync_run_run_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW mediasync.sync_runs AS
 SELECT r.run_key AS id,
    s.id AS source_id,
        CASE
            WHEN ((r.status <> 'running'::text) OR (EXISTS ( SELECT 1
               FROM mediasync.lease h
              WHERE ((h.source_id = s.id) AND (h.fence = r.fence) AND (h.expires_at > ((EXTRACT(epoch FROM clock_timestamp()) * (1000)::numeric))::bigint))))) THEN r.status
            ELSE 'interrupted'::text
        END AS status,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((r.started_at / 1000))::double precision * '00:00:01'::interval)) + (((r.started_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS started_at,
    ((('1970-01-01 00:00:00'::timestamp without time zone + (((r.finished_at / 1000))::double precision * '00:00:01'::interval)) + (((r.finished_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text) AS finished_at,
    r.seen,
    r.saved,
    r.unchanged,
    r.failed,
    r.error
   FROM (mediasync.sync_run r
     JOIN mediasync.source s ON ((s.source_key = r.source_key)));

CREATE VIEW mediasync.totals AS
 SELECT (( SELECT count(*) AS count
           FROM mediasync.media_item) - ( SELECT count(*) AS count
           FROM mediasync.media_item
          WHERE (media_item.missing_since IS NOT NULL))) AS media_items,
    (( SELECT count(*) AS count
           FROM mediasync.person) - ( SELECT count(*) AS count
           FROM mediasync.person
          WHERE (person.uncredited_since IS NOT NULL))) AS people,
    (( SELECT count(*) AS count
           FROM mediasync.credit) - ( SELECT count(*) AS count
           FROM (mediasync.media_item i
             CROSS JOIN mediasync.credit c)
          WHERE ((i.missing_since IS NOT NULL) AND (c.item_key = i.item_key)))) AS media_people;

INSERT INTO mediasync.change VALUES (1, 1700000300000, NULL, 'api', 'item', 'home:500', 'added', NULL, NULL);
INSERT INTO mediasync.change VALUES (2, 1700000300000, NULL, 'api', 'item', 'home:500', 'changed', '{"title":"Heat","credits":[["home:500","actor","Vincent Hanna"]]}', NULL);

INSERT INTO mediasync.change_counter VALUES (2, 0);

INSERT INTO mediasync.credit VALUES (281474976776193, 0, 281474976776196, 'actor', 'Neo');
INSERT INTO mediasync.credit VALUES (281474976776193, 1, 281474976776195, 'actor', 'Morpheus');
INSERT INTO mediasync.credit VALUES (281474976776193, 2, 281474976776198, 'director', NULL);
INSERT INTO mediasync.credit VALUES (281474976776192, 0, 281474976776194, 'actor', 'Amélie');
INSERT INTO mediasync.credit VALUES (281474976776202, 0, 281474976776203, 'guest_star', 'Jonas');
INSERT INTO mediasync.credit VALUES (562949953486848, 0, 562949953486850, 'actor', 'Kikuchiyo');
INSERT INTO mediasync.credit VALUES (562949953486848, 1, 562949953486852, 'actor', 'Kambei');
INSERT INTO mediasync.credit VALUES (562949953486848, 2, 562949953486851, 'director', NULL);
INSERT INTO mediasync.credit VALUES (562949953486849, 0, 562949953486853, 'actor', 'Kris');
INSERT INTO mediasync.credit VALUES (281474976841728, 0, 281474976841729, 'actor', 'Lt. Vincent Hanna');

INSERT INTO mediasync.item_external_id VALUES (281474976776193, 'imdb', 'tt0133093');
INSERT INTO mediasync.item_external_id VALUES (281474976776193, 'tmdb', '603');
INSERT INTO mediasync.item_external_id VALUES (281474976776192, 'tmdb', '194');
INSERT INTO mediasync.item_external_id VALUES (562949953486848, 'imdb', 'tt0047478');
INSERT INTO mediasync.item_external_id VALUES (562949953486848, 'tmdb', '346');
INSERT INTO mediasync.item_external_id VALUES (281474976841728, 'tmdb', '949');

INSERT INTO mediasync.item_genre VALUES (281474976776193, 0, 'Action');
INSERT INTO mediasync.item_genre VALUES (281474976776193, 1, 'Science Fiction');
INSERT INTO mediasync.item_genre VALUES (562949953486848, 0, 'Drama');
INSERT INTO mediasync.item_genre VALUES (281474976841728, 0, 'Crime');

INSERT INTO mediasync.item_image VALUES (281474976776193, 'poster', 'Items/603/Images/Primary');

INSERT INTO mediasync.item_rating VALUES (281474976776193, 0, 'imdb', 8.7, 2000000);

INSERT INTO mediasync.item_word VALUES ('=fabuleuxdestindameliepoulain', 2001, 281474976776192);
INSERT INTO mediasync.item_word VALUES ('=matrix', 1999, 281474976776193);
INSERT INTO mediasync.item_word VALUES ('amelie', 2001, 281474976776192);
INSERT INTO mediasync.item_word VALUES ('d', 2001, 281474976776192);
INSERT INTO mediasync.item_word VALUES ('destin', 2001, 281474976776192);
INSERT INTO mediasync.item_word VALUES ('fabuleux', 2001, 281474976776192);
INSERT INTO mediasync.item_word VALUES ('le', 2001, 281474976776192);
INSERT INTO mediasync.item_word VALUES ('matrix', 1999, 281474976776193);
INSERT INTO mediasync.item_word VALUES ('poulain', 2001, 281474976776192);
INSERT INTO mediasync.item_word VALUES ('the', 1999, 281474976776193);
INSERT INTO mediasync.item_word VALUES ('1', 30000, 281474976776201);
INSERT INTO mediasync.item_word VALUES ('=dark', 12017, 281474976776200);
INSERT INTO mediasync.item_word VALUES ('=season1', 30000, 281474976776201);
INSERT INTO mediasync.item_word VALUES ('=secrets', 20000, 281474976776202);
INSERT INTO mediasync.item_word VALUES ('dark', 12017, 281474976776200);
INSERT INTO mediasync.item_word VALUES ('season', 30000, 281474976776201);
INSERT INTO mediasync.item_word VALUES ('secrets', 20000, 281474976776202);
INSERT INTO mediasync.item_word VALUES ('=sevensamurai', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('=солярис', 1972, 562949953486849);
INSERT INTO mediasync.item_word VALUES ('=七人の侍', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('samurai', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('seven', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('солярис', 1972, 562949953486849);
INSERT INTO mediasync.item_word VALUES ('の侍', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('七人の侍', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('人の侍', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('侍', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('heat', 1995, 281474976841728);
INSERT INTO mediasync.item_word VALUES ('1995', 1995, 281474976841728);
INSERT INTO mediasync.item_word VALUES ('=heat1995', 1995, 281474976841728);
INSERT INTO mediasync.item_word VALUES ('no', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('qi', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('ren', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('shi', 1954, 562949953486848);
INSERT INTO mediasync.item_word VALUES ('solyaris', 1972, 562949953486849);

INSERT INTO mediasync.library VALUES (1, 1, 'home:movies', 'movies', 'Movies', 'movies', 1700000000000, 1700000000000);
INSERT INTO mediasync.library VALUES (2, 1, 'home:shows', 'shows', 'Shows', 'shows', 1700000000000, 1700000000000);
INSERT INTO mediasync.library VALUES (3, 2, 'films:.', '.', 'films', 'movies', 1700000180000, 1700000180000);

INSERT INTO mediasync.media_item VALUES (281474976776192, 1, NULL, 'home:194', '194', 'movie', 'Le Fabuleux Destin d''Amélie Poulain', NULL, NULL, NULL, NULL, 2001, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '194', NULL, NULL, NULL, NULL, NULL, NULL, 'full', '2:0e36d04ce9ec42d9efcca2d8eedcf0da', '2:3cf253e5d2fc4f5894b5f2fc8803a221', NULL, 1700000000000, 1700000060000, NULL, NULL, 'fabuleux destin d amelie poulain', NULL);
INSERT INTO mediasync.media_item VALUES (281474976776193, 1, NULL, 'home:603', '603', 'movie', 'The Matrix', 'The Matrix', NULL, 'A hacker; a pill.', 'Free your mind', 1999, NULL, 8160, 'R', NULL, NULL, NULL, 'tt0133093', '603', NULL, '/films/The Matrix.mkv', NULL, NULL, NULL, NULL, 'full', '2:6d52d96097c1ac59b9d3059c4a721211', '2:8328261b6daae786d0dde6200a9da475', NULL, 1700000000000, 1700000000000, NULL, NULL, 'matrix', 8.7);
INSERT INTO mediasync.media_item VALUES (281474976776200, 2, NULL, 'home:s', 's', 'show', 'Dark', NULL, NULL, NULL, NULL, 2017, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'none', '2:72d1fbb1e1e02bff432a64806b1764de', NULL, NULL, 1700000120000, 1700000120000, NULL, NULL, 'dark', NULL);
INSERT INTO mediasync.media_item VALUES (281474976776201, 2, 281474976776200, 'home:s-1', 's-1', 'season', 'Season 1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'none', '2:13b3c8e4f3f618d65dfcbb1dd6e4af87', NULL, NULL, 1700000120000, 1700000120000, NULL, NULL, 'season 011', NULL);
INSERT INTO mediasync.media_item VALUES (281474976776202, 2, 281474976776201, 'home:s-1-1', 's-1-1', 'episode', 'Secrets', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'full', '2:d03c37b560804dbef3bdc4d8c1e25335', '2:a0a253727f66f0784b434dce404e6004', NULL, 1700000120000, 1700000120000, NULL, NULL, 'secrets', NULL);
INSERT INTO mediasync.media_item VALUES (281474976841728, 1, NULL, 'home:500', '500', 'movie', 'Heat (1995)', NULL, NULL, NULL, NULL, 1995, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '949', NULL, '/films/Heat.mkv', NULL, NULL, NULL, NULL, 'full', '2:7a0be7530f0ec75a333baf3660d6c18a', '2:da7f70d28dca83f521a5ea4ac383398a', NULL, 1700000300000, 1700000300000, NULL, NULL, 'heat 041995', NULL);
INSERT INTO mediasync.media_item VALUES (562949953486848, 3, NULL, 'films:Seven Samurai (1954)', 'Seven Samurai (1954)', 'movie', 'Seven Samurai', '七人の侍', NULL, NULL, NULL, 1954, NULL, NULL, NULL, NULL, NULL, NULL, 'tt0047478', '346', NULL, 'Seven Samurai (1954)/Seven Samurai (1954).mkv', NULL, NULL, NULL, NULL, 'full', '2:eb8a1a0fd710added5afe13e6b6354c4', '2:6d033fdb13e2adbe515d0f5a6ab49ca3', '448-1600000000000000000-1-a723906d1735e25f-movie', 1700000180000, 1700000180000, NULL, NULL, 'seven samurai', NULL);
INSERT INTO mediasync.media_item VALUES (562949953486849, 3, NULL, 'films:Solaris (1972)', 'Solaris (1972)', 'movie', 'Солярис', NULL, NULL, NULL, NULL, 1972, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'Solaris (1972)/Solaris (1972).mkv', NULL, NULL, NULL, NULL, 'full', '2:18bc04b27fd28f7cf58b700b5262f887', '2:233d5b5e5c618f383cca511972f66b45', '146-1600000000000000000-1-6d530b85455b06e2-movie', 1700000180000, 1700000180000, NULL, NULL, 'солярис', NULL);

INSERT INTO mediasync.person VALUES (281474976776194, 1, 'home:2405', 'Audrey Tautou', '', 1700000000000, 1700000000000, NULL, NULL, NULL, 'audrey tautou');
INSERT INTO mediasync.person VALUES (281474976776195, 1, 'home:2975', 'Laurence Fishburne', '', 1700000000000, 1700000000000, NULL, NULL, NULL, 'laurence fishburne');
INSERT INTO mediasync.person VALUES (281474976776196, 1, 'home:6384', 'Keanu Reeves', 'Items/6384/Images/Primary', 1700000000000, 1700000000000, NULL, NULL, NULL, 'keanu reeves');
INSERT INTO mediasync.person VALUES (281474976776197, 1, 'home:77', 'Renée O''Connor', '', 1700000000000, 1700000000000, 1700000060000, NULL, NULL, 'renee o connor');
INSERT INTO mediasync.person VALUES (281474976776198, 1, 'home:9339', 'Lilly Wachowski', '', 1700000000000, 1700000000000, NULL, NULL, NULL, 'lilly wachowski');
INSERT INTO mediasync.person VALUES (281474976776203, 1, 'home:1252', 'Louis Hofmann', '', 1700000120000, 1700000120000, NULL, NULL, NULL, 'louis hofmann');
INSERT INTO mediasync.person VALUES (281474976841729, 1, 'home:500', 'Al Pacino', '', 1700000300000, 1700000300000, NULL, NULL, NULL, 'al pacino');
INSERT INTO mediasync.person VALUES (562949953486850, 2, 'films:tmdb:7450', '三船 敏郎', '', 1700000180000, 1700000180000, NULL, NULL, NULL, '三船 敏郎');
INSERT INTO mediasync.person VALUES (562949953486851, 2, 'films:tmdb:5026', '黒澤 明', '', 1700000180000, 1700000180000, NULL, NULL, NULL, '黒澤 明');
INSERT INTO mediasync.person VALUES (562949953486852, 2, 'films:name:takashi shimura', 'Takashi Shimura', '', 1700000180000, 1700000180000, NULL, NULL, NULL, 'takashi shimura');
INSERT INTO mediasync.person VALUES (562949953486853, 2, 'films:tmdb:84', 'Donatas Banionis', '', 1700000180000, 1700000180000, NULL, NULL, NULL, 'donatas banionis');

INSERT INTO mediasync.person_alias VALUES ('films:imdb:nm0001536', 562949953486850, 0);
INSERT INTO mediasync.person_alias VALUES ('films:name:donatas banionis', 562949953486853, 0);
INSERT INTO mediasync.person_alias VALUES ('films:name:三船 敏郎', 562949953486850, 0);
INSERT INTO mediasync.person_alias VALUES ('films:name:黒澤 明', 562949953486851, 0);

INSERT INTO mediasync.person_external_id VALUES (281474976776194, 'wikidata', 'Q"1\2');
INSERT INTO mediasync.person_external_id VALUES (281474976776195, 'tmdb', '2975');
INSERT INTO mediasync.person_external_id VALUES (281474976776196, 'imdb', 'nm0000206');
INSERT INTO mediasync.person_external_id VALUES (281474976776196, 'tmdb', '6384');
INSERT INTO mediasync.person_external_id VALUES (562949953486850, 'imdb', 'nm0001536');
INSERT INTO mediasync.person_external_id VALUES (562949953486850, 'tmdb', '7450');
INSERT INTO mediasync.person_external_id VALUES (562949953486851, 'tmdb', '5026');
INSERT INTO mediasync.person_external_id VALUES (562949953486853, 'tmdb', '84');
INSERT INTO mediasync.person_external_id VALUES (281474976841729, 'tmdb', '1158');

INSERT INTO mediasync.person_word VALUES ('audrey', 281474976776194);
INSERT INTO mediasync.person_word VALUES ('connor', 281474976776197);
INSERT INTO mediasync.person_word VALUES ('fishburne', 281474976776195);
INSERT INTO mediasync.person_word VALUES ('keanu', 281474976776196);
INSERT INTO mediasync.person_word VALUES ('laurence', 281474976776195);
INSERT INTO mediasync.person_word VALUES ('lilly', 281474976776198);
INSERT INTO mediasync.person_word VALUES ('o', 281474976776197);
INSERT INTO mediasync.person_word VALUES ('reeves', 281474976776196);
INSERT INTO mediasync.person_word VALUES ('renee', 281474976776197);
INSERT INTO mediasync.person_word VALUES ('tautou', 281474976776194);
INSERT INTO mediasync.person_word VALUES ('wachowski', 281474976776198);
INSERT INTO mediasync.person_word VALUES ('hofmann', 281474976776203);
INSERT INTO mediasync.person_word VALUES ('louis', 281474976776203);
INSERT INTO mediasync.person_word VALUES ('banionis', 562949953486853);
INSERT INTO mediasync.person_word VALUES ('donatas', 562949953486853);
INSERT INTO mediasync.person_word VALUES ('shimura', 562949953486852);
INSERT INTO mediasync.person_word VALUES ('takashi', 562949953486852);
INSERT INTO mediasync.person_word VALUES ('三船', 562949953486850);
INSERT INTO mediasync.person_word VALUES ('敏郎', 562949953486850);
INSERT INTO mediasync.person_word VALUES ('明', 562949953486851);
INSERT INTO mediasync.person_word VALUES ('黒澤', 562949953486851);
INSERT INTO mediasync.person_word VALUES ('al', 281474976841729);
INSERT INTO mediasync.person_word VALUES ('pacino', 281474976841729);
INSERT INTO mediasync.person_word VALUES ('chuan', 562949953486850);
INSERT INTO mediasync.person_word VALUES ('hei', 562949953486851);
INSERT INTO mediasync.person_word VALUES ('lang', 562949953486850);
INSERT INTO mediasync.person_word VALUES ('min', 562949953486850);
INSERT INTO mediasync.person_word VALUES ('ming', 562949953486851);
INSERT INTO mediasync.person_word VALUES ('san', 562949953486850);
INSERT INTO mediasync.person_word VALUES ('ze', 562949953486851);
INSERT INTO mediasync.person_word VALUES ('澤', 562949953486851);
INSERT INTO mediasync.person_word VALUES ('船', 562949953486850);
INSERT INTO mediasync.person_word VALUES ('郎', 562949953486850);

INSERT INTO mediasync.run_problem VALUES (1, 1, 0, NULL, 'remark', 'No Description.mkv', 'a video without an NFO file');

INSERT INTO mediasync.schema_version VALUES (9, 1700000400000);

INSERT INTO mediasync.source VALUES (2, 'films', 'nfo', 'films', NULL, 1700000180000, 1700000180000, 1, NULL, NULL);
INSERT INTO mediasync.source VALUES (1, 'home', 'jellyfin', 'Home', '5e1f', 1700000000000, 1700000000000, 2, NULL, NULL);

INSERT INTO mediasync.sync_run VALUES (1, 2, 'succeeded', 1700000180000, 1700000180000, 2, 2, 0, 0, NULL, '', 1, NULL, NULL);

INSERT INTO mediasync.sync_run_library VALUES (1, 3, NULL, 2, 0, 0, 1, NULL);

SELECT pg_catalog.setval('mediasync.library_library_key_seq', 3, true);

SELECT pg_catalog.setval('mediasync.media_item_item_key_seq', 1, false);

SELECT pg_catalog.setval('mediasync.person_person_key_seq', 1, false);

SELECT pg_catalog.setval('mediasync.source_source_key_seq', 2, true);

SELECT pg_catalog.setval('mediasync.sync_run_run_key_seq', 1, true);

ALTER TABLE ONLY mediasync.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (number);

ALTER TABLE ONLY mediasync.credit
    ADD CONSTRAINT credit_pkey PRIMARY KEY (item_key, sort_order);

ALTER TABLE ONLY mediasync.item_external_id
    ADD CONSTRAINT item_external_id_pkey PRIMARY KEY (item_key, provider);

ALTER TABLE ONLY mediasync.item_genre
    ADD CONSTRAINT item_genre_pkey PRIMARY KEY (item_key, "position");

ALTER TABLE ONLY mediasync.item_image
    ADD CONSTRAINT item_image_pkey PRIMARY KEY (item_key, kind);

ALTER TABLE ONLY mediasync.item_library
    ADD CONSTRAINT item_library_pkey PRIMARY KEY (item_key, library_key);

ALTER TABLE ONLY mediasync.item_rating
    ADD CONSTRAINT item_rating_pkey PRIMARY KEY (item_key, "position");

ALTER TABLE ONLY mediasync.item_rekeyed
    ADD CONSTRAINT item_rekeyed_id_key UNIQUE (id);

ALTER TABLE ONLY mediasync.item_rekeyed
    ADD CONSTRAINT item_rekeyed_pkey PRIMARY KEY (current_id);

ALTER TABLE ONLY mediasync.item_word
    ADD CONSTRAINT item_word_pkey PRIMARY KEY (word, place, item_key);

ALTER TABLE ONLY mediasync.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (source_id);

ALTER TABLE ONLY mediasync.library
    ADD CONSTRAINT library_id_key UNIQUE (id);

ALTER TABLE ONLY mediasync.library
    ADD CONSTRAINT library_pkey PRIMARY KEY (library_key);

ALTER TABLE ONLY mediasync.media_item
    ADD CONSTRAINT media_item_id_key UNIQUE (id);

ALTER TABLE ONLY mediasync.media_item
    ADD CONSTRAINT media_item_pkey PRIMARY KEY (item_key);

ALTER TABLE ONLY mediasync.pending_removal
    ADD CONSTRAINT pending_removal_pkey PRIMARY KEY (library_key);

ALTER TABLE ONLY mediasync.person_alias
    ADD CONSTRAINT person_alias_pkey PRIMARY KEY (id);

ALTER TABLE ONLY mediasync.person_external_id
    ADD CONSTRAINT person_external_id_pkey PRIMARY KEY (person_key, provider);

ALTER TABLE ONLY mediasync.person
    ADD CONSTRAINT person_id_key UNIQUE (id);

ALTER TABLE ONLY mediasync.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (person_key);

ALTER TABLE ONLY mediasync.person_word
    ADD CONSTRAINT person_word_pkey PRIMARY KEY (word, person_key);

ALTER TABLE ONLY mediasync.run_problem
    ADD CONSTRAINT run_problem_pkey PRIMARY KEY (series, from_run, "position");

ALTER TABLE ONLY mediasync.source
    ADD CONSTRAINT source_id_key UNIQUE (id);

ALTER TABLE ONLY mediasync.source
    ADD CONSTRAINT source_pkey PRIMARY KEY (source_key);

ALTER TABLE ONLY mediasync.sync_run_library
    ADD CONSTRAINT sync_run_library_pkey PRIMARY KEY (run_key, library_key);

ALTER TABLE ONLY mediasync.sync_run
    ADD CONSTRAINT sync_run_pkey PRIMARY KEY (run_key);

CREATE INDEX change_of_entity ON mediasync.change USING btree (entity_id, number);

CREATE INDEX change_of_run ON mediasync.change USING btree (run_key, number) WHERE (run_key IS NOT NULL);

CREATE INDEX credit_of_person ON mediasync.credit USING btree (person_key);

CREATE INDEX item_external_id_by_value ON mediasync.item_external_id USING btree (provider, value);

CREATE INDEX item_genre_by_name ON mediasync.item_genre USING btree (name);

CREATE INDEX item_library_of_library ON mediasync.item_library USING btree (library_key, id);

CREATE INDEX library_of_source ON mediasync.library USING btree (source_key);

CREATE INDEX media_item_by_added ON mediasync.media_item USING btree (((('1970-01-01 00:00:00'::timestamp without time zone + (((added_at / 1000))::double precision * '00:00:01'::interval)) + (((added_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text), id);

CREATE INDEX media_item_by_created ON mediasync.media_item USING btree (((('1970-01-01 00:00:00'::timestamp without time zone + (((created_at / 1000))::double precision * '00:00:01'::interval)) + (((created_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text));

CREATE INDEX media_item_by_imdb ON mediasync.media_item USING btree (imdb_id) WHERE (imdb_id IS NOT NULL);

CREATE INDEX media_item_by_path ON mediasync.media_item USING btree (substr(path, 1, 200)) WHERE (path IS NOT NULL);

CREATE INDEX media_item_by_rating ON mediasync.media_item USING btree (media_type, rating, id);

CREATE INDEX media_item_by_sort_key ON mediasync.media_item USING btree (media_type, sort_key, id);

CREATE INDEX media_item_by_title ON mediasync.media_item USING hash (title);

CREATE INDEX media_item_by_tmdb ON mediasync.media_item USING btree (tmdb_id) WHERE (tmdb_id IS NOT NULL);

CREATE INDEX media_item_by_tvdb ON mediasync.media_item USING btree (tvdb_id) WHERE (tvdb_id IS NOT NULL);

CREATE INDEX media_item_by_updated ON mediasync.media_item USING btree (((('1970-01-01 00:00:00'::timestamp without time zone + (((updated_at / 1000))::double precision * '00:00:01'::interval)) + (((updated_at % (1000)::bigint))::double precision * '00:00:00.001'::interval)) AT TIME ZONE 'UTC'::text), id);

CREATE INDEX media_item_by_year ON mediasync.media_item USING btree (media_type, year, id);

CREATE INDEX media_item_missing ON mediasync.media_item USING btree (missing_since) WHERE (missing_since IS NOT NULL);

CREATE INDEX media_item_of_library ON mediasync.media_item USING btree (library_key, media_type, id, completeness);

CREATE INDEX media_item_of_parent ON mediasync.media_item USING btree (parent_key) WHERE (parent_key IS NOT NULL);

CREATE INDEX person_alias_of_person ON mediasync.person_alias USING btree (person_key);

CREATE INDEX person_by_name ON mediasync.person USING btree (name);

CREATE INDEX person_by_sort_key ON mediasync.person USING btree (sort_key, id);

CREATE INDEX person_given_by ON mediasync.person USING btree (given_by) WHERE (given_by IS NOT NULL);

CREATE INDEX person_of_source ON mediasync.person USING btree (source_key);

CREATE INDEX person_uncredited ON mediasync.person USING btree (person_key) WHERE (uncredited_since IS NOT NULL);

CREATE INDEX run_problem_until ON mediasync.run_problem USING btree (series, until_run);

CREATE INDEX sync_run_library_of_library ON mediasync.sync_run_library USING btree (library_key, run_key);

CREATE INDEX sync_run_of_source ON mediasync.sync_run USING btree (source_key, started_at);

ALTER TABLE ONLY mediasync.credit
    ADD CONSTRAINT credit_item_key_fkey FOREIGN KEY (item_key) REFERENCES mediasync.media_item(item_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.credit
    ADD CONSTRAINT credit_person_key_fkey FOREIGN KEY (person_key) REFERENCES mediasync.person(person_key);

ALTER TABLE ONLY mediasync.item_external_id
    ADD CONSTRAINT item_external_id_item_key_fkey FOREIGN KEY (item_key) REFERENCES mediasync.media_item(item_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.item_genre
    ADD CONSTRAINT item_genre_item_key_fkey FOREIGN KEY (item_key) REFERENCES mediasync.media_item(item_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.item_image
    ADD CONSTRAINT item_image_item_key_fkey FOREIGN KEY (item_key) REFERENCES mediasync.media_item(item_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.item_library
    ADD CONSTRAINT item_library_item_key_fkey FOREIGN KEY (item_key) REFERENCES mediasync.media_item(item_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.item_library
    ADD CONSTRAINT item_library_library_key_fkey FOREIGN KEY (library_key) REFERENCES mediasync.library(library_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.item_rating
    ADD CONSTRAINT item_rating_item_key_fkey FOREIGN KEY (item_key) REFERENCES mediasync.media_item(item_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.item_rekeyed
    ADD CONSTRAINT item_rekeyed_id_fkey FOREIGN KEY (id) REFERENCES mediasync.media_item(id) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.library
    ADD CONSTRAINT library_source_key_fkey FOREIGN KEY (source_key) REFERENCES mediasync.source(source_key);

ALTER TABLE ONLY mediasync.media_item
    ADD CONSTRAINT media_item_library_key_fkey FOREIGN KEY (library_key) REFERENCES mediasync.library(library_key);

ALTER TABLE ONLY mediasync.media_item
    ADD CONSTRAINT media_item_parent_key_fkey FOREIGN KEY (parent_key) REFERENCES mediasync.media_item(item_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.pending_removal
    ADD CONSTRAINT pending_removal_library_key_fkey FOREIGN KEY (library_key) REFERENCES mediasync.library(library_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.person_alias
    ADD CONSTRAINT person_alias_person_key_fkey FOREIGN KEY (person_key) REFERENCES mediasync.person(person_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.person_external_id
    ADD CONSTRAINT person_external_id_person_key_fkey FOREIGN KEY (person_key) REFERENCES mediasync.person(person_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.person
    ADD CONSTRAINT person_source_key_fkey FOREIGN KEY (source_key) REFERENCES mediasync.source(source_key);

ALTER TABLE ONLY mediasync.sync_run_library
    ADD CONSTRAINT sync_run_library_library_key_fkey FOREIGN KEY (library_key) REFERENCES mediasync.library(library_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.sync_run_library
    ADD CONSTRAINT sync_run_library_run_key_fkey FOREIGN KEY (run_key) REFERENCES mediasync.sync_run(run_key) ON DELETE CASCADE;

ALTER TABLE ONLY mediasync.sync_run
    ADD CONSTRAINT sync_run_source_key_fkey FOREIGN KEY (source_key) REFERENCES mediasync.source(source_key);
