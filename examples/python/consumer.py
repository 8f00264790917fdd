"""Works on messages in a group, and takes over what a consumer that crashed has left.

usage: consumer.py HOST:PORT STREAM CONSUMER        (pip install redis)

The work here is to append to the stream STREAM:done. A message may be given twice, to a second
consumer if the first is slow; then it is worked on twice, and the result is stored once.
"""

import sys
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

GROUP = "workers"
# A consumer that has not acknowledged a message after this many milliseconds counts as crashed.
CRASHED_AFTER = 1000
PASSING = ("NOTDURABLE", "MISCONF", "LOADING", "OOM", "EXECABORT")


def passes(error):
    unreachable = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.OutOfMemoryError)
    return isinstance(error, unreachable) or str(error).startswith(PASSING)


def prepare(r, stream):
    for name in (stream, stream + ":done"):
        try:
            r.xgroup_create(name, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
    # The client's xcfgset allows 300 s at most.
    window = ("IDMP-DURATION", 86400, "IDMP-MAXSIZE", 10000)
    r.execute_command("XCFGSET", stream + ":done", *window)


def work(r, stream, id, fields):
    """Result and acknowledgement are one transaction. The message's ID stores the result only once."""
    result = {"of": id, "text": fields["text"].upper()}
    with r.pipeline(transaction=True) as both:
        both.xadd(stream + ":done", result, idmp=(GROUP, id.encode()))
        both.xack(stream, GROUP, id)
        both.execute()


def main(address, stream, consumer):
    host, port = address.rsplit(":", 1)
    once = Retry(NoBackoff(), 0)
    r = redis.Redis(host, int(port), socket_timeout=5, retry=once, decode_responses=True)
    prepared = False
    while True:
        try:
            if not prepared:
                prepare(r, stream)
                prepared = True
            reply = r.xreadgroup(
                GROUP, consumer, {stream: ">"}, count=10, block=500,
                claim_min_idle_time=CRASHED_AFTER,
            )
            for _, entries in reply:
                for id, fields, *_ in entries:
                    work(r, stream, id, fields)
        except redis.RedisError as error:
            if not passes(error):
                raise
            # What was not acknowledged comes again, after CRASHED_AFTER.
            print(f"again: {error}", file=sys.stderr, flush=True)
            time.sleep(0.1)


main(*sys.argv[1:])
