"""budget.py PROGRAM FOLDER COMPILER: counts the instructions of each call by Callgrind, and fails when one takes too many.

The loop and the virtual call are part of it; what a call takes is the difference between many of them and few, by their
number. Callgrind counts what a processor would do, so that the numbers are the same on every machine.
"""
import os
import platform
import shutil
import subprocess
import sys

beyond_an_empty_call = {'cells': 85, 'ring': 85, 'other': 230}  # a success; failures and errors no more than that
beyond_an_empty_call['invalid'] = 2 * beyond_an_empty_call['other']  # of an attacker, another URL each time
# A success into the ring, by how the URL is written; no more where it is a copy, which lies elsewhere in each call.
of_a_shape = {'https': 85, 'http': 85, 'port': 85, 'upper case': 85, 'IPv6': 85, 'many paths': 85, 'query': 85,
    'short': 110, 'host of 45': 130, 'host of 62': 130, 'user info': 190}
for shape, most in of_a_shape.items():
    beyond_an_empty_call[shape + ' in place'] = beyond_an_empty_call[shape + ' copied'] = most
most_of_a_task = 30
skip = 77

program, folder, compiler = sys.argv[1:]
if compiler != 'gcc':  # Clang keeps less in registers where a call does not end with its first guess
    for what, most in beyond_an_empty_call.items():
        if most != 85 and what != 'invalid':
            beyond_an_empty_call[what] = most * 1.3
if shutil.which('valgrind') is None:
    print('skipped: there is no valgrind')
    sys.exit(skip)
if platform.machine() != 'x86_64':
    print('skipped: the budget is one of x86-64 instructions')
    sys.exit(skip)

os.makedirs(folder, exist_ok=True)
for old in os.listdir(folder):
    os.remove(os.path.join(folder, old))
counts = os.path.join(folder, 'counts')
ran = subprocess.run(['valgrind', '--quiet', '--tool=callgrind', '--callgrind-out-file=' + counts,
    '--collect-atstart=no', '--toggle-collect=counted_*', '--dump-after=end_of_measurement', program],
    stdout=subprocess.PIPE, check=True, encoding='utf-8')


def instructions(number):
    """Of the dump with this number; they begin with 1."""
    with open('%s.%d' % (counts, number), encoding='utf-8') as dump:
        for line in dump:
            if line.startswith('summary:'):
                return int(line.split()[1])
    raise ValueError('no summary in dump %d' % number)


# Of each call the first line has few and the second many; the dump before them is of nothing.
lines = ran.stdout.splitlines()
cost = {}
for i in range(0, len(lines), 2):
    what, call, few = lines[i].rsplit(' ', 2)
    same, again, many = lines[i + 1].rsplit(' ', 2)
    assert (what, call) == (same, again) and int(few) < int(many), lines
    cost[what, call] = (instructions(i + 3) - instructions(i + 2)) / (int(many) - int(few))


def limit(what, call):
    if call == 'active_task':
        return most_of_a_task
    return cost['nothing', call] + beyond_an_empty_call[what] if call == 'success' else cost[what, 'success']


assert {what for what, call in cost} == {'nothing', *beyond_an_empty_call}, cost
bad = 0
for (what, call), taken in cost.items():
    if what == 'nothing':
        continue
    empty, most = cost['nothing', call], limit(what, call)
    good = empty < taken <= most  # what takes no more than nothing has not been counted
    bad += not good
    print('%-19s %-12s %5.1f instructions, at most %5.1f; an empty call takes %4.1f%s' %
        (what, call, taken, most, empty, '' if good else ': FAILED'))
sys.exit(bad != 0)
