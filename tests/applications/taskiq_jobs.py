"""taskiq: jobs in a stream with a group; what a dead worker had is claimed by another. A job that has
failed is forgotten if the server goes while it is sent again, so the producer looks for that."""

import asyncio
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone

from taskiq import SimpleRetryMiddleware, TaskiqScheduler
from taskiq_redis import ListRedisScheduleSource, RedisAsyncResultBackend, RedisStreamBroker

import jobs

FOLDER = os.environ.get("JOBS_FOLDER") or sys.argv[3]
URL = f"redis://127.0.0.1:{os.environ.get('JOBS_PORT') or sys.argv[2]}"

broker = (
    RedisStreamBroker(URL, idle_timeout=2000, unacknowledged_lock_timeout=2)
    .with_result_backend(RedisAsyncResultBackend(URL, result_ex_time=60))
    .with_middlewares(SimpleRetryMiddleware(default_retry_count=5))
)
source = ListRedisScheduleSource(URL)
scheduler = TaskiqScheduler(broker, [source])


@broker.task(retry_on_error=True, task_name="job")
async def job(number):
    await asyncio.to_thread(jobs.do, FOLDER, number)


async def produce():
    await broker.startup()
    loop = asyncio.get_running_loop()

    async def hand_in(number, delay):
        if delay:
            when = datetime.now(timezone.utc) + timedelta(seconds=delay)
            await job.schedule_by_time(source, when, number)
        else:
            await job.kiq(number)

    def send(number, delay):
        asyncio.run_coroutine_threadsafe(hand_in(number, delay), loop).result()

    await asyncio.to_thread(jobs.produce, FOLDER, send)
    await asyncio.to_thread(jobs.hand_in_again, FOLDER, send)
    await broker.shutdown()


def main():
    mode, port, folder = jobs.arguments()
    if mode == "produce":
        asyncio.run(produce())
        return
    environment = {**os.environ, "JOBS_PORT": str(port), "JOBS_FOLDER": folder}

    def start(*arguments):
        command = [sys.executable, "-m", "taskiq", *arguments]
        return subprocess.Popen(command, env=environment, cwd=os.path.dirname(__file__))

    programs = [
        start("worker", "taskiq_jobs:broker", "--workers", "1", "--max-async-tasks", "4"),
        start("scheduler", "taskiq_jobs:scheduler", "--update-interval", "1"),
    ]
    # The end of one is the end of all, so that whoever looks after this starts both again.
    while all(program.poll() is None for program in programs):
        try:
            programs[0].wait(0.2)
        except subprocess.TimeoutExpired:
            pass
    for program in programs:
        program.kill()
    sys.exit(1)


if __name__ == "__main__":
    main()
