"""redis-py in a group of servers: it finds the leader, and goes on when another one leads.

`PROGRAM sentinel|cluster GROUP PORT,PORT,… FIRST PACE`: the name of the group, where its servers
listen, the number of the first of four producers, and the pause between two appends in milliseconds.
One producer appends by itself, the other three in pipelines; a consumer reads and acknowledges. What
the servers have answered is printed, a line each:

    appended PRODUCER MESSAGE ID
    acknowledged STREAM ID
    again ERROR

It ends when its input does. The same client objects are used all the time.
"""

import sys
import threading
import time

import redis
from redis.cluster import ClusterNode, RedisCluster
from redis.sentinel import Sentinel

MODE, GROUP = sys.argv[1:3]
PORTS = [int(port) for port in sys.argv[3].split(",")]
FIRST, PACE = int(sys.argv[4]), int(sys.argv[5]) / 1000

# Whoever is paused answers nothing, so nobody is waited for longer than this.
TIMEOUTS = {"socket_timeout": 2, "socket_connect_timeout": 1}

# A request that is still not answered then is lost.
PATIENCE = 60

saying = threading.Lock()
stop = threading.Event()


def say(line):
    with saying:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def connect():
    if MODE == "cluster":
        nodes = [ClusterNode("127.0.0.1", port) for port in PORTS]
        return RedisCluster(startup_nodes=nodes, decode_responses=True, **TIMEOUTS)
    nodes = [("127.0.0.1", port) for port in PORTS]
    sentinel = Sentinel(nodes, sentinel_kwargs=TIMEOUTS, decode_responses=True, **TIMEOUTS)
    return sentinel.master_for(GROUP)


def insist(request):
    """Asks again until there is an answer: nobody knows what became of a request without one."""
    deadline = time.time() + PATIENCE
    while True:
        try:
            return request()
        except redis.RedisError as error:
            if time.time() > deadline:
                raise
            text = " ".join(repr(error).split())
            say(f"again {text}")
            time.sleep(0.02)


def append(producer, message):
    """The raw command, since its reply says the same to a retry."""
    fields = ["producer", producer, "message", message]
    return ["XADD", stream(), "IDMP", f"p{producer}", message, "*", *fields]


def stream():
    return f"s{FIRST // 4 % 4}"


def produce(client):
    message = 0
    while not stop.is_set():
        entry = insist(lambda: client.execute_command(*append(FIRST, message)))
        say(f"appended {FIRST} {message} {entry}")
        message += 1
        time.sleep(PACE)


def produce_in_pipelines(client):
    """Each producer has one append on its way, so that a part of a pipeline can be sent again."""
    producers, message = range(FIRST + 1, FIRST + 4), 0

    def send():
        pipeline = client.pipeline(transaction=False)
        for producer in producers:
            pipeline.execute_command(*append(producer, message))
        return pipeline.execute()

    while not stop.is_set():
        for producer, entry in zip(producers, insist(send)):
            say(f"appended {producer} {message} {entry}")
        message += 1
        time.sleep(PACE)


def consume(client):
    consumer, after = f"redis-py-{FIRST}", "0"
    while not stop.is_set():
        reads = {stream(): after}
        read = insist(lambda: client.xreadgroup("workers", consumer, reads, count=20, block=500))
        # RESP3 has a map here, and a list within.
        read = [entries for _, entries in read] if isinstance(read, list) else list(read.values())
        entries = read[0] if read else []
        if entries and isinstance(entries[0], list):
            entries = entries[0]
        ids = [entry for entry, _ in entries]
        if not ids:
            # What was delivered before is done; a reply that was lost leaves something there.
            after = ">" if after == "0" else "0"
            continue
        insist(lambda: client.xack(stream(), "workers", *ids))
        for entry in ids:
            say(f"acknowledged {stream()} {entry}")


client = insist(connect)
work = [produce, produce_in_pipelines, consume]
threads = [threading.Thread(target=part, args=[client]) for part in work]
for thread in threads:
    thread.start()
sys.stdin.read()
stop.set()
for thread in threads:
    thread.join()
