"""`index --explain`: every paragraph of a page is shown, and why it is not in the article."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime import Parts
from bot.settings import load_settings
from index.explain import Explained, explain
from index.models import Failure, RawRecord

BODY = [
    "The harbour of Norvik was closed on Monday after a ship lost its anchor chain, the port authority said.",
    "Nobody was hurt, and two tugs held the ship in place until divers had found the chain.",
    *(
        f"Ship number {number} of the day waited for two hours outside the mole, and then it came in."
        for number in range(9)
    ),
]
PAGE = f"""<html><head><title>Harbour closed - Norvik Post</title></head><body>
<nav><a>Home</a> <a>Weather</a></nav><article><h1>Harbour closed</h1><p>{BODY[0]}</p>
<figure><figcaption>The ship at dawn in the harbour of Norvik</figcaption></figure>
{"<p>".join(["", *BODY[1:]])}</article>
<aside>Also read: Ferry late again</aside><div>Imprint</div><script>x()</script></body></html>"""


def only(record: RawRecord) -> Explained:
    """The only article of a record."""
    (explained,) = explain(record)
    return explained


def test_each_paragraph_of_a_page_is_kept_or_has_a_reason() -> None:
    """In the order of the page; a script is no paragraph."""
    explained = only(RawRecord("/x/a.html", "", PAGE, "html"))
    assert [(text, why) for text, why in explained.paragraphs if not why] == [(text, "") for text in BODY]
    left_out = {text: why for text, why in explained.paragraphs if why}
    assert left_out["Harbour closed"] == "headline"
    assert left_out["The ship at dawn in the harbour of Norvik"] == "caption"
    assert left_out["Also read: Ferry late again"] == "related"
    assert left_out["Imprint"] == "not taken for a part of the article"
    assert explained.kind == "HTML"


@given(st.lists(st.sampled_from([*BODY, "Share on Facebook", "What next", "© 2024 Norvik Post"]), min_size=1))
def test_no_line_of_a_text_is_forgotten(lines: list[str]) -> None:
    """What is kept is the body."""
    explained = only(RawRecord("/x/a.txt", "", "\n\n".join([BODY[0], *lines]), "text"))
    assert [text for text, _ in explained.paragraphs] == [BODY[0], *lines]
    body = explained.article.body.split("\n")
    assert all((text in body) is (not why) or why == "repetition" for text, why in explained.paragraphs)


@pytest.mark.process
def test_the_records_of_a_file_are_explained_with_their_place(tmp_path: Path) -> None:
    """Also what in it cannot be read."""
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(value) + "\n" for value in ({"text": BODY[0]}, {"text": ""}, {"text": PAGE})))
    first, failure, second = Parts().explain(load_settings(), str(file))
    assert isinstance(first, Explained)
    assert isinstance(failure, Failure)
    assert isinstance(second, Explained)
    assert (first.kind, first.place, second.place) == ("JSON lines", "line 1", "line 3")
    assert failure.reason == "line 2: no text in it"
