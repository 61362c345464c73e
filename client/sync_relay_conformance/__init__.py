"""The conformance kit: black-box checks of docs/protocol.md over HTTP, against any relay.

`registry` says what a check is, `checks/` has them by the sections of the protocol, `relay`, `vault` and `draft` are
what they are written with, and `command` runs them.
"""
