-- Times are milliseconds since 1970. What is long stands last in its row, so that lists need not read it.

CREATE TABLE pictures (
    id TEXT PRIMARY KEY,        -- SHA-256 of the file
    name TEXT NOT NULL,         -- what people call it
    extension TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    added INTEGER NOT NULL,
    used INTEGER NOT NULL,      -- when it last was on the desk
    trashed INTEGER,
    small BLOB                  -- a JPEG
) STRICT, WITHOUT ROWID;

CREATE INDEX pictures_used ON pictures (used);

CREATE TABLE nodes (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    picture TEXT NOT NULL,      -- what it was dreamt on: a picture, or noise of a size
    parent TEXT REFERENCES nodes (id),
    title TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    longest INTEGER NOT NULL,   -- the longest side that was asked for
    star INTEGER NOT NULL DEFAULT 0,
    made INTEGER NOT NULL,
    trashed INTEGER,
    recipe TEXT NOT NULL,
    small BLOB NOT NULL         -- a JPEG
) STRICT;

CREATE INDEX nodes_picture ON nodes (picture);
CREATE INDEX nodes_parent ON nodes (parent);

CREATE TABLE looks (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    made INTEGER NOT NULL,
    recipe TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    key TEXT UNIQUE,            -- what a repeated request is known by
    place INTEGER NOT NULL,     -- smaller ones are done first
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    made INTEGER NOT NULL,
    ended INTEGER,
    output TEXT,                -- the file, below the studio's folder
    failure TEXT,
    wanted TEXT NOT NULL,       -- what is to be made of what, as JSON
    recipe TEXT NOT NULL,
    small BLOB                  -- a JPEG of what was made
) STRICT;

CREATE INDEX jobs_place ON jobs (place);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
