"""What requests cost as stores grow: a vault, a relay's vaults, and retention beside pushes. See ADR 0024."""
