-- +goose Up

-- Where, and how, an identity provider is told of logouts.
ALTER TABLE idp ADD COLUMN slo_url          TEXT NOT NULL DEFAULT '';
ALTER TABLE idp ADD COLUMN slo_response_url TEXT NOT NULL DEFAULT '';
ALTER TABLE idp ADD COLUMN slo_binding      TEXT NOT NULL DEFAULT 'redirect';

-- What the identity provider calls the person and the session of a login: the
-- NameID as it sent it, what stands for that in look-ups, and its SessionIndex.
-- Empty where nothing is known.
ALTER TABLE token ADD COLUMN idp_name     TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN idp_name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN idp_session  TEXT NOT NULL DEFAULT '';
CREATE INDEX token_by_idp_name ON token (method_id, idp_name_key) WHERE idp_name_key <> '';

ALTER TABLE flow ADD COLUMN idp_name_key TEXT NOT NULL DEFAULT '';
CREATE INDEX flow_by_idp_name ON flow (method_id, idp_name_key) WHERE idp_name_key <> '';
