"""Who may do what: every route, every kind of caller, and the answer. The docs and the tests are both made from it."""
