-- A file's hash changes with the version that its recipe names; that of the pixels alone does not.
ALTER TABLE nodes ADD COLUMN pixels TEXT NOT NULL DEFAULT '';   -- empty where nobody knows
-- The recipe with nothing left for the machine's memory to decide, by which the dream is made again.
ALTER TABLE nodes ADD COLUMN settled TEXT;

CREATE INDEX nodes_pixels ON nodes (picture, pixels);
