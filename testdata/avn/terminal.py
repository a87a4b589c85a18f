"""Runs a command at a terminal of its own, and types what it asks for:

    terminal.py '[["PROMPT", "ANSWER"], …]' COMMAND…

An answer is typed when its prompt is shown, and not before: who asks for a
password throws away what was typed until then. What the terminal shows goes to
the standard output. The exit status is the command's, or 124 where it showed
nothing for half a minute, or 125 where it ended without asking for all.
"""
import json
import os
import pty
import select
import signal
import sys

PATIENCE = 30

answers = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])

shown, answered, late = b"", 0, False
while True:
    if not select.select([terminal], [], [], PATIENCE)[0]:
        os.kill(child, signal.SIGKILL)
        late = True
        break
    try:
        part = os.read(terminal, 4096)
    except OSError:  # what Linux says once the command has ended
        part = b""
    if not part:
        break
    shown += part
    if answers and (at := shown.find(answers[0][0].encode(), answered)) >= 0:
        answered = at + len(answers[0][0].encode())
        os.write(terminal, answers.pop(0)[1].encode() + b"\n")

status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.stdout.buffer.write(shown)
sys.exit(124 if late else 125 if answers else status)
