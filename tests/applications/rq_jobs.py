"""RQ: a process for each job, retries, and a scheduler for delayed jobs."""

from datetime import timedelta

from redis import Redis
from rq import Queue, Retry, Worker

import jobs


def job(folder, number):
    jobs.do(folder, number)


def main():
    mode, port, folder = jobs.arguments()
    connection = Redis(port=port)
    queue = Queue("jobs", connection=connection, default_timeout=5)

    def send(number, delay):
        retry = Retry(max=5)
        if delay:
            queue.enqueue_in(timedelta(seconds=delay), "rq_jobs.job", folder, number, retry=retry)
        else:
            queue.enqueue("rq_jobs.job", folder, number, retry=retry)

    if mode == "produce":
        jobs.produce(folder, send)
    else:
        worker = Worker([queue], connection=connection, maintenance_interval=5, worker_ttl=10,
                        job_monitoring_interval=1)
        worker.work(with_scheduler=True)


if __name__ == "__main__":
    main()
