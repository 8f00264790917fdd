"""Calls a service that may be down, and tries again later: after 0.2 s, then 0.4 s, and so on.

usage: retry.py HOST:PORT STREAM CONSUMER        (pip install redis)

The retry is there before the attempt: an entry that comes into the stream when its time has come,
and is taken back if the attempt was good. So it comes as well if the program, or the machine, is
gone in the middle; nobody has to look for what was left.
"""

import sys

import redis

GROUP = "callers"
# Longer than a call takes, or a job is tried again while it is still worked on.
FIRST_PAUSE_MS = 200


def prepare(r, stream):
    for name in (stream, stream + ":done"):
        try:
            r.xgroup_create(name, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
    # For jobs that were read when a program was killed, and not yet put off.
    r.execute_command("XGROUP", "SETCFG", stream, GROUP, "CLAIM", 500)


def call(job, tried):
    """Stands for the service, which is down for the first attempts of some jobs."""
    return tried >= int(job["down"])


def attempt(r, stream, id, job):
    tried = int(job.get("tried", 0))
    later = [word for field in {**job, "tried": tried + 1}.items() for word in field]
    with r.pipeline(transaction=True) as put_off:
        once = ("IDMP", GROUP, id, "DELAY", FIRST_PAUSE_MS << tried)
        put_off.execute_command("XADD", stream, *once, "*", *later)
        put_off.xack(stream, GROUP, id)
        ticket, acknowledged = put_off.execute()
    # Who acknowledges a job has it: another one may have claimed it meanwhile.
    if acknowledged and call(job, tried):
        with r.pipeline(transaction=True) as done:
            done.xadd(stream + ":done", {"job": job["job"]}, idmp=(GROUP, job["job"].encode()))
            done.execute_command("XUNDELAY", stream, ticket)
            done.execute()


def main(address, stream, consumer):
    host, port = address.rsplit(":", 1)
    r = redis.Redis(host, int(port), socket_timeout=5, decode_responses=True)
    prepare(r, stream)
    while True:
        for _, jobs in r.xreadgroup(GROUP, consumer, {stream: ">"}, count=1, block=1000):
            for id, job in jobs:
                attempt(r, stream, id, job)


main(*sys.argv[1:])
