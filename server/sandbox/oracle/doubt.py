"""The judge itself: what is wrong on purpose must be found, or silence elsewhere means nothing."""

import botocore.session

from model import json_problems, xml_problems
from pattern import holds
from xml.etree import ElementTree

GOOD = {
    "Status": "IN_PROGRESS",
    "RequestId": "00000000-0000-4000-8000-000000000000",
    "CreatedDate": 1.5,
    "TargetId": "111122223333",
    "PrincipalType": "USER",
}


def judge(it):
    session = botocore.session.get_session()
    _of_json(it, session.get_service_model("sso-admin"))
    _of_xml(it, session.get_service_model("s3"))
    it.check("letters of every script are letters", holds(r"[\p{L}\p{Z}]+", "Ána 日本"))
    it.check("digits are none", not holds(r"[\p{L}\p{Z}]+", "Ana 1"))


def _of_json(it, model):
    shape = model.operation_model("DescribeAccountAssignmentCreationStatus").output_shape
    member = "AccountAssignmentCreationStatus"
    it.equal("what is right is found right", list(json_problems({member: GOOD}, shape, "x")), [])
    for name, value in [
        ("Status", "DONE"),
        ("RequestId", "request-1"),
        ("CreatedDate", "2026-01-01T00:00:00Z"),
        ("TargetId", 111122223333),
        ("PrincipalType", None),
        ("Invented", "x"),
    ]:
        found = list(json_problems({member: {**GOOD, name: value}}, shape, "x"))
        it.check(f"{name}={value!r} is found wrong", found)
    required = model.operation_model("ListInstances").service_model.shape_for("Tag")
    it.check("a required member that is missing is found", list(json_problems({"Key": "k"}, required, "x")))


def _of_xml(it, model):
    shape = model.operation_model("ListObjectsV2").output_shape

    def found(xml):
        return list(xml_problems(ElementTree.fromstring(f"<ListBucketResult>{xml}</ListBucketResult>"), shape, "x"))

    it.equal("what is right is found right", found("<Contents><Key>k</Key><Size>1</Size></Contents>"), [])
    for xml in [
        "<Contents><Kay>k</Kay></Contents>",
        "<Contents><Size>big</Size></Contents>",
        "<Contents><StorageClass>SHELF</StorageClass></Contents>",
        "<Contents><LastModified>yesterday</LastModified></Contents>",
        "<IsTruncated>maybe</IsTruncated>",
    ]:
        it.check(f"{xml} is found wrong", found(xml))
