#!/usr/bin/env bash
# Makes certificate-requests.json with OpenSSL 3: requests that an authority must take, and ones that it must refuse.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
names='subjectAltName=DNS:server.example,DNS:*.server.example,IP:192.0.2.1,IP:2001:db8::1,email:admin@server.example,URI:https://server.example/'
request() { # name, key options, further options of `req`
  openssl genpkey -quiet -out "$folder/$1.key" $2
  openssl req -new -key "$folder/$1.key" -out "$folder/$1.pem" "${@:3}"
}
subject=(-subj /C=US/O=Example/CN=server.example)
request rsa '-algorithm RSA -pkeyopt rsa_keygen_bits:2048' "${subject[@]}" -addext "$names"
request pss '-algorithm RSA -pkeyopt rsa_keygen_bits:2048' "${subject[@]}" -sigopt rsa_padding_mode:pss
request p256 '-algorithm EC -pkeyopt ec_paramgen_curve:P-256' "${subject[@]}" -addext "$names"
request p384 '-algorithm EC -pkeyopt ec_paramgen_curve:P-384' "${subject[@]}" -sha384
request p521 '-algorithm EC -pkeyopt ec_paramgen_curve:P-521' "${subject[@]}" -sha512
request ed25519 '-algorithm ED25519' "${subject[@]}"
request authority '-algorithm EC -pkeyopt ec_paramgen_curve:P-256' "${subject[@]}" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign
request short '-algorithm RSA -pkeyopt rsa_keygen_bits:1024' "${subject[@]}"
request exponent '-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3' "${subject[@]}"
request sha1 '-algorithm RSA -pkeyopt rsa_keygen_bits:2048' "${subject[@]}" -sha1
request md5 '-algorithm RSA -pkeyopt rsa_keygen_bits:2048' "${subject[@]}" -md5
request secp256k1 '-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1' "${subject[@]}"
request otherName '-algorithm ED25519' "${subject[@]}" -addext 'subjectAltName=otherName:1.2.3.4;UTF8:x'
request nobody '-algorithm ED25519' -subj /
# The signature of one request under the content of another with a key of the same kind.
python3 - "$folder" > "$(dirname "$0")/certificate-requests.json" <<'PYTHON'
import base64, json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
requests = {path.stem: path.read_text() for path in sorted(folder.glob('*.pem'))}
def der(pem): return base64.b64decode(''.join(pem.strip().splitlines()[1:-1]))
def pem(der): 
    text = base64.b64encode(der).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return '\n'.join(['-----BEGIN CERTIFICATE REQUEST-----', *lines, '-----END CERTIFICATE REQUEST-----', ''])
changed = der(requests['rsa']).replace(b'Example', b'Exemple', 1)
requests['changed'] = pem(changed)
print(json.dumps({'source': 'certificate-requests.sh, OpenSSL 3', 'requests': requests}, indent=2))
PYTHON
