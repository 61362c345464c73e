"""The zero-knowledge audit: fails the build where code looks at a sealed value (docs/protocol.md §10)."""
