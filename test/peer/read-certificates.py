"""Parses certificates with pyca/cryptography, whose parser is stricter than openssl's: read-certificates.py FILE

FILE is JSON, a list of {"pem": ..., "subject": [[{"type": ..., "text": ...}, ...], ...]}; the subject is optional.
Fails with a traceback at the first certificate that it cannot parse, warns about, or parses to another subject.
"""

import json
import pathlib
import sys
import warnings

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

warnings.simplefilter('error')


def subject_of(certificate):
    return [sorted((each.oid.dotted_string, each.value) for each in part) for part in certificate.subject.rdns]


def read(pem, subject=None):
    certificate = x509.load_pem_x509_certificate(pem.encode())
    # The library parses these lazily, when they are accessed.
    assert certificate.version is x509.Version.v3 and certificate.serial_number > 0
    assert certificate.issuer.rdns and certificate.not_valid_before < certificate.not_valid_after
    certificate.public_key()
    extensions = {each.oid: each for each in certificate.extensions}
    assert x509.BasicConstraints.oid in extensions and x509.KeyUsage.oid in extensions
    if subject is not None:
        wanted = [sorted((each['type'], each['text']) for each in part) for part in subject]
        assert subject_of(certificate) == wanted, (subject_of(certificate), wanted)
        assert not extensions[x509.BasicConstraints.oid].value.ca
        assert not extensions[x509.KeyUsage.oid].value.key_cert_sign
    assert x509.load_der_x509_certificate(certificate.public_bytes(Encoding.DER)) == certificate


def main():
    certificates = json.loads(pathlib.Path(sys.argv[1]).read_text())
    for each in certificates:
        read(**each)
    print(f'ok {len(certificates)} certificates parsed by pyca/cryptography')


if __name__ == '__main__':
    main()
