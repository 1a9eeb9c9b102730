"""Judges the sandbox by AWS's own client and models, as a stranger: python judge.py [--ports-file FILE]

Without a ports file it starts a sandbox of its own from TEST_SANDBOX_BIN. Prints a line for each check that failed and
ends with the count; exits 1 if any failed.
"""

import argparse
import json
import os
import pathlib
import sys

import doubt
import dynamodb
import errors
import identity_store
import organizations
import s3
import sandbox
import sso_admin
from judgement import Judgement

SUITES = [doubt, organizations, identity_store, sso_admin, dynamodb, s3, errors]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ports-file", type=pathlib.Path, help="of a sandbox that runs already")
    arguments.add_argument("--only", choices=[suite.__name__ for suite in SUITES], help="one suite")
    options = arguments.parse_args()
    suites = [suite for suite in SUITES if options.only in (None, suite.__name__)]
    if options.ports_file:
        return judged(json.loads(options.ports_file.read_text()), suites)
    binary = os.environ.get("TEST_SANDBOX_BIN", "target/debug/sandbox")
    if not os.path.exists(binary):
        raise SystemExit(f"there is no sandbox at {binary}: build it, or set TEST_SANDBOX_BIN")
    with sandbox.started(binary) as addresses:
        return judged(addresses, suites)


def judged(addresses, suites):
    judgement = Judgement(addresses["aws"], addresses["control"])
    for suite in suites:
        suite.judge(judgement)
    return judgement.close()


if __name__ == "__main__":
    sys.exit(main())
