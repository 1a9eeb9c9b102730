"""IAM Identity Center: permission sets, assignments, and the operations that change them."""

import time

from botocore.exceptions import ClientError

INSTANCE = "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6"
STORE = "d-99670a1b2c"
PAYMENTS = "111122223333"
NOWHERE = "000000000000"
NOBODY = "99670a1b2c-00000000-0000-4000-8000-000000000000"
NO_REQUEST = "00000000-0000-4000-8000-000000000000"
NO_SET = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0000000000000000"


def judge(it):
    sso = it.client("sso-admin")
    people = it.client("identitystore")
    sets = _permission_sets(it, sso)
    _standing(it, sso, people, sets)
    _granted_and_taken_away(it, sso, people, sets)
    _refusals(it, sso, people, sets)
    _limits(it, sso, people, sets)
    it.all_tried(sso)


def _permission_sets(it, sso):
    [instance] = sso.list_instances()["Instances"]
    it.equal("the instance is the one", (instance["InstanceArn"], instance["IdentityStoreId"]), (INSTANCE, STORE))
    it.equal("and active", sso.describe_instance(InstanceArn=INSTANCE)["Status"], "ACTIVE")
    arns = it.pages("permission sets", sso, "list_permission_sets", "PermissionSets", 2, InstanceArn=INSTANCE)
    it.equal("a permission set is listed once", len(arns), len(set(arns)))
    sets = {}
    for arn in arns:
        found = sso.describe_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn)["PermissionSet"]
        it.equal("a permission set is the one that was asked for", found["PermissionSetArn"], arn)
        sets[found["Name"]] = found
        sso.list_tags_for_resource(InstanceArn=INSTANCE, ResourceArn=arn)
    sessions = {name: found["SessionDuration"] for name, found in sets.items()}
    it.check("sessions last as seeded", sessions.get("ReadOnlyAccess") == "PT8H", sessions)
    it.refused("a permission set that is not there", "ResourceNotFoundException", sso.describe_permission_set,
               InstanceArn=INSTANCE, PermissionSetArn=NO_SET)
    it.refused("an instance that is not there", "ResourceNotFoundException", sso.list_permission_sets,
               InstanceArn="arn:aws:sso:::instance/ssoins-0000000000000000")
    it.refused("a token of one's own making", "ValidationException", sso.list_permission_sets, InstanceArn=INSTANCE,
               NextToken="made-up")
    return {name: found["PermissionSetArn"] for name, found in sets.items()}


def _standing(it, sso, people, sets):
    """Three ways to the same rows: by account, by permission set, by principal."""
    rows = set()
    for name, arn in sets.items():
        accounts = it.pages(name, sso, "list_accounts_for_provisioned_permission_set", "AccountIds", 2,
                            InstanceArn=INSTANCE, PermissionSetArn=arn)
        for account in accounts:
            found = it.pages(f"{name} in {account}", sso, "list_account_assignments", "AccountAssignments", 1,
                             InstanceArn=INSTANCE, AccountId=account, PermissionSetArn=arn)
            it.check("what is provisioned is assigned", found, (name, account))
            rows |= {(row["PrincipalType"], row["PrincipalId"], row["AccountId"], row["PermissionSetArn"])
                     for row in found}
            provisioned = it.pages(account, sso, "list_permission_sets_provisioned_to_account", "PermissionSets", 2,
                                   InstanceArn=INSTANCE, AccountId=account)
            it.check("provisioning is told the same both ways", arn in provisioned, (name, account))
    it.check("there are standing assignments", len(rows) >= 5, rows)
    it.check("to people and to groups", {kind for kind, *_ in rows} == {"USER", "GROUP"}, rows)
    ana = _user(people, "ana.silva")
    listed = it.pages("of Ana", sso, "list_account_assignments_for_principal", "AccountAssignments", 1,
                      InstanceArn=INSTANCE, PrincipalId=ana, PrincipalType="USER")
    direct = {(row["AccountId"], row["PermissionSetArn"]) for row in listed if row["PrincipalId"] == ana}
    expected = {(account, arn) for kind, who, account, arn in rows if (kind, who) == ("USER", ana)}
    it.equal("a person's own assignments are found by person", direct, expected)
    it.equal("an account that does not exist has none",
             sso.list_account_assignments(InstanceArn=INSTANCE, AccountId=NOWHERE,
                                          PermissionSetArn=sets["ReadOnlyAccess"])["AccountAssignments"], [])


