"""A household's ledger that syncs: an app's own SQLite tables, edited on several devices, online or not.

`hlc` says which of two edits is later, `ledger` holds the tables and syncs them, `__main__` is a tiny command. What
makes it converge: every field of every row carries the stamp of its last edit; an edit takes effect where its stamp is
the greater one, whoever made it and in whatever order it comes.
"""
