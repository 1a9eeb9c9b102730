"""Errors: each operation is called wrongly in every way that its model suggests, and under the faults of the control
door, and may answer nothing that AWS's model does not list for it.

What comes back is judged where every response is (`model.problems_of`); here each operation is made to refuse.
"""

import json
import time

from botocore.exceptions import ClientError

from judgement import PATIENCE_S

SERVICES = ["sso-admin", "identitystore", "organizations", "dynamodb", "s3"]

# Ids of the right form that name nothing, by how the models' shapes call them.
NOTHING = {
    "InstanceArn": "arn:aws:sso:::instance/ssoins-0000000000000000",
    "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0000000000000000",
    "AccountId": "999999999999",
    "TargetId": "999999999999",
    "PrincipalId": "00000000-0000-4000-8000-000000000000",
    "UUId": "00000000-0000-4000-8000-000000000000",
    "IdentityStoreId": "d-0000000000",
    "ResourceId": "00000000-0000-4000-8000-000000000000",
    "ParentId": "r-zzzz",
    "ChildId": "999999999999",
    "OrganizationalUnitId": "ou-zzzz-zzzzzzzz",
    "TaggableResourceId": "999999999999",
    "TableName": "nothing",
    "TableArn": "nothing",
    "ResourceArnString": "arn:aws:dynamodb:eu-central-1:000000000000:table/nothing",
    "BucketName": "nothing-has-this-name",
}

# What the sandbox has, so that a call is wrong in one thing at a time.
SOMETHING = {
    "InstanceArn": "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6",
    "AccountId": "111122223333",
    "TargetId": "111122223333",
    "IdentityStoreId": "d-99670a1b2c",
    "TableName": "belay",
    "TableArn": "belay",
    "BucketName": "belay-audit",
}

# DynamoDB's and S3's input is a language of its own, which their suites speak; here they are called with what is
# required, of the right type, and under faults. What is marked has side effects that would be in the others' way.
LEFT_OUT = {("dynamodb", "DeleteTable"), ("s3", "DeleteBucket")}


def judge(it):
    for service in SERVICES:
        client = it.client(service, attempts=1, parameter_validation=False)
        model = client.meta.service_model
        served = it.served(service)
        it.check(f"{service}: the sandbox says what it serves", served)
        for operation in served:
            if (service, operation) in LEFT_OUT:
                continue
            _under_faults(it, client, service, model.operation_model(operation))
            if service not in ("dynamodb", "s3"):
                _called_wrongly(it, client, service, model.operation_model(operation))


def _method(client, operation):
    names = {wire: python for python, wire in client.meta.method_to_api_mapping.items()}
    return getattr(client, names[operation.name])


def _called_wrongly(it, client, service, operation):
    """Without what is required, with each member of the wrong type, form and length, and with ids of nothing."""
    good = _input(operation.input_shape, SOMETHING)
    inputs = [{}]
    members = operation.input_shape.members if operation.input_shape else {}
    for name, shape in members.items():
        inputs += [{**good, name: wrong} for wrong in _wrong(shape)]
        if name in good:
            inputs.append({key: value for key, value in good.items() if key != name})
    refused = 0
    for members in inputs:
        refused += _refuses_as_written(client, operation, members)
    needs = operation.input_shape is not None and operation.input_shape.required_members
    it.check(f"{service}:{operation.name} refuses what is wrong", refused or not needs, f"{len(inputs)} were allowed")


def _under_faults(it, client, service, operation):
    """As the service says that it is asked too often, and that it is broken."""
    for kind, error in [("throttle", None), ("error", INTERNAL[service])]:
        fault = {"operation": f"{service}:{operation.name}", "kind": kind, "times": 0}
        if error:
            fault["error"] = error
        with it.fault(fault):
            refused = _refuses(client, operation, _input(operation.input_shape, SOMETHING))
        it.check(f"{service}:{operation.name} under a fault of kind {kind}", refused, "was allowed")


TOO_OFTEN = {"ThrottlingException", "TooManyRequestsException"}

INTERNAL = {
    "sso-admin": "InternalServerException",
    "identitystore": "InternalServerException",
    "organizations": "ServiceException",
    "dynamodb": "InternalServerError",
    "s3": "InternalError",
}


def _refuses(client, operation, members):
    """The code that the call is refused with, if it is. Whether it may be that is judged where every response is."""
    try:
        _method(client, operation)(**members)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def _refuses_as_written(client, operation, members):
    """The same for members that AWS's client would not write: its body is exchanged on the way.

    Asked too often is no answer to what was asked, and would hide it: the call is made again until there is one.
    """

    def exchange(params, **_):
        params["body"] = json.dumps(members).encode()

    client.meta.events.register_first("before-call", exchange)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while (code := _refuses(client, operation, {})) in TOO_OFTEN:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{operation.name} was throttled for {PATIENCE_S} s")
            time.sleep(0.1)
        return code is not None
    finally:
        client.meta.events.unregister("before-call", exchange)


def _input(shape, known):
    """The least that the model allows, with what is known to be there."""
    if shape is None:
        return {}
    return {name: _value(name, shape.members[name], known) for name in shape.required_members}


def _value(name, shape, known):
    for key in (shape.name, name):
        if key in known:
            return known[key]
    if shape.metadata.get("enum"):
        return shape.metadata["enum"][0]
    if shape.type_name == "structure":
        if shape.is_tagged_union:
            first = next(iter(shape.members))
            return {first: _value(first, shape.members[first], known)}
        return _input(shape, known)
    if shape.type_name == "list":
        return [_value("member", shape.member, known)]
    if shape.type_name == "map":
        return {"pk": _value("value", shape.value, known)}
    return NOTHING.get(shape.name) or NOTHING.get(name) or {
        "string": "x", "integer": 1, "long": 1, "boolean": True, "blob": b"x", "timestamp": 0, "double": 1.0, "float": 1.0,
    }[shape.type_name]


def _wrong(shape):
    """Values that a member of this shape cannot have, and such as name nothing."""
    wrong = {
        "string": ["", "\u0000", "x" * 2_000, 7],
        "integer": [0, -1, 1_000_000, "seven"],
        "list": [[], "x", [{}]],
        "structure": [{}, "x", {"Invented": "x"}],
        "map": [{}, "x"],
        "boolean": ["perhaps"],
    }.get(shape.type_name, [])
    nothing = NOTHING.get(shape.name)
    return [*wrong, *([nothing] if nothing else [])]
