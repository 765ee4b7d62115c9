"""`python -m tests.faults.alive PORT`: asks whether the API lives, until its input ends; then prints the seconds that
each answer took. A process of its own, so that no other thread of a test is measured with it.
"""

from __future__ import annotations

import select
import socket
import sys
import time

ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
PAUSE_S = 0.05


def main(port: int) -> None:
    """One connection, one question after the other."""
    times_s = []
    with socket.create_connection(("127.0.0.1", port), timeout=15) as sock:
        while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
            began = time.monotonic()
            sock.sendall(ASK)
            answer = b""
            while not answer.endswith(b"}"):
                answer += sock.recv(4096) or sys.exit("The API hung up.")
            times_s.append(time.monotonic() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                sys.exit(f"not alive: {answer!r}")
    sys.stdout.write(" ".join(map(str, times_s)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
