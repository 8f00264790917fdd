"""Calls a service that may be down. A call that failed is the group's to repeat, later each time.

usage: backoff.py HOST:PORT STREAM CONSUMER        (pip install redis)

The group gives a job that came back again after 0.1 s, then 0.2 s, and so on, and one whose caller
was killed after half a second. Consumers that are gone for good leave the list by themselves.
"""

import sys

import redis

GROUP = "callers"
RULES = ("CLAIM", 500, "BACKOFF", 100, 2000, "JITTER", 20, "IDLECONSUMERS", 2000)


def prepare(r, stream):
    for name in (stream, stream + ":done"):
        try:
            r.xgroup_create(name, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
    r.execute_command("XGROUP", "SETCFG", stream, GROUP, *RULES)


def call(r, job):
    """Stands for the service, which is down for the first calls of some jobs."""
    return r.incr("calls:" + job["job"]) > int(job["down"])


def attempt(r, stream, id, job):
    if not call(r, job):
        r.execute_command("XNACK", stream, GROUP, "FAIL", "IDS", 1, id)
        return
    with r.pipeline(transaction=True) as both:
        both.xadd(stream + ":done", {"job": job["job"]}, idmp=(GROUP, id.encode()))
        both.xack(stream, GROUP, id)
        both.execute()


def main(address, stream, consumer):
    host, port = address.rsplit(":", 1)
    r = redis.Redis(host, int(port), socket_timeout=5, decode_responses=True)
    prepare(r, stream)
    while True:
        for _, jobs in r.xreadgroup(GROUP, consumer, {stream: ">"}, count=1, block=1000):
            for id, job in jobs:
                attempt(r, stream, id, job)


main(*sys.argv[1:])
