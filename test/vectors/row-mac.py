"""Makes row-mac.json: known answers for the MACs of rows, from an implementation that shares nothing with ours.

HKDF is written here from RFC 5869 with Python's hmac. Run with Debian's python3:
python3 test/vectors/row-mac.py > test/vectors/row-mac.json
Every byte is fixed, so it writes the same file every time.
"""
import base64
import hashlib
import hmac
import json
import struct


def hkdf(material, info, length=32, salt=b''):
    pseudorandom = hmac.new(salt or bytes(32), material, hashlib.sha256).digest()
    output, block, counter = b'', b'', 1
    while len(output) < length:
        block = hmac.new(pseudorandom, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
        counter += 1
    return output[:length]


# RFC 5869, appendix A.3.
assert hkdf(b'\x0b' * 22, b'', 42).hex() == (
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8')


def context(*fields):
    parts = [field.encode() for field in fields]
    return b''.join(struct.pack('>I', len(part)) + part for part in parts)


def encoded(value):
    if isinstance(value, bool):
        return 'b1' if value else 'b0'
    if isinstance(value, int):
        return f'i{value}'
    if isinstance(value, bytes):
        return 'x' + base64.b64encode(value).decode()
    return 's' + value


def mac(material, project, table, row):
    key = hkdf(material, context('portcullis', 'row-key', '1', project))
    fields = ['portcullis', 'row', '1', table]
    for name in sorted(row):
        if row[name] is not None:
            fields += [name, encoded(row[name])]
    # As JSON.stringify writes it: no spaces, and characters beyond ASCII as they are.
    message = json.dumps(fields, separators=(',', ':'), ensure_ascii=False).encode()
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


MATERIAL = bytes(range(32))
PROJECT = '2de76e8ac02b4320b092bae394159437'
ROWS = [
    (PROJECT, 'secrets', {'id': '32f1f299-2eaa-4654-88ca-07969cbd5186', 'name': 'Lučić "1"', 'bitLength': 256,
                          'expiration': None, 'sealed': True, 'aclProjectAccess': False}),
    (PROJECT, 'secrets', {'id': '32f1f299-2eaa-4654-88ca-07969cbd5186'}),
    (PROJECT, 'containers', {'id': '32f1f299-2eaa-4654-88ca-07969cbd5186'}),
    ('', 'identityUsers', {'id': '2de76e8ac02b4320b092bae394159437', 'name': '', 'tokenEpoch': 0}),
    ('', 'certificateAuthorities', {'root': bytes(range(5)), 'generation': -1}),
]


def written(value):
    return {'bytes': list(value)} if isinstance(value, bytes) else value


print(json.dumps({
    'material': MATERIAL.hex(),
    'rows': [{
        'project': project,
        'table': table,
        'row': {name: written(value) for name, value in row.items()},
        'mac': mac(MATERIAL, project, table, row),
    } for project, table, row in ROWS],
}, indent=2, ensure_ascii=False))
