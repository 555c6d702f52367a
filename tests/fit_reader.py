"""Train bot/extract/reader.npz: `python -m tests.fit_reader FILE… [--weights FILE] [--steps N] [--out FILE]`.

A .json file has the form of SQuAD 2.0 (data, paragraphs, qas, is_impossible); a .jsonl file has a statement a line
(premise, statement, supported). Needs torch and onnx, which nobody needs otherwise: install them into an environment
of their own beside requirements.txt. The embedding model is taken as it is shipped, int8. What is trained: its biases
and layer norms, a low-rank update of each matrix (Hu et al., 2021, "LoRA"), and the heads. The matrices are quantised
again every few steps, so that the training sees the weights that the product runs (straight-through estimator,
Bengio et al., 2013). With `--state FILE` it saves every five minutes what it
needs to go on, and goes on from there if that file exists. Under `torchrun --nproc-per-node N -m tests.fit_reader` N
processes share the work of a step: where other programs use the processor, they wait for each other less often than
threads. What the shipped one was trained on: docs/reader.md.
"""

from __future__ import annotations

import argparse
import os
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
from torch import Tensor, distributed, nn
from torch.nn import functional

from index.weights import locate
from tests.reading import Window, batches, read, read_statements

LAYERS, HEADS, WIDTH = 12, 12, 384
SHIPPED = Path(__file__).parents[1] / "bot" / "extract" / "reader.npz"
RANK = 16
LOW_RANK_SCALE = 2.0  # of an update, as LoRA's alpha / rank
RATE = 5e-4  # AdamW
RATE_BIASES = 1e-3
WARM_UP = 60  # steps
MAX_QUANTUM = 64  # of the int8 weights: with 127, processors without VNNI overflow
DEFAULT_STEPS = 2_000
SAVE_SECONDS = 300
REQUANTISE = 4  # steps: a tenth of the time otherwise
BIASES = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "intermediate.dense", "output.dense",
)  # fmt: skip  # the order of the matrices in the file, too


