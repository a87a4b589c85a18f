-- +goose Up

-- Of the change that waits for approval: where an identity provider is told of
-- logouts.
ALTER TABLE idp_metadata ADD COLUMN pending_slo_url TEXT NOT NULL DEFAULT '';
ALTER TABLE idp_metadata ADD COLUMN pending_slo_response_url TEXT NOT NULL DEFAULT '';
ALTER TABLE idp_metadata ADD COLUMN pending_slo_binding TEXT NOT NULL DEFAULT '';
