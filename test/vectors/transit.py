"""Makes transit.json: known ciphertexts of format 1, and ones that must not open, from an implementation that shares
nothing with ours.

HKDF is written here from RFC 5869 with Python's hmac; AES-256-GCM is that of the `cryptography` package (OpenSSL).
Run with Debian's python3 and python3-cryptography:  python3 test/vectors/transit.py > test/vectors/transit.json
Every byte is fixed, so it writes the same file every time.
"""
import hashlib
import hmac
import json
import struct
import uuid

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def hkdf(material, salt, info):
    """The first 32 bytes of HKDF-SHA-256, which are one block of its output."""
    pseudorandom = hmac.new(salt, material, hashlib.sha256).digest()
    return hmac.new(pseudorandom, info + b'\x01', hashlib.sha256).digest()


# RFC 5869, appendix A.1: this implementation is right before it is believed.
assert hkdf(b'\x0b' * 22, bytes(range(13)), bytes(range(0xf0, 0xfa))).hex() == (
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf')


def context(*fields):
    return b''.join(struct.pack('>I', len(field)) + field.encode() for field in fields)


INFO = context('portcullis', 'transit', '1', 'A256GCM')


def fixed(label, length):
    """Bytes that look random and are the same every time."""
    return hashlib.shake_256(b'portcullis transit answers: ' + label.encode()).digest(length)


def encrypt(key, identifier, version, salt, nonce, client_context, plaintext, form=1, algorithm=1):
    header = bytes([form]) + uuid.UUID(identifier).bytes + struct.pack('>I', version) + bytes([algorithm]) + salt + nonce
    return header + AESGCM(hkdf(key, salt, INFO)).encrypt(nonce, plaintext, header + client_context)


IDENTIFIER = '1a399372-2a2a-473e-956c-78456e815936'
OTHER = '32f1f299-2eaa-4654-88ca-07969cbd5186'


def valid():
    cases = [(16, 1, b'', b'hello'), (24, 2, b'', b''), (32, 3, b'context', fixed('message', 32)),
             (64, 4294967295, fixed('context', 300), fixed('long message', 1000)), (32, 1, b'\x00', b'\x00')]
    for number, (length, version, client_context, plaintext) in enumerate(cases):
        key = fixed(f'key {number}', length)
        yield {'key': key.hex(), 'id': IDENTIFIER, 'version': version, 'context': client_context.hex(),
               'plaintext': plaintext.hex(),
               'ciphertext': encrypt(key, IDENTIFIER, version, fixed(f'salt {number}', 12), fixed(f'nonce {number}', 12),
                                     client_context, plaintext).hex()}


def must_fail():
    key, salt, nonce, plaintext = fixed('failing key', 32), fixed('failing salt', 12), fixed('failing nonce', 12), b'hello'
    good = encrypt(key, IDENTIFIER, 1, salt, nonce, b'context', plaintext)
    yield 'a format that does not exist', encrypt(key, IDENTIFIER, 1, salt, nonce, b'context', plaintext, form=2)
    yield 'an algorithm that does not exist', encrypt(key, IDENTIFIER, 1, salt, nonce, b'context', plaintext, algorithm=2)
    yield 'the id of another secret', encrypt(key, OTHER, 1, salt, nonce, b'context', plaintext)
    yield 'the number of another version', encrypt(key, IDENTIFIER, 2, salt, nonce, b'context', plaintext)
    yield 'another key', encrypt(fixed('another key', 32), IDENTIFIER, 1, salt, nonce, b'context', plaintext)
    yield 'no context', encrypt(key, IDENTIFIER, 1, salt, nonce, b'', plaintext)
    yield 'a longer context', encrypt(key, IDENTIFIER, 1, salt, nonce, b'context\x00', plaintext)
    yield 'a shorter context', encrypt(key, IDENTIFIER, 1, salt, nonce, b'contex', plaintext)
    yield 'a tag without its last byte', good[:-1]
    yield 'a byte behind the tag', good + b'\x00'
    yield 'the header alone', good[:46]
    yield 'nothing', b''
    header, key_itself = good[:46], AESGCM(key)
    yield 'the stored key as an AES key', header + key_itself.encrypt(nonce, plaintext, header + b'context')
    yield 'a context that takes the place of the header', header + AESGCM(hkdf(key, salt, INFO)).encrypt(
        nonce, plaintext, b'context')


print(json.dumps({
    'valid': list(valid()),
    'mustFail': {
        'key': fixed('failing key', 32).hex(), 'id': IDENTIFIER, 'version': 1, 'context': b'context'.hex(),
        'ciphertexts': [{'what': what, 'ciphertext': ciphertext.hex()} for what, ciphertext in must_fail()],
    },
}, indent=1))
