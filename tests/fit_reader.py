"""Train a reader like bot/reader.npz: `python -m tests.fit_reader SQUAD.json… [--steps N] [--out FILE]`.

Each file has the form of SQuAD 2.0 (data, paragraphs, qas, is_impossible). Needs torch and onnx, which nobody needs
otherwise: install them into an environment of their own beside requirements.txt. The embedding model is taken as it
is shipped, int8, and made float again; only its biases and layer norms learn, and a head of two weights a token.
Some 50 minutes on 2 cores with bfloat16. What the shipped one was trained on, and how else: docs/reader.md.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from bot.reader import MOST_CONTEXT, MOST_HEADLINE, MOST_QUESTION
from index.text import sentences
from index.weights import locate

LAYERS, HEADS, WIDTH = 12, 12, 384
BATCH = 32
RATE = 2.5e-3
WARM_UP = 100  # steps
WITH_HEADLINE = 0.6
ONE_MORE_BEFORE, ONE_MORE_AFTER = 0.38, 0.33  # how likely a window grows by one sentence more
ANSWER_TAKEN_AWAY = 0.25  # of the answerable questions are asked of sentences beside the answer
BIASES = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "intermediate.dense", "output.dense",
)  # fmt: skip  # the order of the matrices in the file, too


class Sentence(NamedTuple):
    """Where a sentence begins in its paragraph, its tokens and their characters in it."""

    start: int
    end: int
    tokens: list[int]
    offsets: list[tuple[int, int]]


class Example(NamedTuple):
    """A question (tokens) of a paragraph (headline tokens, sentences); its answer's characters, None: it has none."""

    question: list[int]
    headline: list[int]
    paragraph: list[Sentence]
    answer: tuple[int, int] | None


class Window(NamedTuple):
    """What the model reads: tokens, of which the first are the question; the answer's first and last token, 0: none."""

    tokens: list[int]
    question: int
    first: int
    last: int


