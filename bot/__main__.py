"""Run ``clippings`` as ``python -m bot``."""

import sys

from bot.cli.parser import main

sys.exit(main())