def _granted_and_taken_away(it, sso, people, sets):
    triple = {
        "InstanceArn": INSTANCE,
        "TargetId": PAYMENTS,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": sets["ReadOnlyAccess"],
        "PrincipalType": "USER",
        "PrincipalId": _user(people, "carla.rossi"),
    }
    # It stays open for as long as it is looked at, however slow this machine is.
    with it.fault({"operation": "sso-admin:CreateAccountAssignment", "kind": "stall"}):
        begun = sso.create_account_assignment(**triple)["AccountAssignmentCreationStatus"]
        it.equal("a creation begins and is not done", begun["Status"], "IN_PROGRESS")
        it.equal("it says what it creates", {name: begun.get(name) for name in triple if name != "InstanceArn"},
                 {name: value for name, value in triple.items() if name != "InstanceArn"})
        it.refused("the same again at once", "ConflictException", sso.create_account_assignment, **triple)
        open_ones = sso.list_account_assignment_creation_status(InstanceArn=INSTANCE, Filter={"Status": "IN_PROGRESS"})
        rows = open_ones["AccountAssignmentsCreationStatus"]
        it.check("an open creation is listed", begun["RequestId"] in [row["RequestId"] for row in rows], rows)

    def created():
        return sso.describe_account_assignment_creation_status(
            InstanceArn=INSTANCE, AccountAssignmentCreationRequestId=begun["RequestId"]
        )["AccountAssignmentCreationStatus"]["Status"]

    it.eventually("a creation succeeds", created, "SUCCEEDED")
    it.eventually("and the assignment is there", lambda: _has(sso, triple), True)
    done = it.pages("creations", sso, "list_account_assignment_creation_status", "AccountAssignmentsCreationStatus", 1,
                    InstanceArn=INSTANCE, Filter={"Status": "SUCCEEDED"})
    it.check("a done creation is listed", begun["RequestId"] in [row["RequestId"] for row in done], done)

    ended = sso.delete_account_assignment(**triple)["AccountAssignmentDeletionStatus"]
    it.equal("a deletion begins and is not done", ended["Status"], "IN_PROGRESS")

    def deleted():
        return sso.describe_account_assignment_deletion_status(
            InstanceArn=INSTANCE, AccountAssignmentDeletionRequestId=ended["RequestId"]
        )["AccountAssignmentDeletionStatus"]["Status"]

    it.eventually("a deletion succeeds", deleted, "SUCCEEDED")
    it.eventually("and the assignment is gone", lambda: _has(sso, triple), False)
    done = sso.list_account_assignment_deletion_status(InstanceArn=INSTANCE)["AccountAssignmentsDeletionStatus"]
    it.check("a done deletion is listed", ended["RequestId"] in [row["RequestId"] for row in done], done)

    again = sso.delete_account_assignment(**triple)["AccountAssignmentDeletionStatus"]

    def failed():
        status = sso.describe_account_assignment_deletion_status(
            InstanceArn=INSTANCE, AccountAssignmentDeletionRequestId=again["RequestId"]
        )["AccountAssignmentDeletionStatus"]
        return status["Status"], bool(status.get("FailureReason"))

    it.eventually("deleting what is not there fails and says why", failed, ("FAILED", True))


def _refusals(it, sso, people, sets):
    good = {
        "InstanceArn": INSTANCE,
        "TargetId": PAYMENTS,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": sets["ReadOnlyAccess"],
        "PrincipalType": "USER",
        "PrincipalId": _user(people, "dmitri.volkov"),
    }
    for change, code in [
        ({"PermissionSetArn": NO_SET}, "ResourceNotFoundException"),
        ({"InstanceArn": "arn:aws:sso:::instance/ssoins-0000000000000000"}, "ResourceNotFoundException"),
        ({"PrincipalType": "ROBOT"}, "ValidationException"),
        ({"TargetId": "payments-prod"}, "ValidationException"),
        ({"PrincipalId": "dmitri"}, "ValidationException"),
    ]:
        it.refused(f"a creation with {change}", code, sso.create_account_assignment, **(good | change))
    it.refused("a creation that never was", "ResourceNotFoundException",
               sso.describe_account_assignment_creation_status, InstanceArn=INSTANCE,
               AccountAssignmentCreationRequestId=NO_REQUEST)
    it.refused("a deletion that never was", "ResourceNotFoundException",
               sso.describe_account_assignment_deletion_status, InstanceArn=INSTANCE,
               AccountAssignmentDeletionRequestId=NO_REQUEST)


def _limits(it, sso, people, sets):
    """Fifteen operations at most at once, and twenty requests a second."""
    # Distinct keys: one person in many accounts, on a permission set that nobody has there.
    ana = _user(people, "emma.lindqvist")
    accounts = [
        "111122223333", "111122223334", "222233334444", "222233334445", "333344445555", "333344445556",
        "444455556666", "555566667777", "666677778888", "777788889999", "888899990000", "888899990001", "999900001111",
    ]
    begun, refusals = [], []
    for name in ("NetworkAdministrator", "DatabaseOperator"):
        for account in accounts:
            triple = {"InstanceArn": INSTANCE, "TargetId": account, "TargetType": "AWS_ACCOUNT",
                      "PermissionSetArn": sets[name], "PrincipalType": "USER", "PrincipalId": ana}
            try:
                status = sso.create_account_assignment(**triple)["AccountAssignmentCreationStatus"]
                begun.append((triple, status["RequestId"]))
            except ClientError as error:
                refusals.append(error.response["Error"]["Code"])
    it.check("not everything may be outstanding at once", refusals, f"{len(begun)} were begun")
    it.check("fifteen may", len(begun) >= 15, f"{len(begun)} were begun, then {refusals}")

    def open_count():
        rows = sso.list_account_assignment_creation_status(
            InstanceArn=INSTANCE, Filter={"Status": "IN_PROGRESS"})["AccountAssignmentsCreationStatus"]
        return len(rows)

    it.eventually("they end", open_count, 0)
    for triple, _ in begun:
        for _ in range(100):
            try:
                sso.delete_account_assignment(**triple)
                break
            except ClientError:
                time.sleep(0.2)


def _has(sso, triple):
    rows = sso.list_account_assignments(
        InstanceArn=INSTANCE, AccountId=triple["TargetId"], PermissionSetArn=triple["PermissionSetArn"]
    )["AccountAssignments"]
    return triple["PrincipalId"] in [row["PrincipalId"] for row in rows]


def _user(people, name):
    identifier = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": name}}
    return people.get_user_id(IdentityStoreId=STORE, AlternateIdentifier=identifier)["UserId"]