class _Linear(torch.autograd.Function):  # type: ignore[misc]  # torch is not installed where types are checked
    """x W' + b, where W' is W + up down, quantised; gradients for x, up, down and b, as if it were not quantised."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, quantised: Tensor, down: Tensor, up: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, quantised, down.bfloat16(), up.bfloat16())
        return functional.linear(x, quantised, bias.bfloat16())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, quantised, down, up = ctx.saved_tensors
        rows, grads = x.flatten(0, 1), grad.flatten(0, 1)
        through = grads @ up * LOW_RANK_SCALE
        return (
            (grads @ quantised).view_as(x),
            None,
            (through.T @ rows).float(),
            (grads.T @ (rows @ down.T) * LOW_RANK_SCALE).float(),
            grads.sum(0, dtype=torch.float32),
        )


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
        self.quantised: dict[str, Tensor] = {}  # of the matrices, until they are quantised again
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
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self._encode(tokens, mask, types).float()
        return self.head(hidden), self.support(hidden[:, 0])[:, 0]

    def _encode(self, tokens: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        hidden = self.word[tokens] + self.position[: tokens.shape[1]] + self.token_type[types]
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        masked = torch.zeros(mask.shape).masked_fill(mask == 0, -1e4)[:, None, None].bfloat16()
        for layer in range(LAYERS):
            hidden = self._layer(layer, hidden, masked)
        return hidden

    def _layer(self, layer: int, hidden: Tensor, masked: Tensor) -> Tensor:
        low = hidden.bfloat16()
        query, key, value = (self._split(self._linear(low, layer, at)) for at in range(3))
        # Written out: the gradient of torch's own attention takes seven times as long on a processor.
        attention = torch.softmax(query @ key.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5 + masked, -1)
        seen = (attention.to(value.dtype) @ value).transpose(1, 2).reshape(hidden.shape)
        seen = self._linear(seen, layer, 3)
        hidden = self._norm(hidden + seen, f"encoder.layer.{layer}.attention.output.LayerNorm")
        wide = functional.gelu(self._linear(hidden.bfloat16(), layer, 4))
        return self._norm(hidden + self._linear(wide, layer, 5), f"encoder.layer.{layer}.output.LayerNorm")

    def _linear(self, hidden: Tensor, layer: int, at: int) -> Tensor:
        name = self.matrices[len(BIASES) * layer + at]
        matrix, down, up = getattr(self, f"matrix{len(BIASES) * layer + at}"), self.down[name], self.up[name]
        if name not in self.quantised:
            with torch.no_grad():
                whole = torch.addmm(matrix, up, down, alpha=LOW_RANK_SCALE)
                scale = whole.abs().amax(1, keepdim=True) / MAX_QUANTUM
                self.quantised[name] = ((whole / scale).round_() * scale).bfloat16()
        quantised = self.quantised[name]
        bias = self.small[_key(f"encoder.layer.{layer}.{BIASES[at]}.bias")]
        output: Tensor = _Linear.apply(hidden, quantised, down, up, bias)
        return output

    def _norm(self, hidden: Tensor, name: str) -> Tensor:
        weight, bias = self.small[_key(f"{name}.weight")], self.small[_key(f"{name}.bias")]
        return functional.layer_norm(hidden.float(), (WIDTH,), weight, bias, 1e-12)

    @staticmethod
    def _split(hidden: Tensor) -> Tensor:
        return hidden.view(*hidden.shape[:2], HEADS, WIDTH // HEADS).transpose(1, 2)

    def load(self, file: Path) -> None:
        """Go on from what was saved."""
        with np.load(str(file)) as stored:
            learnt = {name: torch.tensor(stored[name].astype(np.float32)) for name in stored.files}
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

    def save(self, file: Path) -> None:
        """Write what bot/extract/reader.py reads, in half precision."""
        learnt = {name.replace("/", "."): weight for name, weight in self.small.items()}
        for name in self.matrices:
            learnt |= {f"{name}.down": self.down[name], f"{name}.up": self.up[name] * LOW_RANK_SCALE}
        for name in ("head", "support"):
            linear = getattr(self, name)
            learnt |= {f"{name}.weight": linear.weight, f"{name}.bias": linear.bias}
        arrays: dict[str, Any] = {f"{name}.offset": np.array(self.offsets[name]) for name in self.matrices}
        arrays |= {name: weight.detach().numpy().astype(np.float16) for name, weight in learnt.items()}
        np.savez_compressed(file, **arrays)


def _made_float(stored: dict[str, Any], name: str) -> Any:
    quantised, zero, scale = (
        stored[f"{name}_{part}"].astype(np.float32) for part in ("quantized", "zero_point", "scale")
    )
    return (quantised - zero) * scale


def _key(name: str) -> str:
    return name.replace(".", "/")  # torch takes no dots in the names of parameters


def loss(model: Model, batch: list[Window]) -> Tensor:
    """Cross entropy: of the answer's first and last token, the very first one standing for "no answer"; of support."""
    width = max(len(window.tokens) for window in batch)
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    mask, types = torch.zeros_like(tokens), torch.zeros_like(tokens)
    for row, window in enumerate(batch):
        tokens[row, : len(window.tokens)] = torch.tensor(window.tokens)
        mask[row, : len(window.tokens)] = 1
        types[row, window.question : len(window.tokens)] = 1
    spans, support = model(tokens, mask, types)
    if batch[0].supported is not None:
        wanted = torch.tensor([float(window.supported or 0) for window in batch])
        return functional.binary_cross_entropy_with_logits(support, wanted)
    allowed = types == 1
    allowed[:, 0] = True
    spans = spans.masked_fill(~allowed[..., None], -1e4)
    wanted = torch.tensor([(window.first, window.last) for window in batch])
    return (
        functional.cross_entropy(spans[..., 0], wanted[:, 0]) + functional.cross_entropy(spans[..., 1], wanted[:, 1])
    ) / 2


