"""Makes envelope.json: known answers for the stored formats, from an implementation that shares nothing with ours.

HKDF is written here from RFC 5869 with Python's hmac; AES-256-GCM is that of the `cryptography` package (OpenSSL).
Run with Debian's python3 and python3-cryptography:  python3 test/vectors/envelope.py > test/vectors/envelope.json
Every byte is fixed, so it writes the same file every time.
"""
import base64
import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def hkdf(material, info, length=32, salt=b''):
    pseudorandom = hmac.new(salt or bytes(32), material, hashlib.sha256).digest()
    output, block, counter = b'', b'', 1
    while len(output) < length:
        block = hmac.new(pseudorandom, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
        counter += 1
    return output[:length]


# RFC 5869, appendix A.1 and A.3: this implementation is right before it is believed.
assert hkdf(b'\x0b' * 22, bytes(range(0xf0, 0xfa)), 42, bytes(range(13))).hex() == (
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
assert hkdf(b'\x0b' * 22, b'', 42).hex() == (
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8')


def context(*fields):
    parts = [field.encode() for field in fields]
    return b''.join(struct.pack('>I', len(part)) + part for part in parts)


def fixed(label, length):
    """Bytes that look random and are the same every time."""
    return hashlib.shake_256(b'portcullis known answers: ' + label.encode()).digest(length)


def seal(key, version, project, kind, identifier, nonce, plaintext):
    info = context('portcullis', 'value', '1', project, kind, identifier, str(version))
    return b'\x01' + struct.pack('>I', version) + nonce + AESGCM(hkdf(key, info)).encrypt(nonce, plaintext, info)


def wrap(master, master_id, project, store, version, nonce, key):
    info = context('portcullis', 'project-key', '1', project, store, str(version))
    name = master_id.encode()
    return b'\x01' + bytes([len(name)]) + name + nonce + AESGCM(hkdf(master, info)).encrypt(nonce, key, info)


def sealed_vectors():
    places = [
        ('2de76e8ac02b4320b092bae394159437', 'payload', '32f1f299-2eaa-4654-88ca-07969cbd5186', 1, b'hello'),
        ('2de76e8ac02b4320b092bae394159437', 'payload', '32f1f299-2eaa-4654-88ca-07969cbd5186', 1, b''),
        ('2de76e8ac02b4320b092bae394159437', 'passphrase', '32f1f299-2eaa-4654-88ca-07969cbd5186', 1, b'hello'),
        ('2de76e8ac02b4320b092bae394159437', 'payload', '32f1f299-2eaa-4654-88ca-07969cbd5186', 4294967295, b'hello'),
        ('2de76e8ac02b4320b092bae394159437', 'payload', '1a399372-2a2a-473e-956c-78456e815936', 2, fixed('key', 32)),
        ('Projekt \u00fc \U0001f511', 'payload', '1a399372-2a2a-473e-956c-78456e815936', 7, fixed('large', 1000)),
        ('', '', '', 0, b'\x00'),
    ]
    for number, (project, kind, identifier, version, plaintext) in enumerate(places):
        key, nonce = fixed(f'project key {number}', 32), fixed(f'nonce {number}', 12)
        yield {
            'projectKey': key.hex(), 'version': version, 'project': project, 'kind': kind, 'id': identifier,
            'plaintext': plaintext.hex(),
            'sealed': seal(key, version, project, kind, identifier, nonce, plaintext).hex(),
        }


def wrapped_vectors():
    rings = [('primary', 'p1', 'first-store', 1), ('2026-11', 'p2', 'second-store', 3), ('m' * 64, 'Projekt \u00fc', 's', 9)]
    for number, (master_id, project, store, version) in enumerate(rings):
        master, key = fixed(f'master key {number}', 32), fixed(f'wrapped project key {number}', 32)
        other = fixed(f'other master key {number}', 32)
        identifier, plaintext = 'a secret', fixed(f'plaintext {number}', 40)
        yield {
            'masterKeys': f'new:{base64.b64encode(other).decode()},{master_id}:{base64.b64encode(master).decode()}',
            'masterKeyId': master_id, 'project': project, 'store': store, 'version': version,
            'wrapped': wrap(master, master_id, project, store, version, fixed(f'wrapping nonce {number}', 12), key).hex(),
            'id': identifier, 'plaintext': plaintext.hex(),
            'sealed': seal(key, version, project, 'payload', identifier, fixed(f'sealing nonce {number}', 12),
                           plaintext).hex(),
        }


def signing_vectors():
    for number, (purpose, epoch) in enumerate([('tokens', 0), ('something else', 0), ('', 0), ('tokens', 7)]):
        master, message = fixed(f'signing master key {number}', 32), fixed(f'message {number}', 50)
        key = hkdf(master, context('portcullis', 'signing', purpose, str(epoch)))
        yield {
            'masterKeys': f'm:{base64.b64encode(master).decode()}', 'masterKeyId': 'm', 'purpose': purpose,
            'tokenEpoch': epoch,
            'message': message.hex(), 'mac': hmac.new(key, message, hashlib.sha256).hexdigest(),
        }


print(json.dumps({
    'sealed': list(sealed_vectors()), 'wrapped': list(wrapped_vectors()), 'signing': list(signing_vectors()),
}, indent=1))
