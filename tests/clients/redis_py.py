"""Stream work through redis-py, in RESP2 and RESP3. usage: redis_py.py PORT [beyond] [ca=FILE]

With the certificate of an authority, by TLS.
"""

import sys
import threading
import time

import redis

PORT = int(sys.argv[1])
BEYOND = "beyond" in sys.argv[2:]  # the server has what Redis has after 8.6
CA = next((arg[3:] for arg in sys.argv[2:] if arg.startswith("ca=")), None)


def connect(protocol):
    tls = {"ssl": True, "ssl_ca_certs": CA} if CA else {}
    return redis.Redis(
        port=PORT, protocol=protocol, decode_responses=True, socket_timeout=20, **tls
    )


def entries(reply):
    """The entries of one stream out of a reply to XREAD or XREADGROUP, in either protocol."""
    if not reply:
        return []
    streams = reply.values() if isinstance(reply, dict) else [found for _, found in reply]
    (found,) = streams
    # redis-py wraps the entries of a stream once more in RESP3.
    if found and isinstance(found[0], list):
        (found,) = found
    return found


def appending(r):
    ids = [r.xadd("s", {"n": n}) for n in range(5)]
    assert ids == sorted(ids, key=lambda id: tuple(map(int, id.split("-")))), ids
    assert r.xlen("s") == 5
    assert [fields["n"] for _, fields in r.xrange("s")] == list("01234")
    assert [id for id, _ in r.xrevrange("s", count=2)] == ids[:2:-1]
    assert r.xrange("s", min=f"({ids[3]}") == [(ids[4], {"n": "4"})]
    assert r.xtrim("s", maxlen=2, approximate=False) == 3
    assert r.xdel("s", ids[3]) == 1
    assert r.xadd("missing", {"f": "v"}, nomkstream=True) is None
    info = r.xinfo_stream("s")
    assert info["length"] == 1 and info["entries-added"] == 5, info
    assert info["max-deleted-entry-id"] == ids[3] and info["last-entry"][0] == ids[4], info


def pipelines(r):
    with r.pipeline(transaction=False) as pipe:
        for n in range(500):
            pipe.xadd("s", {"n": n})
        ids = pipe.execute()
    assert len(set(ids)) == 500 and r.xlen("s") == 500
    assert len(entries(r.xread({"s": ids[399]}, count=1000))) == 100


def groups(r):
    r.xgroup_create("s", "g", id="0", mkstream=True)
    ids = [r.xadd("s", {"n": n}) for n in range(6)]
    first = entries(r.xreadgroup("g", "alice", {"s": ">"}, count=4))
    assert [id for id, _ in first] == ids[:4]
    assert r.xack("s", "g", ids[0]) == 1
    summary = r.xpending("s", "g")
    assert summary["pending"] == 3 and summary["min"] == ids[1], summary
    listed = r.xpending_range("s", "g", min="-", max="+", count=10, consumername="alice")
    assert [(p["message_id"], p["times_delivered"]) for p in listed] == [(id, 1) for id in ids[1:4]]
    claimed = r.xclaim("s", "g", "bob", min_idle_time=0, message_ids=[ids[1]])
    assert [id for id, _ in claimed] == [ids[1]]
    assert r.xdel("s", ids[2]) == 1
    cursor, taken, deleted = r.xautoclaim("s", "g", "bob", min_idle_time=0, start_id="0-0", count=10)
    assert cursor == "0-0" and [id for id, _ in taken] == [ids[1], ids[3]] and deleted == [ids[2]]
    assert [id for id, _ in entries(r.xreadgroup("g", "bob", {"s": "0"}))] == [ids[1], ids[3]]
    assert entries(r.xreadgroup("g", "alice", {"s": "0"})) == []
    again = entries(r.xreadgroup("g", "alice", {"s": ">"}, count=1, claim_min_idle_time=0))
    assert again[0][0] in (ids[1], ids[3]) and len(again[0]) == 4, again
    (group,) = r.xinfo_groups("s")
    assert group["name"] == "g" and group["consumers"] == 2 and group["lag"] == 2, group
    assert {c["name"] for c in r.xinfo_consumers("s", "g")} == {"alice", "bob"}
    full = r.xinfo_stream("s", full=True)
    assert full["groups"][0]["name"] == "g" and len(full["entries"]) == 5, full
    assert r.xackdel("s", "g", ids[1], "9-9", ref_policy="DELREF") == [1, -1]
    assert r.xdelex("s", ids[4], ref_policy="ACKED") == [2]
    r.xgroup_delconsumer("s", "g", "bob")
    assert [c["name"] for c in r.xinfo_consumers("s", "g")] == ["alice"]
    assert r.xgroup_destroy("s", "g") == 1


