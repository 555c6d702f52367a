"""The package as a library: `bot.ask`, `bot.open_engine`, and an import that costs nothing."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

import bot
from bot.answer import Engine
from bot.models import Answer
from tests.corpus import run, write

QUESTION = "Why was the old bridge closed?"


@pytest.fixture(scope="module")
def data(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two articles."""
    folder = tmp_path_factory.mktemp("api")
    write(
        folder / "articles",
        "bridge",
        "The old bridge was closed on Monday after inspectors found cracks in two of its arches.",
        outlet="Courier",
        published=date(2024, 3, 5),
    )
    write(folder / "articles", "orchard", "The orchard opened its gates to visitors.", published=date(2024, 3, 6))
    run(folder / "data", [folder / "articles"], weights)
    return folder / "data"


@pytest.fixture(autouse=True)
def _settings(data: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with the data folder in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPPINGS_DATA", str(data))
    monkeypatch.setenv("CLIPPINGS_MODEL_DIR", str(weights))
    monkeypatch.delenv("CLIPPINGS_LLM", raising=False)


def test_ask_answers_one_question() -> None:
    """The data folder comes from the environment, and the citation holds."""
    answer = bot.ask(QUESTION)
    assert isinstance(answer, bot.Answer)
    assert answer.answered
    assert isinstance(answer.citations[0], bot.Citation)
    assert "cracks in two of its arches" in answer.citations[0].quote


def test_ask_takes_what_the_engine_takes() -> None:
    """Turns complete a follow-up; filters and the day of the question leave articles out."""
    turns = [bot.Turn("user", QUESTION), bot.Turn("assistant", "“… cracks in two of its arches.” [1]")]
    answer = bot.ask("When was it?", turns=turns, filters=bot.Filters(outlet="Courier"), as_of=date(2024, 3, 9))
    assert "bridge" in answer.standalone_question
    assert {passage.source.outlet for passage in answer.passages} == {"Courier"}
    assert bot.ask(QUESTION, as_of=date(2024, 3, 4)).passages == ()


def test_data_overrides_the_environment(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a string or as a path; `open_engine` keeps the index open."""
    monkeypatch.setenv("CLIPPINGS_DATA", str(tmp_path / "empty"))
    assert bot.ask(QUESTION, data=str(data)).answered
    with closing(bot.open_engine(data)) as engine:
        assert isinstance(engine, bot.Engine)
        assert all(engine.ask(QUESTION).answered for _ in range(2))


def test_settings_come_from_dotenv_too(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for the command line: `.env` in the working directory."""
    monkeypatch.delenv("CLIPPINGS_DATA")
    Path(".env").write_text(f"CLIPPINGS_DATA={data}\n", encoding="utf-8")
    assert bot.ask(QUESTION).answered


def test_what_fails_is_a_clippings_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder without an index, and a setting that is wrong."""
    with pytest.raises(bot.ClippingsError, match="Nothing has been indexed"):
        bot.ask(QUESTION, data=tmp_path / "empty")
    monkeypatch.setenv("CLIPPINGS_LLM", "nonsense")
    with pytest.raises(bot.ClippingsError, match="CLIPPINGS_LLM"):
        bot.open_engine()


def test_names_are_those_of_their_modules() -> None:
    """The public names are the classes themselves, listed by `dir`; another name is an AttributeError."""
    assert (bot.Engine, bot.Answer) == (Engine, Answer)
    assert set(dir(bot)) == set(bot.__all__)
    assert all(getattr(bot, name) for name in bot.__all__)
    with pytest.raises(AttributeError, match="module 'bot' has no attribute 'Nothing'"):
        _ = bot.Nothing  # type: ignore[attr-defined]  # it is not there: that is the test


@pytest.mark.process
def test_import_loads_nothing_and_a_quoted_answer_no_llama_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """`import bot` loads its own file; asking without a language model loads no llama-index."""
    script = f"""
import sys, bot
print(*(name for name in sys.modules if name.partition(".")[0] in ("bot", "index", "prompts", "numpy", "pydantic")))
bot.ask({QUESTION!r})
import bot.integrations
print("numpy" in sys.modules, any(name.startswith("llama_index") for name in sys.modules))
"""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["bot", "True False"]
