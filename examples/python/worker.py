"""Prices orders, as one of several workers. No line here looks after workers that crash.

usage: worker.py HOST:PORT STREAM CONSUMER        (pip install redis)

The group does that: what a worker has held for too long goes to whoever reads next, and what was
tried too often to the stream STREAM:dead. redrive.py brings it back from there.
"""

import sys

import redis

GROUP = "workers"
RULES = {"CLAIM": 1000, "MAXDELIVERIES": 3}


def prepare(r, stream):
    for name in (stream, stream + ":done"):
        try:
            r.xgroup_create(name, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
    rules = [word for rule in RULES.items() for word in rule]
    r.execute_command("XGROUP", "SETCFG", stream, GROUP, *rules, "DEADLETTER", stream + ":dead")
    window = ("IDMP-DURATION", 86400, "IDMP-MAXSIZE", 10000)
    r.execute_command("XCFGSET", stream + ":done", *window)


def work(r, stream, id, order):
    price = r.get("price:" + order["item"])
    if price is None:
        raise LookupError("no price for " + order["item"])
    # One transaction, and the order's ID as the result's: a second worker's result is the same one.
    with r.pipeline(transaction=True) as both:
        both.xadd(stream + ":done", {**order, "price": price}, idmp=(GROUP, id.encode()))
        both.xack(stream, GROUP, id)
        both.execute()


def main(address, stream, consumer):
    host, port = address.rsplit(":", 1)
    r = redis.Redis(host, int(port), socket_timeout=5, decode_responses=True)
    prepare(r, stream)
    while True:
        for _, orders in r.xreadgroup(GROUP, consumer, {stream: ">"}, count=10, block=1000):
            for id, order in orders:
                try:
                    work(r, stream, id, order)
                except LookupError as why:
                    # It is not acknowledged, so it comes again, or goes to the dead letters.
                    print(f"{id}: {why}", file=sys.stderr, flush=True)


main(*sys.argv[1:])
