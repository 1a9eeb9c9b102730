"""Holds one response against the model that AWS publishes with its client.

botocore is lenient where a sandbox goes wrong: it drops members that it does not know, turns types into each other
and never looks at enumerations and patterns of what it receives. So the bytes of each response are walked here beside
the model, and botocore's own validator has the second word.
"""

import base64
import binascii
import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import datetime

from botocore.validate import ParamValidator

from pattern import holds

# "Common errors" of the services' API references, which the models leave out.
COMMON_ERRORS = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InternalFailure",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}

# S3's model names a handful of errors; these are from its API reference, "Error responses".
S3_ERRORS = {
    "AccessDenied",
    "BadDigest",
    "BucketAlreadyOwnedByYou",
    "BucketNotEmpty",
    "EntityTooLarge",
    "IllegalLocationConstraintException",
    "IllegalVersioningConfigurationException",
    "IncompleteBody",
    "InternalError",
    "InvalidArgument",
    "InvalidBucketName",
    "InvalidBucketState",
    "InvalidDigest",
    "InvalidRange",
    "InvalidRequest",
    "MalformedXML",
    "MetadataTooLarge",
    "MethodNotAllowed",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchObjectLockConfiguration",
    "NoSuchVersion",
    "NotImplemented",
    "ObjectLockConfigurationNotFoundError",
    "PreconditionFailed",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "SlowDown",
    "XAmzContentSHA256Mismatch",
}

# Where AWS itself does not keep to its model: DynamoDB counts decreases from 0 although the model says "at least 1", and
# describes tables with a member that no model has had.
AS_AWS_DOES = re.compile(r"\bNumberOfDecreasesToday\b|\.TableThroughputModeSummary is not in the model")

# A HEAD has no body, so botocore names the error after the status.
HEAD_ERRORS = {"304", "400", "403", "404", "405", "412", "500", "503"}


def problems_of(operation, http_response, parsed):
    """Everything that is wrong with one response, as sentences."""
    if http_response.status_code >= 300:
        return list(_error(operation, http_response, parsed))
    problems = [problem for problem in _body(operation, http_response) if not AS_AWS_DOES.search(problem)]
    if operation.output_shape is not None and not problems:
        output = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
        report = ParamValidator().validate(output, operation.output_shape).generate_report()
        problems += [f"botocore: {line}" for line in report.splitlines() if not AS_AWS_DOES.search(line)]
    if not _request_id(http_response, parsed):
        problems.append("there is no request id")
    return problems


def _request_id(http_response, parsed):
    # Of an empty answer from 500 up botocore keeps the status and nothing else.
    is_bare = http_response.status_code >= 500 and not http_response.content
    in_headers = any(name.lower() in ("x-amzn-requestid", "x-amz-request-id") for name in http_response.headers)
    return in_headers and (is_bare or parsed["ResponseMetadata"].get("RequestId"))


def _error(operation, http_response, parsed):
    code = parsed.get("Error", {}).get("Code", "")
    if operation.service_model.protocol == "rest-xml":
        if code not in S3_ERRORS and code not in HEAD_ERRORS:
            yield f"{code!r} is not an error of S3"
    else:
        shapes = {shape.error_code: shape for shape in operation.error_shapes}
        if code not in shapes and code not in COMMON_ERRORS:
            yield f"{code!r} is not an error of {operation.name} ({', '.join(sorted(shapes))})"
        body = json.loads(http_response.content)
        kind = body.pop("__type", "").split("#")[-1]
        if kind != code:
            yield f"__type says {kind!r} and the parsed code is {code!r}"
        shape = shapes.get(code)
        if shape is not None:
            # Services disagree with their models on the case of "message".
            members = {name.lower(): name for name in shape.members}
            named = {members.get(name.lower(), name): value for name, value in body.items()}
            known = {name: value for name, value in named.items() if name.lower() != "message"}
            yield from json_problems(known, shape, code, error=True)
    if not parsed.get("Error", {}).get("Message"):
        yield f"{code} has no message"
    if not _request_id(http_response, parsed):
        yield f"{code} has no request id"


def _body(operation, http_response):
    shape = operation.output_shape
    if operation.service_model.protocol == "rest-xml":
        yield from _xml_body(operation, shape, http_response)
        return
    kind = http_response.headers.get("Content-Type", "")
    expected = f"application/x-amz-json-{operation.service_model.metadata['jsonVersion']}"
    if kind != expected:
        yield f"the content type is {kind!r} and not {expected!r}"
    body = json.loads(http_response.content or b"{}")
    if shape is None:
        if body:
            yield f"there is a body and there should be none: {body}"
        return
    yield from json_problems(body, shape, operation.name)


