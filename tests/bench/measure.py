"""Runs commands in turn (A B A B …) and prints what each run cost, as JSON.

    measure.py ROUNDS '["argv", "of", "A"]' '["argv", "of", "B"]' …

Deno can't ask the kernel what a finished program used; wait4(2) can. Every
command runs once before, uncounted. Each must end with code 0.
"""

import json
import os
import sys
import time


def cost(argv):
    start = time.monotonic()
    pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
    ])
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        sys.exit(f"measure: {argv} ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss,
    }


rounds = int(sys.argv[1])
commands = [json.loads(text) for text in sys.argv[2:]]
for command in commands:
    cost(command)
costs = [[cost(command) for command in commands] for _ in range(rounds)]
print(json.dumps(costs))
