"""Makes tokens.json: known answers for tokens, from an implementation that shares nothing with ours.

HKDF (RFC 5869) and HS256 (RFC 7515, RFC 7518) are written here with Python's hmac, hashlib, base64 and json.
Run with Python 3:  python3 test/vectors/tokens.py > test/vectors/tokens.json
Every byte is fixed, so it writes the same file every time.

accepted: signing the claims gives exactly this token, and reading the token at `now` gives the claims.
refused:  reading the token at `now` gives nothing; all but those about signatures are signed with the right key.
"""
import base64
import hashlib
import hmac
import json
import struct


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip('=')


def hkdf_sha256(material, info):
    pseudorandom = hmac.new(bytes(32), material, hashlib.sha256).digest()
    return hmac.new(pseudorandom, info + b'\x01', hashlib.sha256).digest()


def jws(header, payload, key, digest=hashlib.sha256):
    signed = base64url(header) + '.' + base64url(payload)
    return signed + '.' + base64url(hmac.new(key, signed.encode(), digest).digest())


# RFC 5869, appendix A.3 (the first 32 bytes), and RFC 7515, appendix A.1: right before it is believed.
assert hkdf_sha256(b'\x0b' * 22, b'').hex() == '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d'
assert jws(
    b'{"typ":"JWT",\r\n "alg":"HS256"}',
    b'{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}',
    base64.urlsafe_b64decode(
        'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=='),
) == (
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.'
    'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.'
    'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')


def fixed(label, length):
    """Bytes that look random and are the same every time."""
    return hashlib.shake_256(b'portcullis known answers: ' + label.encode()).digest(length)


def context(*fields):
    parts = [field.encode() for field in fields]
    return b''.join(struct.pack('>I', len(part)) + part for part in parts)


def signing_key(master, purpose='tokens', epoch='3'):
    return hkdf_sha256(master, context('portcullis', 'signing', purpose, epoch))


def compact(value):
    return json.dumps(value, separators=(',', ':')).encode()


MASTER_KEYS = {'tokens-2026': fixed('tokens master key', 32), 'older.key': fixed('tokens older master key', 32)}
PRIMARY = 'tokens-2026'
EPOCH = 3
KEY = signing_key(MASTER_KEYS[PRIMARY])
KID = f'{PRIMARY}/{EPOCH}'
HEADER = {'alg': 'HS256', 'typ': 'portcullis+jwt', 'kid': KID}

NOW = '2026-11-22T00:16:00.000000'
ISSUED, EXPIRES = '2026-11-22T00:15:50.123000', '2026-11-22T01:15:50.123000'
# date -u -d '2026-11-22T00:15:50' +%s
IAT = 1795306550.123
EXP = 1795310150.123


def identifier(label):
    return fixed(label, 16).hex()


def audit_id(label):
    return base64url(fixed(label, 16))


USER, PROJECT, CREDENTIAL = identifier('user'), identifier('project'), identifier('credential')
ROLES = [identifier(f'role {number}') for number in range(20)]
PAYLOAD = {
    'iss': 'portcullis', 'aud': 'portcullis', 'sub': USER, 'jti': audit_id('own'), 'iat': IAT, 'exp': EXP,
    'methods': ['password'], 'epoch': 7, 'roles': ROLES[:3], 'project': PROJECT,
}
CLAIMS = {
    'userId': USER, 'tokenEpoch': 7, 'methods': ['password'], 'auditIds': [audit_id('own')], 'projectId': PROJECT,
    'roleIds': ROLES[:3], 'credentialId': None, 'issued': ISSUED, 'expires': EXPIRES,
}


def without(members, *names):
    return {name: value for name, value in members.items() if name not in names}


def token(header=HEADER, payload=PAYLOAD, key=KEY, digest=hashlib.sha256):
    return jws(compact(header), compact(payload), key, digest)


def accepted():
    def vector(name, payload, claims):
        return {'name': name, 'claims': claims, 'token': token(payload=payload), 'now': NOW}

    yield vector('of a user with three roles in a project', PAYLOAD, CLAIMS)
    yield vector(
        'got with another token',
        {**without(PAYLOAD, 'project'), 'methods': ['token', 'password'], 'first': audit_id('first'),
         'project': PROJECT},
        {**CLAIMS, 'methods': ['token', 'password'], 'auditIds': [audit_id('own'), audit_id('first')]})
    yield vector(
        'of an application credential, with 20 roles',
        {**PAYLOAD, 'methods': ['application_credential'], 'roles': ROLES, 'credential': CREDENTIAL},
        {**CLAIMS, 'methods': ['application_credential'], 'roleIds': ROLES, 'credentialId': CREDENTIAL})
    yield vector(
        'without a project, at whole seconds',
        {**without(PAYLOAD, 'project'), 'iat': 1795306550, 'exp': 1795310150, 'epoch': 0, 'roles': []},
        {**CLAIMS, 'tokenEpoch': 0, 'roleIds': [], 'projectId': None, 'issued': '2026-11-22T00:15:50.000000',
         'expires': '2026-11-22T01:15:50.000000'})


