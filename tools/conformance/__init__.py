"""docs/conformance.md: which check of the kit is about which sentence of docs/protocol.md."""
