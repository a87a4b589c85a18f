-- +goose Up

-- What became of attempts to log in. Ids sort by time, so that what is added
-- stands together. Words have no index: a login would write a page for it, and
-- an organization's attempts are few to look through.
CREATE TABLE login_trace (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization_id TEXT      NOT NULL REFERENCES organization (id),
    method_kind     TEXT      NOT NULL,
    method_id       TEXT      REFERENCES idp (id),
    at              TIMESTAMPTZ NOT NULL,
    words           TEXT      NOT NULL,
    outcome         TEXT      NOT NULL,
    code            TEXT      NOT NULL,
    user_id         TEXT
);
CREATE INDEX login_trace_by_organization ON login_trace (organization_id, id);

-- What a trace tells, and what was sent, apart from the small row that changes
-- once more. Both are sealed: they name people. A response that was not kept, or
-- was deleted, is NULL.
CREATE TABLE login_trace_body (
    id       TEXT NOT NULL PRIMARY KEY REFERENCES login_trace (id) ON DELETE CASCADE,
    story    BYTEA NOT NULL,
    response BYTEA
);

-- How many attempts were refused of which nothing else is kept.
CREATE TABLE login_trace_count (
    organization_id TEXT      NOT NULL REFERENCES organization (id),
    method_id       TEXT      NOT NULL REFERENCES idp (id),
    hour            TIMESTAMPTZ NOT NULL,
    refused         INTEGER   NOT NULL,
    PRIMARY KEY (organization_id, method_id, hour)
);

-- A link that shows one trace to whoever has it; hash is the SHA-256 of its
-- secret.
CREATE TABLE login_trace_share (
    hash       BYTEA      NOT NULL PRIMARY KEY,
    trace_id   TEXT      NOT NULL REFERENCES login_trace (id) ON DELETE CASCADE,
    attributes BOOLEAN   NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX login_trace_share_by_trace ON login_trace_share (trace_id);
CREATE INDEX login_trace_share_by_end ON login_trace_share (expires_at);

-- A login that tries settings out before they are in force; draft has them, and
-- is sealed. flow_id is the request's that answers it.
CREATE TABLE login_test (
    id         TEXT      NOT NULL PRIMARY KEY,
    method_id  TEXT      NOT NULL REFERENCES idp (id),
    made_by    TEXT      NOT NULL,
    draft      BYTEA      NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    flow_id    TEXT      UNIQUE,
    trace_id   TEXT
);
CREATE INDEX login_test_by_method ON login_test (method_id);
CREATE INDEX login_test_by_end ON login_test (expires_at);

ALTER TABLE flow ADD COLUMN trace_id TEXT;
