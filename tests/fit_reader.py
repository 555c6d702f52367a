"""Train bot/extract/reader.npz: `python -m tests.fit_reader SQUAD.json… [--anew] [--minutes N] [--out FILE]`.

Each file has the form of SQuAD 2.0 (data, paragraphs, qas, is_impossible). Needs torch and onnx, which nobody needs
otherwise: install them into an environment of their own beside requirements.txt. The embedding model is taken as it
is shipped, int8, and made float again; only its biases and layer norms learn, and a head of two weights a token.
What the shipped one was trained on: docs/reader.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from index.weights import locate
from tests.reading import Window, batches, read

LAYERS, HEADS, WIDTH = 12, 12, 384
SHIPPED = Path(__file__).parents[1] / "bot" / "extract" / "reader.npz"
RATE = 1e-3
WARM_UP = 100  # steps
AS_THEY_ARE = 6  # layers that do not learn where the training is not anew: half of the time for most of the gain
BIASES = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "intermediate.dense", "output.dense",
)  # fmt: skip  # the order of the matrices in the file, too


class Model(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """The shipped int8 model made float; what learns are its biases, its norms and the head.

    The layers below ``frozen`` stay as they are.
    """

    def __init__(self, file: Path, frozen: int) -> None:
        super().__init__()
        self.frozen = frozen
        stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(file)).graph.initializer}
        whole = {
            name.removesuffix("_quantized"): _made_float(stored, name.removesuffix("_quantized"))
            for name in stored
            if name.endswith("_quantized")
        }
        matrices = sorted((name for name in whole if "MatMul" in name), key=lambda name: int(name.split("_")[1]))
        for at, name in enumerate(matrices):
            self.register_buffer(f"matrix{at}", torch.tensor(whole[name]).T.contiguous().bfloat16())
        for name in ("word", "position", "token_type"):
            self.register_buffer(name, torch.tensor(whole[f"embeddings.{name}_embeddings.weight"]))
        small = {name: weight for name, weight in stored.items() if name.endswith((".bias", "LayerNorm.weight"))}
        self.small = nn.ParameterDict(
            {_key(name): nn.Parameter(torch.tensor(weight)) for name, weight in small.items()}
        )
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
            with torch.set_grad_enabled(layer >= self.frozen):
                hidden = self._layer(layer, hidden, masked)
        return hidden

    def _layer(self, layer: int, hidden: Tensor, masked: Tensor) -> Tensor:
        query, key, value = (self._split(self._linear(hidden, layer, at)) for at in range(3))
        # Written out: the gradient of torch's own attention takes seven times as long on a processor.
        attention = torch.softmax(query @ key.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5 + masked, -1)
        seen = (attention.to(value.dtype) @ value).transpose(1, 2).reshape(hidden.shape)
        seen = self._linear(seen, layer, 3)
        hidden = self._norm(hidden + seen, f"encoder.layer.{layer}.attention.output.LayerNorm")
        wide = functional.gelu(self._linear(hidden, layer, 4))
        return self._norm(hidden + self._linear(wide, layer, 5), f"encoder.layer.{layer}.output.LayerNorm")

    def _linear(self, hidden: Tensor, layer: int, at: int) -> Tensor:
        matrix = getattr(self, f"matrix{len(BIASES) * layer + at}")
        return functional.linear(hidden, matrix, self.small[_key(f"encoder.layer.{layer}.{BIASES[at]}.bias")])

    def _norm(self, hidden: Tensor, name: str) -> Tensor:
        weight, bias = self.small[_key(f"{name}.weight")], self.small[_key(f"{name}.bias")]
        return functional.layer_norm(hidden, (WIDTH,), weight, bias, 1e-12)

    @staticmethod
    def _split(hidden: Tensor) -> Tensor:
        return hidden.view(*hidden.shape[:2], HEADS, WIDTH // HEADS).transpose(1, 2)

    def load(self, file: Path) -> None:
        """Go on from what was saved."""
        with np.load(str(file)) as stored:
            learnt = {name: torch.tensor(stored[name].astype(np.float32)) for name in stored.files}
        head = {name: learnt.pop(name) for name in ("head.weight", "head.bias")}
        self.load_state_dict(head | {f"small.{_key(name)}": weight for name, weight in learnt.items()}, strict=False)

    def save(self, file: Path) -> None:
        """Write what bot/extract/reader.py reads, in half precision."""
        learnt = {name.replace("/", "."): weight for name, weight in self.small.items()}
        learnt |= {"head.weight": self.head.weight, "head.bias": self.head.bias}
        arrays = {name: weight.detach().numpy().astype(np.float16) for name, weight in learnt.items()}
        np.savez_compressed(file, **arrays)


def _made_float(stored: dict[str, Any], name: str) -> Any:
    quantised, zero, scale = (
        stored[f"{name}_{part}"].astype(np.float32) for part in ("quantized", "zero_point", "scale")
    )
    return (quantised - zero) * scale


def _key(name: str) -> str:
    return name.replace(".", "/")  # torch takes no dots in the names of parameters


def loss(model: Model, batch: list[Window]) -> Tensor:
    """The cross entropy of the first and of the last token, the very first one standing for "no answer"."""
    width = max(len(window.tokens) for window in batch)
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    mask, types = torch.zeros_like(tokens), torch.zeros_like(tokens)
    for row, window in enumerate(batch):
        tokens[row, : len(window.tokens)] = torch.tensor(window.tokens)
        mask[row, : len(window.tokens)] = 1
        types[row, window.question : len(window.tokens)] = 1
    allowed = types == 1
    allowed[:, 0] = True
    logits = model(tokens, mask, types).masked_fill(~allowed[..., None], -1e4)
    wanted = torch.tensor([(window.first, window.last) for window in batch])
    return (
        functional.cross_entropy(logits[..., 0], wanted[:, 0]) + functional.cross_entropy(logits[..., 1], wanted[:, 1])
    ) / 2


def main() -> None:
    """Train, and write the weights every 250 steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument(
        "--anew", action="store_true", help="begin with the embedding model, not with the shipped reader"
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    began = time.monotonic()
    folder = locate(None)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    start, stop, between = (tokenizer.token_to_id(token) or 0 for token in ("[CLS]", "[SEP]", "."))
    torch.manual_seed(1)
    rng = random.Random(1)  # noqa: S311  # a sample, no secret
    model = Model(folder / "model_quantized.onnx", 0 if arguments.anew else AS_THEY_ARE)
    if not arguments.anew:
        model.load(SHIPPED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0)
    lost = []
    for step, batch in enumerate(batches(read(arguments.files, tokenizer), rng, (start, stop, between)), 1):
        left = 1 - (time.monotonic() - began) / 60 / arguments.minutes
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, step / WARM_UP) * max(0.02, left)
        value = loss(model, batch)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        lost.append(value.item())
        if step % 50 == 0:
            print(f"{step} steps, {left:.0%} of the time left: loss {np.mean(lost[-50:]):.3f}", file=sys.stderr)
        if step % 250 == 0 or left <= 0:
            model.save(arguments.out)
        if left <= 0:
            return


if __name__ == "__main__":
    main()
