"""dramatiq: everything by one Lua script, with heartbeats of workers."""

import logging
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

import jobs

MODE, PORT, FOLDER = jobs.arguments()

broker = RedisBroker(
    url=f"redis://127.0.0.1:{PORT}/0", heartbeat_timeout=3000, maintenance_chance=100_000
)
dramatiq.set_broker(broker)


@dramatiq.actor(max_retries=10, min_backoff=200, max_backoff=500)
def job(number):
    jobs.do(FOLDER, number)


def send(number, delay):
    job.send_with_options(args=(number,), delay=int(delay * 1000) if delay else None)


if MODE == "produce":
    jobs.produce(FOLDER, send)
else:
    logging.basicConfig(level=logging.WARNING)
    worker = dramatiq.Worker(broker, worker_threads=4)
    worker.start()
    # A delayed message that is being moved when the server goes stays with this worker until it
    # ends.
    jobs.end_with_server(PORT)
    while True:
        time.sleep(1)
