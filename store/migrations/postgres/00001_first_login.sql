-- +goose Up

CREATE TABLE key_check (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed BYTEA  NOT NULL
);

-- account_id names the root account. It is no foreign key: the account refers
-- to the organization, and one of the two has to come first.
CREATE TABLE organization (
    id         TEXT        NOT NULL PRIMARY KEY,
    account_id TEXT        NOT NULL UNIQUE,
    name       TEXT        NOT NULL,
    tier       TEXT        NOT NULL,
    suspended  BOOLEAN     NOT NULL,
    revision   BIGINT      NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE account (
    id              TEXT        NOT NULL PRIMARY KEY,
    organization_id TEXT        NOT NULL REFERENCES organization (id),
    parent_id       TEXT        REFERENCES account (id),
    name            TEXT        NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX account_by_organization ON account (organization_id, created_at);
CREATE UNIQUE INDEX account_root ON account (organization_id) WHERE parent_id IS NULL;

CREATE TABLE person (
    id                       TEXT        NOT NULL PRIMARY KEY,
    email                    TEXT        NOT NULL UNIQUE,
    real_name                TEXT        NOT NULL,
    state                    TEXT        NOT NULL,
    is_operator              BOOLEAN     NOT NULL,
    address_proved           BOOLEAN     NOT NULL,
    managing_organization_id TEXT        REFERENCES organization (id),
    tokens_valid_from        TIMESTAMPTZ,
    city                     TEXT        NOT NULL,
    country                  TEXT        NOT NULL,
    department               TEXT        NOT NULL,
    job_title                TEXT        NOT NULL,
    password_hash            TEXT        NOT NULL,
    created_at               TIMESTAMPTZ NOT NULL,
    updated_at               TIMESTAMPTZ NOT NULL
);

CREATE TABLE member (
    organization_id TEXT        NOT NULL REFERENCES organization (id),
    user_id         TEXT        NOT NULL REFERENCES person (id),
    super_admin     BOOLEAN     NOT NULL,
    joined_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX member_by_user ON member (user_id);

-- What every request reads comes first, the large columns last.
CREATE TABLE idp (
    id                     TEXT        NOT NULL PRIMARY KEY,
    organization_id        TEXT        NOT NULL REFERENCES organization (id),
    account_id             TEXT        NOT NULL REFERENCES account (id),
    enabled                BOOLEAN     NOT NULL,
    state                  TEXT        NOT NULL,
    deleted_at             TIMESTAMPTZ,
    token_max_age          BIGINT      NOT NULL,
    name                   TEXT        NOT NULL,
    base                   TEXT        NOT NULL,
    entity_id              TEXT        NOT NULL,
    sso_url                TEXT        NOT NULL,
    binding                TEXT        NOT NULL,
    digest_algorithm       TEXT        NOT NULL,
    signature_algorithm    TEXT        NOT NULL,
    variant                TEXT        NOT NULL,
    sign_requests          BOOLEAN     NOT NULL,
    want_assertion_signed  BOOLEAN     NOT NULL,
    request_authn_context  BOOLEAN     NOT NULL,
    idp_login_allowed      BOOLEAN     NOT NULL,
    join_groups            BOOLEAN     NOT NULL,
    map_email              TEXT        NOT NULL,
    map_first_name         TEXT        NOT NULL,
    map_last_name          TEXT        NOT NULL,
    map_real_name          TEXT        NOT NULL,
    map_identity           TEXT        NOT NULL,
    map_groups             TEXT        NOT NULL,
    allow_sha1             BOOLEAN     NOT NULL,
    allow_small_keys       BOOLEAN     NOT NULL,
    token_extend_when_used BOOLEAN     NOT NULL,
    auto_join_group_id     TEXT        NOT NULL,
    created_at             TIMESTAMPTZ NOT NULL,
    updated_at             TIMESTAMPTZ NOT NULL,
    certificate_pem        TEXT        NOT NULL,
    sp_certificate         BYTEA       NOT NULL,
    sp_key                 BYTEA       NOT NULL
);
CREATE INDEX idp_by_account ON idp (account_id, created_at);
CREATE INDEX idp_by_organization ON idp (organization_id);

CREATE TABLE identity (
    method_id    TEXT        NOT NULL REFERENCES idp (id),
    subject_kind TEXT        NOT NULL,
    subject      TEXT        NOT NULL,
    user_id      TEXT        NOT NULL REFERENCES person (id),
    email        TEXT        NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (method_id, subject_kind, subject)
);
CREATE INDEX identity_by_user ON identity (user_id, method_id);

CREATE TABLE token (
    hash         BYTEA       NOT NULL PRIMARY KEY,
    user_id      TEXT        NOT NULL REFERENCES person (id),
    prefix       TEXT        NOT NULL,
    kind         TEXT        NOT NULL,
    method_kind  TEXT        NOT NULL,
    method_id    TEXT        REFERENCES idp (id),
    two_factor   BOOLEAN     NOT NULL,
    logged_in_at TIMESTAMPTZ NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    description  TEXT        NOT NULL,
    user_agent   TEXT        NOT NULL,
    ip           TEXT        NOT NULL,
    UNIQUE (user_id, prefix)
);
CREATE INDEX token_by_end ON token (expires_at);

-- A flow stays until it ends, taken or not: its id is never used again.
CREATE TABLE flow (
    id          TEXT        NOT NULL PRIMARY KEY,
    browser     BYTEA       NOT NULL,
    method_kind TEXT        NOT NULL,
    method_id   TEXT        REFERENCES idp (id),
    purpose     BIGINT      NOT NULL,
    user_id     TEXT        REFERENCES person (id),
    claim       TEXT        NOT NULL,
    answered_at TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    taken       BOOLEAN     NOT NULL
);
CREATE INDEX flow_by_end ON flow (expires_at);

-- hash is the SHA-256 of what was used once, and of its kind.
CREATE TABLE used_key (
    hash       BYTEA       NOT NULL PRIMARY KEY,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX used_key_by_end ON used_key (expires_at);
