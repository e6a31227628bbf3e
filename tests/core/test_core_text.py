"""Small parts of the core: Markdown, mentions, moments, ids, limits."""

import re
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from mission_control.agents.models import Agent
from mission_control.agents.queries import mentioned, mentioned_names
from mission_control.boards.commands import slugify
from mission_control.core import limits, times
from mission_control.core.errors import Forbidden, Invalid, TooMany
from mission_control.core.text.markdown import render
from mission_control.core.values import fingerprint, new_id, new_secret, parse_id, parts_of, to_json
from mission_control.http.proxies import rate_limit_key
from mission_control.tasks.notices import snippet


@pytest.mark.parametrize(("text", "expected"), [
    ("**a** _b_ ~~c~~ `d`", "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>"),
    ("# One", "<h3>One</h3>"),
    ("###### Six", "<h3>Six</h3>"),
    ("## Two\n#### Four\n# One", "<h3>Two</h3>\n<h4>Four</h4>\n<h3>One</h3>"),
    ("# 1\n## 2\n### 3\n#### 4\n##### 5", "<h3>1</h3>\n<h4>2</h4>\n<h5>3</h5>\n<h6>4</h6>\n<h6>5</h6>"),
    ("@vega hi", '<p><span class="mention">@vega</span> hi</p>'),
    ("mail a@vega.org", "<p>mail a@vega.org</p>"),
    ("`@vega`", "<p><code>@vega</code></p>"),
    (
        "see https://a.example/x.",
        '<p>see <a href="https://a.example/x" rel="nofollow noopener">https://a.example/x</a>.</p>',
    ),
])  # fmt: skip
def test_markdown_is_rendered(text: str, expected: str) -> None:
    assert render(text).strip() == expected


@pytest.mark.parametrize(("text", "marked"), [
    ("Ask @Mara Reyes.", ["@Mara Reyes"]),
    ("@mara reyes, @Mara", ["@mara reyes", "@Mara"]),
    ("@Mara Reyesson", ["@Mara"]),
    ("@Mara Reyes Two and @Vega", ["@Mara Reyes Two", "@Vega"]),
    ("`@Mara Reyes`", []),
])  # fmt: skip
def test_whole_names_are_marked(text: str, marked: list[str]) -> None:
    html = render(text, ("Mara Reyes", "Mara Reyes Two", "Vega"))
    assert re.findall(r'<span class="mention">(.*?)</span>', html) == marked


@pytest.mark.parametrize(("text", "names"), [
    ("@Vega Two, look", ["Vega Two"]),
    ("@vega look", ["Vega", "Vega Two"]),
    ("@Vega Two and @Vega", ["Vega", "Vega Two"]),
    ("@rigel", ["Rigel"]),
])  # fmt: skip
def test_full_name_mentions_one_agent(text: str, names: list[str]) -> None:
    agents = [Agent(name=name) for name in ("Vega", "Vega Two", "Rigel")]
    assert [agent.name for agent in mentioned(text, agents)] == names


@pytest.mark.parametrize("text", [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "![a](https://a/b.png)",
    "[a](data:text/html,x)", "<a href='javascript:x'>b</a>", "[a](vbscript:x)", "<https://a\" onclick=\"x>",
])  # fmt: skip
def test_markdown_cannot_inject(text: str) -> None:
    tags = re.findall(r"<[^>]*>", render(text))
    assert not any(re.search(r"<(script|img)|\son\w+=|href=\"(?!https?:|mailto:)", tag) for tag in tags)


@pytest.mark.parametrize(("text", "names"), [
    ("@Vega, @rigel-2 and @lead!", {"vega", "rigel-2", "lead"}),
    ("mail a@b.org", set()),
    ("@1st @_x @", set()),
    ("(@a)@b", {"a", "b"}),
    ("@" + "x" * 40, {"x" * 32}),
])  # fmt: skip
def test_mentions_are_found(text: str, names: set[str]) -> None:
    assert mentioned_names(text) == names


def test_clock_can_be_moved() -> None:
    start = times.clock_now()
    assert start.tzinfo is None
    with times.travelled(timedelta(days=1)), times.travelled(timedelta(days=1)):
        assert times.clock_now() - start >= timedelta(days=2)
    assert times.clock_now() - start < timedelta(days=1)


def test_times_are_naive_utc() -> None:
    noon = datetime(2026, 1, 1, 12)
    assert times.naive_utc(noon) == times.naive_utc(noon.replace(tzinfo=UTC)) == noon
    assert times.naive_utc(datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))) == noon
    with pytest.raises(ValueError, match="years"):
        times.naive_utc(datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))))


@pytest.mark.parametrize("text", [None, "", " ", "null", "yesterday", "2026-13-01", "9999-12-31T23:59:59-23:00"])
def test_ambiguous_since_is_none(text: str | None) -> None:
    assert times.parse_since(text) is None


