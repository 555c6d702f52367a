"""`clippings eval --report FILE.html`: one page that says how good the answers are, and where they were lost.

The page stands alone: no network, no library, and a policy that lets no script run but its own. All that articles,
questions and language models say goes through `markup.tag`, which escapes it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from bot.evaluation import attacks as planted
from bot.evaluation.attacks import Attacked, Attacks
from bot.evaluation.compare import Comparison
from bot.evaluation.failures import said, table_of
from bot.evaluation.markup import Html, bars, folded, interval, join, listed, section, tag
from bot.evaluation.metrics import Fate, Figure, Outcome, decimals, share
from index.models import ClippingsError

_TOP = 10
FATES = {
    Fate.RIGHT: "the right answer, or a refusal where there is none",
    Fate.NOT_RETRIEVED: "no relevant article was among the ten nearest",
    Fate.NOT_QUOTED: "a relevant article was found, and the answer says something else",
    Fate.REFUSED_WRONGLY: "a relevant article was found, and the bot said that the articles do not say",
    Fate.ANSWERED_WRONGLY: "answered where the articles do not say, or with what is known to be wrong",
    Fate.NOT_JUDGED: "nothing is known of the answer",
}
MEANINGS = {
    "hit@1": "the nearest article is a relevant one",
    "hit@4": "one of the four nearest is",
    "hit@10": "one of the ten nearest is",
    "mrr@10": "1 for a relevant article in first place, 1/2 in second, 1/3 in third …",
    "ndcg@10": "how near to the top the relevant articles stand",
    "all@10": "every relevant article is among the ten nearest",
    "found": "the answer holds a right string",
    "strict": "and no wrong one",
    "supported": "a quote has at least half of the words of a sentence that is known to hold the answer",
    "words": "length of an answer, median",
    "valid": "quotes that are in their article to the letter",
    "covered": "sentences of the answer with a citation",
    "relevant": "cited articles that are relevant",
    "refused_unanswerable": "refused, of the questions without an answer: high is good",
    "refused_answerable": "refused, of the questions with one: low is good",
    "balanced": "mean of what was right on either side",
}


def check_writable(file: Path) -> None:
    """ClippingsError where no page can be written, before the work is done that it would show."""
    if file.is_dir() or not file.absolute().parent.is_dir() or not os.access(file.absolute().parent, os.W_OK):
        raise ClippingsError(f"The report cannot be written to {file}: name a file in a folder that is there.")


def write(file: Path, content: str) -> None:
    """Write the page; ClippingsError where that fails."""
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ClippingsError(f"The report cannot be written to {file}: {error.strerror}.") from None


def page(
    name: str,
    outcomes: Sequence[Outcome],
    figures: Mapping[str, Mapping[str, Figure]],
    comparison: Comparison | None = None,
    attacks: Attacks | None = None,
) -> str:
    """The whole page."""
    style, script = (
        Html(files("bot.evaluation").joinpath(f"report.{kind}").read_text("utf-8")) for kind in ("css", "js")
    )
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    heading = f"How good the answers are: {name}"
    body = [
        tag("h1", heading),
        _summary(outcomes),
        _lost(outcomes),
        _ranks(outcomes),
        _figures(figures),
        _comparison(comparison) if comparison else Html(),
        _attacks(attacks) if attacks else Html(),
        section("Questions that did not go right", table_of([one for one in outcomes if one.fate is not Fate.RIGHT])),
    ]
    head = [
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("title", heading),
        tag("style", style),
    ]
    html = tag("html", tag("head", *head), tag("body", tag("main", *body), tag("script", script)), lang="en")
    return f"<!DOCTYPE html>\n{html}\n"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _table(caption: str, headings: Sequence[str], rows: Sequence[Html], kind: str = "numbers") -> Html:
    head = tag("thead", tag("tr", *(tag("th", one, scope="col") for one in headings)))
    table = tag("table", tag("caption", caption), head, tag("tbody", *rows), class_=kind)
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=caption)


def _summary(outcomes: Sequence[Outcome]) -> Html:
    by = [outcome.answer.answerer if outcome.answer.answered else "none" for outcome in outcomes]
    right = sum(outcome.fate is Fate.RIGHT for outcome in outcomes)
    judged = sum(outcome.fate is not Fate.NOT_JUDGED for outcome in outcomes)
    made = {"quote": "answered by quotes", "write": "answered by the language model", "none": "not answered"}
    said = ", ".join(f"{by.count(kind)} {name}" for kind, name in made.items() if kind in by)
    return tag("p", f"{len(outcomes)} questions: {said}. ", tag("strong", f"{right} of {judged} went right."))


def _shares(label: str, names: Sequence[str], of: Sequence[str]) -> Html:
    """A plot of how often each name is among some."""
    rows = [(name, [(float(one == name), 1.0) for one in of]) for name in names if name in of]
    drawn = [(name, f"{sum(part for part, _ in pairs):.0f} of {len(pairs)}", share(pairs)) for name, pairs in rows]
    return tag("figure", bars(f"{label}: " + "; ".join(f"{name}, {said}" for name, said, _ in drawn), drawn))


def _lost(outcomes: Sequence[Outcome]) -> Html:
    fates = [outcome.fate for outcome in outcomes]
    told = [tag("li", tag("strong", fate), f": {meaning}") for fate, meaning in FATES.items() if fate in fates]
    plot = _shares("What became of the questions", list(FATES), fates)
    note = "Each question counts once, at the first step that failed. The thin line is the 95 % interval."
    return section("Where answers were lost", plot, tag("p", note, class_="faint"), tag("ul", *told, class_="faint"))


def _ranks(outcomes: Sequence[Outcome]) -> Html:
    asked = [outcome for outcome in outcomes if outcome.known.has_answer and outcome.known.relevant]
    if not asked:
        return Html()
    names = ["first", "second", "third", "fourth", "fifth to tenth", "not among ten"]
    places = [outcome.rank or _TOP + 1 for outcome in asked]
    told = [names[min(place - 1, 4) if place <= _TOP else 5] for place in places]
    return section("The place of the first relevant article", _shares("Place", names, told))


def _figures(figures: Mapping[str, Mapping[str, Figure]]) -> Html:
    rows = [_figure(group, name, figure) for group, named in figures.items() for name, figure in named.items()]
    caption = "Below each value its 95 % interval; beside it, how many it was made of."
    return section("Figures", _table(caption, ("Figure", "Value", "Of", "From 0 to 1"), rows, "numbers figures"))


def _figure(group: str, name: str, figure: Figure) -> Html:
    digits, low, high = decimals(name), figure["low"], figure["high"]
    between = "" if low is None or high is None else f"{low:.{digits}f} to {high:.{digits}f}"
    plot = interval(figure) if between and group != "time" and name != "words" else Html()
    meaning = MEANINGS.get(name)
    return tag(
        "tr",
        tag("th", name, tag("small", meaning) if meaning else Html(), scope="row"),
        tag("td", f"{figure['value']:.{digits}f}", tag("small", between), class_="number"),
        tag("td", str(figure["n"]), class_="number"),
        tag("td", plot, class_="roomy"),
        class_="row",
    )


def _comparison(comparison: Comparison) -> Html:
    sides = [
        tag("tr", tag("th", name, scope="row"), *(tag("td", told, class_="number") for told in row))
        for name, *row in comparison.side_by_side()
    ]
    changed = [
        tag(
            "tr",
            tag("td", change),
            tag("td", tag("strong", now.question), listed({"Before": before.said, "Now": now.said})),
            class_="row",
        )
        for change, before, now in comparison.changed
    ]
    return section(
        "What changed",
        tag("p", comparison.summary),
        folded(
            "Figures side by side", _table("Before is the earlier run.", ("Figure", "Before", "Now", "Change"), sides)
        ),
        folded(
            "Question by question",
            _table("Gained: right only now. Lost: right only before.", ("Change", "Question"), changed, "texts"),
        ),
    )


def _attacks(attacks: Attacks) -> Html:
    rows = [
        tag(
            "tr",
            tag("th", kind, scope="row"),
            *(tag("td", planted.counted(named.get(name)), class_="number") for name in planted.MEANINGS),
        )
        for kind, named in [("all", attacks.over_all), *attacks.kinds.items()]
    ]
    told = [tag("li", tag("strong", name), f": {meaning}") for name, meaning in planted.MEANINGS.items()]
    harmed = [_attack(row) for row in attacks.rows if row.harmed]
    return section(
        "Planted instructions",
        tag("p", "An instruction was planted in the middle of a relevant article, and the question asked again."),
        tag("ul", *told, class_="faint"),
        _table("How many of how many, by kind of attack.", ("Kind", *planted.MEANINGS), rows),
        folded(f"The {len(harmed)} that came through or cost a right answer", *harmed) if harmed else Html(),
    )


def _attack(row: Attacked) -> Html:
    before, after = (said(one) for one in (row.planted.before, row.after))
    facts = {"Planted": row.planted.paragraph, "Without it": before, "With it": after}
    return join([tag("p", tag("strong", row.planted.before.known.question)), listed(facts)])
