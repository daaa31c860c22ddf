#!/usr/bin/env python3
"""Connects to ports as strangers do, and says what became of it.

strangers.py CONNECTIONS A_SECOND HOST:PORT...   (0 a second: as fast as it can)

Every kind of stranger comes in turn: noise, halves of handshakes, handshakes with noise behind them, HTTP, TLS, a
frame that claims 8 GiB, a message of 200,000 parts; some hang up at once, some stay and say nothing. Prints a line of
JSON: connections made and refused, those that were kept open and that the other side has closed, and seconds.
"""
import collections
import json
import os
import random
import socket
import struct
import sys
import threading
import time

THREADS = 24
# Connections that stay and say nothing, at once.
HELD = 300


def greeting(mechanism, is_server=0):
    """The 64 bytes with which ZMTP 3 begins."""
    return b"\xff" + bytes(8) + b"\x7f\x03\x00" + mechanism.ljust(20, b"\0") + bytes([is_server]) + bytes(31)


def command(name, body):
    data = bytes([len(name)]) + name + body
    return b"\x04" + bytes([len(data)]) + data


def ready():
    name, value = b"Socket-Type", b"DEALER"
    return command(b"READY", bytes([len(name)]) + name + struct.pack(">I", len(value)) + value)


PARTS = b"\x01\x01x" * 200_000 + b"\x00\x01x"
KINDS = {
    "noise": lambda noise: noise(512),
    "half greeting": lambda noise: greeting(b"CURVE")[: random.randrange(1, 64)],
    "greeting and noise": lambda noise: greeting(b"CURVE") + noise(300),
    "hello with noise": lambda noise: greeting(b"CURVE") + command(b"HELLO", b"\x01\x00" + bytes(72) + noise(120)),
    "initiate before hello": lambda noise: greeting(b"CURVE") + command(b"INITIATE", noise(200)),
    "no keys": lambda noise: greeting(b"NULL") + ready(),
    "a password": lambda noise: greeting(b"PLAIN") + command(b"HELLO", b"\x04root\x04root"),
    "unknown mechanism": lambda noise: greeting(noise(20)),
    "old protocol": lambda noise: b"\x01\x00" + b"".join(b"\x05\x00spam" for _ in range(50)),
    "http": lambda noise: b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
    "tls": lambda noise: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise(508),
    "8 GiB": lambda noise: greeting(b"NULL") + ready() + b"\x02" + struct.pack(">Q", 8 << 30) + noise(64),
    "8 GiB command": lambda noise: greeting(b"CURVE") + b"\x06" + struct.pack(">Q", 8 << 30) + noise(64),
    "nothing": lambda noise: b"",
    "only a beginning": lambda noise: greeting(b"CURVE"),
}
# These wait to be thrown out.
STAYING = {"nothing", "only a beginning"}
# Large, so rare: one in so many.
EVERY_PARTS = 500


class Crowd:
    def __init__(self, connections, rate, places):
        self.left = connections
        self.total = connections
        self.rate = rate
        self.places = places
        self.lock = threading.Lock()
        self.made = collections.Counter()
        self.refused = collections.Counter()
        self.held = collections.deque()
        self.thrown_out = 0
        self.started = time.monotonic()

    def next(self):
        with self.lock:
            if self.left == 0:
                return None
            self.left -= 1
            number = self.total - self.left - 1
        if self.rate:
            time.sleep(max(0, self.started + number / self.rate - time.monotonic()))
        return number

    def hold(self, connection):
        with self.lock:
            self.held.append(connection)
            oldest = self.held.popleft() if len(self.held) > HELD else None
        if oldest:
            self.release(oldest)

    def release(self, connection):
        connection.setblocking(False)
        try:
            while data := connection.recv(4096):
                pass
            gone = data == b""
        except BlockingIOError:
            gone = False
        except OSError:
            gone = True
        connection.close()
        with self.lock:
            self.thrown_out += gone

    def work(self):
        names = list(KINDS)
        while (number := self.next()) is not None:
            kind = "200,000 parts" if number % EVERY_PARTS == EVERY_PARTS - 1 else names[number % len(names)]
            # Kinds and places have no common rhythm.
            place = self.places[(number // len(names) + number) % len(self.places)]
            try:
                connection = socket.create_connection(place, timeout=10)
            except OSError:
                with self.lock:
                    self.refused[kind] += 1
                continue
            with self.lock:
                self.made[kind] += 1
            try:
                if kind == "200,000 parts":
                    connection.sendall(greeting(b"NULL") + ready() + PARTS)
                else:
                    connection.sendall(KINDS[kind](os.urandom))
                if kind in STAYING:
                    self.hold(connection)
                    continue
                if number % 2:
                    connection.settimeout(0.05)
                    connection.recv(256)
            except OSError:
                pass
            if number % 3 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    places = []
    for text in sys.argv[3:]:
        host, port = text.rsplit(":", 1)
        places.append((host.strip("[]"), int(port)))
    crowd = Crowd(int(sys.argv[1]), float(sys.argv[2]), places)
    threads = [threading.Thread(target=crowd.work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - crowd.started
    stayed = len(crowd.held)
    # Longer than a handshake may take.
    time.sleep(6 if stayed else 0)
    while crowd.held:
        crowd.release(crowd.held.popleft())
    print(
        json.dumps(
            {
                "made": sum(crowd.made.values()),
                "refused": sum(crowd.refused.values()),
                "seconds": round(seconds, 1),
                "stayed": stayed,
                "thrown out": crowd.thrown_out,
                "kinds": dict(crowd.made),
            }
        )
    )


main()
