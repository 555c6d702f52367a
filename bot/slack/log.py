"""The log of the Slack bot: lines, or JSON, each with the request that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from hashlib import blake2b

from bot.models import REQUEST_ID

_LINES = "%(asctime)s %(levelname)s %(name)s %(message)s"


class JsonFormatter(logging.Formatter):
    """An object a line: time, level, logger, message, and where there is one, request and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := REQUEST_ID.get():
            fields["request"] = request
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def start_logging(form: str) -> None:
    """Log to standard error in a ``form``, "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(_LINES))
    logger = logging.getLogger("bot.slack")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)


def request_id(key: str) -> str:
    """The id of a question's request: the same in every process and attempt. It tells nothing of channel or person."""
    return blake2b(key.encode(), digest_size=8).hexdigest()
