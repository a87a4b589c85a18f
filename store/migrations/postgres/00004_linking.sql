-- +goose Up

-- session binds a flow that links an account to the session that asked for it;
-- return_to and confirm are of logins that started at an identity provider,
-- whose browser has nothing of ours yet.
ALTER TABLE flow ADD COLUMN session   BYTEA   NOT NULL DEFAULT '\x00000000000000000000000000000000';
ALTER TABLE flow ADD COLUMN return_to TEXT    NOT NULL DEFAULT '';
ALTER TABLE flow ADD COLUMN confirm   BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE idp ADD COLUMN idp_login_mode TEXT NOT NULL DEFAULT 'bounce';
