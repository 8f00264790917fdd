"""The jobs that every application here does, and the notes by which they are accounted for.

A program is called `PROGRAM produce PORT FOLDER` to hand in all jobs, and `PROGRAM work PORT FOLDER`
to do them until it is killed. FOLDER holds the notes: `tried` has a line when a job is begun, `done`
one when it is finished, and `due` says when a delayed job may be done at the earliest.
"""

import os
import sys
import threading
import time

import redis

COUNT = 200
DELAY = 1.0
"""Seconds by which a delayed job is put off."""


def arguments():
    """What is to be done, the server's port, and the folder of the notes."""
    return sys.argv[1], int(sys.argv[2]), sys.argv[3]


def is_delayed(number):
    return number % 20 == 7


def fails_at_first(number):
    return number % 10 == 3


def note(folder, name, number, when):
    line = f"{number} {when:.3f}\n".encode()
    file = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def do(folder, number):
    """Does a job. One in ten fails the first time."""
    note(folder, "tried", number, time.time())
    if fails_at_first(number):
        try:
            os.close(os.open(os.path.join(folder, f"failed-{number}"), os.O_CREAT | os.O_EXCL))
            raise RuntimeError(f"job {number} fails the first time")
        except FileExistsError:
            pass
    time.sleep(0.02)
    note(folder, "done", number, time.time())


def hand_in(send, number, delay):
    """Hands in a job, again and again until the server has taken it."""
    deadline = time.time() + 60
    while True:
        try:
            return send(number, delay)
        except Exception as error:  # each library has its own kind for a lost connection
            if time.time() > deadline:
                raise
            print(f"job {number} again: {error!r}", flush=True)
            time.sleep(0.1)


def produce(folder, send):
    """Hands in all jobs. `send` gets a number and a delay in seconds, or none."""
    for number in range(COUNT):
        delay = DELAY if is_delayed(number) else None
        if delay:
            note(folder, "due", number, time.time() + delay)
        hand_in(send, number, delay)
        time.sleep(0.01)


def done(folder):
    """The jobs that are done."""
    try:
        with open(os.path.join(folder, "done")) as lines:
            return {int(line.split()[0]) for line in lines}
    except FileNotFoundError:
        return set()


def hand_in_again(folder, send):
    """Waits until all jobs are done. Those that are missing when nothing has happened for a while are
    handed in once more: for applications that forget a job when a worker or the server dies at the
    wrong moment."""
    while missing := set(range(COUNT)) - done(folder):
        time.sleep(4)
        if missing == set(range(COUNT)) - done(folder):
            for number in missing:
                hand_in(send, number, None)


def end_with_server(port):
    """Ends this program when another server has taken the place of the one that is there, so that
    whoever looks after it starts it again."""

    def watch():
        client, first = redis.Redis(port=port), None
        while True:
            try:
                now = client.info("server")["run_id"]
                if first not in (None, now):
                    os._exit(1)
                first = now
            except redis.ConnectionError:
                pass
            time.sleep(0.5)

    threading.Thread(target=watch, daemon=True).start()
