# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a Python program: heap.py MIB. It reads documents of JSON, as a service does, keeps one of fifty of them,
and says "ready". It ends with its standard input. The same numbers in each run."""

import json
import random
import sys

DOCUMENT_BYTES = 7000
KEPT_ONE_IN = 50


def document(choice):
    items = [{"id": n, "name": "x" * choice.randrange(5, 60), "text": "y" * choice.randrange(1200)} for n in range(5)]
    return json.dumps({"items": items, "body": "z" * choice.randrange(600, 2000)})


def main(mib):
    choice = random.Random(1)
    texts = [document(choice) for _ in range(200)]
    documents = [json.loads(choice.choice(texts)) for _ in range((mib << 20) // DOCUMENT_BYTES)]
    kept = [one for one in documents if choice.randrange(KEPT_ONE_IN) == 0]
    documents.clear()
    print("ready", flush=True)
    sys.stdin.read()
    return kept


main(int(sys.argv[1]))
