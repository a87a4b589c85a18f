-- +goose Up

-- Events refer to nothing by key: they outlive what they speak of. Their ids
-- sort by time, so that the index of an organization is its log in order.
CREATE TABLE audit_event (
    id              TEXT      NOT NULL PRIMARY KEY,
    at              TIMESTAMP NOT NULL,
    organization_id TEXT,
    actor_id        TEXT      NOT NULL,
    actor_name      TEXT      NOT NULL,
    action          TEXT      NOT NULL,
    target_kind     TEXT      NOT NULL,
    target_id       TEXT      NOT NULL,
    target_name     TEXT      NOT NULL,
    ip              TEXT      NOT NULL,
    user_agent      TEXT      NOT NULL,
    details         TEXT      NOT NULL
) WITHOUT ROWID;
CREATE INDEX audit_event_by_organization ON audit_event (organization_id, id);

-- A link that recovers an organization; hash is the SHA-256 of its secret, and
-- flow_id the login that it was used for, once it was.
CREATE TABLE recovery_link (
    hash            BLOB      NOT NULL PRIMARY KEY,
    organization_id TEXT      NOT NULL REFERENCES organization (id),
    user_id         TEXT      NOT NULL REFERENCES person (id),
    expires_at      TIMESTAMP NOT NULL,
    flow_id         TEXT      UNIQUE
) WITHOUT ROWID;
CREATE INDEX recovery_link_by_end ON recovery_link (expires_at);

-- The organization that a login by such a link may enter; of such tokens alone.
ALTER TABLE token ADD COLUMN recovers TEXT REFERENCES organization (id);
