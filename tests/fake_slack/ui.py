"""What the page in page/ calls: the state as JSON, and what a person does in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fake_slack.workspace import BOT_ID, Json, Message

if TYPE_CHECKING:
    from tests.fake_slack.server import FakeSlack

_PAGE = Path(__file__).with_name("page")


def add_routes(application: web.Application, slack: FakeSlack) -> None:
    """The page's files, and what they ask for and do."""

    async def index(_: web.Request) -> web.FileResponse:
        return web.FileResponse(_PAGE / "index.html")

    async def show(request: web.Request) -> web.Response:
        return web.json_response(state(slack, request.query.get("user", "U1")))

    def doing(action: Callable[[FakeSlack, Json], object]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def do(request: web.Request) -> web.Response:
            try:
                return web.json_response({"ok": True, "result": action(slack, await request.json())})
            except (AssertionError, KeyError, ValueError) as error:
                return web.json_response({"ok": False, "error": str(error)}, status=400)

        return do

    application.router.add_get("/", index)
    application.router.add_get("/ui/state", show)
    for name, action in _ACTIONS.items():
        application.router.add_post(f"/ui/{name}", doing(action))
    if _PAGE.is_dir():
        application.router.add_static("/page", _PAGE)


_ACTIONS: dict[str, Callable[[FakeSlack, Json], object]] = {
    "say": lambda slack, it: slack.say(it["user"], it["channel"], it["text"], it.get("thread_ts") or None),
    "command": lambda slack, it: slack.command(it["user"], it["channel"], *_command(it["text"])),
    "click": lambda slack, it: slack.click(
        it["user"], it.get("ts"), it["action_id"], it.get("value"), it.get("block_id")
    ),
    "shortcut": lambda slack, it: slack.shortcut(it["user"], it["channel"], it["ts"], it["callback_id"]),
    "submit": lambda slack, it: slack.submit(it["user"], it["values"]),
    "close": lambda slack, it: slack.close(it["user"]),
    "home": lambda slack, it: slack.open_home(it["user"]),
    "pane": lambda slack, it: slack.open_messages_tab(it["user"]),
}


def _command(text: str) -> tuple[str, str]:
    """Split it: "/clippings who is it" -> ("/clippings", "who is it")."""
    command, _, rest = text.partition(" ")
    return command, rest


def state(slack: FakeSlack, user: str) -> Json:
    """All that this person sees."""
    workspace = slack.workspace
    with workspace.lock:
        mine = {c.id: c for c in workspace.channels.values() if user in c.members}
        shown = [m for m in workspace.messages if m.channel in mine and not m.deleted]
        return {
            "users": [asdict(one) for one in workspace.users.values()],
            "channels": [{"id": c.id, "name": c.name, "kind": c.kind} for c in mine.values()],
            "messages": [_message(m) for m in shown if m.ephemeral_to in (None, user)],
            "statuses": [
                {"channel": channel, "thread_ts": ts, "status": workspace.status(channel, ts)}
                for channel, ts in workspace.statuses
                if workspace.status(channel, ts)
            ],
            "modal": workspace.modals.get(user),
            "modal_errors": workspace.modal_errors.get(user, {}),
            "home": workspace.homes.get(user),
            "prompts": [
                {"channel": channel, "thread_ts": ts, "prompts": prompts}
                for (channel, ts), prompts in workspace.prompts.items()
            ],
            "titles": [{"channel": c, "thread_ts": ts, "title": t} for (c, ts), t in workspace.titles.items()],
        }


def _message(message: Message) -> Json:
    more = {"channel": message.channel, "ephemeral_to": message.ephemeral_to, "streaming": message.streaming}
    return message.to_dict() | more | {"streamed": message.streamed, "is_bot": message.bot_id == BOT_ID}
