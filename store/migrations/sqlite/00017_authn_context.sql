-- +goose Up

-- The AuthnContextClassRef that the identity provider asserted: at the login
-- behind a token, and at the last login by an identity. Empty where none was.
ALTER TABLE token    ADD COLUMN authn_context TEXT NOT NULL DEFAULT '';
ALTER TABLE identity ADD COLUMN last_context  TEXT NOT NULL DEFAULT '';