def refused_headers():
    unsigned = base64url(compact({**HEADER, 'alg': 'none'})) + '.' + base64url(compact(PAYLOAD)) + '.'
    yield 'alg none without a signature', unsigned
    yield 'alg none with the signature of another token', unsigned + token().split('.')[2]
    for alg in ['none', 'None', '', 'hs256', 'HS384', 'HS512', 'RS256', 'ES256', 'dir', None, 256, ['HS256']]:
        yield f'alg {json.dumps(alg)} with HMAC-SHA-256', token({**HEADER, 'alg': alg})
    yield 'HS384', token({**HEADER, 'alg': 'HS384'}, digest=hashlib.sha384)
    yield 'HS512', token({**HEADER, 'alg': 'HS512'}, digest=hashlib.sha512)
    yield 'HS256 with HMAC-SHA-512', token(digest=hashlib.sha512)
    yield 'no alg', token(without(HEADER, 'alg'))
    for kid in ['unknown', 'unknown/3', '', '/3', '__proto__', '__proto__/3', 'constructor', KID.upper(), f' {KID}', None,
                1, [KID], PRIMARY, f'{PRIMARY}/', f'{PRIMARY}/2', f'{PRIMARY}/4', f'{PRIMARY}/03', f'{PRIMARY}/3.0',
                f'{PRIMARY}/3/3', f'{PRIMARY}/-3', f'{PRIMARY}/3 ']:
        yield f'kid {json.dumps(kid)}', token({**HEADER, 'kid': kid})
    yield 'no kid', token(without(HEADER, 'kid'))
    yield 'kid of another master key', token({**HEADER, 'kid': 'older.key/3'})
    for epoch in ['2', '4', '']:
        key = signing_key(MASTER_KEYS[PRIMARY], epoch=epoch)
        yield f'kid and key of epoch {json.dumps(epoch)}', token({**HEADER, 'kid': f'{PRIMARY}/{epoch}'}, key=key)
        yield f'key of epoch {json.dumps(epoch)} under the kid of this one', token(key=key)
    yield 'key of no epoch', token(
        key=hkdf_sha256(MASTER_KEYS[PRIMARY], context('portcullis', 'signing', 'tokens')))
    yield 'no typ', token(without(HEADER, 'typ'))
    for typ in ['JWT', 'at+jwt', 'portcullis', '', None, 1]:
        yield f'typ {json.dumps(typ)}', token({**HEADER, 'typ': typ})
    own_key = {'kty': 'oct', 'k': base64url(bytes(32))}
    yield 'a key of its own in the header', token({**without(HEADER, 'kid'), 'jwk': own_key}, key=bytes(32))
    yield 'crit that nobody knows', token({**HEADER, 'crit': ['x'], 'x': 1})
    yield 'a payload without encoding', token({**HEADER, 'crit': ['b64'], 'b64': False})
    for text in [b'', b'{}', b'[]', b'null', b'"HS256"', b'{', b'\xff', b'\xef\xbb\xbf' + compact(HEADER)[:-1]]:
        yield f'header {text!r}', jws(text, compact(PAYLOAD), KEY)


def refused_payloads():
    odd = {
        'iss': ['', 'Portcullis', 'keystone', None, ['portcullis']],
        'aud': ['', 'Portcullis', 'keystone', None, ['portcullis'], ['keystone']],
        'sub': ['', USER.upper(), USER[:-1], USER + '0', USER + '\n', None, 1, [USER]],
        'jti': ['', audit_id('own')[:-1], audit_id('own') + 'A', audit_id('own')[:-1] + 'B', '+' * 21 + 'A', None, 1],
        'iat': [-1, 253402300800, IAT + 0.0001, 1e300, '1795306550', None],
        'exp': [-1, 0, 253402300800, EXP + 0.0001, 1e300, '1795310150', None, True],
        'methods': [[], ['x'], ['password', 'password'], 'password', None, {}, [['password']]],
        'epoch': [-1, 0.5, 2 ** 53, '7', None, True],
        'roles': [[''], [ROLES[0].upper()], ROLES[0], None, {}, [1], [[ROLES[0]]]],
        'project': ['', PROJECT[:-1], PROJECT.upper(), None, 1],
        'first': ['', audit_id('first')[:-1], audit_id('first') + 'A', None],
        'credential': ['', CREDENTIAL[:-1], CREDENTIAL.upper(), None],
    }
    for name, values in odd.items():
        for value in values:
            yield f'{name} {json.dumps(value)}', token(payload={**PAYLOAD, name: value})
    for name in ['iss', 'aud', 'sub', 'jti', 'iat', 'exp', 'methods', 'epoch', 'roles']:
        yield f'no {name}', token(payload=without(PAYLOAD, name))
    yield 'nbf in the future', token(payload={**PAYLOAD, 'nbf': EXP})
    yield 'nbf in the past, which no token has', token(payload={**PAYLOAD, 'nbf': IAT})
    yield 'a claim that no token has', token(payload={**PAYLOAD, 'admin': True})
    yield 'expired before it was issued', token(payload={**PAYLOAD, 'exp': IAT - 1})
    for text in [b'', b'{}', b'[]', b'null', b'"x"', b'1', compact(PAYLOAD)[:-1], compact([PAYLOAD]), b'\xff',
                 compact(PAYLOAD)[:-1] + b',"x":"\xff"}', compact(PAYLOAD) + b'x']:
        yield f'payload {text if len(text) < 20 else text[-12:]!r} of {len(text)} bytes', jws(compact(HEADER), text, KEY)


