"""Organizations: the tree of units and accounts, and their tags."""

NOWHERE = "000000000000"
PAYMENTS = "111122223333"
MANAGEMENT = "100000000001"


def judge(it):
    organizations = it.client("organizations")
    organization = organizations.describe_organization()["Organization"]
    it.equal("the management account is the one", organization["MasterAccountId"], MANAGEMENT)
    [root] = organizations.list_roots()["Roots"]
    accounts = it.pages("accounts", organizations, "list_accounts", "Accounts", 3)
    by_id = {account["Id"]: account for account in accounts}
    it.check("there are a dozen accounts", len(accounts) >= 12 and len(by_id) == len(accounts), len(accounts))
    it.equal("an account is described as listed",
             organizations.describe_account(AccountId=PAYMENTS)["Account"], by_id[PAYMENTS])
    it.check("all are active", {account["Status"] for account in accounts} == {"ACTIVE"})

    found, units = _tree(it, organizations, root["Id"])
    it.equal("the tree holds every account once", sorted(found), sorted(by_id))
    paths = {path[-1]: path for path in found.values() if path}
    it.check("units nest", any(len(path) >= 2 for path in found.values()), paths)
    it.equal("Payments Production is where it should be", found[PAYMENTS], ("Production", "Payments"))
    unit = next(iter(units))
    described = organizations.describe_organizational_unit(OrganizationalUnitId=unit)["OrganizationalUnit"]
    it.equal("a unit is described as listed", described, units[unit])
    for child in (PAYMENTS, unit):
        [parent] = organizations.list_parents(ChildId=child)["Parents"]
        children = it.pages("children", organizations, "list_children", "Children", 2, ParentId=parent["Id"],
                            ChildType="ACCOUNT" if child == PAYMENTS else "ORGANIZATIONAL_UNIT")
        it.check("a parent has its child", child in [row["Id"] for row in children], children)
    rows = organizations.list_tags_for_resource(ResourceId=PAYMENTS)["Tags"]
    it.equal("an account has its tags", {row["Key"]: row["Value"] for row in rows}, {"env": "prod", "team": "payments"})
    organizations.list_tags_for_resource(ResourceId=unit)

    it.refused("an account that is not there", "AccountNotFoundException", organizations.describe_account,
               AccountId=NOWHERE)
    it.refused("a parent that is not there", "ParentNotFoundException", organizations.list_accounts_for_parent,
               ParentId="ou-zzzz-00000000")
    it.refused("a unit that is not there", "OrganizationalUnitNotFoundException",
               organizations.describe_organizational_unit, OrganizationalUnitId="ou-zzzz-00000000")
    it.refused("a child that is not there", "ChildNotFoundException", organizations.list_parents, ChildId=NOWHERE)
    it.refused("tags of nothing", "TargetNotFoundException", organizations.list_tags_for_resource, ResourceId=NOWHERE)
    it.refused("an id that is none", "InvalidInputException", organizations.describe_account, AccountId="payments")
    it.refused("a token of one's own making", "InvalidInputException", organizations.list_accounts,
               NextToken="made-up")
    it.all_tried(organizations)


def _tree(it, organizations, root):
    """Account to its path of units, and every unit, by walking down."""
    accounts, units, waiting = {}, {}, [(root, ())]
    while waiting:
        parent, path = waiting.pop()
        for account in it.pages("accounts of a unit", organizations, "list_accounts_for_parent", "Accounts", 2,
                                ParentId=parent):
            accounts[account["Id"]] = path
        for unit in it.pages("units of a unit", organizations, "list_organizational_units_for_parent",
                             "OrganizationalUnits", 2, ParentId=parent):
            units[unit["Id"]] = unit
            waiting.append((unit["Id"], (*path, unit["Name"])))
    return accounts, units
