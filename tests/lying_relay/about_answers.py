"""Answers of another form, of another kind, and none at all."""

from typing import Any

from sync_relay_client import errors
from tests.client.app import record
from tests.lying_relay.registry import Lay, Trap, caught, harmless, told
from tests.lying_relay.relay import CONFIG, INFO, PAGE, Answer, Cut, altering, altering_json, refusal
from tests.lying_relay.scene import Scene

OTHER_ID = "00000000-0000-0000-0000-000000000000"


def pulling(scene: Scene) -> Trap:
    return scene.victim.pull


def verifying(scene: Scene) -> Trap:
    return scene.victim.verify


def pulling_in_a_new_process(scene: Scene) -> Trap:
    scene.reopen()
    return scene.victim.pull


def misformed(name: str, what: str, lying: Any, step: Any) -> None:
    def lay(scene: Scene) -> Trap:
        scene.insider_writes(b"secret 2")
        trap: Trap = step(scene)
        scene.liar.lying = lying
        return trap

    lie: Lay = told(name, what, lay)
    caught(errors.AnswerInvalid)(lie)


def of_page(name: str, what: str, alter: Any) -> None:
    misformed(name, what, altering_json(PAGE, alter), pulling)


def of_body(name: str, what: str, alter: Any) -> None:
    misformed(name, what, altering(PAGE, alter), pulling)


of_page("a_cursor_ahead", "gives a cursor past the page", lambda page: page.update(cursor=999))
of_page("more_is_promised", "promises more where there is none", lambda page: page.update(has_more=True))
of_page(
    "more_for_ever",
    "promises more for ever, on empty pages",
    lambda page: page.update(changesets=[], cursor=page["cursor"] - 1, has_more=True),
)
of_page("the_head_is_behind", "gives a head before the page's end", lambda page: page["head"].update(seq=0))
of_page("no_head", "leaves a member out of a page", lambda page: page.pop("head"))
of_page(
    "a_text_for_a_number", "gives a text where a number belongs", lambda page: page.update(cursor=str(page["cursor"]))
)
of_page("a_seq_without_end", "gives a seq of twenty digits", lambda page: page["head"].update(seq=10**20))
of_page(
    "a_nonce_that_is_no_text", "gives a list for a ciphertext", lambda page: page["changesets"][0].update(ciphertext=[])
)

misformed(
    "another_vault_s_state",
    "tells of another vault",
    altering_json(INFO, lambda one: one.update(vault_id=OTHER_ID)),
    verifying,
)
misformed(
    "a_floor_past_the_head",
    "claims a floor past the head",
    altering_json(INFO, lambda one: one["floor"].update(seq=999)),
    verifying,
)
misformed(
    "another_protocol",
    "speaks another protocol",
    altering_json(CONFIG, lambda one: one.update(protocol=2)),
    pulling_in_a_new_process,
)


def with_body(body: bytes) -> Any:
    def alter(answer: Answer) -> None:
        answer.body = body

    return alter


of_body("an_answer_that_is_not_json", "answers with a page of HTML", with_body(b"<h1>Welcome to our hotel</h1>"))
of_body("an_empty_answer", "answers with nothing", with_body(b""))
of_body("an_answer_of_another_type", "answers with a JSON list", with_body(b"[]"))
of_body("an_answer_that_is_not_utf_8", "answers in no encoding", with_body(b'{"epoch":"\xff\xfe"}'))
of_body("an_answer_without_a_number", "answers with NaN", with_body(b'{"cursor":NaN}'))
of_body("an_answer_that_goes_on", "answers with two JSON texts", with_body(b"{}{}"))
of_body(
    "an_answer_that_is_cut_off", "answers with half a JSON text", lambda answer: with_body(answer.body[:-9])(answer)
)
of_body("an_answer_of_great_depth", "answers with JSON nested a million deep", with_body(b"[" * 1_000_000))


def with_status(status: int) -> Any:
    def alter(answer: Answer) -> None:
        answer.status = status

    return alter


of_body("no_content_where_there_should_be", "answers 204 where there should be a page", with_status(204))
of_body("not_modified", "answers 304, which nobody asked for", with_status(304))


@caught(errors.RelayUnreachable)
def another_protocol_from_now_on(scene: Scene) -> Trap:
    """switches protocols"""
    scene.liar.lying = altering(PAGE, with_status(101))
    return scene.victim.pull


@harmless("the media type is not looked at: what is there is JSON of the form, or is refused")
def another_content_type(scene: Scene) -> Trap:
    """calls JSON a page of HTML"""
    scene.insider_writes(b"secret 2")

    def alter(answer: Answer) -> None:
        answer.headers = [("Content-Type", "text/html; charset=utf-16")]

    scene.liar.lying = altering(PAGE, alter)
    return scene.victim.pull


@harmless("members that the protocol does not know are ignored")
def more_than_was_asked_for(scene: Scene) -> Trap:
    """adds members to every answer"""
    scene.insider_writes(b"secret 2")

    def alter(page: dict[str, Any]) -> None:
        page["canary"] = [{"canary": None}]
        for one in page["changesets"]:
            one["payload"] = "canary"

    scene.liar.lying = altering_json(PAGE, alter)
    return scene.victim.pull


