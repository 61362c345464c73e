"""The command `sync-relay`: a vault from a terminal, on the public API of `Vault` alone.

`main` lists the commands, `settings` is what all of them share, `failures` gives each error its exit status and
advice. The commands' own application is an archive of every change: `archive`.
"""
