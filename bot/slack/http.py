"""Requests over HTTP: what Slack's hold, and what goes back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from slack_bolt import BoltRequest
from slack_bolt.adapter.wsgi.http_request import WsgiHttpRequest
from slack_bolt.adapter.wsgi.http_response import WsgiHttpResponse
from slack_bolt.oauth import OAuthFlow

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def payload(body: str) -> dict[str, Any]:
    """An event is JSON; a click is JSON in a form; a command is a form."""
    if body.startswith("{"):
        found: dict[str, Any] = json.loads(body)
        return found
    form = dict(parse_qsl(body, keep_blank_values=True))
    return dict(json.loads(form["payload"])) if "payload" in form else dict(form)


def send(start_response: StartResponse, response: WsgiHttpResponse) -> Iterable[bytes]:
    """Send what Bolt answered."""
    start_response(response.status, response.get_headers())
    return response.get_body()


def facts_page(start_response: StartResponse, facts: dict[str, str], *, good: bool) -> Iterable[bytes]:
    """Send facts as JSON; 503 where they are not good."""
    start_response("200 OK" if good else "503 Service Unavailable", [("Content-Type", "application/json")])
    return [json.dumps(facts).encode()]


def plain_page(start_response: StartResponse, status: str) -> Iterable[bytes]:
    """Send a status and its words."""
    start_response(status, [("Content-Type", "text/plain")])
    return [status.encode()]


def install_page(flow: OAuthFlow, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The page that begins an installation, and the one that Slack comes back to."""
    request = WsgiHttpRequest(environ)
    asked = BoltRequest(body=request.get_body(), query=request.query_string, headers=request.get_headers())
    done = flow.handle_installation(asked) if request.path == flow.install_path else flow.handle_callback(asked)
    return send(start_response, WsgiHttpResponse(status=done.status, headers=done.headers, body=done.body))
