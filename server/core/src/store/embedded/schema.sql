-- The embedded store. Ids are 12 bytes that sort in the order of their making; times are milliseconds since 1970.

CREATE TABLE users (
    id            BLOB PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    birthdate     TEXT,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token      BLOB PRIMARY KEY,
    user       BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE chats (
    id         BLOB PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('dm', 'group')),
    title      TEXT,
    -- Both members' ids, the smaller first, of a direct chat: it exists once per pair.
    pair       BLOB UNIQUE,
    created_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    chat       BLOB NOT NULL,
    user       BLOB NOT NULL,
    -- Grows in the order of joining.
    id         BLOB NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    last_read  BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (chat, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_by_user ON memberships (user, chat);

CREATE TABLE messages (
    seq        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    chat       BLOB NOT NULL,
    sender     BLOB NOT NULL,
    client_id  TEXT,
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at  INTEGER,
    deleted    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX messages_in_chat ON messages (chat, id);

-- Idempotency: one message per key (MSG-05, MSG-19).
CREATE UNIQUE INDEX messages_by_key ON messages (chat, sender, client_id) WHERE client_id IS NOT NULL;

-- The words of the messages, whatever the case, with their accents.
CREATE VIRTUAL TABLE messages_text USING fts5 (
    body, content = 'messages', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 0'
);
