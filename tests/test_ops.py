"""The files of ops/: every command that they run is run here, and what they set and ask for is there.

There is no container engine where this is tested. The syntax of the files is looked at by `make lint-ops`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli.parser import make_parser
from bot.settings import Settings, variables
from tests.fake_slack import FakeSlack
from tests.postgres import Postgres
from tests.server_process import free_port
from tests.slack_process import BotProcess, copied

ROOT = Path(__file__).parents[1]
OPS = ROOT / "ops"
DOCKERFILE = (OPS / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((OPS / "compose.yaml").read_text("utf-8"))
MANIFESTS = [
    manifest
    for file in sorted((OPS / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text("utf-8"))
]
IMAGE = "clippings:0.1.0"
OF_OTHERS = {"PATH", "PYTHONUNBUFFERED", "CHROMA_URL", "CHROMA_TOKEN"}  # the last two are of the index on servers


def containers() -> Iterator[tuple[str, list[str], list[str], dict[str, Any]]]:
    """Name, entry point, arguments and the whole of each container of our image, in compose and in Kubernetes."""
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0])
    for name, service in COMPOSE["services"].items():
        if service["image"] == IMAGE:
            yield f"compose {name}", service.get("entrypoint", entry), service["command"], service
    for manifest in MANIFESTS:
        if manifest["kind"] in {"Deployment", "StatefulSet"}:
            for container in manifest["spec"]["template"]["spec"]["containers"]:
                assert container["image"] == IMAGE
                yield f"kubernetes {container['name']}", container.get("command", entry), container["args"], container


CONTAINERS = {name: (entry, arguments, whole) for name, entry, arguments, whole in containers()}


def test_versions_are_those_of_the_project() -> None:
    """The tag of the image, and the version of Python that the project takes."""
    assert version("clippings") == IMAGE.partition(":")[2]
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"python:3.13-slim-bookworm"}
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.process
@pytest.mark.parametrize("name", CONTAINERS)
def test_command_is_one(name: str) -> None:
    """`clippings` takes its arguments; `chroma`, of the same environment, knows each of its options."""
    entry, arguments, _ = CONTAINERS[name]
    if entry == ["clippings"]:
        assert make_parser().parse_args(arguments).command == arguments[0]
        return
    assert entry == ["chroma"]
    command = [str(Path(sys.executable).with_name("chroma")), arguments[0], "--help"]
    shown = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    assert [option for option in arguments if option.startswith("--") and option not in shown] == []


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_is_locked_down(name: str) -> None:
    """A root that cannot be written to, no capability, no new privileges, and a limit of memory."""
    _, _, whole = CONTAINERS[name]
    if name.startswith("compose"):
        assert (whole["read_only"], whole["cap_drop"]) == (True, ["ALL"])
        assert whole["security_opt"] == ["no-new-privileges:true"]
        assert whole["deploy"]["resources"]["limits"]["memory"]
    else:
        security = whole["securityContext"]
        assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert whole["resources"]["limits"]["memory"]
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)


def test_every_setting_is_one() -> None:
    """What the files put into the environment is a setting, and each volume and port that is used is there."""
    given = set(re.findall(r"^(?:ENV|   ) ([A-Z_]+)=", DOCKERFILE, re.MULTILINE))
    for service in COMPOSE["services"].values():
        given |= set(service["environment"] if service["image"] == IMAGE else {}) if "environment" in service else set()
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in COMPOSE["volumes"] or volume.startswith("${ARTICLES")
    given |= {name for manifest in MANIFESTS if manifest["kind"] == "ConfigMap" for name in manifest["data"]}
    assert given - set(variables().values()) - OF_OTHERS == set()
    port = Settings.model_fields["slack_port"].default
    for manifest in MANIFESTS:
        spec = manifest.get("spec", {}).get("template", {}).get("spec", {})
        names = {volume["name"] for volume in spec.get("volumes", ())}
        names |= {claim["metadata"]["name"] for claim in manifest.get("spec", {}).get("volumeClaimTemplates", ())}
        for container in spec.get("containers", ()):
            assert {mount["name"] for mount in container["volumeMounts"]} == names
            ports = {found["name"]: found["containerPort"] for found in container.get("ports", ())}
            assert ports in ({}, {"http": port, "metrics": 9000}, {"http": 8000})
            probes = [probe["httpGet"] for name, probe in container.items() if name.endswith("Probe")]
            assert {probe["port"] for probe in probes} <= ports.keys()
    files = [file.name for file in (OPS / "kubernetes").glob("*.yaml") if file.name != "kustomization.yaml"]
    (listed,) = [manifest["resources"] for manifest in MANIFESTS if manifest["kind"] == "Kustomization"]
    assert sorted(listed) == sorted(files)


def test_image_has_what_is_copied_into_it() -> None:
    """Each file that the Dockerfile copies is there, and no other is sent to the builder."""
    copied_ = {
        name
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for name in shlex.split(line)
    }
    assert [name for name in copied_ if not (ROOT / name).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert {line[1:] for line in ignored if line.startswith("!")} == copied_
    weights = re.findall(r"CLIPPINGS_MODEL_DIR=/weights/clippings/(\S+)", DOCKERFILE)
    from index.embedding.weights import NAME

    assert weights == [NAME]


def health_checks() -> dict[str, list[str]]:
    """The commands by which containers are found healthy."""
    (image,) = re.findall(r"^HEALTHCHECK [^\[]*(\[.*\])$", DOCKERFILE, re.MULTILINE)
    tests = {
        name: service["healthcheck"].get("test")
        for name, service in COMPOSE["services"].items()
        if "healthcheck" in service
    }
    return {"bot": json.loads(image)} | {name: test[1:] for name, test in tests.items() if test}


@pytest.mark.process(seconds=20)
def test_bot_is_found_healthy_and_ready(indexed: Path, tmp_path: Path) -> None:
    """By the command of the image and the paths of the probes; and unhealthy when it is gone."""
    with FakeSlack() as slack, BotProcess(slack, copied(indexed, tmp_path / "data"), mode="http") as bot:
        check = [part.replace(":3000/", f":{bot._port}/") for part in health_checks()["bot"]]
        assert subprocess.run([sys.executable, *check[1:]], check=False, timeout=30).returncode == 0
        probes = {
            probe["httpGet"]["path"]
            for manifest in MANIFESTS
            if manifest["kind"] == "Deployment" and manifest["metadata"]["name"] == "bot"
            for container in manifest["spec"]["template"]["spec"]["containers"]
            for name, probe in container.items()
            if name.endswith("Probe")
        }
        assert probes == {"/livez", "/readyz"}
        for path in probes:
            assert urllib.request.urlopen(f"http://127.0.0.1:{bot._port}{path}", timeout=10).status == 200
        bot.kill()
        assert subprocess.run([sys.executable, *check[1:]], check=False, timeout=30, stderr=-3).returncode == 1


@pytest.mark.process(seconds=20)
def test_chroma_runs_and_is_found_healthy(tmp_path: Path) -> None:
    """As compose and Kubernetes run it, but for the folder, the address and the port."""
    port = str(free_port())
    entry, arguments, _ = CONTAINERS["compose chroma"]
    assert CONTAINERS["kubernetes chroma"][:2] == (entry, arguments)
    replaced = {"/chroma": str(tmp_path / "chroma"), "0.0.0.0": "127.0.0.1", "8000": port}  # noqa: S104  # replaced
    command = [str(Path(sys.executable).with_name("chroma")), *(replaced.get(part, part) for part in arguments)]
    check = [part.replace(":8000/", f":{port}/") for part in health_checks()["chroma"]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path)
    try:
        for _ in range(60):
            if subprocess.run([sys.executable, *check[1:]], check=False, timeout=30, stderr=-3).returncode == 0:
                break
            assert server.poll() is None
        else:
            pytest.fail("it is not found healthy")
    finally:
        server.kill()
        server.wait(30)


@pytest.mark.process(seconds=10)
def test_postgres_is_found_healthy(postgres: Postgres) -> None:
    """By the command of compose."""
    check = health_checks()["postgres"]
    program = Path(postgres._bin) / check[0]
    done = subprocess.run(
        [str(program), *check[1:], "--port", str(postgres.port)], check=False, capture_output=True, env=os.environ
    )
    assert done.returncode == 0