class Model(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """The shipped int8 model made float; what learns are its biases, its norms and the head."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        stored = {each.name: numpy_helper.to_array(each) for each in onnx.load(str(file)).graph.initializer}
        whole = {
            name.removesuffix("_quantized"): _made_float(stored, name.removesuffix("_quantized"))
            for name in stored
            if name.endswith("_quantized")
        }
        matrices = sorted((name for name in whole if "MatMul" in name), key=lambda name: int(name.split("_")[1]))
        for at, name in enumerate(matrices):
            self.register_buffer(f"matrix{at}", torch.tensor(whole[name]).T.contiguous())
        for name in ("word", "position", "token_type"):
            self.register_buffer(name, torch.tensor(whole[f"embeddings.{name}_embeddings.weight"]))
        small = {name: each for name, each in stored.items() if name.endswith((".bias", "LayerNorm.weight"))}
        self.small = nn.ParameterDict({_key(name): nn.Parameter(torch.tensor(each)) for name, each in small.items()})
        self.head = nn.Linear(WIDTH, 2)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, tokens: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Begin and end, texts x tokens x 2."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self._encode(tokens, mask, types)
        logits: Tensor = self.head(hidden.float())
        return logits

    def _encode(self, tokens: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        hidden = self.word[tokens] + self.position[: tokens.shape[1]] + self.token_type[types]
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        masked = torch.zeros(mask.shape).masked_fill(mask == 0, -1e4)[:, None, None].bfloat16()
        for layer in range(LAYERS):
            query, key, value = (self._split(self._linear(hidden, layer, at)) for at in range(3))
            seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=masked)
            seen = self._linear(seen.transpose(1, 2).reshape(hidden.shape), layer, 3)
            hidden = self._norm(hidden + seen, f"encoder.layer.{layer}.attention.output.LayerNorm")
            wide = functional.gelu(self._linear(hidden, layer, 4))
            hidden = self._norm(hidden + self._linear(wide, layer, 5), f"encoder.layer.{layer}.output.LayerNorm")
        return hidden

    def _linear(self, hidden: Tensor, layer: int, at: int) -> Tensor:
        matrix = getattr(self, f"matrix{len(BIASES) * layer + at}")
        return functional.linear(hidden, matrix, self.small[_key(f"encoder.layer.{layer}.{BIASES[at]}.bias")])

    def _norm(self, hidden: Tensor, name: str) -> Tensor:
        weight, bias = self.small[_key(f"{name}.weight")], self.small[_key(f"{name}.bias")]
        return functional.layer_norm(hidden, (WIDTH,), weight, bias, 1e-12)

    @staticmethod
    def _split(hidden: Tensor) -> Tensor:
        return hidden.view(*hidden.shape[:2], HEADS, WIDTH // HEADS).transpose(1, 2)

    def save(self, file: Path) -> None:
        """Write what bot/reader.py reads, in half precision."""
        learnt = {name.replace("/", "."): each for name, each in self.small.items()}
        learnt |= {"head.weight": self.head.weight, "head.bias": self.head.bias}
        arrays = {name: each.detach().numpy().astype(np.float16) for name, each in learnt.items()}
        np.savez_compressed(file, **arrays)


def _made_float(stored: dict[str, Any], name: str) -> Any:
    quantised, zero, scale = (
        stored[f"{name}_{part}"].astype(np.float32) for part in ("quantized", "zero_point", "scale")
    )
    return (quantised - zero) * scale


def _key(name: str) -> str:
    return name.replace(".", "/")  # torch takes no dots in the names of parameters


def read(files: list[Path], tokenizer: Tokenizer) -> list[Example]:
    """The questions of SQuAD files, tokenised."""

    def tokens(texts: list[str]) -> list[Any]:
        return list(tokenizer.encode_batch(texts, add_special_tokens=False))

    found = []
    for article in (article for file in files for article in json.loads(file.read_text(encoding="utf-8"))["data"]):
        headline = tokens([article["title"].replace("_", " ")])[0].ids[:MOST_HEADLINE]
        for paragraph in article["paragraphs"]:
            spans = sentences(paragraph["context"])
            encoded = tokens([paragraph["context"][start:end] for start, end in spans])
            parts = [Sentence(*span, each.ids, each.offsets) for span, each in zip(spans, encoded, strict=True)]
            asked = tokens([each["question"] for each in paragraph["qas"]])
            for each, question in zip(paragraph["qas"], asked, strict=True):
                said = None if each.get("is_impossible") else each["answers"][0]
                answer = (said["answer_start"], said["answer_start"] + len(said["text"])) if said else None
                found.append(Example(question.ids[:MOST_QUESTION], headline, parts, answer))
    return [example for example in found if example.paragraph]


def window(example: Example, rng: random.Random, marks: tuple[int, int, int]) -> Window | None:
    """Some sentences around the answer, or around the sentence most like the question; None where it does not fit."""
    parts, answer = example.paragraph, example.answer
    likeness = [len(set(example.question) & set(part.tokens)) + rng.random() / 2 for part in parts]
    holds = next((at for at, part in enumerate(parts) if answer and part.start <= answer[0] < part.end), None)
    if answer and holds is None:
        return None
    others = [at for at in range(len(parts)) if at != holds]
    taken_away = holds is not None and others and rng.random() < ANSWER_TAKEN_AWAY
    centre = max(others, key=likeness.__getitem__) if taken_away or holds is None else holds
    first, last = centre, centre
    while first > 0 and rng.random() < ONE_MORE_BEFORE:
        first -= 1
    while last + 1 < len(parts) and rng.random() < ONE_MORE_AFTER:
        last += 1
    if taken_away and holds is not None and first <= holds <= last:
        return None
    start, stop, between = marks
    tokens = [start, *example.question, stop]
    question = len(tokens)
    if example.headline and rng.random() < WITH_HEADLINE:
        tokens += [*example.headline, between]
    begin = end = 0
    for at in range(first, last + 1):
        if at == holds and answer:
            inside = [
                len(tokens) + position
                for position, (left, right) in enumerate(parts[at].offsets)
                if left + parts[at].start < answer[1] and right + parts[at].start > answer[0]
            ]
            begin, end = inside[0], inside[-1]
        tokens += parts[at].tokens
    tokens = [*tokens[: question + MOST_CONTEXT], stop]
    return Window(tokens, question, begin, end) if end < len(tokens) - 1 else None


def batches(examples: list[Example], rng: random.Random, marks: tuple[int, int, int]) -> Iterator[list[Window]]:
    """Batches of windows of like lengths, for ever."""
    while True:
        rng.shuffle(examples)
        for at in range(0, len(examples), 8 * BATCH):
            made = (window(example, rng, marks) for example in examples[at : at + 8 * BATCH])
            windows = sorted((each for each in made if each), key=lambda each: len(each.tokens))
            some = [windows[start : start + BATCH] for start in range(0, len(windows), BATCH)]
            rng.shuffle(some)
            yield from some


def loss(model: Model, batch: list[Window]) -> Tensor:
    """The cross entropy of the first and of the last token, the very first one standing for "no answer"."""
    width = max(len(each.tokens) for each in batch)
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    mask, types = torch.zeros_like(tokens), torch.zeros_like(tokens)
    for row, each in enumerate(batch):
        tokens[row, : len(each.tokens)] = torch.tensor(each.tokens)
        mask[row, : len(each.tokens)] = 1
        types[row, each.question : len(each.tokens)] = 1
    allowed = types == 1
    allowed[:, 0] = True
    logits = model(tokens, mask, types).masked_fill(~allowed[..., None], -1e4)
    wanted = torch.tensor([(each.first, each.last) for each in batch])
    return (
        functional.cross_entropy(logits[..., 0], wanted[:, 0]) + functional.cross_entropy(logits[..., 1], wanted[:, 1])
    ) / 2


def main() -> None:
    """Train, and write the weights every 250 steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "bot" / "reader.npz")
    arguments = parser.parse_args()
    folder = locate(None)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    start, stop, between = (tokenizer.token_to_id(each) or 0 for each in ("[CLS]", "[SEP]", "."))
    torch.manual_seed(1)
    rng = random.Random(1)  # noqa: S311  # a sample, no secret
    model = Model(folder / "model_quantized.onnx")
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0)
    falling = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / WARM_UP) * max(0.02, 1 - step / arguments.steps)
    )
    lost = []
    examples = read(arguments.files, tokenizer)
    for step, batch in enumerate(islice(batches(examples, rng, (start, stop, between)), arguments.steps), 1):
        value = loss(model, batch)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        falling.step()
        lost.append(value.item())
        if step % 50 == 0:
            print(f"{step} of {arguments.steps}: loss {np.mean(lost[-50:]):.3f}", file=sys.stderr)
        if step % 250 == 0 or step == arguments.steps:
            model.save(arguments.out)


if __name__ == "__main__":
    main()
