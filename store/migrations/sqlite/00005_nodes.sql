-- +goose Up

-- A running server, so that keys are not changed behind its back. keys are the
-- ids of those that it knows, the one that it seals with first.
CREATE TABLE node (
    id         TEXT NOT NULL PRIMARY KEY,
    host       TEXT NOT NULL,
    keys       TEXT NOT NULL,
    seen_at    TIMESTAMP NOT NULL
) WITHOUT ROWID;
