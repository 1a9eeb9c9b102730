"""S3: conditional put, versions, Object Lock, lists."""

import datetime
import hashlib
from concurrent.futures import ThreadPoolExecutor

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from judgement import REGION

LOCATION = {"LocationConstraint": REGION}
AUDIT = "belay-audit"


def judge(it):
    s3 = it.client("s3", s3={"addressing_style": "path"})
    _buckets(it, s3)
    _objects(it, s3)
    _checksums(it, s3)
    _conditions(it, s3)
    _versions(it, s3)
    _object_lock(it, s3)
    _lists(it, s3)
    _signatures(it)


def _days(count):
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=count)


def _buckets(it, s3):
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    it.check("the audit bucket is there from the start", AUDIT in names, names)
    it.equal("the audit bucket is versioned", s3.get_bucket_versioning(Bucket=AUDIT)["Status"], "Enabled")
    lock = s3.get_object_lock_configuration(Bucket=AUDIT)["ObjectLockConfiguration"]
    it.equal("the audit bucket can lock", lock, {"ObjectLockEnabled": "Enabled"})

    s3.create_bucket(Bucket="oracle-plain", CreateBucketConfiguration=LOCATION)
    s3.create_bucket(Bucket="oracle-locked", CreateBucketConfiguration=LOCATION, ObjectLockEnabledForBucket=True)
    s3.create_bucket(Bucket="oracle-versioned", CreateBucketConfiguration=LOCATION)
    s3.put_bucket_versioning(Bucket="oracle-versioned", VersioningConfiguration={"Status": "Enabled"})
    it.equal("a bucket answers with its region", s3.head_bucket(Bucket="oracle-plain")["BucketRegion"], REGION)
    it.equal("a bucket is where it is", s3.get_bucket_location(Bucket="oracle-plain")["LocationConstraint"], REGION)
    it.check(
        "a bucket that was never versioned has no status",
        "Status" not in s3.get_bucket_versioning(Bucket="oracle-plain"),
    )
    it.refused("a bucket is made once", "BucketAlreadyOwnedByYou", s3.create_bucket,
               Bucket="oracle-plain", CreateBucketConfiguration=LOCATION)
    it.refused("a region must be named", "IllegalLocationConstraintException", s3.create_bucket, Bucket="oracle-none")
    it.refused("a bucket that is not there", "404", s3.head_bucket, Bucket="oracle-missing")
    it.refused("a bucket that is not there has no versioning", "NoSuchBucket", s3.get_bucket_versioning,
               Bucket="oracle-missing")
    it.refused("a bucket without locks says so", "ObjectLockConfigurationNotFoundError",
               s3.get_object_lock_configuration, Bucket="oracle-plain")
    it.refused("locks need versions", "InvalidBucketState", s3.put_object_lock_configuration, Bucket="oracle-plain",
               ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    it.refused("locks keep versions", "InvalidBucketState", s3.put_bucket_versioning, Bucket="oracle-locked",
               VersioningConfiguration={"Status": "Suspended"})
    it.refused("another's bucket", "AccessDenied", s3.get_bucket_versioning, Bucket="oracle-plain",
               ExpectedBucketOwner="999999999999")
    page = s3.list_buckets(MaxBuckets=2)
    rest = s3.list_buckets(ContinuationToken=page["ContinuationToken"])
    it.equal("buckets come page by page", len(page["Buckets"]) + len(rest["Buckets"]), 4)

    s3.create_bucket(Bucket="oracle-passing", CreateBucketConfiguration=LOCATION)
    s3.put_object(Bucket="oracle-passing", Key="x", Body=b"x")
    it.refused("a bucket that holds something stays", "BucketNotEmpty", s3.delete_bucket, Bucket="oracle-passing")
    s3.delete_object(Bucket="oracle-passing", Key="x")
    s3.delete_bucket(Bucket="oracle-passing")
    it.refused("a deleted bucket is gone", "404", s3.head_bucket, Bucket="oracle-passing")


def _objects(it, s3):
    body = bytes(range(256)) * 8
    put = s3.put_object(Bucket="oracle-plain", Key="dir/ü b+c.bin", Body=body, ContentType="application/x-test",
                        CacheControl="no-store", Metadata={"who": "oracle"})
    etag = f'"{hashlib.md5(body).hexdigest()}"'
    it.equal("an entity tag is the MD5", put["ETag"], etag)
    it.check("outside versioning there is no version", "VersionId" not in put)
    got = s3.get_object(Bucket="oracle-plain", Key="dir/ü b+c.bin")
    it.equal("a body comes back", got["Body"].read(), body)
    it.equal("a type comes back", got["ContentType"], "application/x-test")
    it.equal("metadata comes back", got["Metadata"], {"who": "oracle"})
    it.equal("a length is right", got["ContentLength"], len(body))
    head = s3.head_object(Bucket="oracle-plain", Key="dir/ü b+c.bin")
    it.equal("a head says the same", (head["ETag"], head["ContentLength"], head["CacheControl"]),
             (etag, len(body), "no-store"))
    part = s3.get_object(Bucket="oracle-plain", Key="dir/ü b+c.bin", Range="bytes=2-5")
    it.equal("a part is a part", (part["Body"].read(), part["ContentRange"]), (body[2:6], f"bytes 2-5/{len(body)}"))
    it.equal("a part has its status", part["ResponseMetadata"]["HTTPStatusCode"], 206)
    tail = s3.get_object(Bucket="oracle-plain", Key="dir/ü b+c.bin", Range="bytes=-3")
    it.equal("a tail is the end", tail["Body"].read(), body[-3:])
    it.refused("a part beyond the end", "InvalidRange", s3.get_object, Bucket="oracle-plain", Key="dir/ü b+c.bin",
               Range="bytes=99999-")
    it.refused("an object that is not there", "NoSuchKey", s3.get_object, Bucket="oracle-plain", Key="none")
    it.refused("a head of nothing", "404", s3.head_object, Bucket="oracle-plain", Key="none")
    it.refused("an object in no bucket", "NoSuchBucket", s3.put_object, Bucket="oracle-missing", Key="x", Body=b"")
    s3.put_object(Bucket="oracle-plain", Key="empty", Body=b"")
    empty = s3.get_object(Bucket="oracle-plain", Key="empty")
    it.equal("an empty object is empty", (empty["Body"].read(), empty["ContentType"]), (b"", "binary/octet-stream"))
    it.refused("too much metadata", "MetadataTooLarge", s3.put_object, Bucket="oracle-plain", Key="x", Body=b"",
               Metadata={"m": "x" * 2100})
    it.check("a delete outside versioning says nothing",
             "VersionId" not in s3.delete_object(Bucket="oracle-plain", Key="empty"))
    s3.delete_object(Bucket="oracle-plain", Key="empty")
    many = s3.delete_objects(Bucket="oracle-plain", Delete={"Objects": [{"Key": "dir/ü b+c.bin"}, {"Key": "none"}]})
    it.equal("many are deleted at once", [line["Key"] for line in many["Deleted"]], ["dir/ü b+c.bin", "none"])


def _checksums(it, s3):
    body = b"checked"
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        put = s3.put_object(Bucket="oracle-plain", Key="sum", Body=body, ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket="oracle-plain", Key="sum", ChecksumMode="ENABLED")
        name = f"Checksum{algorithm}"
        it.check(f"{algorithm} comes back", put.get(name) and put[name] == got.get(name), (put, got))
        it.equal(f"{algorithm} is of the whole", got.get("ChecksumType"), "FULL_OBJECT")
        got["Body"].read()
    it.refused("a wrong SHA-256 is refused", "BadDigest", s3.put_object, Bucket="oracle-plain", Key="sum", Body=body,
               ChecksumSHA256="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    it.refused("a wrong MD5 is refused", "BadDigest", s3.put_object, Bucket="oracle-plain", Key="sum", Body=body,
               ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    it.refused("an MD5 that is none is refused", "InvalidDigest", s3.put_object, Bucket="oracle-plain", Key="sum",
               Body=body, ContentMD5="short")
    it.equal("a refused put changes nothing", s3.get_object(Bucket="oracle-plain", Key="sum")["Body"].read(), body)


def _conditions(it, s3):
    def put(number):
        try:
            s3.put_object(Bucket="oracle-versioned", Key="race", Body=str(number).encode(), IfNoneMatch="*")
            return "won"
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(16) as pool:
        outcomes = sorted(pool.map(put, range(16)))
    it.equal("of sixteen conditional puts one wins", outcomes, ["PreconditionFailed"] * 15 + ["won"])
    etag = s3.head_object(Bucket="oracle-versioned", Key="race")["ETag"]
    s3.put_object(Bucket="oracle-versioned", Key="race", Body=b"next", IfMatch=etag)
    it.refused("what has changed does not match", "PreconditionFailed", s3.put_object, Bucket="oracle-versioned",
               Key="race", Body=b"late", IfMatch=etag)
    it.refused("what is not there does not match", "NoSuchKey", s3.put_object, Bucket="oracle-versioned",
               Key="no-race", Body=b"x", IfMatch=etag)
    it.refused("a read that must match", "PreconditionFailed", s3.get_object, Bucket="oracle-versioned", Key="race",
               IfMatch=etag)
    now = s3.head_object(Bucket="oracle-versioned", Key="race")["ETag"]
    it.refused("a read of what one has", "304", s3.get_object, Bucket="oracle-versioned", Key="race", IfNoneMatch=now)
    s3.delete_object(Bucket="oracle-versioned", Key="race")
    again = s3.put_object(Bucket="oracle-versioned", Key="race", Body=b"again", IfNoneMatch="*")
    it.check("a marker counts as absence", again["VersionId"])


def _versions(it, s3):
    bucket = "oracle-versioned"
    first = s3.put_object(Bucket=bucket, Key="v", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="v", Body=b"2")["VersionId"]
    it.equal("the latest is read", s3.get_object(Bucket=bucket, Key="v")["Body"].read(), b"2")
    it.equal("an old one is kept", s3.get_object(Bucket=bucket, Key="v", VersionId=first)["Body"].read(), b"1")
    gone = s3.delete_object(Bucket=bucket, Key="v")
    it.check("a delete adds a marker", gone["DeleteMarker"] and gone["VersionId"] not in (first, second), gone)
    error = it.refused("a marker hides the object", "NoSuchKey", s3.get_object, Bucket=bucket, Key="v")
    it.equal("and says that it is one", error["ResponseMetadata"]["HTTPHeaders"].get("x-amz-delete-marker"), "true")
    it.refused("a marker cannot be read", "MethodNotAllowed", s3.get_object, Bucket=bucket, Key="v",
               VersionId=gone["VersionId"])
    it.refused("a version that never was", "NoSuchVersion", s3.get_object, Bucket=bucket, Key="v", VersionId="none")
    listed = s3.list_object_versions(Bucket=bucket, Prefix="v")
    it.equal("versions come newest first", [line["VersionId"] for line in listed["Versions"]], [second, first])
    it.equal("none of them is the latest", [line["IsLatest"] for line in listed["Versions"]], [False, False])
    it.equal("the marker is", [line["IsLatest"] for line in listed["DeleteMarkers"]], [True])
    undone = s3.delete_object(Bucket=bucket, Key="v", VersionId=gone["VersionId"])
    it.check("a marker can be deleted", undone["DeleteMarker"] and undone["VersionId"] == gone["VersionId"], undone)
    it.equal("and the object is back", s3.get_object(Bucket=bucket, Key="v")["Body"].read(), b"2")
    s3.delete_object(Bucket=bucket, Key="v", VersionId=second)
    it.equal("a version can be deleted", s3.get_object(Bucket=bucket, Key="v")["Body"].read(), b"1")

    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    it.equal("a suspended bucket has one null version",
             s3.put_object(Bucket=bucket, Key="v", Body=b"3")["VersionId"], "null")
    it.equal("and keeps the old ones", s3.get_object(Bucket=bucket, Key="v", VersionId=first)["Body"].read(), b"1")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def _object_lock(it, s3):
    bucket = "oracle-locked"
    until = _days(2)
    put = s3.put_object(Bucket=bucket, Key="l", Body=b"kept", ObjectLockMode="COMPLIANCE",
                        ObjectLockRetainUntilDate=until)
    version = put["VersionId"]
    got = s3.get_object_retention(Bucket=bucket, Key="l")["Retention"]
    it.equal("a lock comes back", got, {"Mode": "COMPLIANCE", "RetainUntilDate": until})
    head = s3.head_object(Bucket=bucket, Key="l")
    it.equal("a head shows it", (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]), ("COMPLIANCE", until))
    it.refused("a locked version stays", "AccessDenied", s3.delete_object, Bucket=bucket, Key="l", VersionId=version)
    it.refused("also for those who override", "AccessDenied", s3.delete_object, Bucket=bucket, Key="l",
               VersionId=version, BypassGovernanceRetention=True)
    it.refused("a lock is not shortened", "AccessDenied", s3.put_object_retention, Bucket=bucket, Key="l",
               Retention={"Mode": "COMPLIANCE", "RetainUntilDate": _days(1)})
    it.refused("nor weakened", "AccessDenied", s3.put_object_retention, Bucket=bucket, Key="l",
               Retention={"Mode": "GOVERNANCE", "RetainUntilDate": _days(9)})
    longer = _days(3)
    s3.put_object_retention(Bucket=bucket, Key="l", Retention={"Mode": "COMPLIANCE", "RetainUntilDate": longer})
    it.equal("a lock is lengthened",
             s3.get_object_retention(Bucket=bucket, Key="l")["Retention"]["RetainUntilDate"], longer)
    marker = s3.delete_object(Bucket=bucket, Key="l")
    it.check("a plain delete is not refused", marker["DeleteMarker"])
    overwritten = s3.put_object(Bucket=bucket, Key="l", Body=b"over")
    it.check("nor an overwrite", overwritten["VersionId"] != version)
    it.equal("and the first version is the record",
             s3.get_object(Bucket=bucket, Key="l", VersionId=version)["Body"].read(), b"kept")
    it.refused("a version without a lock says so", "NoSuchObjectLockConfiguration", s3.get_object_retention,
               Bucket=bucket, Key="l")
    outcome = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "l", "VersionId": version}]})
    it.equal("many at once refuse the locked one", [line["Code"] for line in outcome["Errors"]], ["AccessDenied"])

    soft = s3.put_object(Bucket=bucket, Key="g", Body=b"g", ObjectLockMode="GOVERNANCE",
                         ObjectLockRetainUntilDate=until)["VersionId"]
    it.refused("governance locks too", "AccessDenied", s3.delete_object, Bucket=bucket, Key="g", VersionId=soft)
    s3.delete_object(Bucket=bucket, Key="g", VersionId=soft, BypassGovernanceRetention=True)
    it.refused("until it is overridden", "NoSuchVersion", s3.get_object, Bucket=bucket, Key="g", VersionId=soft)

    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(Bucket=bucket,
                                     ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule})
    it.equal("a default lock comes back",
             s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]["Rule"], rule)
    s3.put_object(Bucket=bucket, Key="d", Body=b"d")
    it.equal("and is given to what is put without one",
             s3.get_object_retention(Bucket=bucket, Key="d")["Retention"]["Mode"], "GOVERNANCE")
    it.refused("a lock in the past is none", "InvalidArgument", s3.put_object, Bucket=bucket, Key="p", Body=b"",
               ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=_days(-1))
    it.refused("no locks without a bucket for it", "InvalidRequest", s3.put_object, Bucket="oracle-plain", Key="p",
               Body=b"", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    it.refused("nor later", "InvalidRequest", s3.put_object_retention, Bucket="oracle-plain", Key="sum",
               Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until})


