"""arq: jobs in a sorted set, taken with WATCH and MULTI."""

import asyncio

from arq import Retry, create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

import jobs


async def job(context, number):
    try:
        await asyncio.to_thread(jobs.do, context["folder"], number)
    except RuntimeError as error:
        raise Retry(defer=0.2) from error


async def produce(settings, folder):
    pool = await create_pool(settings)
    loop = asyncio.get_running_loop()

    def send(number, delay):
        sent = pool.enqueue_job("job", number, _job_id=f"job-{number}", _defer_by=delay)
        asyncio.run_coroutine_threadsafe(sent, loop).result()

    await asyncio.to_thread(jobs.produce, folder, send)


def main():
    mode, port, folder = jobs.arguments()
    settings = RedisSettings(port=port, conn_retries=100, conn_retry_delay=0.1)
    if mode == "produce":
        asyncio.run(produce(settings, folder))
    else:
        Worker(
            [job], redis_settings=settings, ctx={"folder": folder}, job_timeout=1, max_jobs=4,
            max_tries=10, poll_delay=0.1, handle_signals=False,
        ).run()


if __name__ == "__main__":
    main()
