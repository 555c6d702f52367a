"""No library that we load reports on its user."""

from __future__ import annotations

import os

_OFF = {
    # onnxruntime 1.29 and later on Linux and macOS: read once, when its native library is loaded
    # (microsoft/onnxruntime#27379, #29843). `disable_telemetry_events()` comes too late and leaves the first event.
    "ORT_DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


def disable_telemetry() -> None:
    """Switch off what reports on users, before such a library is imported. tests/test_outgoing.py holds it to that."""
    os.environ.update(_OFF)
