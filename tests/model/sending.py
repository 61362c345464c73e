"""A relay beside the model of it: each request goes to both, and the answers are held against each other."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from relay.config import Settings
from relay.ports import StoreUnavailable
from relay_protocol.limits import Limits, Retention
from tests.http.device import Device, uuid_of
from tests.http.documented import Answer
from tests.http.faults import Faulty
from tests.http.world import World
from tests.model import invariants
from tests.model.expected import Bounds, Expected, PlainRelay
from tests.model.plain import Announcement, Json
from tests.model.stores import Stores

DEVICES = 5
VAULTS = 3


class ModelledRelay(RuleBasedStateMachine):
    """One relay, and all that happens to it. `open_stores` gives it empty stores."""

    open_stores: ClassVar[Callable[[Callable[[], int]], Stores]]
    steps: ClassVar[int]
    outcomes: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        bounds = Bounds()
        limits = {name: getattr(bounds, name) for name in Limits.__slots__ if hasattr(bounds, name)}
        settings = Settings(
            limits=Limits(rate_limit=None, **limits),
            retention=Retention(changeset_days=bounds.changeset_days, snapshots=bounds.keep_snapshots),
        )
        self.stores = type(self).open_stores(lambda: self.world.clock.us // 1000)
        self.world = World(self.stores.log, self.stores.limiter, settings)
        self.world.replace(blobs=self.stores.blobs)
        self.model = PlainRelay(bounds)
        self.devices = [Device.named(f"device {number}") for number in range(DEVICES)]
        self.generations = [0] * VAULTS
        self.uploads: list[tuple[Announcement, Json]] = []
        self.seen = invariants.Seen()
        self.pushed = 0
        self.touched: set[str] = set()
        self.is_idle = False
        self._times: set[int] = set()
        self.next_moment()

    def teardown(self) -> None:
        self.stores.close()

    def next_moment(self) -> None:
        """No two requests come in the same millisecond, however the clock is set: so "newest" is never a tie."""
        clock = self.world.clock
        clock.advance(0.001)
        while clock.us // 1000 in self._times:
            clock.advance(0.001)
        self._times.add(clock.us // 1000)
        self.model.now_ms = clock.us // 1000

    def request(self, fate: str, port: str, call: Callable[[], Answer], expect: Callable[[], Expected]) -> Answer:
        """Send a request until its answer comes, and judge it; `expect` lets the model do the same."""
        self.next_moment()
        self.is_idle = False
        if fate != "answered":
            is_done = fate != "store refuses"
            with self._failing(port, is_done=is_done) if fate != "lost" else nullcontext():
                answer = call()
            if answer.status != 503:
                self.judge(answer, expect())
            elif is_done:
                expect()
            self.next_moment()
        answer, expected = call(), expect()
        self.judge(answer, expected)
        return answer

    @contextmanager
    def _failing(self, port: str, *, is_done: bool) -> Iterator[None]:
        log = self.world.relay.log
        self.world.replace(log=Faulty(log, port, StoreUnavailable("seeded"), after=is_done))
        yield
        self.world.replace(log=log)

    def judge(self, answer: Answer, expected: Expected) -> None:
        self.count(answer)
        assert (answer.status, answer.code) == (expected.status, expected.code)
        if expected.told is None:
            return
        told = dict(answer.json)
        if expected.told.get("epoch") == "":
            self._begin(told["vault_id"], told["epoch"])
            expected.told["epoch"] = told["epoch"]
        if answer.status >= 400:
            assert {name: told.get(name) for name in expected.told} == expected.told
            return
        if isinstance(expected.made, Announcement):
            self._take_urls(told, expected.made)
        assert told == expected.told

    def count(self, answer: Answer) -> None:
        self.outcomes[answer.code or str(answer.status)] += 1

    def _begin(self, vault_id: str, epoch: str) -> None:
        self.seen.new_epoch(epoch)
        self.model.vaults[vault_id].epoch = epoch

    def _take_urls(self, told: Json, announcement: Announcement) -> None:
        """Take out of an answer what the model can't know: URLs. They are there exactly where they should be."""
        snapshot = told["snapshot"]
        if "upload" in told:
            upload = told.pop("upload")
            assert (upload is None) == announcement.available
            if upload:
                self.uploads = [*self.uploads[-5:], (announcement, upload)]
            assert "download" not in snapshot
        elif announcement.available:
            blob = self.stores.download(snapshot.pop("download")["url"], self.model.now_ms)
            assert blob == announcement.blob

    def caller(self, vault: int, number: int) -> Device:
        """Return a member of the vault, or for some numbers any device."""
        known = self.model.vaults.get(self.vault_id(vault))
        if known is None or number < DEVICES:
            return self.devices[number % DEVICES]
        return next(one for one in self.devices if one.id == known.members[number % len(known.members)])

    def vault_id(self, vault: int) -> str:
        """Return the id of a vault that something is about to be done with."""
        vault_id = uuid_of(f"vault {vault}.{self.generations[vault]}")
        self.touched.add(vault_id)
        return vault_id

    def path(self, vault: int, below: str = "") -> str:
        return f"/vaults/{self.vault_id(vault)}{below}"

    def happened_to_all(self) -> None:
        """Note that the operator, or the machine, did something that may show in any vault."""
        self.is_idle = True
        self.touched.update(self.model.vaults)
