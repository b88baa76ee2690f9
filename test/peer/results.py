"""Reads a Subunit v2 stream from standard input and prints one JSON object for every test that ended.

Members: `name` (without Tempest's attribute list), `outcome` (`passed`, `failed` or `skipped`), `reason`.
A test that started but never ended counts as failed.
"""
import json
import re
import sys

import subunit
import testtools

OUTCOMES = {'success': 'passed', 'xfail': 'passed', 'skip': 'skipped'}
LONGEST_REASON = 600


def reason_of(details):
    """Returns the reason of a skip, or the text after the last frame of the traceback."""
    if 'reason' in details:
        return details['reason'].as_text().strip()
    texts = [content.as_text() for name, content in details.items() if name.startswith('traceback')]
    if not texts:
        return ''
    lines = texts[-1].rstrip().split('\n')
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    below = lines[frames[-1] + 1:] if frames else lines
    return ' '.join(line.strip() for line in below if not line.startswith('    '))[:LONGEST_REASON]


def show(test):
    if test['status'] == 'exists' or test['id'] is None:
        return
    outcome = OUTCOMES.get(test['status'], 'failed')
    name = re.sub(r'\[.*\]', '', test['id'])
    reason = '' if outcome == 'passed' else reason_of(test['details']) or test['status']
    print(json.dumps({'name': name, 'outcome': outcome, 'reason': reason}), flush=True)


result = testtools.StreamToDict(show)
result.startTestRun()
try:
    subunit.ByteStreamToStreamResult(sys.stdin.buffer, non_subunit_name='stdout').run(result)
finally:
    result.stopTestRun()
