"""Makes passwords.json: known answers for stored passwords, from Python's hashlib, which shares nothing with ours.

Run with Python 3:  python3 test/vectors/passwords.py > test/vectors/passwords.json
Every byte is fixed, so it writes the same file every time.

`stored` is what the service keeps of `password`: six chained calls of PBKDF2-HMAC-SHA-256 with 100,000 iterations, each
salted with the result of the one before it, or one call, as it was kept at first.
"""
import base64
import hashlib
import json

ITERATIONS = 100_000


def text(data):
    return base64.b64encode(data).decode()


def chained(password, salt, calls, iterations=ITERATIONS):
    result = salt
    for _ in range(calls):
        result = hashlib.pbkdf2_hmac('sha256', password.encode(), result, iterations)
    return result


def stored(password, salt, calls, cost):
    return f'pbkdf2-sha256${cost}${text(salt)}${text(chained(password, salt, calls))}'


# RFC 7914, section 11 (the first 32 bytes): right before it is believed.
assert chained('passwd', b'salt', 1, 1).hex() == '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc'

passwords = ['a password', 'correct horse battery staple', 'ü€😀 pass', 'x' * 200, ' with $ in it ']
vectors = []
for number, password in enumerate(passwords):
    salt = hashlib.sha256(str(number).encode()).digest()[:16]
    vectors.append({'password': password, 'stored': stored(password, salt, 6, '6x100000'), 'outdated': False})
    vectors.append({'password': password, 'stored': stored(password, salt, 1, '100000'), 'outdated': True})
print(json.dumps(vectors, indent=2, ensure_ascii=False))
