"""The page of the fake Slack, in a real browser with the real bot: what a person sees, and can do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect
from slack_sdk import WebClient

from bot.cli import parser as cli
from bot.slack.rich_text import escaped
from tests import slack_demo
from tests.fake_slack import FakeSlack

pytestmark = pytest.mark.process(seconds=45)
BRIDGE = """---
title: Marrow Bridge reopens
outlet: Valley Echo
date: 2024-04-18
url: https://valleyecho.example/news/2024/04/18/marrow-bridge-reopens
---
Cars crossed Marrow Bridge again on Thursday. Engineer Lucia Ferrante said that the river was low. \
The repair of the bridge cost 1.1 million pounds.

Samuel Orr, the baker, gave away 300 rolls at the foot of the bridge.
"""
HOSTILE_LINE = "The carillon of Quarmby cost 77 pounds <!channel> <script>alert(1)</script> :smile: and *no* _more_."
HOSTILE = f"---\ntitle: The carillon <@U1> of Quarmby\ndate: 2024-05-01\n---\n{HOSTILE_LINE}\n"
REPAIR = "@Clippings How much did the repair of Marrow Bridge cost?"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    expect.set_options(timeout=slack_demo.PATIENCE)
    try:
        with slack_demo.open_browser() as opened:
            yield opened
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of two articles."""
    data, articles = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("articles")
    (articles / "bridge.md").write_text(BRIDGE, "utf-8")
    (articles / "carillon.txt").write_text(HOSTILE, "utf-8")
    assert cli.main(["--data", str(data), "index", str(articles)]) == 0
    return data


@pytest.fixture(scope="module")
def slack(browser: Browser, data: Path, weights: Path) -> Iterator[FakeSlack]:  # noqa: ARG001  # no browser, no workspace
    """A workspace in which the real bot answers."""
    with FakeSlack() as slack:
        slack.dm("U1")
        with slack_demo.connected_bot(slack, data, {**_environment(), "CLIPPINGS_MODEL_DIR": str(weights)}):
            yield slack


@pytest.fixture(scope="module")
def window(browser: Browser, slack: FakeSlack) -> Iterator[tuple[Page, list[str]]]:
    """A window, and the errors of its pages. A window of its own for each test takes 1 s of processor time, not 0.2."""
    errors: list[str] = []
    page = slack_demo.open_page(browser, slack.url)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield page, errors
    page.context.close()


@pytest.fixture
def page(window: tuple[Page, list[str]], slack: FakeSlack) -> Iterator[Page]:
    """The workspace, loaded anew; no test passes in which the page had an error."""
    page, errors = window
    page.goto("about:blank")  # else an address with another fragment alone would load nothing
    page.set_viewport_size({"width": slack_demo.WIDTH, "height": slack_demo.HEIGHT})
    errors.clear()
    page.goto(slack.url)
    yield page
    for popup in page.context.pages[1:]:
        popup.close()
    assert errors == []


@pytest.fixture(scope="module")
def drawing(browser: Browser, slack: FakeSlack) -> Iterator[Page]:
    """A window for tests that only draw something of their own."""
    page = slack_demo.open_page(browser, slack.url)
    yield page
    page.context.close()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CLIPPINGS_")}


# With the bot


def test_a_question_is_answered_in_its_thread(page: Page) -> None:
    """The answer has its words, the source's headline, outlet and date, and the quote."""
    answer = slack_demo.ask(page, REPAIR)
    expect(answer).to_contain_text("The repair of the bridge cost 1.1 million pounds.")
    expect(answer).to_contain_text("Marrow Bridge reopens · Valley Echo · 18 April 2024")
    expect(answer.locator("blockquote")).to_have_text("“The repair of the bridge cost 1.1 million pounds.”")


def test_a_follow_up_in_the_thread_needs_no_mention(page: Page) -> None:
    """The second question is understood from the first."""
    slack_demo.ask(page, REPAIR)
    slack_demo.say(page, "Who said that the river was low?", box="Reply")
    expect(slack_demo.answer(page, 2)).to_contain_text("Engineer Lucia Ferrante")


