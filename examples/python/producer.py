"""Sends each line of a file as a message, until every one of them is in the stream, exactly once.

usage: producer.py HOST:PORT STREAM FILE        (pip install redis)

The file's name is the producer's ID, and the number of a line its idempotent ID: both are the same
after a crash. FILE.sent has how many lines are acknowledged; a restart goes on from there.
"""

import os
import sys
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# Errors that pass: nothing is known to be stored, so sending again is right.
PASSING = ("NOTDURABLE", "MISCONF", "LOADING", "OOM")


def passes(error):
    unreachable = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.OutOfMemoryError)
    return isinstance(error, unreachable) or str(error).startswith(PASSING)


def until_acknowledged(request):
    pause = 0.05
    while True:
        try:
            return request()
        except redis.RedisError as error:
            if not passes(error):
                raise
            print(f"again in {pause} s: {error}", file=sys.stderr, flush=True)
        time.sleep(pause)
        pause = min(2 * pause, 2.0)


def prepare(r, stream):
    """Creates the stream, which remembers a day of messages and the last 10000 of a producer."""
    try:
        r.xgroup_create(stream, "workers", id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
    # This spelling forgets nothing if the stream is set up like this already; the client's xcfgset
    # allows 300 s at most.
    r.execute_command("XCFGSET", stream, "IDMP-DURATION", 86400, "IDMP-MAXSIZE", 10000)


def main(address, stream, path):
    host, port = address.rsplit(":", 1)
    once = Retry(NoBackoff(), 0)  # until_acknowledged does it
    r = redis.Redis(host, int(port), socket_timeout=5, retry=once, decode_responses=True)
    until_acknowledged(lambda: prepare(r, stream))
    producer, note = os.path.basename(path), path + ".sent"
    sent = int(open(note).read()) if os.path.exists(note) else 0
    for number, line in enumerate(open(path), start=1):
        if number <= sent:
            continue
        message, iid = {"text": line.rstrip("\n")}, str(number).encode()
        id = until_acknowledged(lambda: r.xadd(stream, message, idmp=(producer, iid)))
        print(number, id, flush=True)
        with open(note + ".new", "w") as new:
            new.write(str(number))
        os.replace(note + ".new", note)


main(*sys.argv[1:])
