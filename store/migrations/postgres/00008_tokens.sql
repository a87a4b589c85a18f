-- +goose Up

-- max_age is in seconds; ip_ranges and scopes are separated by spaces. The
-- last use is written now and then, of many tokens together.
ALTER TABLE token ADD COLUMN max_age          BIGINT NOT NULL DEFAULT 0;
ALTER TABLE token ADD COLUMN extend_when_used BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE token ADD COLUMN ends_at          TIMESTAMPTZ;
ALTER TABLE token ADD COLUMN ip_ranges        TEXT    NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN scopes           TEXT    NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN last_used_at     TIMESTAMPTZ;
ALTER TABLE token ADD COLUMN last_ip          TEXT    NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN last_agent       TEXT    NOT NULL DEFAULT '';

-- From where, and when, somebody last logged in by each way.
ALTER TABLE identity ADD COLUMN last_ip          TEXT NOT NULL DEFAULT '';
ALTER TABLE person   ADD COLUMN password_used_at TIMESTAMPTZ;
ALTER TABLE person   ADD COLUMN password_used_ip TEXT NOT NULL DEFAULT '';

-- rules and trial are JSON; trial is empty where nothing is tried. group_id and
-- trial_ends_at stand in it too: these are to be found by.
CREATE TABLE policy (
    organization_id TEXT      NOT NULL PRIMARY KEY REFERENCES organization (id),
    rules           TEXT      NOT NULL,
    trial           TEXT      NOT NULL,
    group_id        TEXT,
    trial_ends_at   TIMESTAMPTZ,
    updated_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX policy_by_end ON policy (trial_ends_at) WHERE trial_ends_at IS NOT NULL;

-- Whom a policy would have refused that is only reported.
CREATE TABLE policy_sighting (
    organization_id TEXT      NOT NULL REFERENCES organization (id),
    user_id         TEXT      NOT NULL REFERENCES person (id),
    kind            TEXT      NOT NULL,
    rule            TEXT      NOT NULL,
    code            TEXT      NOT NULL,
    why             TEXT      NOT NULL,
    times           BIGINT    NOT NULL,
    first_at        TIMESTAMPTZ NOT NULL,
    last_at         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, user_id, kind, rule)
);

-- What changes leave for the nodes' caches, for some minutes. at is in
-- milliseconds, by the clock of the database, which all nodes share.
CREATE TABLE change_note (
    at  BIGINT NOT NULL,
    id  TEXT    NOT NULL,
    key TEXT    NOT NULL,
    PRIMARY KEY (at, id)
);
