"""Run ``clippings chat`` as ``python -m bot.repl``."""

import sys

from bot.cli.parser import main

if __name__ == "__main__":
    sys.exit(main(["chat", *sys.argv[1:]]))
