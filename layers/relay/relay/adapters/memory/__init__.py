"""The stores in memory: for tests, and the model that other stores are held against. Nothing survives the process."""

from relay.adapters.memory.blobs import MemoryBlobs
from relay.adapters.memory.limiter import MemoryLimiter
from relay.adapters.memory.log import MemoryLog

__all__ = ["MemoryBlobs", "MemoryLimiter", "MemoryLog"]
