-- +goose Up

-- device marks what goes back to a login by a code typed in on another device.
ALTER TABLE token ADD COLUMN device BOOLEAN NOT NULL DEFAULT FALSE;

-- A program's login that a browser approved, until the program takes it.
-- session is the hash of the token that approved it, which may be gone since.
CREATE TABLE login_code (
    hash         BLOB      NOT NULL PRIMARY KEY,
    user_id      TEXT      NOT NULL REFERENCES person (id),
    session      BLOB      NOT NULL,
    program      TEXT      NOT NULL,
    browser_ip   TEXT      NOT NULL,
    challenge    TEXT      NOT NULL,
    redirect_uri TEXT      NOT NULL,
    expires_at   TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX login_code_by_end ON login_code (expires_at);

-- A program that waits for somebody to type its code. user_id, session and
-- browser_ip are of who did.
CREATE TABLE device_login (
    hash       BLOB      NOT NULL PRIMARY KEY,
    user_code  BLOB      NOT NULL UNIQUE,
    program    TEXT      NOT NULL,
    program_ip TEXT      NOT NULL,
    state      TEXT      NOT NULL,
    user_id    TEXT      REFERENCES person (id),
    session    BLOB,
    browser_ip TEXT      NOT NULL DEFAULT '',
    pause      INTEGER   NOT NULL,
    due_at     TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX device_login_by_end ON device_login (expires_at);
