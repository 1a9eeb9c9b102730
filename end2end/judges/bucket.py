"""An audit bucket in another S3, by AWS's own client: python bucket.py URL create|read|tamper

`create` makes it as production's is: versions, Object Lock, a COMPLIANCE retention by default. `read` prints every
version of every record. `tamper` tries on the first object whatever somebody with all rights might, and prints how each
try was answered.
"""

import datetime
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "belay-audit"

# Beside the records are copies of the live grants, which are no text.
RECORDS = "audit/"


def main(url, command):
    s3 = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
        config=Config(s3={"addressing_style": "path"}),
    )
    print(json.dumps({"create": create, "read": read, "tamper": tamper}[command](s3)))


def create(s3):
    location = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=lock)


def read(s3):
    listed = s3.list_object_versions(Bucket=BUCKET, Prefix=RECORDS)
    versions = []
    for version in listed.get("Versions", []):
        which = {"Bucket": BUCKET, "Key": version["Key"], "VersionId": version["VersionId"]}
        got = s3.get_object(**which)
        versions.append({
            "key": version["Key"],
            "version": version["VersionId"],
            "type": got["ContentType"],
            "mode": s3.get_object_retention(**which)["Retention"]["Mode"],
            "body": got["Body"].read().decode(),
        })
    return {"versions": versions, "markers": len(listed.get("DeleteMarkers", []))}


def tamper(s3):
    first = read(s3)["versions"][0]
    place = {"Bucket": BUCKET, "Key": first["key"]}
    version = {**place, "VersionId": first["version"]}
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=5)
    later = soon + datetime.timedelta(days=9)
    answers = {
        "put where something is": answer(s3.put_object, **place, Body=b"{}", IfNoneMatch="*"),
        "delete the version": answer(s3.delete_object, **version),
        "delete it past governance": answer(s3.delete_object, **version, BypassGovernanceRetention=True),
        "shorten": answer(s3.put_object_retention, **version,
                          Retention={"Mode": "COMPLIANCE", "RetainUntilDate": soon}),
        "weaken": answer(s3.put_object_retention, **version,
                         Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later}),
        "overwrite": answer(s3.put_object, **place, Body=b"{}"),
        "delete": answer(s3.delete_object, **place),
    }
    still = s3.get_object(**version)["Body"].read().decode()
    return {"answers": answers, "first version is the record": still == first["body"]}


def answer(call, **arguments):
    """How a call was answered: `done`, or the error's name."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


if __name__ == "__main__":
    main(*sys.argv[1:])
