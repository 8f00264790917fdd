"""huey: a list, and a sorted set for what is delayed. What a killed consumer was doing is lost by
design, so whoever hands in jobs does so again if one is not done in time."""

import logging

from huey import RedisHuey

import jobs

MODE, PORT, FOLDER = jobs.arguments()

huey = RedisHuey("jobs", port=PORT)


@huey.task(retries=5, retry_delay=1)
def job(number):
    jobs.do(FOLDER, number)


def send(number, delay):
    if delay:
        job.schedule((number,), delay=delay)
    else:
        job(number)


if MODE == "produce":
    jobs.produce(FOLDER, send)
    jobs.hand_in_again(FOLDER, send)
else:
    logging.basicConfig(level=logging.WARNING)
    consumer = huey.create_consumer(workers=4, periodic=False, scheduler_interval=1)
    consumer.run()
