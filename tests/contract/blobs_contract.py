"""The contract of `relay.ports.Blobs`. A backend's test module imports all of it and brings the fixture `world`."""

from functools import partial
from hashlib import sha256
from threading import Event

import pytest

from relay.ports import BlobStat, Upload
from tests.contract.at_once import at_once, beside
from tests.contract.blob_worlds import KEY, OTHER_KEY, BlobWorld, key_of, tampered
from tests.contract.log_world import HOUR_MS, uuid

__all__ = ["TestDownload", "TestStored", "TestUpload"]

BODY = bytes(range(256)) * 3
LARGE = bytes(range(256)) * 4096 * 5 + b"!"
"""Five MiB and a byte: more than any buffer on the way."""


class TestUpload:
    """`Blobs.presign_upload`: the announced bytes, whole, or nothing."""

    @pytest.mark.parametrize("body", [b"\0", BODY, LARGE], ids=["one byte", "some", "several MiB"])
    def test_the_announced_bytes_are_taken_and_come_back(self, world: BlobWorld, body: bytes) -> None:
        assert world.put(world.announce(KEY, body), body)
        assert world.blobs.stat(KEY) == BlobStat(len(body), sha256(body).digest())
        assert world.content(KEY) == body

    @pytest.mark.parametrize(
        "body",
        [BODY[:-1], BODY + b"x", BODY[:-1] + b"x", b"", LARGE],
        ids=["one short", "one more", "another byte", "nothing", "far more"],
    )
    def test_other_bytes_are_refused_and_nothing_is_stored(self, world: BlobWorld, body: bytes) -> None:
        upload = world.announce(KEY, BODY)
        assert not world.put(upload, body)
        assert world.holds()
        assert world.put(upload, BODY)  # and the client can try again

    @pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1])
    def test_bytes_of_the_announced_hash_and_another_size_are_refused(self, world: BlobWorld, size: int) -> None:
        expires_at_ms = world.now_ms + HOUR_MS
        upload = world.blobs.presign_upload(KEY, size, sha256(BODY).digest(), expires_at_ms, world.origin)
        assert not world.put(upload, BODY)
        assert world.holds()

    def test_other_bytes_leave_what_is_stored(self, world: BlobWorld) -> None:
        upload = world.announce(KEY, BODY)
        world.put(upload, BODY)
        assert not world.put(upload, BODY[:-1] + b"x")
        assert world.content(KEY) == BODY

    def test_a_client_that_lost_the_answer_sends_again(self, world: BlobWorld) -> None:
        upload = world.announce(KEY, BODY)
        assert [world.put(upload, BODY) for _ in range(2)] == [True, True]
        assert world.holds(KEY)
        assert world.content(KEY) == BODY

    def test_an_expired_upload_is_refused(self, world: BlobWorld) -> None:
        assert not world.put(world.announce(KEY, BODY, ttl_ms=0), BODY)
        assert world.holds()

    def test_an_upload_stores_under_its_own_key_alone(self, world: BlobWorld) -> None:
        world.announce(OTHER_KEY, BODY)
        world.put(world.announce(KEY, BODY), BODY)
        assert world.holds(KEY)

    def test_an_upload_of_another_blob_takes_its_bytes_alone(self, world: BlobWorld) -> None:
        other = b"another blob"
        assert not world.put(world.announce(KEY, BODY), other)
        assert not world.put(world.announce(OTHER_KEY, other), BODY)
        assert world.holds()

    def test_a_url_to_download_uploads_nothing(self, world: BlobWorld) -> None:
        upload = world.announce(KEY, BODY)
        assert not world.put(Upload(world.url_of(KEY), upload.headers), BODY)
        assert world.holds()

    def test_a_url_that_was_changed_uploads_nothing(self, world: BlobWorld) -> None:
        upload = world.announce(KEY, BODY)
        for url in tampered(upload.url):
            assert not world.put(Upload(url, upload.headers), BODY)
        assert world.holds()

    def test_a_blob_that_is_sent_several_times_at_once_is_there_whole_or_not_at_all(self, world: BlobWorld) -> None:
        url = world.url_of(KEY)
        found: set[bytes | None] = set()

        def look(ended: Event) -> None:
            while not ended.is_set():
                found.add(world.get(url))

        uploads = [world.announce(KEY, LARGE) for _ in range(4)]
        with beside(look, look):
            taken = at_once(*(partial(world.put, upload, LARGE) for upload in uploads))
        assert taken == [True] * 4
        assert found <= {None, LARGE}
        assert world.holds(KEY)


