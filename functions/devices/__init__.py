"""The devices function."""
