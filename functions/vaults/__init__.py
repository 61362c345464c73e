"""The vaults function."""