# ---------------------------------------------------------------- no good answer


@caught(errors.RelayRefused)
def a_relay_that_fails_without_a_word(scene: Scene) -> Trap:
    """fails, with bytes of no form"""
    scene.liar.lying = lambda *_: Answer(500, b"\xff\x00")
    return scene.victim.sync


@caught(errors.RelayRefused, "the text of the error holds no word of the relay's")
def a_code_that_is_none(scene: Scene) -> Trap:
    """puts a text of its choice into the error's code, with escape sequences"""
    scene.liar.lying = lambda *_: refusal(403, code="canary\x1b[2J\r\nsync-relay: all is well", title="canary")
    return scene.victim.pull


@caught(errors.RelayRefused)
def a_problem_of_no_form(scene: Scene) -> Trap:
    """gives problem details of other types"""
    scene.liar.lying = lambda *_: refusal(409, code=["canary"], head="canary", errors=7)
    return scene.victim.pull


@caught(errors.RelayUnreachable)
def a_connection_that_is_cut(scene: Scene) -> Trap:
    """cuts the connection instead of answering"""
    scene.keep_a_change_for_later()

    def cut(*_: object) -> Answer:
        raise Cut

    scene.liar.lying = cut
    return scene.victim.push


def after(name: str, what: str, why: str, status: int, *fields: tuple[str, str]) -> None:
    """Let the relay put us off for ever, in these header fields."""

    def lay(scene: Scene) -> Trap:
        scene.liar.lying = lambda *_: refusal(status, list(fields), code="rate_limited")

        def trap() -> None:
            try:
                scene.victim.sync()
            finally:
                assert sum(scene.slept) <= 60

        return trap

    caught(errors.RelayRefused, why)(told(name, what, lay))


_NO_LONGER = "waits as long as it would have by itself"
after("busy_for_ever", "is busy for ever", "after all attempts", 503, ("Retry-After", "1"))
after("retry_after_years", "asks to come back in thirty years", "gives up at once", 429, ("Retry-After", "999999999"))
after("retry_after_a_number_of_digits", "asks to come back in 10⁴⁰⁰ s", _NO_LONGER, 429, ("Retry-After", "9" * 400))
after("retry_before_now", "asks to come back a minute ago", _NO_LONGER, 429, ("Retry-After", "-60"))
after(
    "retry_at_a_date",
    "asks to come back in the year 9999",
    "gives up at once",
    503,
    ("Date", "Fri, 24 Apr 2026 00:00:00 GMT"),
    ("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"),
)
after(
    "retry_after_twice",
    "asks to come back at two times at once",
    _NO_LONGER,
    429,
    ("Retry-After", "1"),
    ("Retry-After", "9999"),
)


# ---------------------------------------------------------------- limits


def with_limits(**limits: object) -> Any:
    return altering_json(CONFIG, lambda one: one["limits"].update(limits))


for _name, _what, _value in (
    ("limits_of_nothing", "claims that a push holds no change", 0),
    ("limits_below_nothing", "claims a negative limit", -1),
    ("limits_beyond_numbers", "claims a limit beyond all numbers", 2**63),
    ("limits_that_are_none", "gives a list for a limit", []),
):
    misformed(_name, _what, with_limits(max_batch=_value, max_page=_value), pulling_in_a_new_process)


@harmless("at most 500 changesets a page are asked for, and a push holds what was recorded")
def limits_that_are_huge(scene: Scene) -> Trap:
    """claims limits as high as numbers go"""
    scene.insider_writes(b"secret 2")
    scene.reopen()
    huge = 2**53 - 1
    scene.liar.lying = with_limits(max_batch=huge, max_page=huge, max_body_bytes=huge, max_page_bytes=huge)
    return scene.victim.sync


@caught(
    errors.ChangeTooLarge,
    "the limits are asked for anew before this is said, so it ends with the lie",
    keeps_state=False,
)
def limits_that_are_tiny(scene: Scene) -> Trap:
    """claims that no request may have more than a byte"""
    scene.reopen()
    record(scene.victim, [b"secret 2"])
    scene.liar.lying = with_limits(max_body_bytes=1)
    return scene.victim.sync


@caught(errors.RelayRefused, "after eight attempts with other limits")
def limits_that_shrink_for_ever(scene: Scene) -> Trap:
    """refuses each push as too large, and claims a lower limit each time"""
    scene.keep_a_change_for_later()
    limit = 4_000_000

    def shrink(config: Any) -> None:
        nonlocal limit
        limit -= 1
        config["limits"]["max_body_bytes"] = limit

    def lying(asked: Any, ask: Any) -> Answer:
        if asked.method == "POST":
            assert len(scene.liar.heard) < 100, "it never ends"
            return refusal(413, code="body_too_large", limit=limit)
        return altering_json(CONFIG, shrink)(asked, ask)

    scene.liar.lying = lying
    return scene.victim.push
