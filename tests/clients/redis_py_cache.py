"""Values that redis-py keeps for a client are dropped when another changes them.

usage: redis_py_cache.py PORT
"""

import sys
import time

import redis
from redis.cache import CacheConfig

PORT = int(sys.argv[1])

PATIENCE = 20  # seconds


def connect(cached):
    config = CacheConfig() if cached else None
    return redis.Redis(
        port=PORT, protocol=3, decode_responses=True, socket_timeout=PATIENCE, cache_config=config
    )


def reads(server):
    """How many reads of strings and hashes the server has run."""
    stats = server.info("commandstats")
    return sum(
        stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("get", "mget", "hgetall")
    )


def comes(read, expected):
    """A change is heard soon after the reply to the one who has made it."""
    deadline = time.monotonic() + PATIENCE
    while (found := read()) != expected:
        assert time.monotonic() < deadline, f"{found!r} is kept, and {expected!r} is there"


def is_kept(read, expected):
    """Read again and again, it is asked for once. What changed before may still be heard."""
    deadline = time.monotonic() + PATIENCE
    while True:
        assert read() == expected
        asked = reads(other)
        for _ in range(5):
            assert read() == expected
        if reads(other) == asked:
            return
        assert time.monotonic() < deadline, "it was asked for what the client keeps"


def kept_and_dropped(read, change, before, after):
    """What is read twice is asked for once, until another changes it."""
    is_kept(read, before)
    change()
    comes(read, after)
    # It keeps nothing of a key that is missing.
    if after is not None:
        is_kept(read, after)


client, other = connect(True), connect(False)
other.flushall()

other.set("k", "1")
kept_and_dropped(lambda: client.get("k"), lambda: other.set("k", "2"), "1", "2")
kept_and_dropped(lambda: client.get("k"), lambda: other.delete("k"), "2", None)
print("ok one key")

other.mset({"a": "1", "b": "2"})
kept_and_dropped(
    lambda: client.mget(["a", "b"]),
    lambda: other.incr("b"),
    ["1", "2"],
    ["1", "3"],
)
print("ok several keys")

other.hset("h", mapping={"f": "v"})
kept_and_dropped(
    lambda: client.hgetall("h"),
    lambda: other.hset("h", "f", "w"),
    {"f": "v"},
    {"f": "w"},
)
print("ok a hash")

other.set("k", "soon", px=30)
if client.get("k") is not None:
    comes(lambda: client.get("k"), None)
print("ok a key that expires")

other.mset({"k": "1", "a": "1"})
kept_and_dropped(
    lambda: client.get("k"),
    lambda: other.eval("redis.call('SET', KEYS[1], 2)", 1, "k"),
    "1",
    "2",
)
print("ok a script")

assert client.get("a") == "1" and client.get_cache().size > 0
other.flushall()
comes(lambda: client.get("a"), None)
print("ok all keys")
