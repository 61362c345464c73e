"""Where bytes are kept: one module or package per store, each behind a port."""
