"""Three protocols on the wire, as recorded: requests, endings, refusals and proxies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from bot.generate.llm import complete, make_llm, stream_answer
from bot.generate.probe import abilities
from bot.generate.stream import LLMError
from index.models import ClippingsError, Passage, Source
from tests.fakes.openai_server import OpenAIServer, Reply

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

PASSAGE = Passage("c1", Source("a1", "Ferry lost"), "The ferry sank.", 0, 15, 1.0)
WITHOUT_ANTHROPIC = find_spec("docstring_parser") is None  # of its client; the integration's namespace is always there
FORMS = [
    "openai-like",
    "ollama",
    pytest.param("anthropic", marks=pytest.mark.skipif(WITHOUT_ANTHROPIC, reason="clippings[anthropic] is not there")),
]
PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """Start a scripted server, which Anthropic's client is led to by its own variable."""
    for variable in PROXIES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    with OpenAIServer() as running:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url.removesuffix("/v1"))
        yield running


def model(server: OpenAIServer, form: str = "openai-like", *, timeout: float = 5.0, window: int | None = None) -> LLM:
    """Make the server's model as a user's setting makes it."""
    specs = {
        "openai-like": f"openai-like:{server.url}#fake",
        "ollama": f"ollama:{server.url.removesuffix('/v1')}#fake",
        "anthropic": "anthropic:claude-sonnet-4-5",
    }
    return make_llm(specs[form], api_key="sk-secret", timeout=timeout, context_window=window)


def answer(llm: LLM) -> str:
    """Stream an answer to its end."""
    return "".join(stream_answer(llm, "What sank?", [PASSAGE], as_of=date(2024, 1, 5)))


@pytest.mark.parametrize("form", FORMS)
def test_answer_is_streamed(server: OpenAIServer, form: str) -> None:
    """The pieces arrive as they are sent."""
    server.script(Reply.of("The ferry ", "sank ", "[1].", pause=0.2))
    deltas = stream_answer(model(server, form), "What sank?", [PASSAGE], as_of=date(2024, 1, 5))
    assert next(deltas) == "The ferry "
    begun = time.monotonic()
    assert list(deltas) == ["sank ", "[1]."]
    assert time.monotonic() - begun > 0.2


ABILITIES = ("answer from a passage", "cite the passage", "say that a passage does not answer")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("replies", "can"),
    [
        ((Reply.of("It will cost 5 million euros [1]."), Reply.of("NOT IN THE ARTICLES")), ABILITIES),
        ((Reply.of("It will cost 5 million euros."), Reply.of("Ada Brunt designed it [1].")), ABILITIES[:1]),
        ((Reply.of("It will cost 7 million euros [1]."), Reply.of("I cannot answer that.")), ABILITIES[1:]),
    ],
)
def test_abilities_are_tried_out(
    server: OpenAIServer, form: str, replies: tuple[Reply, ...], can: tuple[str, ...]
) -> None:
    """`clippings status` names them."""
    server.script(*replies)
    assert abilities(model(server, form)) == {name: name in can for name in ABILITIES}


def test_abilities_of_a_model_that_fails(server: OpenAIServer) -> None:
    """It replied to the check before, but is too slow for a question."""
    server.script(Reply(waits=True))
    assert abilities(model(server, timeout=0.3)) == {"answer a question in time": False}


@pytest.mark.parametrize("form", FORMS)
def test_reasoning_in_a_field_of_its_own_is_no_answer(server: OpenAIServer, form: str) -> None:
    """`reasoning_content`, `thinking` and Anthropic's thinking blocks are passed over."""
    server.script(Reply.of("The ferry sank [1].", thought=("Let me ", "see.")))
    assert answer(model(server, form)) == "The ferry sank [1]."


@pytest.mark.parametrize("form", FORMS)
def test_reply_is_limited_in_tokens(server: OpenAIServer, form: str) -> None:
    """A model that loops ends by itself, also where nobody hangs up."""
    answer(model(server, form, window=8_000))
    body = server.requests[0].body
    assert (body["options"]["num_predict"] if form == "ollama" else body["max_tokens"]) in (2_000, 4_000)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reply", [Reply(waits=True), Reply.of(*["again "] * 400, pause=0.02)], ids=["prompt", "loop"])
def test_request_that_timed_out_is_cancelled(server: OpenAIServer, form: str, reply: Reply) -> None:
    """The server sees that nobody listens any more, while it reads the prompt or while it writes."""
    server.script(reply)
    with pytest.raises(LLMError, match=r"did not finish within 0\.4 seconds"):
        answer(model(server, form, timeout=0.4))
    assert server.hung_up.wait(2)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_reply_that_was_stopped_is_unfinished(server: OpenAIServer, form: str, reason: str) -> None:
    """The ellipsis marks the last sentence as unfinished, whether a limit or a filter stopped it."""
    server.script(Reply.of("The ferry sank. The cap", finish=reason))
    assert answer(model(server, form)) == "The ferry sank. The cap …"


def test_reply_that_a_filter_withheld_is_named(server: OpenAIServer) -> None:
    """It is no empty reply."""
    server.script(Reply.of(finish="content_filter"))
    with pytest.raises(LLMError, match="withheld its reply: a filter of its provider stopped it"):
        answer(model(server))


@pytest.mark.parametrize("form", ["openai-like", "ollama"])
def test_mark_of_the_end_is_enough(server: OpenAIServer, form: str) -> None:
    """`[DONE]` or `"done": true` without a reason ends a finished reply."""
    server.script(Reply.of("The ferry sank [1].", finish=None))
    assert answer(model(server, form)) == "The ferry sank [1]."


