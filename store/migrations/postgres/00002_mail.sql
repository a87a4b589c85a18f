-- +goose Up

-- A mail is a row for each recipient. body is sealed, and removed when the
-- mail has ended. mailbox is the recipient as bounds count it.
CREATE TABLE mail (
    id           TEXT        NOT NULL PRIMARY KEY,
    kind         TEXT        NOT NULL,
    recipient    TEXT        NOT NULL,
    mailbox      TEXT        NOT NULL,
    subject      TEXT        NOT NULL,
    state        TEXT        NOT NULL,
    attempts     BIGINT      NOT NULL,
    why          TEXT        NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    due_at       TIMESTAMPTZ NOT NULL,
    ends_at      TIMESTAMPTZ NOT NULL,
    forget_at    TIMESTAMPTZ,
    body         BYTEA       NOT NULL
);
CREATE INDEX mail_waiting ON mail (due_at) WHERE state = 'waiting';
CREATE INDEX mail_by_mailbox ON mail (mailbox, kind, created_at);
CREATE INDEX mail_by_end ON mail (forget_at);

-- hash is the SHA-256 of a code that was mailed to an address. Its row outlives
-- the code for a while, so that a late visitor is told why it does not work.
CREATE TABLE address_code (
    hash         BYTEA       NOT NULL PRIMARY KEY,
    user_id      TEXT        NOT NULL REFERENCES person (id),
    email        TEXT        NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    used_at      TIMESTAMPTZ,
    forget_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX address_code_by_user ON address_code (user_id);
CREATE INDEX address_code_by_end ON address_code (forget_at);