@pytest.mark.parametrize("stored", [
    "2026-11-26 01:23:55.890864", "2026-11-26 01:23:55", "2026-11-26T01:23:55", "2026-11-26 01:23:55.5",
    "2026-11-26 01:23", "2026-11-26", "2026-11-26 03:23:55+02:00", "2026-11-26 03:23:55.890864+02:00",
])  # fmt: skip
def test_moments_stored_as_text_are_written_like_others(stored: str) -> None:
    [text, nothing] = times.wire_texts([stored, None])
    assert text == times.wire(datetime.fromisoformat(stored)) and nothing is None
    assert to_json([text]) == to_json([times.naive_utc(datetime.fromisoformat(stored))])


def test_relative_times_in_words() -> None:
    now = datetime(2026, 3, 14, 15)
    cases = {
        0: "just now",
        -59: "just now",
        30: "now",
        -120: "2 min ago",
        -7200: "2 h ago",
        3600: "in 1 h",
        -86400 * 2: "12 Mar",
    }
    for seconds, words in cases.items():
        assert times.relative(now + timedelta(seconds=seconds), now) == words
    assert times.relative(datetime(2025, 3, 14), now) == "14 Mar 2025"
    assert (times.iso(now), times.absolute(now)) == ("2026-03-14T15:00:00Z", "14 Mar 2026, 15:00 UTC")
    spent = [times.elapsed(now - timedelta(hours=hours), now) for hours in (0.01, 0.5, 3, 50)]
    assert spent == ["<1 m", "30 m", "3 h", "2 d"]
    assert times.clock_time(now, now) == f"{now:%H:%M} UTC"
    assert times.clock_time(now + timedelta(days=1), now) == times.absolute(now + timedelta(days=1))


def test_ids_and_secrets() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made) and len(set(made)) == 1000 and made[0].version == 7
    assert parse_id(str(made[0])) == parse_id(made[0].hex) == parse_id(made[0]) == made[0]
    assert parse_id("nope") is parse_id(None) is parse_id("") is None
    secret = new_secret("mca")
    assert len(secret) == 52 and secret != new_secret("mca") and len(fingerprint(secret)) == 64
    assert isinstance(parse_id(UUID(int=1).urn), UUID)


def test_rate_limit_resets_after_its_window() -> None:
    now = 1000.0
    limit = limits.FailureLimit(2, 60.0, keys=2, now=lambda: now)
    for _ in range(2):
        limit.check("a")
        limit.failed("a")
    with pytest.raises(TooMany) as refused:
        limit.check("a")
    assert refused.value.headers == {"Retry-After": "61"}
    limit.check("b")
    now += 61
    limit.check("a")
    for key in ("a", "b", "c"):
        limit.failed(key)
    assert len(limit._failures) == 2


def test_rate_limit_counts_from_the_start_of_an_attempt() -> None:
    limit = limits.FailureLimit(2, 60.0)
    with limit.attempt("a"), limit.attempt("a"):
        with pytest.raises(TooMany), limit.attempt("b", "a"):
            raise AssertionError("a third one at the same moment")
    limit.check("a")
    for error in (Invalid, Forbidden, Invalid, Forbidden):
        with limit.attempt("c"):
            pass
        with pytest.raises(error), limit.attempt("c"):
            raise error
    with pytest.raises(TooMany), limit.attempt("c"):
        raise AssertionError("after two wrong ones")


def test_rate_limit_key_of_an_address() -> None:
    assert rate_limit_key("2001:db8:1:2:aaaa::1") == rate_limit_key("2001:db8:1:2:bbbb::2") == "2001:db8:1:2::/64"
    assert rate_limit_key("2001:db8:1:3::1") != rate_limit_key("2001:db8:1:2::1")
    assert (
        rate_limit_key("::ffff:192.0.2.7") == rate_limit_key("192.0.2.7") == "192.0.2.7" != rate_limit_key("192.0.2.8")
    )
    assert rate_limit_key("unknown") == "unknown"


def test_unparsable_address_has_no_key() -> None:
    assert parts_of("https://example.org/a?b").netloc == "example.org"
    for text in ("https://[", "//[::1", "http://[x]/"):
        assert parts_of(text).geturl() == ""


def test_html_does_not_repeat_a_long_address_in_each_link() -> None:
    for definition in (f"[a]: /{'x' * 20_000}", f"[a]: /x '{'x' * 20_000}'"):
        html = render(f"{definition}\n\n{'[a] ' * 1000}")
        assert len(html) < 75_000 and html.count("x" * 20_000) == 1 and html.count(">a</a>") == 1000


def test_long_texts_keep_lines_without_markdown() -> None:
    html = render("**a** <b>\n" * 5000)
    assert html.startswith("<p>**a** &lt;b&gt;<br>\n**a**") and html.count("<br>") == 5000
    assert len(render("x" * 1_000_000)) == len("<p></p>") + 200_000


def test_short_texts_are_rendered() -> None:
    assert snippet(f" {'x' * 500} ") == "x" * 500 and snippet("x" * 501) == "x" * 497 + "..."
    assert snippet(None) == ""
    assert [slugify(name) for name in ("My Board!", "  ", "Été 2")] == ["my-board", "board", "t-2"]
