-- What a dream's picture was, as the hash of its PNG: whether its recipe makes the same again.

ALTER TABLE nodes ADD COLUMN exact TEXT NOT NULL DEFAULT '';

CREATE INDEX nodes_exact ON nodes (exact, picture);