def json_problems(value, shape, path, error=False):
    """Walks JSON beside its shape."""
    kind = shape.type_name
    if value is None:
        yield f"{path} is null"
    elif kind == "structure":
        if not isinstance(value, dict):
            yield f"{path} is {value!r} and not a structure"
            return
        for name in shape.metadata.get("required", []):
            if name not in value and not error:
                yield f"{path}.{name} is required and missing"
        for name, member in value.items():
            if name not in shape.members:
                yield f"{path}.{name} is not in the model"
            else:
                yield from json_problems(member, shape.members[name], f"{path}.{name}")
        if shape.is_tagged_union and len(value) != 1:
            yield f"{path} is a union and has {len(value)} members"
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{path} is {value!r} and not a list"
            return
        yield from _bounds(len(value), shape, path)
        for index, item in enumerate(value):
            yield from json_problems(item, shape.member, f"{path}[{index}]")
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{path} is {value!r} and not a map"
            return
        for name, item in value.items():
            yield from json_problems(name, shape.key, f"{path} key")
            yield from json_problems(item, shape.value, f"{path}[{name!r}]")
    else:
        yield from _scalar(value, shape, path)


def _scalar(value, shape, path):
    kind = shape.type_name
    # A document's type, and a timestamp's in JSON: seconds, with or without a fraction.
    expected = {
        "string": str,
        "character": str,
        "blob": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
        "timestamp": (int, float),
    }[kind]
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path} is {value!r} and not a {kind}"
    elif kind == "string":
        yield from _text(value, shape, path)
    elif kind in ("integer", "long"):
        yield from _bounds(value, shape, path)
    elif kind == "blob":
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            yield f"{path} is not base64"


def _text(value, shape, path):
    # `sensitive` texts are shapes like any other here.
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield f"{path} is {value!r} and not one of {enum}"
    pattern = shape.metadata.get("pattern")
    if pattern and not holds(pattern, value):
        yield f"{path} is {value!r} and does not match {pattern}"
    yield from _bounds(len(value), shape, path)


def _bounds(size, shape, path):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"{path} has {size}, at least {low} is required"
    if high is not None and size > high:
        yield f"{path} has {size}, at most {high} is allowed"


def _xml_body(operation, shape, http_response):
    if shape is None:
        return
    for name, member in shape.members.items():
        if member.serialization.get("location") == "header":
            header = http_response.headers.get(member.serialization["name"])
            if header is not None:
                yield from _xml_scalar(header, member, f"{operation.name}.{name}", "rfc822")
    payload = shape.serialization.get("payload")
    if payload is not None:
        shape = shape.members[payload]
        if shape.type_name != "structure":
            return
    in_body = [m for m in shape.members.values() if m.serialization.get("location") is None]
    content = http_response.content
    if not in_body or (payload is not None and not content):
        return
    # The one answer whose root is the value itself.
    if operation.name == "GetBucketLocation":
        return
    yield from xml_problems(ElementTree.fromstring(content), shape, operation.name)


def _name(tag):
    return tag.rsplit("}", 1)[-1]


def xml_problems(element, shape, path):
    """Walks XML beside its shape."""
    if shape.type_name != "structure":
        yield from _xml_scalar(element.text or "", shape, path, "iso8601")
        return
    members = {}
    for name, member in shape.members.items():
        if member.serialization.get("location") is not None:
            continue
        flattened = member.type_name == "list" and member.serialization.get("flattened")
        tag = member.serialization.get("name") or name
        if flattened and "name" in member.member.serialization:
            tag = member.serialization.get("name") or member.member.serialization["name"]
        members[tag] = (name, member, flattened)
    seen = set()
    for child in element:
        tag = _name(child.tag)
        if tag not in members:
            yield f"{path}.{tag} is not in the model"
            continue
        name, member, flattened = members[tag]
        seen.add(name)
        if member.type_name != "list":
            yield from xml_problems(child, member, f"{path}.{name}")
        elif flattened:
            yield from xml_problems(child, member.member, f"{path}.{name}[]")
        else:
            item_tag = member.member.serialization.get("name", "member")
            for item in child:
                if _name(item.tag) != item_tag:
                    yield f"{path}.{name} holds {_name(item.tag)} and not {item_tag}"
                yield from xml_problems(item, member.member, f"{path}.{name}[]")
    for name in shape.metadata.get("required", []):
        if name not in seen and shape.members[name].serialization.get("location") is None:
            yield f"{path}.{name} is required and missing"


def _xml_scalar(text, shape, path, date_form):
    kind = shape.type_name
    if kind == "string":
        yield from _text(text, shape, path)
    elif kind in ("integer", "long"):
        if not text.lstrip("-").isdigit():
            yield f"{path} is {text!r} and not a number"
        else:
            yield from _bounds(int(text), shape, path)
    elif kind == "boolean":
        if text not in ("true", "false"):
            yield f"{path} is {text!r} and not a boolean"
    elif kind == "timestamp":
        form = shape.serialization.get("timestampFormat", date_form)
        forms = {"iso8601": "%Y-%m-%dT%H:%M:%S.%fZ", "rfc822": "%a, %d %b %Y %H:%M:%S GMT"}
        try:
            datetime.strptime(text, forms[form])
        except ValueError:
            yield f"{path} is {text!r} and not a date in the form of {form}"
