"""What every port raises when its store can't answer."""


class StoreUnavailable(Exception):
    """A store can't answer now: full, locked, damaged, slow or gone. `reason` is for the log; it holds no input."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
