"""What the relay costs on Lambda, measured under the runtime's emulator: `make bench-lambda` (ADR 0023)."""
