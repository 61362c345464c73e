-- Vaults, their members, changesets and snapshots' records. Times are Unix milliseconds.

CREATE TABLE vaults (
    -- AUTOINCREMENT: a number is never given twice, so what an erasure left is never taken for another vault's.
    -- The CHECK keeps `changesets.place` in 63 bits.
    no INTEGER PRIMARY KEY AUTOINCREMENT CHECK (no < 1 << 27),
    vault_id TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    head_seq INTEGER NOT NULL CHECK (head_seq < 1 << 36),
    head_chain BLOB NOT NULL,
    floor_seq INTEGER NOT NULL,
    floor_chain BLOB NOT NULL,
    changeset_bytes INTEGER NOT NULL -- of the texts that are not pruned
) STRICT;

CREATE TABLE members (
    device_id TEXT NOT NULL,
    vault_no INTEGER NOT NULL,
    position INTEGER NOT NULL, -- the order of registration
    public_key BLOB NOT NULL,
    registered_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER,
    endorser TEXT,
    endorsement_expires_at INTEGER, -- Unix seconds
    endorsement_signature TEXT,
    PRIMARY KEY (device_id, vault_no)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX members_in_order ON members (vault_no, position);

CREATE TABLE changesets (
    place INTEGER PRIMARY KEY, -- vault_no << 36 | seq: a vault's log lies together, in order
    vault_no INTEGER NOT NULL,
    id BLOB NOT NULL, -- the UUID's 16 bytes
    digest BLOB NOT NULL,
    chain BLOB NOT NULL,
    received_at_ms INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    text BLOB -- sealed; NULL once it was pruned
) STRICT;

CREATE UNIQUE INDEX changesets_by_id ON changesets (vault_no, id);

CREATE TABLE snapshots (
    vault_no INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    covers_seq INTEGER NOT NULL,
    covers_chain BLOB NOT NULL,
    origin_device TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    blob_key TEXT NOT NULL,
    available INTEGER NOT NULL,
    PRIMARY KEY (vault_no, sha256)
) STRICT, WITHOUT ROWID;

-- Ids that are spent. `vault_no` is there until the vault's changesets are swept; `scrubbed` tells whether the file
-- was rewritten since, so that no stale copy of a row is left between others'.
CREATE TABLE erased (
    vault_id TEXT PRIMARY KEY,
    vault_no INTEGER,
    scrubbed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX erased_not_scrubbed ON erased (vault_no) WHERE NOT scrubbed;
