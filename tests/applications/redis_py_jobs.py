"""redis-py: a stream with a group; a script moves what is due from a sorted set into the stream."""

import os
import time

import redis

import jobs

with open(os.path.join(os.path.dirname(__file__), "move.lua")) as file:
    MOVE = file.read()


def group(client):
    try:
        client.xgroup_create("jobs", "workers", id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def work(client, folder):
    group(client)
    move = client.register_script(MOVE)
    name = f"worker-{os.getpid()}"
    while True:
        try:
            move(keys=["delayed", "jobs"], args=[time.time()])
            claimed = client.xautoclaim("jobs", "workers", name, min_idle_time=1000, count=5)[1]
            read = client.xreadgroup("workers", name, {"jobs": ">"}, count=5, block=200)
            for entry, fields in claimed + [one for _, some in read or [] for one in some]:
                number = int(fields[b"number"])
                try:
                    jobs.do(folder, number)
                except RuntimeError:
                    continue  # it stays pending, and is claimed later
                with client.pipeline(transaction=True) as both:
                    both.xack("jobs", "workers", entry)
                    both.publish("finished", number)
                    both.execute()
        except redis.ConnectionError as error:
            print(f"again: {error!r}", flush=True)
            time.sleep(0.1)


def main():
    mode, port, folder = jobs.arguments()
    client = redis.Redis(port=port)

    def send(number, delay):
        if delay:
            client.zadd("delayed", {number: time.time() + delay})
        else:
            client.xadd("jobs", {"number": number})

    if mode == "produce":
        jobs.produce(folder, send)
    else:
        work(client, folder)


if __name__ == "__main__":
    main()
