#!/usr/bin/env bash
# Makes encrypted-keys.json with OpenSSL 3: private keys under the passphrase `secret`, by the iterations that it costs
# to open them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
openssl genpkey -quiet -algorithm ED25519 -out "$folder/plain"
encrypted() { # name, options of `pkcs8`
  openssl pkcs8 -topk8 -in "$folder/plain" -passout pass:secret -out "$folder/$1.pem" "${@:2}"
}
encrypted 2048
encrypted 600000 -iter 600000
encrypted 1000001 -iter 1000001
python3 - "$folder" > "$(dirname "$0")/encrypted-keys.json" <<'PYTHON'
import json, pathlib, sys
keys = {path.stem: path.read_text() for path in sorted(pathlib.Path(sys.argv[1]).glob('*.pem'))}
print(json.dumps({'source': 'encrypted-keys.sh, OpenSSL 3', 'passphrase': 'secret', 'keys': keys}, indent=2))
PYTHON
