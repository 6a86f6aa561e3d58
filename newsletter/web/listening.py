"""Taking a port before anything else happens, so that a taken one is an error of the command and not of a server."""

from __future__ import annotations

import errno
import ipaddress
import socket

from newsletter.errors import ConfigurationError


def listen(host: str, port: int, *, fix: str) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises ConfigurationError with ``fix`` as the way out."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise ConfigurationError(
            f"{host} is no address of this machine", where="--host", fix="write 127.0.0.1, ::1 or 0.0.0.0"
        ) from error
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        taken = error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            f"port {port} is not free on this machine" if taken else f"cannot listen on port {port}: {error.strerror}",
            fix=fix,
        ) from error
    return listening


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach what listens on ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
