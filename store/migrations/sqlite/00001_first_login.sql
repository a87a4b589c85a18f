-- +goose Up

-- Rows that are looked up by their key alone stand in it (WITHOUT ROWID): one
-- tree to descend, and one page to write, instead of two.

CREATE TABLE key_check (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed BLOB    NOT NULL
);

-- account_id names the root account. It is no foreign key: the account refers
-- to the organization, and one of the two has to come first.
CREATE TABLE organization (
    id         TEXT      NOT NULL PRIMARY KEY,
    account_id TEXT      NOT NULL UNIQUE,
    name       TEXT      NOT NULL,
    tier       TEXT      NOT NULL,
    suspended  BOOLEAN   NOT NULL,
    revision   INTEGER   NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE account (
    id              TEXT      NOT NULL PRIMARY KEY,
    organization_id TEXT      NOT NULL REFERENCES organization (id),
    parent_id       TEXT      REFERENCES account (id),
    name            TEXT      NOT NULL,
    created_at      TIMESTAMP NOT NULL,
    updated_at      TIMESTAMP NOT NULL
);
CREATE INDEX account_by_organization ON account (organization_id, created_at);
CREATE UNIQUE INDEX account_root ON account (organization_id) WHERE parent_id IS NULL;

CREATE TABLE person (
    id                       TEXT      NOT NULL PRIMARY KEY,
    email                    TEXT      NOT NULL UNIQUE,
    real_name                TEXT      NOT NULL,
    state                    TEXT      NOT NULL,
    is_operator              BOOLEAN   NOT NULL,
    address_proved           BOOLEAN   NOT NULL,
    managing_organization_id TEXT      REFERENCES organization (id),
    tokens_valid_from        TIMESTAMP,
    city                     TEXT      NOT NULL,
    country                  TEXT      NOT NULL,
    department               TEXT      NOT NULL,
    job_title                TEXT      NOT NULL,
    password_hash            TEXT      NOT NULL,
    created_at               TIMESTAMP NOT NULL,
    updated_at               TIMESTAMP NOT NULL
);

CREATE TABLE member (
    organization_id TEXT      NOT NULL REFERENCES organization (id),
    user_id         TEXT      NOT NULL REFERENCES person (id),
    super_admin     BOOLEAN   NOT NULL,
    joined_at       TIMESTAMP NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) WITHOUT ROWID;
CREATE INDEX member_by_user ON member (user_id);

-- What every request reads comes first, the large columns last.
CREATE TABLE idp (
    id                     TEXT      NOT NULL PRIMARY KEY,
    organization_id        TEXT      NOT NULL REFERENCES organization (id),
    account_id             TEXT      NOT NULL REFERENCES account (id),
    enabled                BOOLEAN   NOT NULL,
    state                  TEXT      NOT NULL,
    deleted_at             TIMESTAMP,
    token_max_age          INTEGER   NOT NULL,
    name                   TEXT      NOT NULL,
    base                   TEXT      NOT NULL,
    entity_id              TEXT      NOT NULL,
    sso_url                TEXT      NOT NULL,
    binding                TEXT      NOT NULL,
    digest_algorithm       TEXT      NOT NULL,
    signature_algorithm    TEXT      NOT NULL,
    variant                TEXT      NOT NULL,
    sign_requests          BOOLEAN   NOT NULL,
    want_assertion_signed  BOOLEAN   NOT NULL,
    request_authn_context  BOOLEAN   NOT NULL,
    idp_login_allowed      BOOLEAN   NOT NULL,
    join_groups            BOOLEAN   NOT NULL,
    map_email              TEXT      NOT NULL,
    map_first_name         TEXT      NOT NULL,
    map_last_name          TEXT      NOT NULL,
    map_real_name          TEXT      NOT NULL,
    map_identity           TEXT      NOT NULL,
    map_groups             TEXT      NOT NULL,
    allow_sha1             BOOLEAN   NOT NULL,
    allow_small_keys       BOOLEAN   NOT NULL,
    token_extend_when_used BOOLEAN   NOT NULL,
    auto_join_group_id     TEXT      NOT NULL,
    created_at             TIMESTAMP NOT NULL,
    updated_at             TIMESTAMP NOT NULL,
    certificate_pem        TEXT      NOT NULL,
    sp_certificate         BLOB      NOT NULL,
    sp_key                 BLOB      NOT NULL
);
CREATE INDEX idp_by_account ON idp (account_id, created_at);
CREATE INDEX idp_by_organization ON idp (organization_id);

CREATE TABLE identity (
    method_id    TEXT      NOT NULL REFERENCES idp (id),
    subject_kind TEXT      NOT NULL,
    subject      TEXT      NOT NULL,
    user_id      TEXT      NOT NULL REFERENCES person (id),
    email        TEXT      NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    PRIMARY KEY (method_id, subject_kind, subject)
) WITHOUT ROWID;
CREATE INDEX identity_by_user ON identity (user_id, method_id);

CREATE TABLE token (
    hash         BLOB      NOT NULL PRIMARY KEY,
    user_id      TEXT      NOT NULL REFERENCES person (id),
    prefix       TEXT      NOT NULL,
    kind         TEXT      NOT NULL,
    method_kind  TEXT      NOT NULL,
    method_id    TEXT      REFERENCES idp (id),
    two_factor   BOOLEAN   NOT NULL,
    logged_in_at TIMESTAMP NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    description  TEXT      NOT NULL,
    user_agent   TEXT      NOT NULL,
    ip           TEXT      NOT NULL,
    UNIQUE (user_id, prefix)
) WITHOUT ROWID;
CREATE INDEX token_by_end ON token (expires_at);

-- A flow stays until it ends, taken or not: its id is never used again.
CREATE TABLE flow (
    id          TEXT      NOT NULL PRIMARY KEY,
    browser     BLOB      NOT NULL,
    method_kind TEXT      NOT NULL,
    method_id   TEXT      REFERENCES idp (id),
    purpose     INTEGER   NOT NULL,
    user_id     TEXT      REFERENCES person (id),
    claim       TEXT      NOT NULL,
    answered_at TIMESTAMP NOT NULL,
    expires_at  TIMESTAMP NOT NULL,
    taken       BOOLEAN   NOT NULL
) WITHOUT ROWID;
CREATE INDEX flow_by_end ON flow (expires_at);

-- hash is the SHA-256 of what was used once, and of its kind.
CREATE TABLE used_key (
    hash       BLOB      NOT NULL PRIMARY KEY,
    expires_at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX used_key_by_end ON used_key (expires_at);
