"""A bare app on a socket: it hears everything, acknowledges or does not, and answers nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientSession
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from tests.fake_slack.server import FakeSlack


@contextmanager
def listening(slack: FakeSlack, *, acknowledge: bool = True) -> Iterator[list[SocketModeRequest]]:
    """A socket, opened again when it is closed, and the list of what comes by it."""
    heard: list[SocketModeRequest] = []
    loop, before = asyncio.new_event_loop(), slack.connected()
    task = loop.create_task(_listen(slack, heard, acknowledge=acknowledge))
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([task])), daemon=True)
    thread.start()
    try:
        slack.wait(lambda: slack.connected() > before)
        yield heard
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(5)
        loop.close()
    slack.wait(lambda: slack.connected() <= before)


async def _listen(slack: FakeSlack, heard: list[SocketModeRequest], *, acknowledge: bool) -> None:
    async with ClientSession(headers={"Authorization": f"Bearer {slack.app_token}"}) as session:
        while True:
            opened = await (await session.post(slack.api_url + "apps.connections.open")).json()
            async with session.ws_connect(opened["url"]) as socket:
                assert (await socket.receive_json())["type"] == "hello"
                async for frame in socket:
                    request = SocketModeRequest.from_dict(frame.json())
                    if request is None:
                        break  # "disconnect"
                    heard.append(request)
                    if acknowledge:
                        await socket.send_json(SocketModeResponse(request.envelope_id).to_dict())
