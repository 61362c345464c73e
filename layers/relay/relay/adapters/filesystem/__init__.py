"""Blobs as files, transferred by the embedded server under URLs that the relay signs itself."""

from relay.adapters.filesystem.blobs import ROUTE, FilesystemBlobs
from relay.adapters.filesystem.key import load_or_create_key
from relay.adapters.filesystem.tokens import Grant
from relay.adapters.filesystem.upload import PendingUpload

__all__ = ["ROUTE", "FilesystemBlobs", "Grant", "PendingUpload", "load_or_create_key"]
