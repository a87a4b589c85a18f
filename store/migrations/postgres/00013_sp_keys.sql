-- +goose Up

-- A change of our keys towards an identity provider, in one of its steps. The
-- private keys are sealed, as sp_key is.
ALTER TABLE idp ADD COLUMN next_sp_certificate BYTEA;
ALTER TABLE idp ADD COLUMN next_sp_key BYTEA;
ALTER TABLE idp ADD COLUMN sp_key_switch_at TIMESTAMPTZ;
ALTER TABLE idp ADD COLUMN previous_sp_certificate BYTEA;
ALTER TABLE idp ADD COLUMN previous_sp_key BYTEA;
ALTER TABLE idp ADD COLUMN previous_sp_key_until TIMESTAMPTZ;

CREATE INDEX idp_by_key_switch ON idp (sp_key_switch_at) WHERE sp_key_switch_at IS NOT NULL;
CREATE INDEX idp_by_key_end ON idp (previous_sp_key_until) WHERE previous_sp_key_until IS NOT NULL;
