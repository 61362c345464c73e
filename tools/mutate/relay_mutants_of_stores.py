"""Bugs in the embedded stores, and in the embedded server."""

from collections.abc import Iterator

from tools.mutate.relay_mutants import LOCAL, QUICK, RELAY, RelayMutant

SQLITE = RELAY / "adapters" / "sqlite"
FILES = RELAY / "adapters" / "filesystem"


def mutants() -> Iterator[RelayMutant]:
    """Yield them."""
    yield from _changesets()
    yield from _pruning()
    yield from _members()
    yield from _vaults_and_snapshots()
    yield from _files()
    yield from _embedded()


def _changesets() -> Iterator[RelayMutant]:
    path = SQLITE / "changesets.py"
    after = "a pull goes on after since"
    for name, where, old, new, check in (
        (
            "a pull begins at since",
            path,
            '" WHERE place > ? AND place < ? ORDER BY place LIMIT ?"',
            '" WHERE place >= ? AND place < ? ORDER BY place LIMIT ?"',
            after,
        ),
        (
            "a pull leaves its last changeset out",
            path,
            "floor_seq <= since < head_seq",
            "floor_seq <= since < head_seq - 1",
            after,
        ),
        (
            "a log is read backwards",
            path,
            'place < ? ORDER BY place LIMIT ?"',
            'place < ? ORDER BY place DESC LIMIT ?"',
            after,
        ),
        (
            "a vault reads on into the next",
            path,
            "place(vault_no + 1, 0), limit",
            "place(vault_no + 2, 0), limit",
            "each vault has a log of its own",
        ),
        (
            "bytes are not summed up",
            path,
            "changeset_bytes = changeset_bytes + ?",
            "changeset_bytes = ?",
            "bytes counts changesets",
        ),
        (
            "an id is known in every vault",
            path,
            '" WHERE vault_no = ? AND id IN',
            '" WHERE ? AND id IN',
            "a changeset's id may be used in another vault",
        ),
        (
            "a duplicate has another's time",
            path,
            "Receipt(by_uuid[row[0]], *row[1:])",
            "Receipt(by_uuid[row[0]], *row[1:-1], 0)",
            "a changeset that is there is a duplicate with its first receipt",
        ),
        (
            "pushes of a group get each other's results",
            LOCAL / "grouping.py",
            "done.result()[number]",
            "done.result()[-1 - number]",
            "devices that push at once make one log",
        ),
    ):
        yield RelayMutant(name, where, old, new, check)


def _pruning() -> Iterator[RelayMutant]:
    path = SQLITE / "changesets.py"
    covers = "(SELECT coalesce(max(covers_seq), 0) FROM snapshots WHERE vault_no = no AND available)\n    FROM vaults"
    only = "only what an available snapshot covers is pruned"
    for name, old, new, check in (
        ("what a pending snapshot covers is pruned", covers, covers.replace(" AND available", ""), only),
        (
            "all is pruned once something is covered",
            covers,
            covers.replace("coalesce(max(covers_seq), 0)", "iif(max(covers_seq), head_seq, 0)"),
            only,
        ),
        (
            "pruning forgets receipts",
            "UPDATE changesets SET text = NULL WHERE",
            "DELETE FROM changesets WHERE",
            "a duplicate of a pruned changeset is still one",
        ),
        (
            "pruned changesets still count",
            "changeset_bytes = changeset_bytes - ?",
            "changeset_bytes = changeset_bytes - 0 * ?",
            "pruned changesets no longer count",
        ),
        (
            "the floor has the chain of its beginning",
            "Head(floor.seq + 1, chain), freed",
            "Head(floor.seq + 1, floor.chain), freed",
            only,
        ),
    ):
        yield RelayMutant(name, path, old, new, check, QUICK)


