"""Mail as a channel: what a mail says in both forms, its headers, its thread, refusals, and texts of others in it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from quart import Quart

from mission_control.channels.channel import Button, Item, Later, Line, Message, Refused
from mission_control.channels.providers.mail import CHANNEL
from tests.channels.hostile import TEXTS
from tests.mail import Post, mail_box

STOP = "https://mission.example.org/reach/off/" + "t" * 60
NEED = Message(
    title="Kit asks to run a command",
    lines=("Looking up a page by price version reads 212,000 rows.",),
    exact='psql "$SHOP_DB" -c "CREATE INDEX CONCURRENTLY page_price ON page (price_version)"',
    facts=(("Risk", "medium: changes a database"), ("Answers", "Allow once · Deny with a note")),
    url="https://mission.example.org/reach/0192a1b2",
    key="0192a1b2",
    topic="permission:0192",
    board="Lighthouse",
    board_id="0192a1b2-0000-7000-8000-00000000beef",
    why="You had not seen it for 10 minutes.",
    stop_url=STOP,
    is_urgent=True,
)
DIGEST = Message(
    title="2 things wait for you",
    lines=("Since yesterday 19:30. Ben answered 1 other.",),
    sections=(
        ("Waits", (Item("Atlas asks: do the English pages stay?", "Atlas keeps them at 09:00.", NEED.url, "11 h"),)),
        ("Ended without you", (Item("Vega sends the refund", "Ben approved it.", aside="20:05"),)),
    ),
    url="https://mission.example.org/",
    key="0192ffff",
    why="Sent at the end of your quiet hours.",
    stop_url=STOP,
)


class Box:
    """A mailbox, and the channel that sends to it."""

    def __init__(self, post: Post, line: Line) -> None:
        self.post, self.line = post, line

    async def send(self, message: Message) -> str:
        return await CHANNEL.send(self.line, message)


async def _no_requests(*_: object, **__: object) -> None:
    raise AssertionError("mail sends no requests")


@pytest.fixture
async def box(app: Quart) -> AsyncIterator[Box]:
    async with mail_box(app.config["SETTINGS"]) as (post, settings), app.app_context():
        yield Box(post, Line(_no_requests, settings, to="ada@example.org"))  # type: ignore[arg-type]


async def test_need_is_said_whole_in_both_forms(box: Box) -> None:
    await box.send(NEED)
    for text in (box.post.text(), box.post.html().replace("&#34;", '"')):
        for part in (NEED.title, NEED.board, NEED.exact, *NEED.lines, "medium: changes a database", NEED.url, STOP):
            assert part in text
        assert "/settings/notifications" in text and NEED.why in text
    assert "Opening decides nothing." in box.post.html()
    assert box.post.mails[0]["Subject"] == NEED.title


async def test_digest_has_its_sections_and_no_answers(box: Box) -> None:
    await box.send(DIGEST)
    for text in (box.post.text(), box.post.html()):
        for heading, items in DIGEST.sections:
            for part in (heading, *(words for one in items for words in (one.title, one.detail, one.aside))):
                assert part in text
        assert "Open Home" in text and "Opening decides" not in text


async def test_headers_let_mail_programs_sort_and_stop_it(box: Box) -> None:
    name = await box.send(NEED)
    head = box.post.head()
    assert head["From"] == '"Lighthouse (Mission Control)" <mission@example.org>'
    assert head["Message-ID"] == name == "<0192a1b2@mission.example.org>"
    assert head["List-Id"] == '"Lighthouse" <board-00000000beef.mission.example.org>'
    assert head["List-Unsubscribe"] == f"<{STOP}>"
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert head["Auto-Submitted"] == "auto-generated"
    assert head["X-Auto-Response-Suppress"] == "All"


async def test_later_mails_stand_in_the_thread_of_the_first(box: Box) -> None:
    await box.send(NEED)
    first = box.post.head()
    await box.send(replace(NEED, key="0192a1b3", is_first=False, why="It ends in 15 minutes."))
    second = box.post.head()
    assert second["In-Reply-To"] == second["References"] == first["References"]
    assert "In-Reply-To" not in first
    assert second["Subject"] == f"Re: {NEED.title}"
    assert first["Message-ID"] != second["Message-ID"]


async def test_threads_of_two_people_and_two_needs_are_apart(box: Box) -> None:
    await box.send(NEED)
    await box.send(replace(NEED, topic="permission:0193"))
    box.line = replace(box.line, to="ben@example.org")
    await box.send(NEED)
    assert len({one["References"] for one in box.post.mails}) == 3


async def test_message_sent_again_has_the_same_id(box: Box) -> None:
    assert await box.send(NEED) == await box.send(NEED)


async def test_one_press_is_offered_over_tls_only(box: Box) -> None:
    await box.send(replace(NEED, stop_url=STOP.replace("https:", "http:")))
    assert "List-Unsubscribe" in box.post.head() and "List-Unsubscribe-Post" not in box.post.head()


async def test_message_that_is_refused_for_good_is_not_tried_again(box: Box) -> None:
    box.post.message = "552 5.3.4 Message size exceeds fixed limit"
    with pytest.raises(Refused, match="Message size exceeds fixed limit"):
        await box.send(NEED)
    box.post.message = "451 4.3.2 Later"
    with pytest.raises(Later):
        await box.send(NEED)


async def test_letters_that_the_mail_server_does_not_know(box: Box) -> None:
    box.line = replace(box.line, to="ada@zürich.example")
    await box.send(NEED)
    assert box.post.head()["To"] == "ada@xn--zrich-kva.example"
    box.line = replace(box.line, to="łukasz@example.org")
    with pytest.raises(Refused, match="SMTPUTF8 is not supported"):
        await box.send(NEED)


async def test_link_of_a_long_mail_stands_where_mail_programs_show_it(box: Box) -> None:
    await box.send(replace(NEED, lines=("\u6f22" * 30_000,), exact="rm -r /srv\n" * 20_000))
    assert len(box.post.html().encode()) < 100_000
    for text in (box.post.html(), box.post.text()):
        assert "see the other 18001 characters." in text and "see the other 208001 characters." in text
        assert NEED.url in text


async def test_without_a_board_it_comes_from_the_installation(box: Box) -> None:
    await box.send(DIGEST)
    head = box.post.head()
    assert head["From"] == '"Mission Control" <mission@example.org>'
    assert not {"List-Id", "References", "In-Reply-To"} & head.keys()


@pytest.mark.parametrize(
    "text",
    [
        "Deploy?\r\nBcc: eve@example.org",
        "Deploy?\nBcc: eve@example.org\n\nYes",
        "=?utf-8?q?Deploy=0D=0ABcc=3A_eve=40example=2Eorg?=",
        'Deploy" <eve@example.org>, "x',
        "Deploy\\",
        "Deploy\x00\x1b[31m\x85\u2028Bcc: eve@example.org",
        "\ud800Deploy",
    ],
    ids=["crlf", "lf", "encoded", "address", "escape", "control", "surrogate"],
)
async def test_titles_and_names_add_no_header(box: Box, text: str) -> None:
    await box.send(NEED)
    usual = box.post.head().keys()
    await box.send(replace(NEED, title=text, board=text, lines=(text,), exact=text, facts=((text, text),), why=text))
    mail = box.post.mails[-1]
    assert box.post.head().keys() == usual
    assert mail["To"] == "ada@example.org"
    assert [one.addr_spec for one in mail["From"].addresses] == ["mission@example.org"]
    assert "Deploy" in mail["Subject"] and "Deploy" in box.post.text()


async def test_markup_of_others_is_text(box: Box) -> None:
    evil = '<img src=x onerror="alert(1)"><a href="https://evil.example">Approve</a></table><script>'
    item = Item(evil, evil, aside=evil)
    for message in (NEED, replace(DIGEST, sections=((evil, (item,)),))):
        await box.send(
            replace(message, title=evil, board=evil, lines=(evil,), exact=evil, facts=((evil, evil),), why=evil)
        )
        html = box.post.html()
        assert "<img" not in html and "<script" not in html and 'href="https://evil' not in html
        assert html.count("</table>") == html.count("<table")


class Reader(HTMLParser):
    """What a mail program makes of HTML: the elements, where they lead, and what is read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.links, self.text = set[str](), set[str](), ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}
        assert {name for name, _ in attrs} <= ATTRIBUTES

    def handle_data(self, data: str) -> None:
        self.text += data


