"""``python -m bot.repl`` is ``clippings chat``."""

from __future__ import annotations

import sys

from bot.cli.parser import main

if __name__ == "__main__":
    sys.exit(main(["chat", *sys.argv[1:]]))