def _lists(it, s3):
    bucket = "oracle-lists"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=LOCATION)
    keys = sorted(f"{day:02}/{n} ä+%.json" for day in range(4) for n in range(5)) + ["readme", "zebra"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 3}))
    it.equal("all keys come, in order", [line["Key"] for page in pages for line in page["Contents"]], keys)
    it.check("no page is too long", all(page["KeyCount"] <= 3 for page in pages))
    folded = list(
        s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2})
    )
    it.equal("a delimiter folds", [line["Prefix"] for page in folded for line in page.get("CommonPrefixes", [])],
             ["00/", "01/", "02/", "03/"])
    it.equal("and leaves the rest", [line["Key"] for page in folded for line in page.get("Contents", [])], keys[-2:])
    day = s3.list_objects_v2(Bucket=bucket, Prefix="02/", Delimiter="/", FetchOwner=True)
    it.equal("a prefix selects", [line["Key"] for line in day["Contents"]], keys[10:15])
    it.check("an owner is told when asked", day["Contents"][0].get("Owner", {}).get("ID"))
    after = s3.list_objects_v2(Bucket=bucket, StartAfter=keys[-3])
    it.equal("a list starts after", [line["Key"] for line in after["Contents"]], keys[-2:])
    none = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    it.equal("none are asked for, none come", (none["KeyCount"], none["IsTruncated"]), (0, False))
    it.refused("a token of one's own making", "InvalidArgument", s3.list_objects_v2, Bucket=bucket,
               ContinuationToken="made-up")

    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        s3.put_object(Bucket=bucket, Key="readme", Body=b"again")
    s3.delete_object(Bucket=bucket, Key="readme")
    lines = []
    paginator = s3.get_paginator("list_object_versions")
    for page in paginator.paginate(Bucket=bucket, Prefix="r", PaginationConfig={"PageSize": 2}):
        lines += page.get("Versions", []) + page.get("DeleteMarkers", [])
    it.equal("all versions come, markers too", len(lines), 5)
    it.equal("one of them is the latest", [line["IsLatest"] for line in lines].count(True), 1)
    folded = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    it.equal("versions fold", len(folded["CommonPrefixes"]), 4)


def _signatures(it):
    def answer(secret, age_s):
        request = AWSRequest("GET", f"{it.endpoint}/", headers={})
        request.context["payload_signing_enabled"] = True
        signer = S3SigV4Auth(Credentials("anyone", secret), "s3", REGION)
        signer.add_auth(request)
        if age_s:
            stamp = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age_s)
            request.context["timestamp"] = stamp.strftime("%Y%m%dT%H%M%SZ")
            request.headers.replace_header("X-Amz-Date", request.context["timestamp"])
            del request.headers["Authorization"]
            signer._inject_signature_to_request(
                request, signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
            )
        return URLLib3Session().send(request.prepare())

    it.equal("any key with the secret is let in", answer("sandbox", 0).status_code, 200)
    it.check("another secret is not", b"SignatureDoesNotMatch" in answer("guessed", 0).content)
    it.equal("a signature of 14 minutes is good", answer("sandbox", 14 * 60).status_code, 200)
    it.check("one of 16 minutes is too old", b"RequestTimeTooSkewed" in answer("sandbox", 16 * 60).content)