def test_mark_of_the_end_inside_a_reply_is_text(server: OpenAIServer) -> None:
    """A model that writes the mark has not ended its reply."""
    server.script(Reply.of("The ferry\ndata: [DONE]\n\n", cut="politely"))
    with pytest.raises(LLMError, match="broke off in the middle"):
        answer(model(server))


@pytest.mark.parametrize("form", ["openai-like", "ollama"])
@pytest.mark.parametrize(("reason", "shown"), [("stop", "The ferry sank [1]."), ("length", "The ferry sank [1]. …")])
def test_reply_that_is_not_streamed_is_an_answer(server: OpenAIServer, form: str, reason: str, shown: str) -> None:
    """Some servers and gateways send one JSON value, whatever was asked for."""
    server.script(Reply.of("The ferry ", "sank [1].", whole=True, finish=reason))
    assert answer(model(server, form)) == shown


@pytest.mark.parametrize("form", FORMS)
def test_error_within_a_stream_is_a_fault(server: OpenAIServer, form: str) -> None:
    """Its words, which may hold anything, are not shown."""
    server.script(Reply.of("The ferry ", message="Overloaded at sk-secret"))
    with pytest.raises(LLMError) as raised:
        answer(model(server, form))
    assert "secret" not in str(raised.value)


REFUSED_OPTIONS = {
    "temperature": "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is "
    "supported.",
    "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
    "instead.",
}


@pytest.mark.parametrize("option", REFUSED_OPTIONS)
def test_option_that_is_refused_is_left_out_from_then_on(server: OpenAIServer, option: str) -> None:
    """The request is made again without it, and later requests are right at once."""
    server.script(Reply(status=400, message=REFUSED_OPTIONS[option]), Reply.of("Sank [1]."), Reply.of("Again [1]."))
    llm = model(server)
    assert [answer(llm), answer(llm)] == ["Sank [1].", "Again [1]."]
    assert [option in request.body for request in server.requests] == [True, False, False]
    assert "max_tokens" in server.requests[2].body or "max_completion_tokens" in server.requests[2].body


def test_options_are_left_out_after_each_other(server: OpenAIServer) -> None:
    """A model may refuse both."""
    server.script(*(Reply(status=400, message=message) for message in REFUSED_OPTIONS.values()), Reply.of("Sank [1]."))
    assert answer(model(server)) == "Sank [1]."


@pytest.mark.skipif(WITHOUT_ANTHROPIC, reason="clippings[anthropic] is not there")
def test_temperature_is_left_out_for_anthropic(server: OpenAIServer) -> None:
    """Newer models of Anthropic refuse it, too."""
    server.script(Reply(status=400, message="`temperature` is deprecated for this model."), Reply.of("Sank [1]."))
    assert answer(model(server, "anthropic")) == "Sank [1]."
    assert "temperature" not in server.requests[1].body


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "System role not supported"),
        (400, "Only user and assistant roles are supported!"),
        (400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
        (500, "Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/..."),
    ],
)
def test_rules_go_into_the_question_where_there_is_no_system_role(
    server: OpenAIServer, status: int, message: str
) -> None:
    """Rules and passages are then one message."""
    server.script(Reply(status=status, message=message), Reply.of("Sank [1]."))
    assert answer(model(server)) == "Sank [1]."
    first, second = (request.messages for request in server.requests)
    assert [sent["role"] for sent in second] == ["user"]
    assert second[0]["content"] == f"{first[0]['content']}\n\n{first[1]['content']}"


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.",
        "the request exceeds the available context size, try increasing it",
        "prompt is too long: 208310 tokens > 200000 maximum",
        "Requested token count exceeds the model's maximum context length of 4096 tokens.",
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_context_that_is_too_small_is_named_with_its_setting(server: OpenAIServer, form: str, message: str) -> None:
    """A user learns what to set; the request is not made again as it was."""
    server.script(*[Reply(status=400, message=message)] * 3)
    with pytest.raises(LLMError, match=r"too long: set CLIPPINGS_LLM_CONTEXT .*\(400\)"):
        answer(model(server, form))
    assert len(server.requests) == 1


def test_other_refusals_are_not_tried_again(server: OpenAIServer) -> None:
    """Nor one that goes on after its option was left out."""
    server.script(*[Reply(status=400, message="temperature is wrong")] * 5)
    with pytest.raises(LLMError, match="refused the request"):
        answer(model(server))
    assert len(server.requests) == 2
    server.replies.clear()
    server.script(Reply(status=400, message="System role not supported"))
    with pytest.raises(LLMError, match="refused the request"):  # there are no rules to move
        complete(model(server), "Hello", 5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTPS_PROXY", "all_proxy"])
def test_proxy_of_another_kind_is_named(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, form: str, variable: str
) -> None:
    """The message names the variable and the way out, and not the proxy's address, which may hold a password."""
    monkeypatch.setenv(variable, "socks5h://user:pass@127.0.0.1:1080")
    with pytest.raises(ClippingsError) as raised:
        answer(model(server, form))
    message = str(raised.value)
    assert f"{variable.upper()} names a socks5h proxy" in message
    assert "pass@" not in message


@pytest.mark.parametrize("form", ["openai-like", "ollama"])
def test_proxy_that_is_not_there_is_named(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """The address of the model may be right; the user looks at the proxy, too."""
    monkeypatch.setenv("HTTP_PROXY", "http://user:pass@127.0.0.1:9")
    with pytest.raises(LLMError, match=r"cannot be reached: .* is the proxy of HTTP_PROXY right\?"):
        answer(model(server, form))
