"""The documentation names what there is: commands, options, make targets, settings, files."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from bot.cli.parser import COMMANDS, make_parser
from bot.settings import TRUST, variables

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])
# Made on branches that are merged beside this one. Remove an entry when it is there: the test below asks for it.
SETTINGS = (ROOT / ".env.example").read_text("utf-8")


def _options(command: str) -> set[str]:
    [subparsers] = (action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction))
    return set(subparsers.choices[command]._option_string_actions)


def test_the_readme_fits_a_newcomer() -> None:
    """At most 150 lines, with a picture that is quick to load."""
    assert len(README.splitlines()) <= 150
    [picture] = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert (ROOT / picture).stat().st_size < 150_000


def test_the_readme_names_every_command() -> None:
    """As it is typed."""
    assert [name for name in COMMANDS if f"clippings {name}" not in README] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    """Commands with their options, make targets, settings, files and links."""
    text = page.read_text("utf-8")
    code = "\n".join(_code(text))
    for command, arguments in re.findall(r"(?<![/\w])clippings (?:--data \S+ )?([a-z]+)\b([^\n&>]*)", code):
        assert command in COMMANDS
        assert set(re.findall(r"(?<!\S)--[a-z]+(?:-[a-z]+)*", arguments)) <= _options(command), (command, arguments)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= targets
    assert set(re.findall(r"\b(?:CLIPPINGS|SLACK)_[A-Z_]+\b", code)) <= {*variables().values(), TRUST}
    files = re.findall(r"(?<![\w/.])(?:bot|index|prompts|tests|docs|articles)/[\w./-]*", code)
    modules = [ROOT / name.replace(".", "/") for name in re.findall(r"\bpython -m ([\w.]+)", code)]
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    paths = [ROOT / name for name in files] + [(page.parent / link).resolve() for link in links]
    paths += [module if module.is_dir() else module.with_suffix(".py") for module in modules]
    assert {str(path.relative_to(ROOT)) for path in paths if not path.exists()} == set()


def test_the_slack_page_or_the_readme_names_every_setting_of_slack() -> None:
    """Beside `.env.example`, which names every setting."""
    pages = README + (ROOT / "docs" / "slack.md").read_text("utf-8")
    missing = {name for name in variables().values() if "SLACK" in name and name not in pages}
    assert missing == {"CLIPPINGS_SLACK_API_URL"}  # for tests and proxies
    assert all(f"\n{name}=" in SETTINGS for name in variables().values())


def _code(text: str) -> list[str]:
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return blocks + re.findall(r"`([^`\n]+)`", re.sub(r"^```\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