ATTRIBUTES = {
    "role", "class", "width", "cellpadding", "cellspacing", "style", "align", "href", "lang", "charset", "name",
    "content",
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
async def test_hostile_texts_stay_texts(box: Box, case: str) -> None:
    text = TEXTS[case]
    for usual in (NEED, DIGEST):
        await box.send(usual)
        headers, tags = box.post.head().keys(), Reader(box.post.html()).tags
        sections = ((text, (Item(text, text, NEED.url, text),)),) if usual is DIGEST else ()
        facts = ((text, text),) if usual is NEED else ()
        await box.send(
            replace(usual, title=text, lines=(text,), board=text, why=text, sections=sections, facts=facts, exact=text)
        )
        read = Reader(box.post.html())
        assert box.post.head().keys() <= headers and read.tags <= tags
        assert all(one.startswith("https://mission.example.org/") for one in read.links)
        for shown in (read.text, box.post.text(), box.post.mails[-1]["Subject"]):
            assert not HIDDEN & set(shown)
        assert max(map(len, box.post.sent[-1].split("\r\n"))) <= 998


HIDDEN = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x07\x1b\x7f\ud800\udfff")


async def test_password_of_the_mail_server_is_in_no_error(box: Box) -> None:
    url = "smtp://mission:s3cret-word@127.0.0.1:1"
    box.line = replace(box.line, installation=replace(box.line.installation, smtp_url=url))
    with pytest.raises(Later) as error:
        await box.send(NEED)
    assert "s3cret-word" not in str(error.value)


async def test_direction_marks_turn_no_text_around(box: Box) -> None:
    await box.send(replace(NEED, title="Delete \u202etxt.exe\u2066", exact="rm \u202e/ #\u2069"))
    for text in (box.post.html(), box.post.text(), box.post.mails[-1]["Subject"]):
        assert not set("\u202e\u2066\u2069") & set(text)
    assert "rm \\u202e/ #\\u2069" in box.post.text()


async def test_long_titles_are_cut_in_the_subject_alone(box: Box) -> None:
    await box.send(replace(NEED, title="long " * 200))
    assert box.post.mails[-1]["Subject"] == f"{'long ' * 29}long…"
    assert "long " * 199 in box.post.html()


async def test_names_of_all_scripts_arrive(box: Box) -> None:
    await box.send(replace(NEED, board="Zahlungen für 東京", title="Größe prüfen"))
    mail = box.post.mails[-1]
    assert mail["From"].addresses[0].display_name == "Zahlungen für 東京 (Mission Control)"
    assert mail["Subject"] == "Größe prüfen" and mail["List-Id"] == "<board-00000000beef.mission.example.org>"
    assert "Zahlungen für 東京" in box.post.html()


async def test_address_that_does_not_exist_is_refused_with_the_words_of_the_server(box: Box) -> None:
    box.post.recipient = "550 5.1.1 No such user"
    with pytest.raises(Refused, match=r"ada@example.org: 5.1.1 No such user"):
        await box.send(NEED)


@pytest.mark.parametrize("place", ["recipient", "message"])
async def test_server_that_wants_it_later_gets_it_later(box: Box, place: str) -> None:
    setattr(box.post, place, "451 4.7.1 Greylisted, try again later")
    with pytest.raises(Later, match="Greylisted, try again later"):
        await box.send(NEED)
    setattr(box.post, place, "250 OK")
    await box.send(NEED)
    assert len(box.post.mails) == 1


@pytest.mark.parametrize(
    ("url", "kind", "words"), [("smtp://127.0.0.1:1", Later, "cannot be reached"), ("", Refused, "SMTP_URL")]
)
async def test_server_that_is_down_is_later_and_one_that_is_missing_is_named(
    box: Box, url: str, kind: type[Exception], words: str
) -> None:
    box.line = replace(box.line, installation=replace(box.line.installation, smtp_url=url))
    with pytest.raises(kind, match=words):
        await box.send(NEED)


async def test_account_without_an_address_is_refused(box: Box) -> None:
    box.line = replace(box.line, to="")
    with pytest.raises(Refused, match="no mail address"):
        await box.send(NEED)


async def test_what_ended_is_not_answered(box: Box) -> None:
    await box.send(replace(NEED, has_ended=True, buttons=(Button("Approve", "token"),)))
    assert "Open and answer" not in box.post.html() and "token" not in box.post.sent[-1]