def refused_signatures():
    good = token()
    said, signature = good.rsplit('.', 1)
    yield 'signed with the master key itself', token(key=MASTER_KEYS[PRIMARY])
    yield 'signed for another purpose', token(key=signing_key(MASTER_KEYS[PRIMARY], 'something else'))
    yield 'signed with an empty key', token(key=b'')
    yield 'signed with 32 zeros', token(key=bytes(32))
    yield 'no signature', said + '.'
    yield 'no signature and no dot', said
    yield 'a signature of zeros', said + '.' + base64url(bytes(32))
    yield 'half a signature', said + '.' + base64url(base64.urlsafe_b64decode(signature + '=')[:16])
    yield 'a signature with a byte more', said + '.' + base64url(base64.urlsafe_b64decode(signature + '=') + b'\0')
    yield 'signed over the decoded parts', said + '.' + base64url(
        hmac.new(KEY, compact(HEADER) + b'.' + compact(PAYLOAD), hashlib.sha256).digest())

    alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    last = alphabet.index(signature[-1])
    assert last % 4 == 0
    for unused in [1, 2, 3]:
        yield f'unused bits {unused} of the signature', good[:-1] + alphabet[last + unused]
    for name, end in [('padding', '='), ('more padding', '=='), ('a space', ' '), ('a line break', '\n'), ('a tab', '\t'),
                      ('a dot', '.'), ('two dots', '..'), ('a zero byte', '\0')]:
        yield f'{name} at the end', good + end
        yield f'{name} at the start', end + good
    yield 'white space in the signature', said + '.' + signature[:10] + ' ' + signature[10:]
    others = (token(payload={**PAYLOAD, 'epoch': epoch}).rsplit('.', 1) for epoch in range(1000))
    said_too, with_both = next(parts for parts in others if '-' in parts[1] and '_' in parts[1])
    yield 'the alphabet of base64', said_too + '.' + with_both.replace('-', '+').replace('_', '/')
    for place, part in enumerate(good.split('.')):
        parts = good.split('.')
        parts[place] = part + '=' * (-len(part) % 4 or 4)
        yield f'padding of part {place}', '.'.join(parts)
        parts[place] = ''
        yield f'part {place} empty', '.'.join(parts)
    header, payload = good.split('.')[:2]
    yield 'payload and header exchanged', f'{payload}.{header}.{signature}'
    yield 'the payload of another token', '.'.join(
        [header, base64url(compact({**PAYLOAD, 'roles': ROLES[:4]})), signature])
    yield 'four parts', f'{header}.{payload}.{payload}.{signature}'
    yield 'five parts, as of an encrypted token', f'{header}..{payload}.{payload}.{signature}'
    yield 'the flattened serialization', compact(
        {'protected': header, 'payload': payload, 'signature': signature}).decode()


def refused():
    good = token()
    for name, now in [('expired just now', EXPIRES), ('expired in the same second', '2026-11-22T01:15:50.123001'),
                      ('expired long ago', '2999-01-01T00:00:00.000000')]:
        yield {'name': name, 'token': good, 'now': now}
    for names in [refused_headers(), refused_payloads(), refused_signatures()]:
        for name, text in names:
            assert text != good, name
            yield {'name': name, 'token': text, 'now': NOW}


ring = ','.join(f'{name}:{base64.b64encode(key).decode()}' for name, key in MASTER_KEYS.items())
print(json.dumps({'masterKeys': ring, 'tokenEpoch': EPOCH, 'accepted': list(accepted()), 'refused': list(refused())}, indent=1))