def test_a_source_opens_in_a_tab_of_its_own(page: Page) -> None:
    """The link is the article's own address; the page that it opens learns nothing of this one."""
    link = slack_demo.ask(page, REPAIR).get_by_role("link", name="Marrow Bridge reopens")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    with page.expect_popup() as opened:
        link.click()
    assert opened.value.url == "https://valleyecho.example/news/2024/04/18/marrow-bridge-reopens"
    assert opened.value.evaluate("window.opener") is None


def test_a_passage_is_shown_in_a_window(page: Page) -> None:
    """The quote stands in bold inside its paragraph; Escape closes the window, for the workspace too."""
    slack_demo.ask(page, REPAIR).get_by_text("Show passage 1", exact=True).click()
    window = page.get_by_role("dialog")
    expect(window).to_contain_text("Cars crossed Marrow Bridge again")
    expect(window.locator("b", has_text="The repair of the bridge cost 1.1 million pounds.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    assert page.evaluate("fetch('ui/state?user=U1').then((reply) => reply.json())")["modal"] is None


def test_not_helpful_asks_why(page: Page, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The button stays pressed, and the reason is kept with the question."""
    answer = slack_demo.ask(page, REPAIR)
    answer.get_by_text("Not helpful").click()
    window = page.get_by_role("dialog")
    window.get_by_role("textbox").fill("It names no <b>date</b>.")
    window.get_by_role("button", name="Send").click()
    expect(window).to_be_hidden()
    expect(answer.get_by_role("button", pressed=True)).to_have_text("Not helpful")
    assert cli.main(["--data", str(data), "feedback", "--json"]) == 0
    assert "It names no <b>date</b>." in capsys.readouterr().out


def test_the_home_says_what_is_known(page: Page) -> None:
    """Opening it tells the bot, which draws it."""
    page.get_by_role("link", name="Clippings Home").click()
    expect(page.locator("#home")).to_contain_text("Valley Echo")


def test_a_suggested_prompt_is_asked_with_a_click(page: Page) -> None:
    """The direct message offers questions, and the answer comes in a thread there."""
    page.get_by_role("link", name="Clippings", exact=True).click()
    prompt = page.get_by_role("group", name="Suggested prompts").get_by_role("button").first
    prompt.click()
    expect(page.locator("#messages > .message").last.get_by_role("link", name="1 reply")).to_be_visible()


def test_a_command_is_answered_to_its_user_alone(page: Page) -> None:
    """The answer says so, and offers to be shared; what was typed is not a message."""
    slack_demo.say(page, "/clippings How much did the repair of Marrow Bridge cost?")
    answer = page.locator("#messages > .message", has_text="Only visible to you").last
    expect(answer).to_contain_text("1.1 million pounds")
    expect(answer.get_by_role("button", name="Share with the channel")).to_be_visible()
    expect(page.locator("#messages > .message", has_text="/clippings")).to_have_count(0)


def test_a_message_can_be_asked_about(page: Page, slack: FakeSlack) -> None:
    """The choice stands in the message's menu; the answer is for the one who chose it."""
    slack.say("U1", "C1", "Does anybody know who gave away rolls at Marrow Bridge?")
    message = page.locator("#messages > .message", has_text="who gave away rolls")
    message.hover()
    message.get_by_label("More actions").click()
    message.get_by_role("button", name="Ask about this message").click()
    expect(page.locator(".message", has_text="Only visible to you").filter(has_text="300 rolls")).to_be_visible()


def test_what_an_article_says_stays_text(page: Page, slack: FakeSlack) -> None:
    """Markup of every kind in a quoted article is seen as it was written, and calls nobody."""
    answer = slack_demo.ask(page, "@Clippings How much did the carillon of Quarmby cost?")
    expect(answer).to_contain_text(HOSTILE_LINE)
    expect(answer.locator(".said").locator("script, .mention, [role=img], a, i")).to_have_count(0)
    assert slack.pings() == []


def test_what_a_person_types_stays_text(page: Page) -> None:
    """Only the mention that was meant becomes one."""
    slack_demo.say(page, "@Uma wrote <script>alert(1)</script> & <!channel> `:smile:`")
    message = page.locator("#messages > .message", has_text="wrote").last
    expect(message).to_contain_text("@Uma wrote <script>alert(1)</script> & <!channel> :smile:")
    expect(message.locator(".mention")).to_have_text("@Uma")
    expect(message.locator("code")).to_have_text(":smile:")


def test_the_demo_takes_a_picture_of_each_step(page: Page, tmp_path: Path) -> None:
    """Its conversation goes through with the real bot, and no two of its pictures are the same."""
    slack_demo.take_pictures(page, tmp_path)
    pictures = {picture.stem: picture.read_bytes() for picture in tmp_path.iterdir()}
    assert sorted(pictures) == ["1-ask", "2-follow-up", "3-source", "4-passage", "5-feedback", "6-home"]
    assert len(set(pictures.values())) == len(pictures)


def test_a_bot_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The demo ends with the bot's own last lines."""
    wrong = {**_environment(), "CLIPPINGS_LLM": "nonsense"}
    with (
        FakeSlack() as empty,
        pytest.raises(slack_demo.BotEnded, match="CLIPPINGS_LLM"),
        slack_demo.connected_bot(empty, tmp_path, wrong),
    ):
        pytest.fail("the bot started")


# Without the bot: what is drawn


def test_a_status_is_shown_until_the_answer_comes(page: Page, slack: FakeSlack) -> None:
    """It stands below the question and in the thread; a stream takes its place and grows."""
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    ts = slack.say("U1", "C1", "a question to nobody")
    client.assistant_threads_setStatus(channel_id="C1", thread_ts=ts, status="is searching…")
    question = page.locator(f"#messages > [data-ts='{ts}']")
    expect(question).to_contain_text("Clippings is searching…")
    question.hover()
    question.get_by_label("Reply in thread").click()
    told = page.get_by_role("complementary", name="Thread").get_by_role("status")
    expect(told).to_have_text("Clippings is searching…")
    stream = client.chat_startStream(
        channel="C1",
        thread_ts=ts,
        markdown_text="It sank &lt;b&gt; ",
        recipient_team_id="T1",
        recipient_user_id="U1",
    )["ts"]
    reply = page.locator(f"#replies > [data-ts='{stream}']")
    expect(reply.locator(".streaming")).to_have_text("It sank <b> ")
    expect(told).to_be_empty()
    client.chat_appendStream(channel="C1", ts=stream, markdown_text="in *May*.")
    expect(reply.locator(".streaming")).to_have_text("It sank <b> in *May*.")
    client.chat_stopStream(channel="C1", ts=stream)
    expect(reply.locator(".streaming")).to_have_count(0)


def test_the_newest_message_stays_in_view(page: Page, slack: FakeSlack) -> None:
    """Also when a thread takes half of the room; who has scrolled up is left where they are."""
    stamps = [slack.say("U1", "C1", f"line {number} " + "of many words " * 20) for number in range(20)]
    newest = page.locator(f"#messages > [data-ts='{stamps[-1]}']")
    expect(newest).to_be_in_viewport()
    page.goto(f"{slack.url}/#C1/{stamps[-1]}")
    expect(page.get_by_role("textbox", name="Reply")).to_be_focused()
    expect(newest).to_be_in_viewport()
    page.locator(f"#messages > [data-ts='{stamps[0]}']").scroll_into_view_if_needed()
    latest = slack.say("U1", "C1", "one more")
    expect(page.locator(f"#messages > [data-ts='{latest}']")).to_be_attached()
    expect(newest).not_to_be_in_viewport()


def test_what_is_wrong_with_a_field_stands_below_it(page: Page, slack: FakeSlack) -> None:
    """What was typed stays."""
    field = {"type": "plain_text_input", "action_id": "reason"}
    asked = {"type": "input", "block_id": "reason", "label": _plain("Why?"), "element": field}
    view = {"id": "V1", "type": "modal", "title": _plain("Not helpful"), "submit": _plain("Send"), "blocks": [asked]}
    slack.workspace.modals["U1"] = view | {"notify_on_close": False}
    page.get_by_label("Why?").fill("no")
    slack.workspace.modal_errors["U1"] = {"reason": "Say more."}
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("Say more.")
    expect(page.get_by_label("Why?")).to_have_value("no")
    page.get_by_role("dialog").get_by_label("Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("place", ["#C1", "#DU1", "#home"])
def test_nothing_is_cut_off_on_a_phone(page: Page, slack: FakeSlack, place: str) -> None:
    """Each place fits into 360 pixels, long words and addresses too."""
    slack.say("U1", "C1", f"{'w' * 200} <https://a.example/{'x' * 200}> `{'y' * 200}`")
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(f"{slack.url}/{place}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    wide = "[...document.querySelectorAll('html, body, main, .messages, #home')].map((part) => part.scrollWidth)"
    assert max(page.evaluate(wide)) <= 360


_DRAW = """async ([kind, given]) => {
    const blocks = await import("/page/blocks.js");
    const here = { name: (id) => `name of ${id}`, click() {}, pressed() {} };
    const drawn = blocks.el("div", {}, blocks[kind](given, here));
    const links = [...drawn.querySelectorAll("[href]")].map((link) => link.getAttribute("href"));
    const tags = [...drawn.querySelectorAll("*")].map((element) => element.localName);
    const mentions = drawn.querySelectorAll(".mention").length;
    return { html: drawn.innerHTML, text: drawn.textContent, links, tags, mentions };
}"""
_LINK = 'target="_blank" rel="noopener noreferrer"'


def _draw(drawing: Page, kind: str, given: object) -> Any:
    return drawing.evaluate(_DRAW, [kind, given])


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* _b_ ~c~ `*d*`", "<b>a</b> <i>b</i> <s>c</s> <code>*d*</code>"),
        ("2 * 3 * 4, a_b_c, *_x_*", "2 * 3 * 4, a_b_c, <b><i>x</i></b>"),
        ("&lt;b&gt; &amp;amp; &quot;", "&lt;b&gt; &amp;amp; &amp;quot;"),
        ("<@U1> <#C1> <#C1|old> <!here>", "@name of U1 #name of C1 #old @here"),
        ("<https://a.example/?a=1&amp;b=2|c>", f'<a href="https://a.example/?a=1&amp;b=2" {_LINK}>c</a>'),
        ("https://a.example/b.", f'<a href="https://a.example/b." {_LINK}>https://a.example/b.</a>'),
        ("<javascript:alert(1)|c>", "<span>c</span>"),
        (":wave: :nothing: `:wave:`", '<span role="img" aria-label="wave">👋</span> :nothing: <code>:wave:</code>'),
        ("a\n&gt; b\n> *c*\nd", "a\n<blockquote>b\n<b>c</b></blockquote>d"),
        ("```\n*a* &lt;\n```", "<pre>*a* &lt;\n</pre>"),
    ],
)
def test_mrkdwn_is_drawn_by_slacks_rules(drawing: Page, text: str, html: str) -> None:
    """Marks at the edges of words, Slack's three entities, what stands between angle brackets."""
    drawn = _draw(drawing, "mrkdwn", text)["html"]
    assert re.sub(r'<span class="mention">(.*?)</span>', r"\1", drawn) == html


_MARKS = st.sampled_from([*"<>@#!|&;*_~`:\n \"'=/", "http://", "javascript:", "&lt;", "&gt;", "<script>", "<!channel>"])
_HOSTILE = st.lists(_MARKS | st.text(max_size=3), max_size=25).map("".join)


def test_no_text_becomes_markup(drawing: Page) -> None:
    """What mrkdwn makes is harmless; escaped, it calls nobody; rich text and plain text are as they were."""

    @given(_HOSTILE)
    def check(text: str) -> None:
        drawn = _draw(drawing, "mrkdwn", text)
        assert set(drawn["tags"]) <= {"a", "b", "blockquote", "code", "i", "pre", "s", "span"}
        assert all(re.match("https?://", link) for link in drawn["links"])
        assert _draw(drawing, "mrkdwn", escaped(text))["mentions"] == 0
        rich = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
        blocks = [{"type": "section", "text": _plain(text)}, {"type": "rich_text", "elements": [rich]}]
        drawn = _draw(drawing, "draw", blocks)
        assert drawn["text"] == text * 2
        assert set(drawn["tags"]) == {"div", "p"}

    check()


def test_a_block_that_is_not_known_is_named(drawing: Page) -> None:
    """Nothing that a bot sends is left out without a word."""
    assert _draw(drawing, "draw", [{"type": "video"}])["text"] == "[video: this page does not draw it]"
