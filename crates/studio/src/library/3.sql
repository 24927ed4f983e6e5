-- Videos are kept beside the pictures.
ALTER TABLE pictures ADD COLUMN seconds REAL;   -- how long it is; of a picture, none
ALTER TABLE pictures ADD COLUMN rate REAL;      -- frames in a second, on the mean
