"""Celery: lists, sorted sets and channels; late acknowledgement and a visibility timeout. A job that
has failed is forgotten if the server goes while it is sent again, so the producer looks for that."""

from celery import Celery

import jobs

MODE, PORT, FOLDER = jobs.arguments()

app = Celery("jobs", broker=f"redis://127.0.0.1:{PORT}/0", backend=f"redis://127.0.0.1:{PORT}/1")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"visibility_timeout": 1, "socket_timeout": 10},
    result_backend_transport_options={"visibility_timeout": 1},
)


@app.task(bind=True, max_retries=5, name="job")
def job(self, number):
    try:
        jobs.do(FOLDER, number)
    except RuntimeError as error:
        raise self.retry(exc=error, countdown=0.2)


def send(number, delay):
    job.apply_async((number,), countdown=delay)


if MODE == "produce":
    jobs.produce(FOLDER, send)
    jobs.hand_in_again(FOLDER, send)
else:
    # Celery looks for what was not acknowledged when it starts, and then every 100 seconds.
    jobs.end_with_server(PORT)
    app.worker_main(["worker", "--pool=threads", "--concurrency=4", "--loglevel=WARNING"])
