-- +goose Up

-- name_key is the name without upper and lower case.
CREATE TABLE user_group (
    id              TEXT        NOT NULL PRIMARY KEY,
    organization_id TEXT        NOT NULL REFERENCES organization (id),
    name            TEXT        NOT NULL,
    name_key        TEXT        NOT NULL,
    description     TEXT        NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, name_key),
    UNIQUE (id, organization_id)
);

-- Whoever stops being a member of the organization leaves its groups by that,
-- and nobody of another organization can be in one.
CREATE TABLE user_group_member (
    group_id        TEXT        NOT NULL,
    user_id         TEXT        NOT NULL,
    organization_id TEXT        NOT NULL,
    added_at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_id, user_id),
    FOREIGN KEY (group_id, organization_id) REFERENCES user_group (id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id) REFERENCES member (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX user_group_member_by_user ON user_group_member (user_id, organization_id);
