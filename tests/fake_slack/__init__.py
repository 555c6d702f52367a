"""A Slack on loopback for tests and demonstrations; README.md here says what it does."""

from tests.fake_slack.seen import Seen
from tests.fake_slack.server import FakeSlack
from tests.fake_slack.workspace import Ack, Call

__all__ = ["Ack", "Call", "FakeSlack", "Seen"]
