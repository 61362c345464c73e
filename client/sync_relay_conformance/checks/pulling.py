"""§7.7 `GET /vaults/{vault_id}/changesets`: cursors and their bounds."""

from sync_relay_conformance.registry import check
from sync_relay_conformance.relay import Relay
from sync_relay_conformance.verdicts import must_equal

DEFAULT_PAGE = 100


@check("7.7", "Changesets with seq > `since`, ascending, contiguous from `since` + 1.")
def a_pull_goes_on_after_since(relay: Relay) -> None:
    vault = relay.vault_of(5)
    whole = vault.log()
    for since in range(6):
        page = vault.pull(since).must_be(200).json
        must_equal(page["changesets"], whole[since:], f"the changesets after {since}")


@check("7.7", "`cursor` is the last seq returned, or `since`", "`has_more` is true exactly if `cursor` < `head.seq`.")
def cursor_and_has_more_tell_where_a_page_ends(relay: Relay) -> None:
    relay.needs("max_page", 3)
    vault = relay.vault_of(3)
    for since, limit, cursor in ((0, 1, 1), (1, 1, 2), (0, 2, 2), (2, 1, 3), (0, 3, 3), (3, 1, 3)):
        page = vault.pull(since, limit).must_be(200, cursor=cursor, has_more=cursor < 3, head=vault.head)
        must_equal([one["seq"] for one in page.json["changesets"]], list(range(since + 1, cursor + 1)), "the seqs")


@check(
    "7.7",
    '{"epoch","changesets":[{"seq","received_at","chain", …the eleven fields of §3…}],"cursor","has_more","head"}',
)
def a_page_has_exactly_these_members(relay: Relay) -> None:
    vault = relay.vault_of(1)
    page = vault.pull().must_be(200, epoch=vault.info()["epoch"]).json
    must_equal(sorted(page), ["changesets", "cursor", "epoch", "has_more", "head"], "the members of a page")
    fields = sorted((*vault.founder.changeset(), "seq", "received_at", "chain"))
    must_equal(sorted(page["changesets"][0]), fields, "the members of a changeset")


@check("7.7", "Both parameters are optional and both are written `0|[1-9][0-9]*`, else 422.")
def a_number_is_written_in_one_way(relay: Relay) -> None:
    vault = relay.vault_of(1)
    for text in ("", "-1", "+1", "01", "00", "1.0", "1e0", " 1", "0x1", "one", "\u0661", "1_0"):
        vault.pull(since=text).must_point_at("/since")
        vault.pull(limit=text).must_point_at("/limit")
    vault.pull(since="-0").must_point_at("/since")
    vault.pull(since=0, limit=1).must_be(200)


@check("7.7", "`since` is 0 if absent.", "`limit` is 1 to", "if absent it is 100, or `max_page` if that is lower.")
def limit_is_1_to_max_page_and_100_by_itself(relay: Relay) -> None:
    most = relay.limit("max_page")
    usual = min(DEFAULT_PAGE, most)
    vault = relay.vault_of(usual + 1)
    must_equal(len(vault.pull().must_be(200, cursor=usual, has_more=True).json["changesets"]), usual, "a page's size")
    vault.pull(limit=1).must_be(200, cursor=1)
    vault.pull(limit=most).must_be(200, cursor=min(most, usual + 1))
    for wrong in (0, most + 1, 10**40):
        vault.pull(limit=wrong).must_point_at("/limit")


@check("7.1", "| `max_page` | 500 | `limit` of a pull |")
def a_page_holds_as_many_as_were_asked_for(relay: Relay) -> None:
    most = min(relay.limit("max_page"), 1_000)
    vault = relay.vault_of(most + 1)
    must_equal(len(vault.pull(limit=most).must_be(200, has_more=True).json["changesets"]), most, "a page's size")


@check(
    "7.7",
    "`since` > `head.seq` is 409 `cursor_ahead`, however large.",
    "`since`, or a snapshot's `covers.seq`, is past the head. Carries `head`",
)
def a_cursor_past_the_head_is_refused(relay: Relay) -> None:
    vault = relay.vault_of(2)
    vault.pull(since=2).must_be(200)
    for since in (3, 2**31, 2**63 - 1, 2**63, 10**60):
        vault.pull(since=since).must_be(409, "cursor_ahead", head=vault.head)


@check("7.7", "Every changeset of a push that was answered 2xx is in every pull that starts after that answer.")
def a_member_sees_what_another_one_pushed(relay: Relay) -> None:
    vault = relay.found()
    second = vault.join()
    for seq in range(1, 6):
        by = (vault.founder, second)[seq % 2]
        vault.push(by.changeset(), by=by).must_be(201)
        for reader in (vault.founder, second):
            vault.pull(seq - 1, by=reader).must_be(200, cursor=seq, has_more=False)


@check("1", "one shared, encrypted log.")
def each_vault_has_a_log_of_its_own(relay: Relay) -> None:
    vaults = [relay.found() for _ in range(3)]
    pushed = [[one["id"] for one in vault.fill(2)] for vault in vaults]
    for vault, ids in zip(vaults, pushed, strict=True):
        must_equal([one["id"] for one in vault.log()], ids, "the changesets of one vault")
        vault.pull(1).must_be(200, cursor=2, has_more=False)
