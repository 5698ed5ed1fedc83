"""tally.py LOGS: prints how many test cases passed, failed and were skipped in the last `meson test`.

Meson's own summary counts programs. Its JUnit file has the cases, but shows a program that crashed after its last
case, or ran out of time, as passed; the JSON file has the verdict on each program.
"""
import glob
import json
import sys
import xml.etree.ElementTree as xml

junit, = glob.glob(sys.argv[1] + '/testlog*.junit.xml')
verdicts, = glob.glob(sys.argv[1] + '/testlog*.json')
suites = xml.parse(junit).findall('.//testsuite')
passed = failed = skipped = 0
for line in open(verdicts, encoding='utf-8'):
    program = json.loads(line)
    bad = program['result'] not in ('OK', 'EXPECTEDFAIL', 'SKIP')
    prefix = 'event-metrics.' + program['name'] + '.'
    cases = [case for suite in suites if suite.get('name').startswith(prefix) for case in suite.iter('testcase')]
    cases_failed = sum(case.find('failure') is not None for case in cases)
    cases_skipped = sum(case.find('skipped') is not None or case.get('status') == 'notrun' for case in cases)
    if bad and cases_failed == 0:
        failed += 1
    elif not cases:
        skipped += program['result'] == 'SKIP'
        passed += program['result'] != 'SKIP'
    failed += cases_failed
    skipped += cases_skipped
    passed += len(cases) - cases_failed - cases_skipped
print(passed, failed, skipped)
