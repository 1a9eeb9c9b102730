"""An organisation put into moto by AWS's own client: python organisation.py URL

Larger than a page of any list, with units that nest, tags, and people of whom only one is looked for.
"""

import json
import sys

import boto3

STORE = "d-99670a1b2c"
# Above the largest page of a list: 20 of accounts and units, 100 of people and groups.
FILLERS = 120
ACCOUNTS = 25


def main(url):
    client = lambda service: boto3.client(
        service,
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )
    people = identity_store(client("identitystore"))
    print(json.dumps({"accounts": organization(client("organizations")), "people": people,
                      "instance": permission_sets(client("sso-admin"))}))


def organization(organizations):
    organizations.create_organization(FeatureSet="ALL")
    [root] = organizations.list_roots()["Roots"]
    production = unit(organizations, root["Id"], "Production")
    payments = unit(organizations, production, "Payments")
    for number in range(ACCOUNTS):
        unit(organizations, root["Id"], f"Empty {number:02}")
    accounts = {
        "Ledger": account(organizations, "Ledger", root["Id"], payments, {}),
        "Website": account(organizations, "Website", root["Id"], production, {}),
        "Tagged": account(organizations, "Tagged", root["Id"], root["Id"], {"stage": "open"}),
        "Elsewhere": account(organizations, "Elsewhere", root["Id"], root["Id"], {"stage": "closed"}),
    }
    for number in range(ACCOUNTS):
        account(organizations, f"Filler {number:02}", root["Id"], payments, {})
    return accounts


def unit(organizations, parent, name):
    return organizations.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]


def account(organizations, name, root, parent, tags):
    email = f"{name.replace(' ', '.').lower()}@example.com"
    rows = [{"Key": key, "Value": value} for key, value in tags.items()]
    made = organizations.create_account(AccountName=name, Email=email, Tags=rows)["CreateAccountStatus"]["AccountId"]
    if parent != root:
        organizations.move_account(AccountId=made, SourceParentId=root, DestinationParentId=parent)
    return made


def identity_store(store):
    for number in range(FILLERS):
        person(store, f"filler.{number:03}")
        store.create_group(IdentityStoreId=STORE, DisplayName=f"Filler {number:03}")
    people = {name: person(store, name) for name in ("ana.silva", "ben.okafor", "emma.lindqvist", "grace.chen")}
    for group, members in {"Askers": ["ana.silva"], "Deciders": ["emma.lindqvist"], "Keepers": ["grace.chen"]}.items():
        made = store.create_group(IdentityStoreId=STORE, DisplayName=group)["GroupId"]
        for name in members:
            store.create_group_membership(IdentityStoreId=STORE, GroupId=made, MemberId={"UserId": people[name]})
    return people


def person(store, user_name):
    given, family = (part.capitalize() for part in user_name.split("."))
    return store.create_user(
        IdentityStoreId=STORE,
        UserName=user_name,
        DisplayName=f"{given} {family} of moto",
        Name={"GivenName": given, "FamilyName": family},
        Emails=[{"Value": f"{user_name}@example.com", "Type": "work", "Primary": True}],
    )["UserId"]


def permission_sets(sso):
    [instance] = sso.list_instances()["Instances"]
    sso.create_permission_set(InstanceArn=instance["InstanceArn"], Name="ReadOnlyAccess", SessionDuration="PT1H")
    return instance["InstanceArn"]


if __name__ == "__main__":
    main(*sys.argv[1:])
