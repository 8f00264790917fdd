"""Gives the dead letters of a group back to it, once the reason is mended.

usage: redrive.py HOST:PORT STREAM        (pip install redis)

Each letter is back in the group or still in STREAM:dead, whenever this stops. So after an error,
run it again.
"""

import sys

import redis


def main(address, stream):
    host, port = address.rsplit(":", 1)
    r = redis.Redis(host, int(port), socket_timeout=5, decode_responses=True)
    start, count = "0-0", 0
    while True:
        # A call takes a part of them, and says where the next one goes on.
        start, back = r.execute_command(
            "XREDRIVE", stream + ":dead", stream, "GROUP", "workers", "START", start
        )
        count += len(back)
        if start == "0-0":
            break
    print(f"{count} are back")


main(*sys.argv[1:])
