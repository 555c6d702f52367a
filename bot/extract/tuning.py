"""The numbers of bot/extract that were chosen on data.

Those with sets named were measured with `make quality` on the sets' development halves (2026-11-21; docs/quality.md,
"What was measured and decided"). Of the others no measurement is recorded: measure before you rely on one. The weights
of answerability.json are learned. Limits of length or cost stand beside their code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """Weights and thresholds. A sentence's score is in units of its coverage (0 to 1); logits are the reader's.

    Ranking, chosen on four sets: round numbers, which weights fitted on three sets did not beat on the fourth.

    - ``passage_weight``: of the score of the passage in the search.
    - ``answer_type_weight``: for a sentence that holds a thing of the type asked for.
    - ``quantity_weight``: for a sentence with a number that stands by all counted words.
    - ``missing_name_weight``: of the share of the query's names that its passage lacks and another one has, taken off.

    Reader. The last two were chosen on SQuAD, RAMDocs and RealTime QA.

    - ``logit_weight``: of the logit in the score of a sentence.
    - ``min_logit``: lower logits count as this, as does an unread sentence. Both were chosen with the number of
      sentences that are read, on five sets, 2026-11-27; of the reader of that day the weights from .1 to .3 do as well.
    - ``very_certain_logit``, ``passage_logit_weight``: each unit above raises the passage, in standard deviations of
      its score. With more weight SQuAD's hit@1 rises and RealTime QA's falls.

    Quoting. ``max_score_gap`` was chosen on RealTime QA and CLAP NQ, and raised with ``logit_weight`` so that answers
    stay as long; the others are unrecorded.

    - ``max_score_gap``: how far behind the best sentence a further quote may be.
    - ``max_conflict_score_gap``: the same for a sentence with a conflicting number.
    - ``other_answer_logit``, ``conflict_logit``: to quote another article's answer; to say that they differ.
    - ``conflict_coverage``: of the question's words in a sentence with its headline, to say that it differs.
    - ``short_logit``, ``short_lead``: to show the words that answer first; the second is the lead over other words.
      2026-11-27, 141 questions for a fact, of SQuAD, RealTime QA and 45 news pages: of 20 spans at 4.0 by hand 18 are
      right (14 by the words of the sets), of 41 at 3.0 34; the lead takes out none at 4.0.
    - ``repeated_share``: of the shorter sentence's stems in the other one, to be a repetition of it.
    - ``same_matter_share``: of the best passage's coverage that another passage needs to be of the same matter.

    Answerability, beside the learned weights; unrecorded.

    - ``hopeless_share``: of the threshold, below which no language model is called.
    - ``min_follow_up_probability``: of a completed follow-up by its own words alone. MTRAG-UN, 58 such follow-ups,
      2026-11-27: unanswerable ones refused .83 -> .94, answerable ones .225 as before (.275 from 0.1 on). Halved with
      the weights of that evening, which are stricter in small collections.
    - ``max_logit``: higher logits count as this.
    - ``own_words_logit``: of the surest sentence, for a follow-up of whose own words its passage has none. Of the
      follow-ups of tests/newsroom.jsonl and two sets of strangers (157) five more unanswerable ones are refused, and
      one with an answer (2026-11-27).
    - ``beside_logit``, ``beside_lead``: what a language model wrote is no answer if no quote behind it, read alone, has
      the first, and a sentence of the passages has so much more. Chosen on tests/questions.jsonl; of the facts, reasons
      and yes or no of tests/newsroom.jsonl (107) the right sentence fails in 7, others of the passages in .77.
    - ``unknown_share``: of the question's names that no passage holds, to refuse.
    - ``spelling_ratio``: difflib's, of two spellings of a name: "Bismark" is "Bismarck".
    """

    passage_weight: float = 0.2
    answer_type_weight: float = 0.4
    quantity_weight: float = 0.4
    missing_name_weight: float = 1.0
    logit_weight: float = 0.25
    min_logit: float = -8.0
    very_certain_logit: float = 3.0
    passage_logit_weight: float = 0.3
    max_score_gap: float = 0.8
    max_conflict_score_gap: float = 1.0
    other_answer_logit: float = 0.0
    conflict_logit: float = 2.0
    conflict_coverage: float = 0.7
    short_logit: float = 4.0
    short_lead: float = 2.0
    repeated_share: float = 0.7
    same_matter_share: float = 0.6
    hopeless_share: float = 0.4
    min_follow_up_probability: float = 0.025
    max_logit: float = 6.0
    own_words_logit: float = 1.5
    beside_logit: float = -2.0
    beside_lead: float = 2.0
    unknown_share: float = 0.5
    spelling_ratio: float = 0.75


TUNED = Tuning()
