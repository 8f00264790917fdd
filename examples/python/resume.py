"""Sends each line of a file as a message, exactly once, and keeps no note of where it is.

usage: resume.py HOST:PORT STREAM FILE        (pip install redis)

The number of a line is its idempotent ID, and the file's name the producer's ID. The stream knows
the last number of each producer for as long as it exists. So after a crash, or after any error
that passes, the program asks where it stands, and goes on behind that.
"""

import os
import sys
import time

import redis

# Errors that pass: nothing is known to be stored.
PASSING = ("NOTDURABLE", "MISCONF", "LOADING", "OOM")


def prepare(r, stream):
    try:
        r.xgroup_create(stream, "workers", id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
    # Where this is set already, it changes nothing. With gaps refused, no line can be left out.
    r.execute_command("XCFGSET", stream, "IDMP-MODE", "MONOTONE", "IDMP-GAPS", "ERROR")


def send(r, stream, path):
    prepare(r, stream)
    producer = os.path.basename(path)
    last = r.execute_command("XIDMPLAST", stream, producer)
    sent = int(last[0]) if last else 0
    for number, line in enumerate(open(path), start=1):
        if number > sent:
            r.xadd(stream, {"text": line.rstrip("\n")}, idmp=(producer, str(number).encode()))
            print(number, flush=True)


def main(address, stream, path):
    host, port = address.rsplit(":", 1)
    r = redis.Redis(host, int(port), socket_timeout=5, decode_responses=True)
    while True:
        try:
            return send(r, stream, path)
        except redis.RedisError as error:
            unreachable = isinstance(error, (redis.ConnectionError, redis.TimeoutError))
            if not unreachable and not str(error).startswith(PASSING):
                raise
            print(f"again: {error}", file=sys.stderr, flush=True)
            time.sleep(0.1)


main(*sys.argv[1:])
