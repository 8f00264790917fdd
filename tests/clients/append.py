"""Appends one message without an idempotent ID, as redis-py does it by itself. usage: append.py PORT"""

import sys

import redis

r = redis.Redis(port=int(sys.argv[1]))
try:
    r.xadd("s", {"f": "v"})
    print("acknowledged")
except redis.ConnectionError as error:
    print(f"lost: {error}")
