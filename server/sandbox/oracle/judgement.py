"""What has been judged so far, and the clients whose every response is judged."""

import contextlib
import json
import sys
import time
import urllib.error
import urllib.request

import boto3
import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from model import problems_of

REGION = "eu-central-1"
CREDENTIALS = Credentials("sandbox", "sandbox")

# Identity Center's reads lag its writes by seconds, and its operations take seconds: far above both.
PATIENCE_S = 30


class Judgement:
    """Counts what held and prints what did not."""

    def __init__(self, endpoint, control):
        self.endpoint = endpoint
        self._control = control
        self.passed = 0
        self.failed = 0
        self._answered = set()

    def check(self, name, holds, detail=""):
        """One thing that must hold."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}: {detail}" if detail else f"FAILED {name}", flush=True)

    def equal(self, name, found, expected):
        """One value that must be another."""
        self.check(name, found == expected, f"{found!r} instead of {expected!r}")

    def eventually(self, name, probe, expected):
        """One value that must become another, given the time that AWS takes."""
        deadline = time.monotonic() + PATIENCE_S
        found = probe()
        while found != expected and time.monotonic() < deadline:
            time.sleep(0.2)
            found = probe()
        self.equal(name, found, expected)

    def pages(self, name, client, operation, key, size, **arguments):
        """Every row of a list, by pages of one size, none too long."""
        rows = []
        for page in client.get_paginator(operation).paginate(PaginationConfig={"PageSize": size}, **arguments):
            self.check(f"{name}: a page has at most {size} rows", len(page[key]) <= size, len(page[key]))
            rows += page[key]
        return rows

    def refused(self, name, code, call, **arguments):
        """A call that must be refused with this error; the error's other members."""
        try:
            call(**arguments)
        except ClientError as error:
            self.equal(name, error.response["Error"]["Code"], code)
            return error.response
        self.check(name, False, f"was allowed and should be refused with {code}")
        return {}

    def client(self, service, attempts=8, **config):
        """A client of AWS's own making, with all its defaults, of which every response is judged."""
        client = boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS.access_key,
            aws_secret_access_key=CREDENTIALS.secret_key,
            config=Config(retries={"mode": "standard", "total_max_attempts": attempts}, **config),
        )
        client.meta.events.register("after-call", self._judge)
        return client

    def _judge(self, http_response, parsed, model, **_):
        service = model.service_model.service_name
        if http_response.status_code < 300:
            self._answered.add((service, model.name))
        problems = problems_of(model, http_response, parsed)
        self.check(f"{service}:{model.name} answers as its model says", not problems, "; ".join(problems))

    def served(self, service):
        """Every operation of AWS's model that the sandbox has: those that a fault can be set on."""
        operations = botocore.session.get_session().get_service_model(service).operation_names
        found = []
        for operation in operations:
            try:
                with self.fault({"operation": f"{service}:{operation}", "kind": "latency"}):
                    found.append(operation)
            except urllib.error.HTTPError as refusal:
                if refusal.code != 400:
                    raise
        return found

    @contextlib.contextmanager
    def fault(self, fault):
        """Something that goes wrong, for as long as this lasts."""
        made = self._told("POST", "/faults", fault)
        try:
            yield
        finally:
            self._told("DELETE", f"/faults/{made['id']}")

    def _told(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._control + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def all_tried(self, client):
        """Nothing that the sandbox offers may go unjudged: every operation that it knows was seen to succeed."""
        service = client.meta.service_model.service_name
        untried = [
            operation
            for operation in client.meta.service_model.operation_names
            if (service, operation) not in self._answered and self._is_known(client, operation)
        ]
        self.equal(f"{service}: every operation was tried", untried, [])
        served = self.served(service)
        known = [operation for operation in client.meta.service_model.operation_names if self._is_known(client, operation)]
        self.equal(f"{service}: what is answered is what the control door knows", sorted(known), sorted(served))

    def _is_known(self, client, operation):
        """Whether an empty call of it gets any other answer than that there is no such operation."""
        model = client.meta.service_model
        target = f"{model.metadata['targetPrefix']}.{operation}"
        kind = f"application/x-amz-json-{model.metadata['jsonVersion']}"
        request = AWSRequest(
            "POST", self.endpoint, data=b"{}", headers={"X-Amz-Target": target, "Content-Type": kind}
        )
        SigV4Auth(CREDENTIALS, model.signing_name, REGION).add_auth(request)
        answer = URLLib3Session().send(request.prepare())
        return b"UnknownOperationException" not in answer.content

    def close(self):
        """Prints the closing line; the exit code."""
        sys.stdout.flush()
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0
