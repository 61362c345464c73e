"""The relay: a pure core, ports around it, adapters at the edge (docs/adr/0001)."""