def share(model: Model) -> None:
    """Average the gradients over the processes."""
    parameters = list(model.parameters())
    flat = torch.cat(
        [(torch.zeros_like(value) if value.grad is None else value.grad).flatten() for value in parameters]
    )
    if distributed.is_initialized():
        distributed.all_reduce(flat)
        flat /= distributed.get_world_size()
    for value, grad in zip(parameters, flat.split([value.numel() for value in parameters]), strict=True):
        value.grad = grad.view_as(value)


class Training:
    """A model with its optimizer and the number of steps done."""

    def __init__(self, model: Model, rate: float = RATE) -> None:
        low = [*model.up.parameters(), *model.down.parameters()]
        others = [*model.small.parameters(), *model.head.parameters(), *model.support.parameters()]
        groups = [{"params": low, "rate": rate}, {"params": others, "rate": rate * RATE_BIASES / RATE}]
        self.model, self.steps = model, 0
        self.optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=0)

    def step(self, batch: list[Window], last_step: int) -> float:
        """Learn from a batch; the rate rises, then falls to 0 at the last step. Returns the loss."""
        if self.steps % REQUANTISE == 0:
            self.model.quantised.clear()
        self.optimizer.zero_grad()
        value = loss(self.model, batch)
        value.backward()
        share(self.model)
        self.steps += 1
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * min(1.0, self.steps / WARM_UP) * max(0.0, 1 - self.steps / last_step)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return float(value.item())

    def save(self, file: Path) -> None:
        """Save what it needs to go on. A file that is there is replaced only by a whole one."""
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "steps": self.steps}
        part = file.with_suffix(".part")
        torch.save(state, part)
        part.replace(file)

    def load(self, file: Path) -> None:
        """Go on from what was saved."""
        state = torch.load(file)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]
        self.model.quantised.clear()


def main() -> None:
    """Train, and write the weights every five minutes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="weights to begin with")
    parser.add_argument("--state", type=Path, help="what it needs to go on; it goes on from there if the file exists")
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--rank", type=int, default=RANK)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    folder, process = locate(None), int(os.environ.get("RANK", "0"))
    if "RANK" in os.environ:
        distributed.init_process_group("gloo")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    start, stop, between = (tokenizer.token_to_id(token) or 0 for token in ("[CLS]", "[SEP]", "."))
    torch.manual_seed(1)
    model = Model(folder / "model_quantized.onnx", arguments.rank)
    model.load(arguments.weights)
    training = Training(model, arguments.rate)
    if arguments.state and arguments.state.exists():
        training.load(arguments.state)
    rng = random.Random(f"{process} {training.steps}")  # noqa: S311  # a sample, no secret
    examples = read([file for file in arguments.files if file.suffix == ".json"], tokenizer)
    statements = read_statements([file for file in arguments.files if file.suffix == ".jsonl"], tokenizer)
    losses: dict[str, list[float]] = {"reading": [], "support": []}
    saved = time.monotonic()
    for batch in batches(examples, statements, rng, (start, stop, between)):
        value = training.step(batch, arguments.steps)
        losses["reading" if batch[0].supported is None else "support"].append(value)
        is_last = training.steps >= arguments.steps
        if process == 0 and training.steps % 25 == 0:
            means = ", ".join(f"{name} {np.mean(values[-50:]):.3f}" for name, values in losses.items() if values)
            print(f"{training.steps} of {arguments.steps} steps: loss of {means}", file=sys.stderr)
        if process == 0 and (is_last or time.monotonic() - saved > SAVE_SECONDS):
            model.save(arguments.out)
            if arguments.state:
                training.save(arguments.state)
            saved = time.monotonic()
        if is_last:
            return


if __name__ == "__main__":
    main()
