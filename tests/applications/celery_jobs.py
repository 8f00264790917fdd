"""Celery: lists, sorted sets and channels; late acknowledgement and a visibility timeout."""

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
    broker_transport_options={"visibility_timeout": 4, "socket_timeout": 10},
    result_backend_transport_options={"visibility_timeout": 4},
)


@app.task(bind=True, max_retries=5, name="job")
def job(self, number):
    try:
        jobs.do(FOLDER, number)
    except RuntimeError as error:
        raise self.retry(exc=error, countdown=0.2)


if MODE == "produce":
    jobs.produce(FOLDER, lambda number, delay: job.apply_async((number,), countdown=delay))
else:
    app.worker_main(["worker", "--pool=threads", "--concurrency=4", "--loglevel=WARNING"])
