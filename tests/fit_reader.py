"""Train bot/extract/reader.npz: `python -m tests.fit_reader FILE… [--weights FILE…] [--minutes N] [--out FILE]`.

The files hold questions, candidate sentences, statements or stories: tests/reading.py says how. Needs torch and onnx,
which nobody needs otherwise: install them into an environment of their own beside requirements.txt. On an accelerator
twenty minutes do; on two cores it takes days. The embedding model is taken as it is shipped, int8. What is trained: its
biases and layer norms, a low-rank update of each matrix (Hu et al., 2021, "LoRA"), and two heads. Matrices and their
inputs are quantised in each step as the product quantises them (straight-through estimator, Bengio et al., 2013). What
is saved is a moving average of the weights. What the shipped one was trained on: docs/reader.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from index.embedding.weights import locate
from tests.reading import Examples, Marks, Window, batches, read

LAYERS, HEADS, WIDTH = 12, 12, 384
SHIPPED = Path(__file__).parents[1] / "bot" / "extract" / "reader.npz"
RANK = 16
LOW_RANK_SCALE = 2.0  # of an update, as LoRA's alpha / rank
RATE = 8e-4  # AdamW; that of biases and heads is at least MIN_RATE_BIASES
MIN_RATE_BIASES = 5e-4
WARM_UP, MIN_RATE_SHARE = 0.05, 0.02  # of the time; of the rate, at the end
WEIGHT_DECAY, DROPOUT, BETAS = 0.01, 0.1, (0.9, 0.98)
MAX_QUANTUM, MAX_INPUT_QUANTUM = 64, 255  # weights: with 127, processors without VNNI overflow
BATCH_TOKENS = 49_152
SHARES = (0.57, 0.07, 0.0, 0.36, 0.0)  # of batches, by the fields of Examples
MAX_AVERAGED = 0.998  # of the moving average of the weights, kept in a step
SAVE_SECONDS = 100
BIASES = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "intermediate.dense", "output.dense",
)  # fmt: skip  # the order of the matrices in the file, too


class Model(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """The shipped int8 model with low-rank updates, other biases and norms, and two heads.

    ``head``: logits of an answer's first and last token. ``support``: logit that the premise supports the statement,
    of the first token.
    """

    def __init__(self, file: Path, rank: int = RANK) -> None:
        super().__init__()
        stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(file)).graph.initializer}
        whole = {
            name.removesuffix("_quantized"): _made_float(stored, name.removesuffix("_quantized"))
            for name in stored
            if name.endswith("_quantized")
        }
        content = file.read_bytes()
        self.matrices = sorted((name for name in whole if "MatMul" in name), key=lambda name: int(name.split("_")[1]))
        self.offsets = {
            name: [content.index(stored[f"{name}_{part}"].tobytes()) for part in ("quantized", "scale")]
            for name in self.matrices
        }
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for at, name in enumerate(self.matrices):
            matrix = torch.tensor(whole[name]).T.contiguous()
            self.register_buffer(f"matrix{at}", matrix, persistent=False)
            self.down[name] = nn.Parameter(torch.randn(rank, matrix.shape[1]) / matrix.shape[1] ** 0.5)
            self.up[name] = nn.Parameter(torch.zeros(matrix.shape[0], rank))
        for name in ("word", "position", "token_type"):
            embeddings = torch.tensor(whole[f"embeddings.{name}_embeddings.weight"])
            self.register_buffer(name, embeddings, persistent=False)
        small = {name: weight for name, weight in stored.items() if name.endswith((".bias", "LayerNorm.weight"))}
        self.small = nn.ParameterDict(
            {_key(name): nn.Parameter(torch.tensor(weight)) for name, weight in small.items()}
        )
        self.head, self.support = nn.Linear(WIDTH, 2), nn.Linear(WIDTH, 1)
        for linear in (self.head, self.support):
            nn.init.normal_(linear.weight, std=0.02)
            nn.init.zeros_(linear.bias)

    def forward(self, tokens: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of begin and end, texts x tokens x 2, and of support, texts."""
        hidden = self.word[tokens] + self.position[: tokens.shape[1]] + self.token_type[types]
        hidden = self._dropout(self._norm(hidden, "embeddings.LayerNorm"))
        for layer in range(LAYERS):
            hidden = self._layer(layer, hidden, mask)
        return self.head(hidden), self.support(hidden[:, 0])[:, 0]

    def _layer(self, layer: int, hidden: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            self._linear(hidden, layer, at, mask).view(*hidden.shape[:2], HEADS, -1).transpose(1, 2) for at in range(3)
        )
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask[:, None, None].bool(), dropout_p=DROPOUT if self.training else 0.0
        )
        seen = self._linear(seen.transpose(1, 2).reshape(hidden.shape), layer, 3, mask)
        hidden = self._norm(hidden + self._dropout(seen), f"encoder.layer.{layer}.attention.output.LayerNorm")
        wide = functional.gelu(self._linear(hidden, layer, 4, mask))
        narrow = self._dropout(self._linear(wide, layer, 5, mask))
        return self._norm(hidden + narrow, f"encoder.layer.{layer}.output.LayerNorm")

    def _linear(self, hidden: Tensor, layer: int, at: int, mask: Tensor) -> Tensor:
        number = len(BIASES) * layer + at
        name = self.matrices[number]
        matrix = torch.addmm(getattr(self, f"matrix{number}"), self.up[name], self.down[name], alpha=LOW_RANK_SCALE)
        scale = matrix.detach().abs().amax(1, keepdim=True) / MAX_QUANTUM
        matrix = _straight_through(matrix, (matrix / scale).round() * scale)
        values = hidden.detach().float() * mask[..., None]
        high, low = (end(values.flatten(1), 1)[..., None, None] for end in (torch.amax, torch.amin))
        scale = ((high.clamp(min=0) - low.clamp(max=0)) / MAX_INPUT_QUANTUM).clamp(min=1e-8)
        hidden = _straight_through(hidden.float(), (values / scale).round() * scale)
        bias = self.small[_key(f"encoder.layer.{layer}.{BIASES[at]}.bias")]
        return functional.linear(hidden.bfloat16(), matrix.bfloat16(), bias.bfloat16())

    def _norm(self, hidden: Tensor, name: str) -> Tensor:
        weight, bias = self.small[_key(f"{name}.weight")], self.small[_key(f"{name}.bias")]
        return functional.layer_norm(hidden.float(), (WIDTH,), weight, bias, 1e-12)

    def _dropout(self, hidden: Tensor) -> Tensor:
        return functional.dropout(hidden, DROPOUT, self.training)

    def load(self, *files: Path, shares: Sequence[float] = (1.0,)) -> None:
        """Go on from what was saved, or from the weighted sum of several (Wortsman et al., 2022, "model soups")."""
        learnt = defaultdict[str, Any](float)
        for file, share in zip(files, shares, strict=True):
            with np.load(str(file)) as stored:
                for name in stored.files:
                    learnt[name] += share * torch.tensor(stored[name].astype(np.float32))
        state = {}
        for name, weight in learnt.items():
            if name.endswith((".down", ".up")):
                matrix, _, part = name.rpartition(".")
                state[f"{part}.{matrix}"] = weight / (LOW_RANK_SCALE if part == "up" else 1)
            elif name.startswith(("head.", "support.")):
                state[name] = weight
            elif not name.endswith(".offset"):
                state[f"small.{_key(name)}"] = weight
        self.load_state_dict(state, strict=False)

    def save(self, file: Path, weights: dict[str, Tensor]) -> None:
        """Write what bot/extract/reader.py reads, in half precision; ``weights`` are by the names of parameters."""
        learnt = {name.replace("/", "."): weights[f"small.{name}"] for name in self.small}
        for name in self.matrices:
            learnt |= {f"{name}.down": weights[f"down.{name}"], f"{name}.up": weights[f"up.{name}"] * LOW_RANK_SCALE}
        learnt |= {name: weights[name] for name in weights if name.startswith(("head.", "support."))}
        arrays: dict[str, Any] = {f"{name}.offset": np.array(self.offsets[name]) for name in self.matrices}
        arrays |= {name: weight.detach().cpu().numpy().astype(np.float16) for name, weight in learnt.items()}
        np.savez_compressed(file, **arrays)


