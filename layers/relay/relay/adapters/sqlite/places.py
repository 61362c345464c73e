"""Where a changeset lies: `changesets.place` is vault number and seq in one integer, so that a log lies together."""

SEQ_BITS = 36


def place(vault_no: int, seq: int) -> int:
    """Return the place of a seq in a vault's log."""
    return vault_no << SEQ_BITS | seq


def of_vault(vault_no: int) -> tuple[int, int]:
    """Return the first and the last place that a vault's log can have."""
    return place(vault_no, 0), place(vault_no + 1, 0) - 1
