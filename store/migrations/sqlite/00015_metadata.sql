-- +goose Up

-- Where the metadata of an identity provider is fetched from, what becomes of a
-- change that it shows, and what it has to be signed by.
ALTER TABLE idp ADD COLUMN metadata_url TEXT NOT NULL DEFAULT '';
ALTER TABLE idp ADD COLUMN metadata_updates TEXT NOT NULL DEFAULT 'approve';
ALTER TABLE idp ADD COLUMN metadata_certificate TEXT NOT NULL DEFAULT '';
CREATE INDEX idp_by_metadata ON idp (id) WHERE metadata_url <> '';

-- What is known of the metadata at one address. A change waits for approval
-- where pending_id is not empty.
CREATE TABLE idp_metadata (
    method_id            TEXT        NOT NULL PRIMARY KEY REFERENCES idp (id),
    url                  TEXT        NOT NULL,
    due_at               TIMESTAMP   NOT NULL,
    checked_at           TIMESTAMP,
    succeeded_at         TIMESTAMP,
    failing_since        TIMESTAMP,
    failures             INTEGER     NOT NULL,
    warned               BOOLEAN     NOT NULL,
    failure              TEXT        NOT NULL,
    failure_code         TEXT        NOT NULL,
    pending_id           TEXT        NOT NULL,
    pending_at           TIMESTAMP,
    pending_basis        TEXT        NOT NULL,
    pending_sso_url      TEXT        NOT NULL,
    pending_binding      TEXT        NOT NULL,
    pending_certificates TEXT        NOT NULL,
    discarded_id         TEXT        NOT NULL
) WITHOUT ROWID;

-- The certificates of identity providers (side identity_provider) and ours
-- towards them (service_provider): when one was used first, and of which stage
-- of its end people were told.
CREATE TABLE idp_certificate (
    method_id     TEXT        NOT NULL REFERENCES idp (id),
    side          TEXT        NOT NULL,
    fingerprint   TEXT        NOT NULL,
    ends_at       TIMESTAMP   NOT NULL,
    first_used_at TIMESTAMP,
    told          TEXT        NOT NULL,
    PRIMARY KEY (method_id, side, fingerprint)
) WITHOUT ROWID;
CREATE INDEX idp_certificate_by_end ON idp_certificate (ends_at);