def blocking(r):
    def append():
        other = connect(2)
        deadline = time.monotonic() + 20
        while other.info("clients")["blocked_clients"] == 0 and time.monotonic() < deadline:
            time.sleep(0.002)
        other.xadd("s", {"woken": "yes"})
        other.close()

    r.xgroup_create("s", "g", mkstream=True)
    for read in (
        lambda: r.xread({"s": "$"}, block=20_000),
        lambda: r.xreadgroup("g", "alice", {"s": ">"}, block=20_000, count=10),
    ):
        helper = threading.Thread(target=append)
        helper.start()
        reply = entries(read())
        helper.join()
        assert reply[-1][1] == {"woken": "yes"}, reply
        r.xreadgroup("g", "alice", {"s": ">"})
    assert not r.xread({"s": "$"}, block=10)


def transactions(r):
    with r.pipeline(transaction=True) as pipe:
        pipe.xadd("s", {"n": 1}, id="1-1").xadd("s", {"n": 2}, id="1-2").xlen("s").set("k", "v")
        assert pipe.execute() == ["1-1", "1-2", 2, True]
    with r.pipeline() as pipe:
        pipe.watch("k")
        connect(2).set("k", "other")
        pipe.multi()
        pipe.set("k", "mine")
        try:
            pipe.execute()
        except redis.WatchError:
            pass
        else:
            raise AssertionError("a watched key was changed")
    assert r.get("k") == "other"
    with r.pipeline(transaction=True) as pipe:
        pipe.set("k", "v").xadd("k", {"n": 1}).get("k")
        replies = pipe.execute(raise_on_error=False)
        assert isinstance(replies[1], redis.ResponseError) and replies[2] == "v", replies


def idempotence(r):
    first = r.xadd("s", {"order": 1}, idmp=("p", b"i1"))
    assert r.xadd("s", {"order": 1}, idmp=("p", b"i1")) == first
    assert r.xadd("s", {"order": 1}, idmp=("q", b"i1")) != first
    auto = r.xadd("s", {"a": 1, "b": 2}, idmpauto="p")
    assert r.xadd("s", {"b": 2, "a": 1}, idmpauto="p") == auto
    info = r.xinfo_stream("s")
    assert info["pids-tracked"] == 2 and info["iids-added"] == 3 and info["iids-duplicates"] == 2, info
    assert r.xcfgset("s", idmp_duration=300, idmp_maxsize=1000)
    assert r.xinfo_stream("s")["idmp-duration"] == 300
    assert r.xlen("s") == 3


def strings(r):
    assert r.set("k", "v", ex=100, get=True) is None and 0 < r.ttl("k") <= 100
    assert r.set("k", "w", ifeq="x") is None and r.set("k", "w", ifeq="v")
    assert r.mget("k", "x") == ["w", None] and r.incrby("n", 5) == 5 and r.getdel("k") == "w"
    assert sorted(r.scan_iter(match="*")) == ["n"]


def errors(r):
    r.set("k", "v")
    for command in ("XADD k * f v", "XINFO STREAM missing", "NOPE"):
        try:
            r.execute_command(*command.split())
        except redis.ResponseError:
            continue
        raise AssertionError(f"no error: {command}")


def beyond(r):
    r.xgroup_create("s", "g", id="0", mkstream=True)
    ids = [r.xadd("s", {"n": n}) for n in range(3)]
    assert len(entries(r.xreadgroup("g", "alice", {"s": ">"}, max_count=2, max_size=1_000_000))) == 2
    assert r.xnack("s", "g", "FAIL", ids[0]) == 1
    back = entries(r.xreadgroup("g", "bob", {"s": ">"}, count=1, claim_min_idle_time=100_000))
    assert back[0][0] == ids[0], back
    assert len(entries(r.xread({"s": "0"}, max_count=1))) == 1


for protocol in (2, 3):
    works = [appending, pipelines, groups, blocking, transactions, idempotence, strings, errors]
    for work in works + ([beyond] if BEYOND else []):
        client = connect(protocol)
        client.flushall()
        work(client)
        client.close()
        print(f"ok RESP{protocol} {work.__name__}")
