"""A real SMTP server in its own process that durably records each mail before it says 250.

``python recording_sink.py PORT_FILE LOG [HOLD]`` listens on a free loopback port, writes the port into PORT_FILE and
appends one line per accepted mail to LOG: ``recipient TAB message-id``. The line is on the disk before the
client hears 250, so whatever the client believes, the log is the truth about what arrived.

A third argument HOLD makes it take so many mails and answer nothing more until LOG.go exists: a sending that is in
its middle for as long as a test needs it there.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE | re.IGNORECASE)


class Recorder:
    """Appends and fsyncs, then accepts."""

    def __init__(self, log: Path, hold: int | None) -> None:
        self.left = hold
        self.gate = Path(f"{log}.go")
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        while self.left == 0 and not self.gate.exists():
            await asyncio.sleep(0.01)
        if self.left:
            self.left -= 1
        content = envelope.content
        assert isinstance(content, bytes)
        found = MESSAGE_ID.search(content)
        assert found
        lines = "".join(f"{to}\t{found.group(1).decode()}\n" for to in envelope.rcpt_tos)
        os.write(self.log, lines.encode())
        os.fsync(self.log)
        return "250 OK recorded"


async def main(port_file: Path, log: Path, hold: int | None) -> None:
    recorder = Recorder(log, hold)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(recorder, hostname="sink.example", enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    temporary = port_file.with_suffix(".tmp")
    temporary.write_text(str(server.sockets[0].getsockname()[1]))
    temporary.rename(port_file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None))
