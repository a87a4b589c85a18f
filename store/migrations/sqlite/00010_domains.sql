-- +goose Up

-- A claim to an email domain. At most one claim to a name is verified.
CREATE TABLE domain (
    id              TEXT      NOT NULL PRIMARY KEY,
    organization_id TEXT      NOT NULL REFERENCES organization (id),
    name            TEXT      NOT NULL,
    state           TEXT      NOT NULL,
    proof           TEXT      NOT NULL,
    challenge       TEXT      NOT NULL,
    finding         TEXT      NOT NULL,
    created_at      TIMESTAMP NOT NULL,
    verified_at     TIMESTAMP,
    checked_at      TIMESTAMP,
    missing_since   TIMESTAMP,
    UNIQUE (organization_id, name)
);
CREATE UNIQUE INDEX domain_verified ON domain (name) WHERE state = 'verified';
CREATE INDEX domain_by_check ON domain (checked_at) WHERE state = 'verified';

-- The identity providers that speak for a domain's addresses.
CREATE TABLE domain_method (
    domain_id TEXT      NOT NULL REFERENCES domain (id) ON DELETE CASCADE,
    method_id TEXT      NOT NULL REFERENCES idp (id),
    linked_at TIMESTAMP NOT NULL,
    PRIMARY KEY (domain_id, method_id)
) WITHOUT ROWID;
CREATE INDEX domain_method_by_method ON domain_method (method_id);

-- Work that one node does for all: when it is due next.
CREATE TABLE task (
    name    TEXT      NOT NULL PRIMARY KEY,
    next_at TIMESTAMP NOT NULL
) WITHOUT ROWID;

-- Identity providers put people into these groups, and take them out. method_id
-- names the one that put somebody in; of somebody whom a person put in, none.
ALTER TABLE user_group ADD COLUMN idp_managed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE user_group_member ADD COLUMN method_id TEXT REFERENCES idp (id);