def _members() -> Iterator[RelayMutant]:
    path = SQLITE / "members.py"
    found = "nobody else is found"
    for name, old, new, check in (
        (
            "a revoked device is a member in the store",
            "Standing.MEMBER if row[1] is None else Standing.REVOKED",
            "Standing.MEMBER",
            "a revoked device may do nothing",
        ),
        (
            "a member anywhere is a member here",
            "Signer(row[0], Standing.STRANGER)",
            "Signer(row[0], Standing.MEMBER)",
            "an unknown vault and one of others look alike",
        ),
        ("a revoked device looks members up", " AND mine.revoked_at_ms IS NULL))", "))", found),
        ("any device is found by anyone", "(?1 = ?2 OR EXISTS", "(1 OR ?1 = ?2 OR EXISTS", found),
        (
            "a device has the time of its last vault",
            "min(registered_at_ms)",
            "max(registered_at_ms)",
            "registered at is the first registration",
        ),
        (
            "devices are listed newest first",
            '" ORDER BY position"',
            '" ORDER BY position DESC"',
            "devices are listed in order of registration",
        ),
        (
            "a device is revoked anew each time",
            "if revoked_at_ms is not None:",
            "if False:",
            "a device may be revoked again",
        ),
        (
            "revoked devices count as members",
            ' AND revoked_at_ms IS NULL"\n    return int',
            '"\n    return int',
            "devices counts members",
        ),
        (
            "a revocation is for every vault",
            '"UPDATE members SET revoked_at_ms = ? WHERE device_id = ? AND vault_no = ?"',
            '"UPDATE members SET revoked_at_ms = ? WHERE device_id = ? AND ?"',
            "a revocation is for one vault",
        ),
        (
            "an erased id is forgotten",
            '"erased" if erased else "absent"',
            '"absent"',
            "an erased vault can't be founded again",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)


def _vaults_and_snapshots() -> Iterator[RelayMutant]:
    vaults, snapshots = SQLITE / "vaults.py", SQLITE / "snapshots.py"
    expired = "an announcement that expired is as if it had never been"
    for name, path, old, new, check, variables in (
        (
            "an erasure leaves the members",
            vaults,
            '"DELETE FROM members WHERE vault_no = ?"',
            '"DELETE FROM members WHERE 0 * ?"',
            "a device whose only vault was erased is unknown",
            {},
        ),
        (
            "any condition erases",
            vaults,
            "if head_chain != if_match:",
            "if False:",
            "an erasure needs the head's chain",
            {},
        ),
        (
            "snapshots are listed oldest first",
            vaults,
            "ORDER BY created_at_ms DESC",
            "ORDER BY created_at_ms",
            "snapshots are listed newest first",
            {},
        ),
        (
            "an expired announcement is there",
            snapshots,
            '"(available OR expires_at_ms > ?2)"',
            '"(available OR expires_at_ms > 0 * ?2)"',
            expired,
            {"RELAY_UPLOAD_TTL_SECONDS": "2"},
        ),
        (
            "a blob is one snapshot in all vaults",
            snapshots,
            "FROM snapshots WHERE vault_no = ?1 AND ",
            "FROM snapshots WHERE ?1 AND ",
            "the same blob may be in two vaults",
            {},
        ),
        (
            "another vault's chain is covered",
            snapshots,
            "return genesis(vault_id).chain",
            'return genesis("").chain',
            "covers is a place in the log",
            {},
        ),
    ):
        yield RelayMutant(name, path, old, new, check, variables)


def _files() -> Iterator[RelayMutant]:
    upload, tokens = FILES / "upload.py", FILES / "tokens.py"
    whole = "self._written_bytes != self._grant.size_bytes or self._hash.digest() != self._grant.sha256"
    for name, path, old, new, check in (
        (
            "other bytes are taken",
            upload,
            whole,
            "self._written_bytes != self._grant.size_bytes",
            "other bytes of the same size are refused",
        ),
        (
            "a forged URL is taken",
            tokens,
            "if not hmac.compare_digest(self._mac(text).encode(), mac.encode()):",
            "if False:",
            "a url that was changed opens nothing",
        ),
        (
            "a download's URL takes an upload",
            tokens,
            'if claims["op"] != operation:',
            "if False:",
            "a url that was changed opens nothing",
        ),
        (
            "blobs are at another host",
            FILES / "blobs.py",
            'f"{origin}{ROUTE}',
            "f\"{origin.replace('127.0.0.1', 'localhost')}{ROUTE}",
            "a url is one that a client asks",
        ),
        (
            "a blob is written after what was there",
            upload,
            "self._hash.update(chunk)",
            "self._hash.update(bytes(chunk)[::-1])",
            "the announced bytes are taken",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)


def _embedded() -> Iterator[RelayMutant]:
    blobs, events = LOCAL / "blob_routes.py", LOCAL / "events.py"
    chunks = "a body in chunks is bounded too"
    urls = "an embedded relay's urls answer as it does"
    for name, path, old, new, check in (
        (
            "a blob that is too large is incomplete",
            blobs,
            "raise BodyTooLarge(grant.size_bytes)",
            "raise UploadIncomplete",
            urls,
        ),
        (
            "a body in chunks is cut at the limit",
            LOCAL / "door.py",
            "self._max_body_bytes + 1",
            "self._max_body_bytes",
            chunks,
        ),
        (
            "a parameter without value is none",
            events,
            "keep_blank_values=True",
            "keep_blank_values=False",
            "a number is written in one way",
        ),
        (
            "the last of two parameters counts",
            events,
            "query.setdefault(name, []).append(value)",
            "query[name] = [value]",
            "an unknown or repeated query parameter is malformed",
        ),
        (
            "a path is decoded before it is routed",
            events,
            'scope["raw_path"].decode("ascii")',
            'scope["raw_path"].decode("ascii").lower()',
            "an id of another form is no path",
        ),
    ):
        yield RelayMutant(name, path, old, new, check)
    expired = "a url that expired opens nothing"
    tokens = RELAY / "adapters" / "filesystem" / "tokens.py"
    yield RelayMutant("a URL is good for ever", tokens, 'now_ms >= claims["exp"]', "False", expired, QUICK)
