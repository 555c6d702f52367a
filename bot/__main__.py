"""``python -m bot`` is ``clippings``."""

from __future__ import annotations

import sys

from bot.cli.parser import main

sys.exit(main())
