"""DynamoDB: Belay's table as defined, conditions, transactions, indexes."""

import decimal
import time

from botocore.exceptions import ClientError

TABLE = "belay"


def judge(it):
    db = it.client("dynamodb")
    _definition(it, db)
    _items(it, db)
    _transactions(it, db)
    _indexes(it, db)
    _tables(it, db)
    it.all_tried(db)


def _key(name, sort="x"):
    return {"pk": {"S": f"oracle#{name}"}, "sk": {"S": sort}}


def _definition(it, db):
    it.check("Belay's table is there from the start", TABLE in db.list_tables()["TableNames"])
    table = db.describe_table(TableName=TABLE)["Table"]
    it.equal("it is active", table["TableStatus"], "ACTIVE")
    it.equal("it has two keys", {row["AttributeName"]: row["KeyType"] for row in table["KeySchema"]},
             {"pk": "HASH", "sk": "RANGE"})
    it.equal("it has four indexes", sorted(row["IndexName"] for row in table["GlobalSecondaryIndexes"]),
             ["gsi1", "gsi2", "gsi3", "gsi4"])
    ttl = db.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    it.equal("what is finished expires", (ttl["TimeToLiveStatus"], ttl.get("AttributeName")),
             ("ENABLED", "expires_at"))
    db.list_tags_of_resource(ResourceArn=table["TableArn"])


def _items(it, db):
    item = {**_key("item"), "n": {"N": "1"}, "l": {"L": [{"S": "a"}, {"NULL": True}]}, "b": {"B": b"\x00\xff"},
            "ss": {"SS": ["x", "y"]}, "m": {"M": {"deep": {"BOOL": True}}}}
    db.put_item(TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)")
    it.equal("an item comes back", db.get_item(TableName=TABLE, Key=_key("item"), ConsistentRead=True)["Item"], item)
    it.refused("a condition that fails", "ConditionalCheckFailedException", db.put_item, TableName=TABLE, Item=item,
               ConditionExpression="attribute_not_exists(pk)")
    error = it.refused("and shows what stands there when asked", "ConditionalCheckFailedException", db.put_item,
                       TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)",
                       ReturnValuesOnConditionCheckFailure="ALL_OLD")
    it.equal("as it stands", error.get("Item"), item)
    updated = db.update_item(TableName=TABLE, Key=_key("item"), UpdateExpression="SET #n = #n + :one REMOVE l",
                             ConditionExpression="#n = :before", ExpressionAttributeNames={"#n": "n"},
                             ExpressionAttributeValues={":one": {"N": "1"}, ":before": {"N": "1"}},
                             ReturnValues="ALL_NEW", ReturnConsumedCapacity="TOTAL")["Attributes"]
    it.equal("an update changes what it names", (updated["n"], "l" in updated), ({"N": "2"}, False))
    it.equal("what is not there has no item", "Item" in db.get_item(TableName=TABLE, Key=_key("none")), False)
    old = db.delete_item(TableName=TABLE, Key=_key("item"), ReturnValues="ALL_OLD")["Attributes"]
    it.equal("a delete gives back what was", old["n"], {"N": "2"})
    it.refused("a table that is not there", "ResourceNotFoundException", db.get_item, TableName="nothing",
               Key=_key("x"))
    it.refused("an expression that is none", "ValidationException", db.update_item, TableName=TABLE, Key=_key("x"),
               UpdateExpression="SET SET")
    it.refused("a key that is half", "ValidationException", db.get_item, TableName=TABLE, Key={"pk": {"S": "x"}})

    rows = [{**_key("page", f"{number:02}"), "n": {"N": str(number)}} for number in range(12)]
    db.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": row}} for row in rows]})
    got = db.batch_get_item(RequestItems={TABLE: {"Keys": [_key("page", "03"), _key("page", "07"), _key("page", "99")],
                                                  "ConsistentRead": True}})["Responses"][TABLE]
    it.equal("a batch gives what is there", sorted(row["sk"]["S"] for row in got), ["03", "07"])
    found = []
    query = {"TableName": TABLE, "KeyConditionExpression": "pk = :pk AND sk BETWEEN :a AND :b",
             "ExpressionAttributeValues": {":pk": {"S": "oracle#page"}, ":a": {"S": "02"}, ":b": {"S": "10"}}}
    for page in db.get_paginator("query").paginate(**query, ConsistentRead=True, ScanIndexForward=False,
                                                   PaginationConfig={"PageSize": 4}):
        found += [row["sk"]["S"] for row in page["Items"]]
    it.equal("a query gives a range, backwards, by pages", found, [f"{number:02}" for number in range(10, 1, -1)])
    filtered = db.query(TableName=TABLE, KeyConditionExpression="pk = :pk", FilterExpression="#n > :five",
                        ExpressionAttributeNames={"#n": "n"}, ConsistentRead=True,
                        ExpressionAttributeValues={":pk": {"S": "oracle#page"}, ":five": {"N": "5"}})
    it.equal("a filter comes after", (filtered["Count"], filtered["ScannedCount"]), (6, 12))
    scanned = db.scan(TableName=TABLE, FilterExpression="begins_with(pk, :p)", ConsistentRead=True,
                      ExpressionAttributeValues={":p": {"S": "oracle#page"}})
    it.equal("a scan finds all", scanned["Count"], 12)


