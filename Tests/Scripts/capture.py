#!/usr/bin/env python3
"""Records what crosses a switch, and looks for a data set in it.

capture.py record FILE                  until SIGTERM; then says on standard error how many packets it missed
capture.py search FILE WORLD [WORD...]  puts every TCP stream together again and prints as JSON: their bytes, how many
                                        of the ids in WORLD's parts they contain (8 bytes as sent, 8 bytes reversed,
                                        hexadecimal, decimal), and which of the words
"""
import glob
import json
import signal
import socket
import struct
import sys

EVERY_PROTOCOL = 0x0003
PACKET_STATISTICS = 6
SO_RCVBUFFORCE = 33


def record(path):
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
    capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 28)
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    # Whoever started the script may have blocked it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    capture.settimeout(0.2)
    with open(path, "wb") as file:
        print("recording", flush=True)
        while going:
            try:
                frame, origin = capture.recvfrom(1 << 17)
            except TimeoutError:
                continue
            # What comes in at one port of the switch goes out at another: one of the two is enough.
            if origin[2] != socket.PACKET_OUTGOING:
                file.write(struct.pack("<I", len(frame)) + frame)
    _, missed = struct.unpack("II", capture.getsockopt(263, PACKET_STATISTICS, 8))
    print(f"missed {missed} packets", file=sys.stderr)


def frames(path):
    with open(path, "rb") as file:
        while head := file.read(4):
            yield file.read(struct.unpack("<I", head)[0])


def segments(path):
    """Of every TCP segment: its stream, sequence number and bytes."""
    for frame in frames(path):
        kind = frame[12:14]
        if kind == b"\x08\x00" and frame[23] == 6:
            start = 14 + (frame[14] & 15) * 4
            end = 14 + struct.unpack(">H", frame[16:18])[0]
            hosts = frame[26:34]
        elif kind == b"\x86\xdd" and frame[20] == 6:
            start = 54
            end = 54 + struct.unpack(">H", frame[18:20])[0]
            hosts = frame[22:54]
        else:
            continue
        if end <= start:
            end = len(frame)
        ports, sequence = frame[start : start + 4], struct.unpack(">I", frame[start + 4 : start + 8])[0]
        data = frame[start + (frame[start + 12] >> 4) * 4 : end]
        if data:
            yield hosts + ports, sequence, data


def streams(path):
    pieces = {}
    for stream, sequence, data in segments(path):
        first, parts = pieces.setdefault(stream, (sequence, {}))
        place = (sequence - first + (1 << 31)) % (1 << 32) - (1 << 31)
        if len(data) > len(parts.get(place, b"")):
            parts[place] = data
    for first, parts in pieces.values():
        whole, reached = bytearray(), min(parts)
        for place in sorted(parts):
            data = parts[place]
            if place > reached:
                whole += b"\0" * (place - reached)
                reached = place
            whole += data[reached - place :]
            reached = max(reached, place + len(data))
        yield bytes(whole)


def ids(world):
    """Every 64-bit id in the parts of a data set."""
    found = set()
    for path in glob.glob(world + "/*-*.safetensors"):
        data = open(path, "rb").read()
        (length,) = struct.unpack("<Q", data[:8])
        for name, tensor in json.loads(data[8 : 8 + length]).items():
            if name != "__metadata__" and tensor["dtype"] == "U64":
                begin, end = (8 + length + offset for offset in tensor["data_offsets"])
                found.update(struct.unpack(f"<{(end - begin) // 8}Q", data[begin:end]))
    return found


def search(path, world, words):
    wanted = ids(world)
    everything = list(streams(path))
    whole = b"\0\0\0\0\0\0\0\0".join(everything)
    # Every window of 8 bytes, at any offset.
    windows = set()
    for offset in range(8):
        count = (len(whole) - offset) // 8
        windows.update(struct.unpack_from(f"<{count}Q", whole, offset))
    reverse = {struct.unpack(">Q", struct.pack("<Q", number))[0] for number in wanted}
    lower = whole.lower()
    result = {
        "streams": len(everything),
        "bytes": sum(len(stream) for stream in everything),
        "ids": len(wanted),
        "as sent": len(wanted & windows),
        "reversed": len(reverse & windows),
        "hexadecimal": sum(b"%016x" % number in lower for number in wanted),
        "decimal": sum(b"%d" % number in whole for number in wanted),
        "words": [word for word in words if word.lower().encode() in lower],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) >= 3 and sys.argv[1] == "record":
        record(sys.argv[2])
    elif len(sys.argv) >= 4 and sys.argv[1] == "search":
        search(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        sys.exit(__doc__)
