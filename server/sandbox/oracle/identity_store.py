"""The Identity Store: people, groups, and who is in which."""

STORE = "d-99670a1b2c"
NOBODY = "00000000-0000-4000-8000-000000000000"


def judge(it):
    store = it.client("identitystore")
    people = _people(it, store)
    groups = _groups(it, store)
    _memberships(it, store, people, groups)
    it.all_tried(store)


def _people(it, store):
    rows = it.pages("people", store, "list_users", "Users", 5, IdentityStoreId=STORE)
    people = {row["UserName"]: row for row in rows}
    it.check("the people of the sandbox are there", {"ana.silva", "liam.murphy", "noah.berg"} <= set(people), people)
    it.equal("each once", len(rows), len(people))
    ana = people["ana.silva"]
    described = store.describe_user(IdentityStoreId=STORE, UserId=ana["UserId"])
    it.equal("a person is described as listed",
             {name: value for name, value in described.items() if name != "ResponseMetadata"}, ana)
    it.equal("a person has a name and an address", (ana["DisplayName"], ana["Emails"][0]["Value"]),
             ("Ana Silva", "ana.silva@example.com"))
    it.equal("an enabled person says so", ana.get("UserStatus"), "ENABLED")
    noah = store.describe_user(IdentityStoreId=STORE, UserId=people["noah.berg"]["UserId"])
    it.equal("a disabled person says so", noah.get("UserStatus"), "DISABLED")
    for path, value in [("userName", "ana.silva"), ("emails.value", "ana.silva@example.com")]:
        attribute = {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}
        found = store.get_user_id(IdentityStoreId=STORE, AlternateIdentifier=attribute)
        it.equal(f"a person is found by {path}", found["UserId"], ana["UserId"])
        it.equal("in the store that was asked", found["IdentityStoreId"], STORE)
    missing = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "nobody"}}
    it.refused("nobody is not found", "ResourceNotFoundException", store.get_user_id, IdentityStoreId=STORE,
               AlternateIdentifier=missing)
    it.refused("nor described", "ResourceNotFoundException", store.describe_user, IdentityStoreId=STORE, UserId=NOBODY)
    it.refused("a person by an attribute that finds nobody", "ValidationException", store.get_user_id,
               IdentityStoreId=STORE,
               AlternateIdentifier={"UniqueAttribute": {"AttributePath": "nickname", "AttributeValue": "ana"}})
    it.refused("an id that is none", "ValidationException", store.describe_user, IdentityStoreId=STORE, UserId="ana")
    it.refused("another store", "ResourceNotFoundException", store.list_users, IdentityStoreId="d-0000000000")
    filtered = store.list_users(IdentityStoreId=STORE,
                                Filters=[{"AttributePath": "UserName", "AttributeValue": "ana.silva"}])["Users"]
    it.equal("a filter finds the one", [row["UserId"] for row in filtered], [ana["UserId"]])
    return {name: row["UserId"] for name, row in people.items()}


def _groups(it, store):
    rows = it.pages("groups", store, "list_groups", "Groups", 3, IdentityStoreId=STORE)
    groups = {row["DisplayName"]: row for row in rows}
    it.check("the groups of the sandbox are there", {"Platform", "Security", "SRE", "Audit"} <= set(groups), groups)
    sre = groups["SRE"]
    described = store.describe_group(IdentityStoreId=STORE, GroupId=sre["GroupId"])
    it.equal("a group is described as listed",
             {name: value for name, value in described.items() if name != "ResponseMetadata"}, sre)
    attribute = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "SRE"}}
    found = store.get_group_id(IdentityStoreId=STORE, AlternateIdentifier=attribute)["GroupId"]
    it.equal("a group is found by name", found, sre["GroupId"])
    attribute = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "Nobody"}}
    it.refused("no group is not found", "ResourceNotFoundException", store.get_group_id, IdentityStoreId=STORE,
               AlternateIdentifier=attribute)
    it.refused("nor described", "ResourceNotFoundException", store.describe_group, IdentityStoreId=STORE,
               GroupId=NOBODY)
    return {name: row["GroupId"] for name, row in groups.items()}


def _memberships(it, store, people, groups):
    rows = it.pages("members", store, "list_group_memberships", "GroupMemberships", 2, IdentityStoreId=STORE,
                    GroupId=groups["Security"])
    members = {row["MemberId"]["UserId"] for row in rows}
    it.equal("a group has its members", members, {people[name] for name in
                                                  ("emma.lindqvist", "farid.haddad", "mia.novak")})
    rows = it.pages("groups of Mia", store, "list_group_memberships_for_member", "GroupMemberships", 1,
                    IdentityStoreId=STORE, MemberId={"UserId": people["mia.novak"]})
    it.equal("a member has their groups", {row["GroupId"] for row in rows},
             {groups[name] for name in ("Security", "Payments", "Engineering")})
    mia = {"UserId": people["mia.novak"]}
    answer = store.is_member_in_groups(IdentityStoreId=STORE, MemberId=mia,
                                       GroupIds=[groups[name] for name in ("Security", "SRE", "Payments")])["Results"]
    it.equal("membership is told for each group", {row["GroupId"]: row["MembershipExists"] for row in answer},
             {groups["Security"]: True, groups["SRE"]: False, groups["Payments"]: True})

    liam = {"UserId": people["liam.murphy"]}
    made = store.create_group_membership(IdentityStoreId=STORE, GroupId=groups["Oncall"], MemberId=liam)
    it.eventually("a new member is one", lambda: _is_member(store, liam, groups["Oncall"]), True)
    it.refused("and is added once", "ConflictException", store.create_group_membership, IdentityStoreId=STORE,
               GroupId=groups["Oncall"], MemberId=liam)

    def found():
        return store.get_group_membership_id(IdentityStoreId=STORE, GroupId=groups["Oncall"], MemberId=liam)[
            "MembershipId"]

    it.equal("a membership has one id", found(), made["MembershipId"])
    described = store.describe_group_membership(IdentityStoreId=STORE, MembershipId=made["MembershipId"])
    it.equal("and says whose it is", (described["GroupId"], described["MemberId"]), (groups["Oncall"], liam))
    store.delete_group_membership(IdentityStoreId=STORE, MembershipId=made["MembershipId"])
    it.eventually("a removed member is none", lambda: _is_member(store, liam, groups["Oncall"]), False)
    it.refused("and is removed once", "ResourceNotFoundException", store.delete_group_membership,
               IdentityStoreId=STORE, MembershipId=made["MembershipId"])
    it.refused("a member that is nobody", "ResourceNotFoundException", store.create_group_membership,
               IdentityStoreId=STORE, GroupId=groups["Oncall"], MemberId={"UserId": NOBODY})
    it.refused("a group that is none", "ResourceNotFoundException", store.list_group_memberships,
               IdentityStoreId=STORE, GroupId=NOBODY)


def _is_member(store, member, group):
    return store.is_member_in_groups(IdentityStoreId=STORE, MemberId=member, GroupIds=[group])["Results"][0][
        "MembershipExists"]
