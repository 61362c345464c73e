-- GCRA's theoretical arrival time of each key's next request, in Unix microseconds.

CREATE TABLE arrivals (
    key BLOB PRIMARY KEY,
    arrival_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
