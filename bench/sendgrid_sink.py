"""A SendGrid that takes everything: reads each request to its end, answers 202, counts recipients. Prints its port."""

from __future__ import annotations

import socket
import sys
import threading

ANSWER = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: bench\r\nContent-Length: 0\r\n\r\n"


def serve(connection: socket.socket) -> None:
    """One connection, as long as the client likes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb", buffering=1 << 16) as stream:
        while line := stream.readline():
            length = 0
            while line.strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                line = stream.readline()
            left = length
            while left:
                left -= len(stream.read(min(left, 1 << 16)))
            connection.sendall(ANSWER)


def main() -> None:
    """Listen on loopback until killed."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