def _transact(db, items):
    """A conflict is everyday; what was asked twice with one token happens once."""
    for _ in range(20):
        try:
            return db.transact_write_items(TransactItems=items, ReturnConsumedCapacity="TOTAL")
        except ClientError as error:
            reasons = [reason["Code"] for reason in error.response.get("CancellationReasons", [])]
            if "TransactionConflict" not in reasons:
                raise
            time.sleep(0.05)
    raise AssertionError("twenty conflicts in a row")


def _transactions(it, db):
    _transact(db, [{"Put": {"TableName": TABLE, "Item": {**_key("t", name), "v": {"N": "1"}}}} for name in "ab"])
    bump = {"Update": {"TableName": TABLE, "Key": _key("t", "a"), "UpdateExpression": "SET v = v + :one",
                       "ExpressionAttributeValues": {":one": {"N": "1"}}}}
    check = {"ConditionCheck": {"TableName": TABLE, "Key": _key("t", "b"), "ConditionExpression": "v = :v",
                                "ExpressionAttributeValues": {":v": {"N": "1"}}}}
    drop = {"Delete": {"TableName": TABLE, "Key": _key("t", "c")}}
    _transact(db, [bump, check, drop])
    got = db.transact_get_items(TransactItems=[{"Get": {"TableName": TABLE, "Key": _key("t", name)}} for name in "ab"])
    it.equal("a transaction happens", [row["Item"]["v"]["N"] for row in got["Responses"]], ["2", "1"])
    check["ConditionCheck"]["ExpressionAttributeValues"] = {":v": {"N": "9"}}
    check["ConditionCheck"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    error = it.refused("a transaction whose check fails", "TransactionCanceledException", _transact, db=db,
                       items=[bump, check, drop])
    reasons = error.get("CancellationReasons", [])
    it.equal("says which", [reason["Code"] for reason in reasons], ["None", "ConditionalCheckFailed", "None"])
    it.equal("and shows what stands there", reasons[1].get("Item") if len(reasons) == 3 else None,
             {**_key("t", "b"), "v": {"N": "1"}})
    after = db.get_item(TableName=TABLE, Key=_key("t", "a"), ConsistentRead=True)["Item"]
    it.equal("and did nothing", decimal.Decimal(after["v"]["N"]), 2)
    it.refused("one item twice in a transaction", "ValidationException", _transact, db=db, items=[bump, bump])


def _indexes(it, db):
    item = {**_key("indexed"), "gsi1pk": {"S": "oracle#index"}, "gsi1sk": {"S": "1"}}
    query = {"TableName": TABLE, "IndexName": "gsi1", "KeyConditionExpression": "gsi1pk = :pk",
             "ExpressionAttributeValues": {":pk": {"S": "oracle#index"}}}
    db.put_item(TableName=TABLE, Item=item)
    it.eventually("an index follows a put", lambda: db.query(**query)["Items"], [item])
    it.refused("an index is never consistent", "ValidationException", db.query, **query, ConsistentRead=True)
    db.update_item(TableName=TABLE, Key=_key("indexed"), UpdateExpression="REMOVE gsi1pk")
    it.eventually("and an item that leaves it", lambda: db.query(**query)["Items"], [])
    it.refused("an index that is not there", "ValidationException", db.query, **(query | {"IndexName": "gsi9"}))


def _tables(it, db):
    definition = {"TableName": "oracle", "BillingMode": "PAY_PER_REQUEST",
                  "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                  "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}
    made = db.create_table(**definition)["TableDescription"]
    it.eventually("a table becomes active",
                  lambda: db.describe_table(TableName="oracle")["Table"]["TableStatus"], "ACTIVE")
    it.refused("a table is made once", "ResourceInUseException", db.create_table, **definition)
    db.update_time_to_live(TableName="oracle", TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone"})
    db.tag_resource(ResourceArn=made["TableArn"], Tags=[{"Key": "who", "Value": "oracle"}])
    tags = db.list_tags_of_resource(ResourceArn=made["TableArn"])["Tags"]
    it.equal("a table has its tags", tags, [{"Key": "who", "Value": "oracle"}])
    db.untag_resource(ResourceArn=made["TableArn"], TagKeys=["who"])
    db.update_table(TableName="oracle", DeletionProtectionEnabled=True)
    it.refused("a protected table stays", "ValidationException", db.delete_table, TableName="oracle")
    db.update_table(TableName="oracle", DeletionProtectionEnabled=False)
    db.delete_table(TableName="oracle")
    it.eventually("a deleted table is gone", lambda: "oracle" in db.list_tables()["TableNames"], False)