def _straight_through(value: Tensor, quantised: Tensor) -> Tensor:
    """The quantised value, with the gradient of the value."""
    return value + (quantised - value).detach()


def _made_float(stored: dict[str, Any], name: str) -> Any:
    quantised, zero, scale = (
        stored[f"{name}_{part}"].astype(np.float32) for part in ("quantized", "zero_point", "scale")
    )
    return (quantised - zero) * scale


def _key(name: str) -> str:
    return name.replace(".", "/")  # torch takes no dots in the names of parameters


def loss(model: Model, name: str, batch: list[Window]) -> Tensor:
    """Cross entropy of a batch of the field ``name`` of `tests.reading.Examples`.

    Of questions: of the answer's first and last token, the very first one standing for "no answer". Of candidate
    sentences: whether any span has more odds than "no answer". Of statements: of support.
    """
    tokens, mask, types, spans, labels = (array.to(model.word.device) for array in _packed(batch))
    logits, support = model(tokens, mask, types)
    if name in ("statements", "story_statements"):
        return functional.binary_cross_entropy_with_logits(support, labels)
    allowed = types.bool()
    if name == "candidates":
        any_span = torch.logsumexp(logits.masked_fill(~allowed[..., None], -1e4), 1) - logits[:, 0]
        return functional.binary_cross_entropy_with_logits(any_span.sum(1) / 2 - 1, labels) / 2
    allowed[:, 0] = True
    logits = logits.masked_fill(~allowed[..., None], -1e4)
    return functional.cross_entropy(logits, spans)  # over the tokens, the mean of first and last