class TestDownload:
    """`Blobs.presign_download`."""

    def test_what_is_not_there_is_not_found(self, world: BlobWorld) -> None:
        world.store(OTHER_KEY, BODY)
        assert world.content(KEY) is None

    def test_a_url_gives_what_came_after_it_was_made(self, world: BlobWorld) -> None:
        url = world.url_of(KEY)
        world.store(KEY, BODY)
        assert [world.get(url) for _ in range(2)] == [BODY, BODY]

    def test_an_expired_url_gives_nothing(self, world: BlobWorld) -> None:
        world.store(KEY, BODY)
        assert world.get(world.url_of(KEY, ttl_ms=0)) is None

    def test_a_url_gives_the_blob_of_its_own_key_alone(self, world: BlobWorld) -> None:
        world.store(KEY, BODY)
        world.store(OTHER_KEY, b"another")
        assert (world.content(KEY), world.content(OTHER_KEY)) == (BODY, b"another")

    def test_a_url_to_upload_gives_nothing(self, world: BlobWorld) -> None:
        upload = world.announce(KEY, BODY)
        world.put(upload, BODY)
        assert world.get(upload.url) is None

    def test_a_url_that_was_changed_gives_nothing(self, world: BlobWorld) -> None:
        world.store(KEY, BODY)
        assert [world.get(url) for url in tampered(world.url_of(KEY)) if world.get(url)] == []

    def test_a_blob_that_is_deleted_meanwhile_comes_whole_or_not_at_all(self, world: BlobWorld) -> None:
        url = world.url_of(KEY)
        found: set[bytes | None] = set()

        def look(ended: Event) -> None:
            while not ended.is_set():
                found.add(world.get(url))

        with beside(look, look):
            for _ in range(40):
                world.store(KEY, BODY)
                world.blobs.delete(KEY)
        assert found <= {None, BODY}


class TestStored:
    """`Blobs.stat`, `Blobs.delete` and `Blobs.keys`."""

    def test_there_is_nothing_to_tell_of_an_absent_blob(self, world: BlobWorld) -> None:
        world.announce(KEY, BODY)
        world.store(OTHER_KEY, BODY)
        assert world.blobs.stat(KEY) is None

    def test_a_deleted_blob_is_gone_also_for_urls_made_before(self, world: BlobWorld) -> None:
        world.store(KEY, BODY)
        url = world.url_of(KEY)
        world.blobs.delete(KEY)
        assert world.get(url) is None
        assert world.holds()

    def test_deleting_again_and_deleting_what_never_was_is_fine(self, world: BlobWorld) -> None:
        world.store(KEY, BODY)
        for key in (KEY, KEY, OTHER_KEY, key_of(9, 9)):
            world.blobs.delete(key)
        assert world.holds()

    def test_deleting_one_leaves_the_others(self, world: BlobWorld) -> None:
        """Of the same bytes, of the same vault, and of another vault."""
        elsewhere = key_of(2, 1)
        for key in (KEY, OTHER_KEY, elsewhere):
            world.store(key, BODY)
        world.blobs.delete(KEY)
        assert world.holds(OTHER_KEY, elsewhere)
        assert world.content(OTHER_KEY) == world.content(elsewhere) == BODY

    def test_a_vault_whose_last_blob_went_gets_new_ones(self, world: BlobWorld) -> None:
        world.store(KEY, BODY)
        world.blobs.delete(KEY)
        world.store(OTHER_KEY, BODY)
        assert world.holds(OTHER_KEY)

    def test_keys_of_all_vaults_come_in_ascending_order(self, world: BlobWorld) -> None:
        keys = [key_of(vault, blob) for vault in (10, 2, 0xA0) for blob in (3, 0xF000_0000, 0x10)]
        for key in keys:
            world.store(key, key.encode())
        assert list(world.blobs.keys()) == sorted(keys)
        for place in ("", uuid(0), uuid(2), sorted(keys)[1], max(keys), "f" * 36):
            assert list(world.blobs.keys(place)) == [key for key in sorted(keys) if key > place]

    def test_what_was_announced_and_never_came_is_not_listed(self, world: BlobWorld) -> None:
        world.announce(KEY, BODY)
        assert list(world.blobs.keys()) == []

    def test_a_listing_goes_on_while_blobs_go(self, world: BlobWorld) -> None:
        """As the reaper does it: it deletes what it is told."""
        keys = sorted(key_of(vault, blob) for vault in range(1, 4) for blob in range(1, 4))
        for key in keys:
            world.store(key, BODY)
        listed = []
        for key in world.blobs.keys():  # noqa: SIM118 -- the port's method, not a mapping's
            listed.append(key)
            world.blobs.delete(key)
        assert listed == keys
        assert world.holds()

    def test_blobs_that_come_and_go_disturb_nobody(self, world: BlobWorld) -> None:
        """Each thread has blobs of its own, in a vault of all: what one deletes is never what another looks at."""
        stays = key_of(1, 99)
        world.store(stays, BODY)

        def come_and_go(number: int) -> None:
            for blob in (number, number + 50):
                key = key_of(1, blob)
                world.store(key, BODY)
                assert world.content(key) == BODY
                assert world.blobs.stat(key) is not None
                world.blobs.delete(key)
                assert world.blobs.stat(key) is None

        def alone(number: int) -> None:
            """In a vault that each deletion leaves empty."""
            for blob in range(10):
                world.store(key_of(2, number), bytes([blob]))
                world.blobs.delete(key_of(2, number))

        def look(ended: Event) -> None:
            while not ended.is_set():
                listed = list(world.blobs.keys())
                assert stays in listed
                assert listed == sorted(listed)

        with beside(look):
            at_once(*(partial(call, number) for number in range(4) for call in (come_and_go, alone)))
        assert world.holds(stays)
