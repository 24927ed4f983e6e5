-- Guides and masks that the studio was given, which go once nothing names them.
CREATE TABLE assets (
    id TEXT PRIMARY KEY,                -- SHA-256 of the file
    given INTEGER NOT NULL,             -- when it last was
    kept INTEGER NOT NULL DEFAULT 0     -- whether a file outside the library may name it
) STRICT, WITHOUT ROWID;
