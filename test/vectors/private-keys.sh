#!/usr/bin/env bash
# Makes private-keys.json with OpenSSL 3 and OpenSSH: private keys in every form that users store, base64 of the files.
# Encrypted ones are under the passphrase `secret`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
new() { openssl genpkey -quiet -out "$1" "${@:2}"; }
new rsa.pem -algorithm RSA -pkeyopt rsa_keygen_bits:2048
new ec.pem -algorithm EC -pkeyopt ec_paramgen_curve:P-256
new ed25519.pem -algorithm ED25519
new x25519.pem -algorithm X25519
new short.pem -algorithm RSA -pkeyopt rsa_keygen_bits:1024
new exponent.pem -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3
new secp256k1.pem -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1
new pss.pem -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
openssl dsaparam -noout -genkey -out dsa-generated.pem 1024 2> log
openssl pkey -in dsa-generated.pem -traditional -out dsa-traditional.pem
openssl pkcs8 -topk8 -nocrypt -in dsa-generated.pem -out dsa.pem
rm dsa-generated.pem
openssl rsa -in rsa.pem -traditional -out rsa-pkcs1.pem 2> log
openssl rsa -in rsa.pem -traditional -aes256 -passout pass:secret -out rsa-pkcs1-encrypted.pem 2> log
openssl ec -in ec.pem -out ec-sec1.pem 2> log
openssl ec -in ec.pem -aes128 -passout pass:secret -out ec-sec1-encrypted.pem 2> log
{ openssl ecparam -name prime256v1; cat ec-sec1.pem; } > ec-sec1-parameters.pem
openssl ec -in ec.pem -no_public -outform DER -out ec-sec1-private-only.der 2> log
encrypted() { openssl pkcs8 -topk8 -in rsa.pem -passout pass:secret -out "rsa-$1.pem" "${@:2}"; }
encrypted pbkdf2
encrypted triple-des -v2 des3
encrypted sha1 -v2prf hmacWithSHA1
encrypted scrypt -scrypt
encrypted camellia -v2 camellia-256-cbc
encrypted pkcs12 -v1 PBE-SHA1-3DES
encrypted md5 -v1 PBE-MD5-DES -provider legacy -provider default
for file in rsa ec ed25519 rsa-pbkdf2 rsa-scrypt dsa; do openssl asn1parse -noout -in "$file.pem" -out "$file-pkcs8.der"; done
openssl asn1parse -noout -in rsa-pkcs1.pem -out rsa-pkcs1.der
openssl asn1parse -noout -in ec-sec1.pem -out ec-sec1.der
openssl pkey -in rsa.pem -pubout -out public.pem
openssl pkey -in rsa.pem -pubout -outform DER -out public.der
ssh-keygen -q -t ed25519 -N '' -C '' -f openssh.pem
rm openssh.pem.pub log
cd - > /dev/null
python3 - "$folder" > "$(dirname "$0")/private-keys.json" <<'PYTHON'
import base64, json, pathlib, sys
keys = {path.name: base64.b64encode(path.read_bytes()).decode() for path in sorted(pathlib.Path(sys.argv[1]).iterdir())}
print(json.dumps({'source': 'private-keys.sh, OpenSSL 3 and OpenSSH', 'passphrase': 'secret', 'keys': keys}, indent=2))
PYTHON
