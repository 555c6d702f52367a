"""Write docs/kinds.md: a question of each kind over articles/ and its answer, in the terminal and in Slack.

`python -m tests.kinds_shown` indexes articles/ into a temporary folder, and asks without a language model. The pictures
are those of `python -m tests.slack_demo --kinds docs/kinds`.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path

from bot.cli.render import answer_lines, plain
from bot.runtime import make_engine
from bot.settings import Settings
from index.ingest import ingest

ROOT = Path(__file__).parents[1]
ASKED = date(2024, 8, 17)
QUESTIONS = {
    "who": "Who is Sir Malcolm Ashby?",
    "said": "What did Dame Judith say about the failure?",
    "reason": "Why was Marrow Bridge closed?",
    "fact": "How many jobs will the Aldermoor paper mill cut?",
    "yes_no": "Did Leverkusen lose a match?",
    "list": "List everyone who voted against the sea wall",
    "compare": "Compare the cost of the sea wall in June and in August",
    "total": "How many councillors voted on the sea wall in total?",
    "summary": "Tell me about the sea wall",
    "timeline": "Timeline of the ferry fire",
    "news": "What's new since 10 August 2024?",
    "collection": "Which outlets reported on the ferry?",
    "several": "Who was Dame Eleanor Vance? And what did Cllr Ibbotson say?",
    "chitchat": "What do you think of the mayor?",
    "a refusal": "Where will Dame Eleanor's statue stand?",
}
HEAD = f"""# An answer of each kind

Written by `python -m tests.kinds_shown`: the questions of that file over `articles/`, without a language model,
asked on {ASKED:%-d %B %Y}. The kind is in the JSON of an answer (`kind`).
"""


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        ingest(data, [ROOT / "articles"], progress=lambda _done, _total: None)
        with closing(make_engine(Settings(data=data))) as engine:
            parts = [HEAD]
            for kind, question in QUESTIONS.items():
                shown = plain(answer_lines(engine.ask(question, as_of=ASKED), quotes=False)).replace(f"{ROOT}/", "")
                picture = f"![The same in Slack](kinds/{kind.replace(' ', '-')}.jpg)"
                parts.append(f"## {kind}\n\n> {question}\n\n```\n{shown.rstrip()}\n```\n\n{picture}\n")
    (ROOT / "docs" / "kinds.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
