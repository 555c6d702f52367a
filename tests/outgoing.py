"""Run a command in a network of its own and write down what it sends out: `python -m tests.outgoing LOG COMMAND…`.

Linux only. The command lives in a new network namespace whose every route but loopback ends in a TUN device, and this
process reads that device: nothing leaves the machine, and each packet becomes a line of LOG, with the name that a DNS
query asks for. Native code is seen like Python's. Exit code: the command's; 77 where no namespace can be made.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

CANNOT = 77
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_TUNSETIFF, _IFF_TUN_NO_PI = 0x400454CA, 0x1001
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCADDRT = 0x8914, 0x8916, 0x891C, 0x890B
_IFF_UP_RUNNING, _RTF_UP = 0x41, 0x1
_TCP, _UDP = 6, 17
_OWN, _OWN_SECONDS = ("192.0.2.77", 77), 30  # a documentation address (RFC 5737)


def _namespace() -> int:
    """Enter a new network namespace and return the descriptor of its TUN device."""
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH14x", b"out", _IFF_TUN_NO_PI))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("16s16s", b"out", _address("10.9.8.7")))
        fcntl.ioctl(control, _SIOCSIFNETMASK, struct.pack("16s16s", b"out", _address("255.255.255.0")))
        for name in (b"lo", b"out"):
            fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", name, _IFF_UP_RUNNING))
        device_name = ctypes.create_string_buffer(b"out")
        anywhere = _address("0.0.0.0")  # noqa: S104  # the default route, nothing is bound
        route = struct.pack(
            "@L16s16s16sHhLPhPLLH6x",
            0,
            anywhere,
            anywhere,
            anywhere,
            _RTF_UP,
            0,
            0,
            0,
            0,
            ctypes.addressof(device_name),
            0,
            0,
            0,
        )
        fcntl.ioctl(control, _SIOCADDRT, route)
    return device


def _address(ip: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(ip))


def describe(packet: bytes) -> str | None:
    """Describe an IPv4 or IPv6 packet; None for what the kernel sends by itself (ICMPv6, multicast)."""
    if packet[0] >> 4 == 6:
        protocol, target, body = packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[40:]
    else:
        length = (packet[0] & 15) * 4
        protocol, target, body = packet[9], socket.inet_ntoa(packet[16:20]), packet[length:]
    if protocol not in (_TCP, _UDP):
        return None
    port = int.from_bytes(body[2:4])
    if protocol == _TCP:
        return f"tcp {target}:{port}"
    return f"dns {_query_name(body[8:])}" if port == 53 else f"udp {target}:{port}"  # DNS


def _query_name(message: bytes) -> str:
    labels, at = list[str](), 12
    while at < len(message) and (length := message[at]):
        labels.append(message[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return ".".join(labels)


class _Recorder:
    """Write a line for each packet of `device` into `log`, up to the last one that was sent."""

    def __init__(self, device: int, log: Path) -> None:
        """Start reading."""
        self._device, self._log = device, log
        self._own = threading.Semaphore(0)
        threading.Thread(target=self._run, daemon=True).start()

    def catch_up(self) -> bool:
        """Send a packet of our own and wait until it was read: whatever was sent before it is then in the log."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"", _OWN)
        return self._own.acquire(timeout=_OWN_SECONDS)

    def _run(self) -> None:
        with self._log.open("a", encoding="utf-8") as out:
            while True:
                line = describe(os.read(self._device, 65_536))
                if line == f"udp {_OWN[0]}:{_OWN[1]}":
                    self._own.release()
                elif line:
                    print(line, file=out, flush=True)


def main() -> int:
    """Run it."""
    log, *command = sys.argv[1:]
    Path(log).touch()
    try:
        recorder = _Recorder(_namespace(), Path(log))
        if not recorder.catch_up():
            raise OSError("its device shows no packet")  # noqa: TRY301  # as any other reason why it cannot be made
    except OSError as error:
        print(f"no network namespace can be made here: {error}", file=sys.stderr)
        return CANNOT
    code = subprocess.run(command, check=False).returncode  # the test's own command
    if not recorder.catch_up():
        print("the last packets were not read", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