def _packed(batch: list[Window]) -> list[Tensor]:
    width = max(len(window.tokens) for window in batch)
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    mask, types = torch.zeros_like(tokens), torch.zeros_like(tokens)
    for row, window in enumerate(batch):
        tokens[row, : len(window.tokens)] = torch.tensor(window.tokens)
        mask[row, : len(window.tokens)] = 1
        types[row, window.question : len(window.tokens)] = 1
    spans = torch.tensor([(window.first, window.last) for window in batch])
    return [tokens, mask, types, spans, torch.tensor([float(window.label or 0) for window in batch])]


class Training:
    """A model with its optimizer, the moving average of its weights, and the number of steps done."""

    def __init__(self, model: Model, rate: float = RATE) -> None:
        low = [*model.up.parameters(), *model.down.parameters()]
        others = [*model.small.parameters(), *model.head.parameters(), *model.support.parameters()]
        groups = [{"params": low, "rate": rate}, {"params": others, "rate": max(rate, MIN_RATE_BIASES)}]
        self.model, self.steps = model, 0
        self.optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=WEIGHT_DECAY, betas=BETAS)
        self.average = {name: value.detach().clone() for name, value in model.named_parameters()}

    def step(self, name: str, batch: list[Window], done: float) -> float:
        """Learn from a batch; the rate rises, then falls with the share of the time that is done. Returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * min(1.0, done / WARM_UP) * max(MIN_RATE_SHARE, 1 - done)
        self.optimizer.zero_grad()
        value = loss(self.model, name, batch)
        value.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.steps += 1
        kept = min(MAX_AVERAGED, (1 + self.steps) / (10 + self.steps))
        for key, weight in self.model.named_parameters():
            self.average[key].lerp_(weight.detach(), 1 - kept)
        return float(value.item())


def main() -> None:
    """Train, and write the weights now and then."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--weights", type=Path, nargs="+", default=[SHIPPED], help="begin with them, averaged")
    parser.add_argument("--weight-shares", type=float, nargs="+", default=[1.0], help="of each in the average")
    parser.add_argument("--minutes", type=float, default=20.0, help="0: save what it would begin with")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument(
        "--shares", type=float, nargs=5, default=SHARES, help="of batches: " + ", ".join(Examples._fields)
    )
    parser.add_argument("--tokens", type=int, default=BATCH_TOKENS, help="of a batch")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    folder = locate(None)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    marks = Marks(*(tokenizer.token_to_id(token) or 0 for token in ("[CLS]", "[SEP]", ".")))
    torch.manual_seed(1)
    model = Model(folder / "model_quantized.onnx")
    model.load(*arguments.weights, shares=arguments.weight_shares)
    if not arguments.minutes:
        model.save(arguments.out, dict(model.named_parameters()))
        return
    model.to("cuda" if torch.cuda.is_available() else "cpu").train()
    training = Training(model, arguments.rate)
    examples, rng = read(arguments.files, tokenizer), random.Random(1)  # noqa: S311  # a sample, no secret
    started, saved, losses = time.monotonic(), time.monotonic(), dict[str, list[float]]()
    for name, batch in batches(examples, arguments.shares, rng, marks, arguments.tokens):
        done = (time.monotonic() - started) / (60 * arguments.minutes)
        losses.setdefault(name, []).append(training.step(name, batch, min(1.0, done)))
        if done >= 1 or time.monotonic() - saved > SAVE_SECONDS:
            means = ", ".join(f"{field} {np.mean(values[-100:]):.3f}" for field, values in losses.items())
            print(f"{training.steps} steps, {done:.0%} of the time: loss of {means}", file=sys.stderr)
            model.save(arguments.out, training.average)
            saved = time.monotonic()
        if done >= 1:
            return


if __name__ == "__main__":
    main()
