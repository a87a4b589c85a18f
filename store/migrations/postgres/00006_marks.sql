-- +goose Up

-- What is to be remembered of the database itself, such as that it is a
-- demonstration's.
CREATE TABLE mark (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
