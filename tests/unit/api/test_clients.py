# SPDX-License-Identifier: Apache-2.0
"""The EC2 API as boto3 sees it: requests as it makes them, answers as it reads them.

requirement: OPS-1
"""
import datetime
import uuid

import botocore.config
import botocore.exceptions
import pytest


def refused(call, **arguments):
    """The error code and message of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(**arguments)
    error = e.value.response["Error"]
    assert error["Message"]
    assert e.value.response["ResponseMetadata"]["RequestId"]
    return error["Code"], error["Message"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


def code(call, **arguments):
    return refused(call, **arguments)[0]


def names(**filters):
    return [{"Name": k.replace("_", "-"), "Values": v} for k, v in filters.items()]


def test_vpc_life(ec2):
    v = ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=[
        {"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "a <b> & \"c\" é"}]}])["Vpc"]
    assert v["State"] == "available" and v["CidrBlock"] == "10.1.0.0/16"
    assert v["OwnerId"] == "111111111111" and v["DhcpOptionsId"] == "default"
    assert v["InstanceTenancy"] == "default" and v["IsDefault"] is False
    assert v["Tags"] == [{"Key": "Name", "Value": "a <b> & \"c\" é"}]
    block, = v["CidrBlockAssociationSet"]
    assert block["CidrBlock"] == "10.1.0.0/16" and block["CidrBlockState"]["State"] == "associated"
    assert ec2.describe_vpcs(VpcIds=[v["VpcId"]])["Vpcs"] == [v]
    ec2.get_waiter("vpc_available").wait(VpcIds=[v["VpcId"]])
    for attribute, before in (("enableDnsSupport", True), ("enableDnsHostnames", False),
                              ("enableNetworkAddressUsageMetrics", False)):
        key = attribute[0].upper() + attribute[1:]
        d = ec2.describe_vpc_attribute(VpcId=v["VpcId"], Attribute=attribute)
        assert d["VpcId"] == v["VpcId"] and d[key] == {"Value": before}
    ec2.modify_vpc_attribute(VpcId=v["VpcId"], EnableDnsHostnames={"Value": True})
    assert ec2.describe_vpc_attribute(
        VpcId=v["VpcId"], Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]
    assert code(ec2.describe_vpc_attribute, VpcId=v["VpcId"],
                Attribute="nonsense") == "InvalidParameterValue"
    ec2.delete_vpc(VpcId=v["VpcId"])
    assert refused(ec2.describe_vpcs, VpcIds=[v["VpcId"]])[:2] == (
        "InvalidVpcID.NotFound", "VpcID %s does not exist." % v["VpcId"])


@pytest.mark.parametrize("cidr, expected", [
    ("10.0.0.0/15", "InvalidVpc.Range"), ("10.0.0.0/29", "InvalidVpc.Range"),
    ("10.0.0.0", "InvalidParameterValue"), ("nonsense", "InvalidParameterValue"),
    ("2001:db8::/56", "InvalidParameterValue"), ("", "InvalidParameterValue")])
def test_bad_vpcs(ec2, cidr, expected):
    assert code(ec2.create_vpc, CidrBlock=cidr) == expected


def test_vpc_without_cidr(ec2):
    assert code(ec2.create_vpc) == "MissingParameter"
    v = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=False)["Vpc"]
    ec2.delete_vpc(VpcId=v["VpcId"])


def test_dhcp_options_of_a_vpc(ec2, vpc):
    options = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"]
    d, = ec2.describe_dhcp_options(DhcpOptionsIds=[options])["DhcpOptions"]
    found = {c["Key"]: [v["Value"] for v in c["Values"]] for c in d["DhcpConfigurations"]}
    assert found == {"domain-name": ["ec2.internal"],
                     "domain-name-servers": ["AmazonProvidedDNS"]}
    assert code(ec2.describe_dhcp_options,
                DhcpOptionsIds=["dopt-1"]) == "InvalidDhcpOptionID.NotFound"


def test_subnets(ec2, vpc):
    s = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1b",
                          TagSpecifications=[{"ResourceType": "subnet", "Tags": [
                              {"Key": "Name", "Value": "s"}]}])["Subnet"]
    assert s["AvailableIpAddressCount"] == 251 and s["AvailabilityZone"] == "us-east-1b"
    assert s["AvailabilityZoneId"] == "use1-az2" and s["State"] == "available"
    assert s["MapPublicIpOnLaunch"] is False and s["DefaultForAz"] is False
    assert s["SubnetArn"] == "arn:aws:ec2:us-east-1:111111111111:subnet/" + s["SubnetId"]
    assert ec2.describe_subnets(SubnetIds=[s["SubnetId"]])["Subnets"] == [s]
    t = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/28",
                          AvailabilityZoneId="use1-az3")["Subnet"]
    assert t["AvailabilityZone"] == "us-east-1c" and t["AvailableIpAddressCount"] == 11
    for cidr, expected in (("10.0.1.128/25", "InvalidSubnet.Conflict"),
                           ("10.1.0.0/24", "InvalidSubnet.Range"),
                           ("10.0.3.0/29", "InvalidSubnet.Range"),
                           ("x", "InvalidParameterValue")):
        assert code(ec2.create_subnet, VpcId=vpc, CidrBlock=cidr) == expected
    assert code(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.3.0/24",
                AvailabilityZone="eu-west-1a") == "InvalidParameterValue"
    assert code(ec2.create_subnet, VpcId="vpc-00000000000000001",
                CidrBlock="10.0.3.0/24") == "InvalidVpcID.NotFound"
    ec2.modify_subnet_attribute(SubnetId=s["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    assert ec2.describe_subnets(SubnetIds=[s["SubnetId"]])["Subnets"][0]["MapPublicIpOnLaunch"]
    assert code(ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"
    ec2.delete_subnet(SubnetId=t["SubnetId"])
    assert refused(ec2.describe_subnets, SubnetIds=[t["SubnetId"]])[:2] == (
        "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist" % t["SubnetId"])


def test_interface_life(ec2, subnet, vpc):
    i = ec2.create_network_interface(
        SubnetId=subnet, Description="d", PrivateIpAddress="10.0.1.50", ClientToken="t-%s" % subnet,
        TagSpecifications=[{"ResourceType": "network-interface", "Tags": [
            {"Key": "k", "Value": ""}]}])["NetworkInterface"]
    assert i["Status"] == "available" and i["PrivateIpAddress"] == "10.0.1.50"
    assert i["PrivateDnsName"] == "ip-10-0-1-50.ec2.internal" and i["VpcId"] == vpc
    assert i["PrivateIpAddresses"] == [{"PrivateIpAddress": "10.0.1.50", "Primary": True,
                                        "PrivateDnsName": "ip-10-0-1-50.ec2.internal"}]
    assert i["SourceDestCheck"] is True and i["Description"] == "d" and [g["GroupName"] for g in i["Groups"]] == ["default"]
    assert i["TagSet"] == [{"Key": "k", "Value": ""}] and i["InterfaceType"] == "interface"
    assert i["RequesterManaged"] is False and "Attachment" not in i
    eni = i["NetworkInterfaceId"]
    d, = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    assert d == i
    ec2.get_waiter("network_interface_available").wait(NetworkInterfaceIds=[eni])
    assert code(ec2.create_network_interface, SubnetId=subnet,
                PrivateIpAddress="10.0.1.50") == "InvalidIPAddress.InUse"
    for bad in ("10.0.1.1", "10.0.1.255", "10.0.2.4", "x"):
        assert code(ec2.create_network_interface, SubnetId=subnet,
                    PrivateIpAddress=bad) == "InvalidParameterValue"
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Description={"Value": "e"})
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni,
                                           SourceDestCheck={"Value": False})
    attribute = ec2.describe_network_interface_attribute
    assert attribute(NetworkInterfaceId=eni, Attribute="description")["Description"] == {
        "Value": "e"}
    assert attribute(NetworkInterfaceId=eni, Attribute="sourceDestCheck")["SourceDestCheck"] == {
        "Value": False}
    assert attribute(NetworkInterfaceId=eni, Attribute="groupSet")["Groups"] == i["Groups"]
    assert code(attribute, NetworkInterfaceId=eni, Attribute="x") == "InvalidParameterValue"
    assert code(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    assert code(ec2.describe_network_interfaces,
                NetworkInterfaceIds=[eni]) == "InvalidNetworkInterfaceID.NotFound"


def test_private_addresses(ec2, subnet):
    a = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddresses=[
        {"PrivateIpAddress": "10.0.1.20", "Primary": True},
        {"PrivateIpAddress": "10.0.1.21", "Primary": False}])["NetworkInterface"]
    b = ec2.create_network_interface(SubnetId=subnet,
                                     SecondaryPrivateIpAddressCount=2)["NetworkInterface"]
    assert [x["PrivateIpAddress"] for x in a["PrivateIpAddresses"]] == ["10.0.1.20", "10.0.1.21"]
    assert len(b["PrivateIpAddresses"]) == 3
    a, b = a["NetworkInterfaceId"], b["NetworkInterfaceId"]
    r = ec2.assign_private_ip_addresses(NetworkInterfaceId=a, PrivateIpAddresses=["10.0.1.60"])
    assert r["NetworkInterfaceId"] == a
    assert r["AssignedPrivateIpAddresses"] == [{"PrivateIpAddress": "10.0.1.60"}]
    r = ec2.assign_private_ip_addresses(NetworkInterfaceId=b, SecondaryPrivateIpAddressCount=2)
    assert len(r["AssignedPrivateIpAddresses"]) == 2
    assert code(ec2.assign_private_ip_addresses, NetworkInterfaceId=b,
                PrivateIpAddresses=["10.0.1.60"]) == "InvalidParameterValue"
    ec2.assign_private_ip_addresses(NetworkInterfaceId=b, PrivateIpAddresses=["10.0.1.60"],
                                    AllowReassignment=True)
    d, = ec2.describe_network_interfaces(Filters=names(**{
        "addresses.private_ip_address": ["10.0.1.60"]}))["NetworkInterfaces"]
    assert d["NetworkInterfaceId"] == b
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=b, PrivateIpAddresses=["10.0.1.60"])
    assert code(ec2.unassign_private_ip_addresses, NetworkInterfaceId=b,
                PrivateIpAddresses=["10.0.1.60"]) == "InvalidParameterValue"
    assert code(ec2.unassign_private_ip_addresses, NetworkInterfaceId=a,
                PrivateIpAddresses=["10.0.1.20"]) == "InvalidParameterValue"
    assert code(ec2.assign_private_ip_addresses, NetworkInterfaceId=a) == "MissingParameter"


def test_client_token(ec2, subnet):
    token = str(uuid.uuid4())
    a = ec2.create_network_interface(SubnetId=subnet, ClientToken=token)
    b = ec2.create_network_interface(SubnetId=subnet, ClientToken=token)
    assert a["NetworkInterface"] == b["NetworkInterface"] and a["ClientToken"] == token
    assert code(ec2.create_network_interface, SubnetId=subnet, ClientToken=token,
                Description="other") == "IdempotentParameterMismatch"
    assert len(ec2.describe_network_interfaces(
        Filters=names(subnet_id=[subnet]))["NetworkInterfaces"]) == 1


def test_tags(ec2, vpc, subnet):
    ec2.create_tags(Resources=[vpc, subnet], Tags=[{"Key": "a", "Value": "1"},
                                                   {"Key": "b", "Value": "2"}])
    found = ec2.describe_tags(Filters=names(resource_id=[subnet]))["Tags"]
    assert found == [{"Key": "a", "Value": "1", "ResourceId": subnet, "ResourceType": "subnet"},
                     {"Key": "b", "Value": "2", "ResourceId": subnet, "ResourceType": "subnet"}]
    found = ec2.describe_tags(Filters=names(key=["a"], resource_id=[vpc, subnet]))["Tags"]
    assert {t["ResourceId"] for t in found} == {vpc, subnet}
    found = ec2.describe_tags(Filters=[{"Name": "tag:b", "Values": ["?"]},
                                       {"Name": "resource-type", "Values": ["vpc"]}])["Tags"]
    assert [t["Key"] for t in found if t["ResourceId"] == vpc] == ["b"]
    ec2.delete_tags(Resources=[subnet], Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
    assert [t["Key"] for t in ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["Tags"]] == [
        "a"]
    ec2.delete_tags(Resources=[vpc])
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags", []) == []
    many = [{"Key": "k%d" % i, "Value": "v"} for i in range(50)]
    assert code(ec2.create_tags, Resources=[subnet], Tags=many) == "TagLimitExceeded"
    assert code(ec2.create_tags, Resources=["nonsense-1"],
                Tags=[{"Key": "a", "Value": "b"}]) == "InvalidID"
    assert code(ec2.create_tags, Resources=[subnet],
                Tags=[{"Key": "aws:x", "Value": "b"}]) == "InvalidParameterValue"
    assert code(ec2.create_tags, Resources=[subnet],
                Tags=[{"Key": "x"}]) == "InvalidParameterValue"
    assert code(ec2.create_tags, Resources=[subnet], Tags=[]) == "MissingParameter"
    assert code(ec2.create_vpc, CidrBlock="10.9.0.0/16", TagSpecifications=[
        {"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}]
    ) == "InvalidParameterValue"


def run(ec2, subnet, **more):
    arguments = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
    arguments.update(more)
    return ec2.run_instances(**arguments)


def one(ec2, instance):
    reservation, = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    i, = reservation["Instances"]
    return i


def test_instance_life(ec2, subnet, vpc):
    r = run(ec2, subnet, InstanceType="t3.micro", ImageId="ami-netns", KeyName="key",
            PrivateIpAddress="10.0.1.77", TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "i"}]},
                {"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "i"}]},
                {"ResourceType": "network-interface", "Tags": [{"Key": "n", "Value": "1"}]}])
    assert r["OwnerId"] == "111111111111" and r["ReservationId"].startswith("r-")
    i, = r["Instances"]
    assert i["State"] == {"Code": 0, "Name": "pending"} and i["ImageId"] == "ami-netns"
    i = one(ec2, i["InstanceId"])
    assert i["State"] == {"Code": 16, "Name": "running"} and i["InstanceType"] == "t3.micro"
    assert i["PrivateIpAddress"] == "10.0.1.77" and i["SubnetId"] == subnet and i["VpcId"] == vpc
    assert i["PrivateDnsName"] == "ip-10-0-1-77.ec2.internal" and i["KeyName"] == "key"
    assert i["Tags"] == [{"Key": "Name", "Value": "i"}]
    assert i["Placement"]["AvailabilityZone"] == "us-east-1a"
    assert isinstance(i["LaunchTime"], datetime.datetime)
    assert i["PlatformDetails"] == "Linux/UNIX" and i["UsageOperationUpdateTime"] == i["LaunchTime"]
    assert i["MetadataOptions"] == {"State": "applied", "HttpTokens": "optional", "HttpPutResponseHopLimit": 1,
                                    "HttpEndpoint": "disabled", "HttpProtocolIpv6": "disabled",
                                    "InstanceMetadataTags": "disabled"}
    assert i["PrivateDnsNameOptions"]["HostnameType"] == "ip-name" and not i["HibernationOptions"]["Configured"]
    nic, = i["NetworkInterfaces"]
    assert nic["Attachment"]["Status"] == "attached" and nic["Attachment"]["DeviceIndex"] == 0
    assert nic["Attachment"]["DeleteOnTermination"] is True and nic["Status"] == "in-use"
    n, = ec2.describe_network_interfaces(
        Filters=names(**{"attachment.instance_id": [i["InstanceId"]]}))["NetworkInterfaces"]
    assert n["Attachment"]["InstanceId"] == i["InstanceId"] and n["Status"] == "in-use"
    assert n["TagSet"] == [{"Key": "n", "Value": "1"}]
    assert code(ec2.delete_network_interface,
                NetworkInterfaceId=n["NetworkInterfaceId"]) == "InvalidNetworkInterface.InUse"

    ids = {"InstanceIds": [i["InstanceId"]]}
    status, = ec2.describe_instance_status(**ids)["InstanceStatuses"]
    assert status["InstanceStatus"]["Status"] == "ok"
    assert status["SystemStatus"]["Details"] == [{"Name": "reachability", "Status": "passed"}]
    t, = ec2.stop_instances(**ids)["StoppingInstances"]
    assert t["PreviousState"]["Name"] == "running" and t["CurrentState"]["Name"] == "stopping"
    assert one(ec2, i["InstanceId"])["State"]["Name"] == "stopped"
    assert ec2.describe_instance_status(**ids)["InstanceStatuses"] == []
    status, = ec2.describe_instance_status(IncludeAllInstances=True, **ids)["InstanceStatuses"]
    assert status["InstanceState"]["Name"] == "stopped"
    t, = ec2.start_instances(**ids)["StartingInstances"]
    assert t["PreviousState"]["Name"] == "stopped" and t["CurrentState"]["Name"] == "pending"
    assert one(ec2, i["InstanceId"])["State"]["Name"] == "running"
    ec2.reboot_instances(**ids)
    t, = ec2.terminate_instances(**ids)["TerminatingInstances"]
    assert t["CurrentState"]["Name"] == "shutting-down"
    gone = one(ec2, i["InstanceId"])
    assert gone["State"]["Name"] == "terminated" and "PrivateIpAddress" not in gone
    assert gone["NetworkInterfaces"] == []
    assert gone["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert code(ec2.describe_network_interfaces, NetworkInterfaceIds=[
        n["NetworkInterfaceId"]]) == "InvalidNetworkInterfaceID.NotFound"
    assert code(ec2.start_instances, **ids) == "IncorrectInstanceState"


def test_the_primary_interface_is_told_first(ec2, subnet):
    """Also when the others are older, whatever order they came in."""
    older = [ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in range(2)]
    i = run(ec2, subnet, InstanceType="t3.small")["Instances"][0]["InstanceId"]
    for index, n in zip((2, 1), older):
        ec2.attach_network_interface(NetworkInterfaceId=n, InstanceId=i, DeviceIndex=index)
    told = one(ec2, i)["NetworkInterfaces"]
    assert [n["Attachment"]["DeviceIndex"] for n in told] == [0, 1, 2]
    assert [n["NetworkInterfaceId"] for n in told[1:]] == older[::-1]
    ec2.terminate_instances(InstanceIds=[i])


def test_attach_what_another_has(ec2, subnet):
    """With AllowReassignment, which EC2 does not have and boto3 does not know.  requirement: NIC-3"""
    a, b = (run(ec2, subnet, InstanceType="t3.small")["Instances"][0]["InstanceId"] for _ in range(2))
    n = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    first = ec2.attach_network_interface(NetworkInterfaceId=n, InstanceId=a, DeviceIndex=1)["AttachmentId"]
    attach = {"NetworkInterfaceId": n, "InstanceId": b, "DeviceIndex": 1}
    assert code(ec2.attach_network_interface, **attach) == "InvalidNetworkInterface.InUse"

    def allow(params, **_):
        params["body"]["AllowReassignment"] = "true"
    ec2.meta.events.register("before-call.ec2.AttachNetworkInterface", allow)
    try:
        second = ec2.attach_network_interface(**attach)["AttachmentId"]
        assert second != first
        for _ in range(5):  # the hosts say so one after another, behind each call
            told = ec2.describe_network_interfaces(NetworkInterfaceIds=[n])["NetworkInterfaces"][0]["Attachment"]
        assert told["AttachmentId"] == second and told["InstanceId"] == b and told["Status"] == "attached"
        assert one(ec2, a)["NetworkInterfaces"][1:] == []
        primary = one(ec2, a)["NetworkInterfaces"][0]["NetworkInterfaceId"]
        assert code(ec2.attach_network_interface, NetworkInterfaceId=primary, InstanceId=b,
                    DeviceIndex=2) == "OperationNotPermitted"
    finally:
        ec2.meta.events.unregister("before-call.ec2.AttachNetworkInterface", allow)
    ec2.terminate_instances(InstanceIds=[a, b])


def test_attach_and_detach(ec2, subnet):
    i = run(ec2, subnet, InstanceType="t3.small")["Instances"][0]["InstanceId"]
    n = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    attach = {"NetworkInterfaceId": n, "InstanceId": i, "DeviceIndex": 1}
    a = ec2.attach_network_interface(**attach)["AttachmentId"]
    assert code(ec2.attach_network_interface, **attach) == "InvalidNetworkInterface.InUse"
    ec2.detach_network_interface(AttachmentId=a, Force=True)
    ec2.stop_instances(InstanceIds=[i])
    a = ec2.attach_network_interface(**attach)["AttachmentId"]
    d, = ec2.describe_network_interfaces(NetworkInterfaceIds=[n])["NetworkInterfaces"]
    assert d["Attachment"]["AttachmentId"] == a and d["Attachment"]["DeviceIndex"] == 1
    assert d["Attachment"]["Status"] == "attached" and d["Status"] == "in-use"
    assert d["Attachment"]["DeleteOnTermination"] is False
    ec2.modify_network_interface_attribute(NetworkInterfaceId=n, Attachment={
        "AttachmentId": a, "DeleteOnTermination": True})
    attribute = ec2.describe_network_interface_attribute(NetworkInterfaceId=n,
                                                         Attribute="attachment")
    assert attribute["Attachment"]["DeleteOnTermination"] is True
    primary = next(x for x in one(ec2, i)["NetworkInterfaces"]
                   if x["Attachment"]["DeviceIndex"] == 0)
    assert code(ec2.detach_network_interface, AttachmentId=primary["Attachment"]["AttachmentId"]
                ) == "OperationNotPermitted"
    ec2.detach_network_interface(AttachmentId=a)
    d, = ec2.describe_network_interfaces(NetworkInterfaceIds=[n])["NetworkInterfaces"]
    assert d["Status"] == "available"
    assert code(ec2.detach_network_interface, AttachmentId=a) == "InvalidAttachmentID.NotFound"


def test_run_with_interfaces(ec2, subnet):
    n = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    r = ec2.run_instances(MinCount=1, MaxCount=1, NetworkInterfaces=[
        {"DeviceIndex": 0, "NetworkInterfaceId": n["NetworkInterfaceId"]},
        {"DeviceIndex": 1, "SubnetId": subnet, "Description": "second",
         "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.90", "Primary": True},
                                {"PrivateIpAddress": "10.0.1.91", "Primary": False}],
         "AssociatePublicIpAddress": False, "DeleteOnTermination": False}])
    i = one(ec2, r["Instances"][0]["InstanceId"])
    assert i["PrivateIpAddress"] == n["PrivateIpAddress"]
    by_index = {x["Attachment"]["DeviceIndex"]: x for x in i["NetworkInterfaces"]}
    assert by_index[0]["NetworkInterfaceId"] == n["NetworkInterfaceId"]
    assert [a["PrivateIpAddress"] for a in by_index[1]["PrivateIpAddresses"]] == [
        "10.0.1.90", "10.0.1.91"]
    ec2.terminate_instances(InstanceIds=[i["InstanceId"]])
    left = ec2.describe_network_interfaces(Filters=names(subnet_id=[subnet]))["NetworkInterfaces"]
    assert {x["NetworkInterfaceId"] for x in left} == {
        n["NetworkInterfaceId"], by_index[1]["NetworkInterfaceId"]}


def test_run_instances_refusals(ec2, subnet):
    assert code(ec2.run_instances, MinCount=1, MaxCount=1) == "VPCIdNotSpecified"
    assert code(run, ec2=ec2, subnet=subnet, ImageId="ami-12c6146b") == "InvalidAMIID.NotFound"
    assert code(run, ec2=ec2, subnet=subnet, ImageId="x") == "InvalidAMIID.Malformed"
    assert code(run, ec2=ec2, subnet=subnet, InstanceType="t9.huge") == "InvalidInstanceType"
    assert code(run, ec2=ec2, subnet=subnet, MinCount=2) == "InvalidParameterValue"
    assert code(run, ec2=ec2, subnet=subnet, MinCount=0) == "InvalidParameterValue"
    assert code(run, ec2=ec2, subnet=subnet, MaxCount=5000) == "InstanceLimitExceeded"
    assert code(run, ec2=ec2, subnet=subnet,
                SecurityGroupIds=["sg-1"]) == "InvalidGroupId.Malformed"
    assert code(run, ec2=ec2, subnet=subnet, NetworkInterfaces=[
        {"DeviceIndex": 0, "SubnetId": subnet}]) == "InvalidParameterCombination"
    assert code(run, ec2=ec2, subnet=subnet, Placement={
        "AvailabilityZone": "us-east-1b"}) == "InvalidParameterValue"
    assert code(run, ec2=ec2, subnet="subnet-00000000000000001") == "InvalidSubnetID.NotFound"
    zone_b = ec2.create_subnet(VpcId=ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0][
        "VpcId"], CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1b")["Subnet"]["SubnetId"]
    assert code(run, ec2=ec2, subnet=zone_b) == "InsufficientInstanceCapacity"


def test_run_many_is_one_reservation(ec2, subnet):
    r = run(ec2, subnet, MinCount=3, MaxCount=3)
    assert sorted(i["AmiLaunchIndex"] for i in r["Instances"]) == [0, 1, 2]
    d, = ec2.describe_instances(
        Filters=names(reservation_id=[r["ReservationId"]]))["Reservations"]
    assert len(d["Instances"]) == 3
    token = str(uuid.uuid4())
    a = run(ec2, subnet, ClientToken=token)
    b = run(ec2, subnet, ClientToken=token)
    assert a["Instances"][0]["InstanceId"] == b["Instances"][0]["InstanceId"]
    assert a["ReservationId"] == b["ReservationId"]


def test_instance_attributes(ec2, subnet):
    i = run(ec2, subnet, UserData="hello", DisableApiTermination=True,
            InstanceInitiatedShutdownBehavior="terminate")["Instances"][0]["InstanceId"]

    def get(attribute, key):
        return ec2.describe_instance_attribute(InstanceId=i, Attribute=attribute)[key]
    assert get("userData", "UserData") == {"Value": "aGVsbG8="}
    assert get("instanceType", "InstanceType") == {"Value": "m1.small"}
    assert get("instanceInitiatedShutdownBehavior",
               "InstanceInitiatedShutdownBehavior") == {"Value": "terminate"}
    for known in ec2.meta.service_model.shape_for("InstanceAttributeName").enum:
        assert ec2.describe_instance_attribute(InstanceId=i, Attribute=known)["InstanceId"] == i
    assert get("enclaveOptions", "EnclaveOptions") == {"Enabled": False}
    assert [g["GroupName"] for g in get("groupSet", "Groups")] == ["default"]
    assert get("sourceDestCheck", "SourceDestCheck") == {"Value": True}
    assert get("disableApiTermination", "DisableApiTermination") == {"Value": True}
    assert code(ec2.terminate_instances, InstanceIds=[i]) == "OperationNotPermitted"
    ec2.modify_instance_attribute(InstanceId=i, Attribute="disableApiTermination", Value="false")
    ec2.modify_instance_attribute(InstanceId=i, SourceDestCheck={"Value": False})
    assert get("sourceDestCheck", "SourceDestCheck") == {"Value": False}
    assert code(ec2.modify_instance_attribute, InstanceId=i,
                InstanceType={"Value": "t3.micro"}) == "IncorrectInstanceState"
    ec2.modify_instance_attribute(InstanceId=i, DisableApiStop={"Value": True})
    assert code(ec2.stop_instances, InstanceIds=[i]) == "OperationNotPermitted"
    ec2.modify_instance_attribute(InstanceId=i, DisableApiStop={"Value": False})
    ec2.stop_instances(InstanceIds=[i])
    ec2.modify_instance_attribute(InstanceId=i, InstanceType={"Value": "t3.micro"})
    assert get("instanceType", "InstanceType") == {"Value": "t3.micro"}
    assert code(ec2.modify_instance_attribute, InstanceId=i,
                Groups=["sg-1"]) == "InvalidGroupId.Malformed"
    assert code(ec2.describe_instance_attribute, InstanceId=i,
                Attribute="nonsense") == "InvalidParameterValue"
    ec2.terminate_instances(InstanceIds=[i])
    for change in ({"DisableApiTermination": {"Value": True}}, {"DisableApiStop": {"Value": True}},
                   {"InstanceInitiatedShutdownBehavior": {"Value": "stop"}}):
        assert code(ec2.modify_instance_attribute, InstanceId=i,
                    **change) == "IncorrectInstanceState"
    assert get("disableApiTermination", "DisableApiTermination") == {"Value": False}


def test_instance_not_found(ec2):
    a, b = "i-00000000000000001", "i-00000000000000002"
    assert refused(ec2.describe_instances, InstanceIds=[a])[:2] == (
        "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist" % a)
    assert refused(ec2.describe_instances, InstanceIds=[a, b])[:2] == (
        "InvalidInstanceID.NotFound", "The instance IDs '%s, %s' do not exist" % (a, b))
    assert code(ec2.terminate_instances, InstanceIds=["x"]) == "InvalidInstanceID.Malformed"
    assert code(ec2.describe_instances, InstanceIds=["x"]) == "InvalidInstanceID.Malformed"


def test_dry_run(ec2, vpc, subnet):
    count = len(ec2.describe_vpcs()["Vpcs"])
    c, message, status = refused(ec2.create_vpc, CidrBlock="10.5.0.0/16", DryRun=True)
    assert (c, status) == ("DryRunOperation", 412)
    assert message == "Request would have succeeded, but DryRun flag is set."
    assert code(ec2.create_vpc, CidrBlock="10.0.0.0/8", DryRun=True) == "InvalidVpc.Range"
    assert code(ec2.describe_vpcs, DryRun=True) == "DryRunOperation"
    assert code(run, ec2=ec2, subnet=subnet, DryRun=True) == "DryRunOperation"
    assert code(ec2.delete_subnet, SubnetId=subnet, DryRun=True) == "DryRunOperation"
    assert len(ec2.describe_vpcs()["Vpcs"]) == count
    assert ec2.describe_instances(Filters=names(subnet_id=[subnet]))["Reservations"] == []
    ec2.describe_subnets(SubnetIds=[subnet])


def test_pages(ec2, vpc, make_client):
    ids = [ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.%d.0/24" % i)["Subnet"]["SubnetId"]
           for i in range(12)]
    pages = list(ec2.get_paginator("describe_subnets").paginate(
        Filters=names(vpc_id=[vpc]), PaginationConfig={"PageSize": 5}))
    assert [len(p["Subnets"]) for p in pages] == [5, 5, 2]
    assert [s["SubnetId"] for p in pages for s in p["Subnets"]] == ids
    # What goes and comes between two pages neither hides nor repeats others.
    first = ec2.describe_subnets(Filters=names(vpc_id=[vpc]), MaxResults=5)
    ec2.delete_subnet(SubnetId=ids[4])
    ec2.delete_subnet(SubnetId=ids[7])
    second = ec2.describe_subnets(Filters=names(vpc_id=[vpc]), MaxResults=5,
                                  NextToken=first["NextToken"])
    assert [s["SubnetId"] for s in second["Subnets"]] == [ids[i] for i in (5, 6, 8, 9, 10)]
    pages = list(ec2.get_paginator("describe_subnets").paginate(
        SubnetIds=ids[:4] + ids[8:], PaginationConfig={"PageSize": 5}))
    assert [s["SubnetId"] for p in pages for s in p["Subnets"]] == ids[:4] + ids[8:]
    careless = make_client(config=botocore.config.Config(parameter_validation=False))
    for bad in (0, 4, 1001):
        assert code(careless.describe_subnets, MaxResults=bad) == "InvalidParameterValue"


def test_pages_of_tags(ec2, vpc, subnet):
    for r in (vpc, subnet):
        ec2.create_tags(Resources=[r], Tags=[{"Key": "%s%d" % (r, i), "Value": "page"}
                                             for i in range(7)])
    pages = list(ec2.get_paginator("describe_tags").paginate(
        Filters=names(value=["page"]), PaginationConfig={"PageSize": 5}))
    found = [t["Key"] for p in pages for t in p["Tags"]]
    assert [len(p["Tags"]) for p in pages] == [5, 5, 4]
    assert found == ["%s%d" % (r, i) for r in (vpc, subnet) for i in range(7)]


def test_tokens_are_of_one_account_and_list(ec2, other, vpc):
    for i in range(6):
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.%d.0/24" % i)
    token = ec2.describe_subnets(MaxResults=5)["NextToken"]
    assert code(other.describe_subnets, NextToken=token) == "InvalidNextToken"
    assert code(ec2.describe_vpcs, NextToken=token) == "InvalidNextToken"
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert code(ec2.describe_subnets, NextToken=forged) == "InvalidNextToken"
    assert code(ec2.describe_subnets, NextToken="x") == "InvalidNextToken"


def test_pages_and_ids_of_instances(ec2, subnet):
    i = run(ec2, subnet)["Instances"][0]["InstanceId"]
    assert code(ec2.describe_instances, InstanceIds=[i],
                MaxResults=5) == "InvalidParameterCombination"
    run(ec2, subnet, MinCount=6, MaxCount=6)
    pages = list(ec2.get_paginator("describe_instances").paginate(
        Filters=names(subnet_id=[subnet]), PaginationConfig={"PageSize": 5}))
    assert [sum(len(r["Instances"]) for r in p["Reservations"]) for p in pages] == [5, 2]


def test_filters(ec2, vpc):
    a = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", TagSpecifications=[
        {"ResourceType": "subnet", "Tags": [{"Key": "Name", "Value": "web*1"},
                                            {"Key": "env", "Value": "prod"}]}])["Subnet"]
    b = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24", TagSpecifications=[
        {"ResourceType": "subnet", "Tags": [{"Key": "Name", "Value": "web21"}]}])["Subnet"]

    def found(*filters):
        all_filters = [{"Name": "vpc-id", "Values": [vpc]}]
        all_filters += [{"Name": n, "Values": v} for n, v in filters]
        return {{a["SubnetId"]: "a", b["SubnetId"]: "b"}[s["SubnetId"]]
                for s in ec2.describe_subnets(Filters=all_filters)["Subnets"]}
    assert found() == {"a", "b"}
    assert found(("tag:Name", ["web*1"])) == {"a", "b"}
    assert found(("tag:Name", ["web\\*1"])) == {"a"}
    assert found(("tag:Name", ["web?1"])) == {"a", "b"}
    assert found(("tag:Name", ["web2?"])) == {"b"}
    assert found(("tag:Name", ["web??"])) == {"a", "b"}
    assert found(("tag:Name", ["web???"])) == set()
    assert found(("tag:Name", ["WEB*"])) == set()
    assert found(("tag-key", ["env"])) == {"a"}
    assert found(("tag-value", ["prod", "none"])) == {"a"}
    assert found(("tag:env", ["*"])) == {"a"}
    assert found(("cidr-block", ["10.0.2.0/24"])) == {"b"}
    assert found(("cidr-block", ["10.0.?.0/24"]), ("tag-key", ["env"])) == {"a"}
    assert found(("subnet-id", [b["SubnetId"]])) == {"b"}
    assert found(("subnet-id", ["nonsense"])) == set()
    assert found(("availability-zone", [a["AvailabilityZone"]]), ("state", ["available"]),
                 ("available-ip-address-count", ["251"])) == {"a", "b"}
    for bad in ("x", "Vpc-Id", "tag:", "subnet"):
        c, message, _ = refused(ec2.describe_subnets, Filters=[{"Name": bad, "Values": ["a"]}])
        assert c == "InvalidParameterValue" and message == "The filter '%s' is invalid" % bad


def test_filters_of_instances(ec2, subnet, vpc):
    a = run(ec2, subnet, InstanceType="t3.micro")["Instances"][0]["InstanceId"]
    b = run(ec2, subnet, InstanceType="t3.small")["Instances"][0]["InstanceId"]
    ec2.stop_instances(InstanceIds=[b])

    def found(**filters):
        filters["vpc_id"] = [vpc]
        r = ec2.describe_instances(Filters=names(**filters))["Reservations"]
        return {{a: "a", b: "b"}[i["InstanceId"]] for x in r for i in x["Instances"]}
    assert found(instance_state_name=["running", "pending"]) == {"a"}
    assert found(instance_state_code=["80"]) == {"b"}
    assert found(instance_type=["t3.*"]) == {"a", "b"}
    assert found(image_id=["ami-netns"], owner_id=["111111111111"]) == {"a", "b"}
    nic = one(ec2, b)["NetworkInterfaces"][0]
    assert found(**{"network_interface.network_interface_id": [
        nic["NetworkInterfaceId"]]}) == {"b"}
    assert found(private_ip_address=[nic["PrivateIpAddress"]]) == {"b"}
    assert found(**{"instance.group_id": ["sg-1"]}) == set()


def test_accounts_are_apart(ec2, other, vpc, subnet):
    i = run(ec2, subnet)["Instances"][0]
    n = i["NetworkInterfaces"][0]["NetworkInterfaceId"]
    assert other.describe_vpcs()["Vpcs"] == []
    assert other.describe_instances()["Reservations"] == []
    assert other.describe_network_interfaces(
        Filters=names(subnet_id=[subnet]))["NetworkInterfaces"] == []
    assert other.describe_tags()["Tags"] == []
    for call, arguments, expected in (
            (other.describe_vpcs, {"VpcIds": [vpc]}, "InvalidVpcID.NotFound"),
            (other.delete_vpc, {"VpcId": vpc}, "InvalidVpcID.NotFound"),
            (other.create_subnet, {"VpcId": vpc, "CidrBlock": "10.0.8.0/24"},
             "InvalidVpcID.NotFound"),
            (other.delete_subnet, {"SubnetId": subnet}, "InvalidSubnetID.NotFound"),
            (other.create_network_interface, {"SubnetId": subnet}, "InvalidSubnetID.NotFound"),
            (other.delete_network_interface, {"NetworkInterfaceId": n},
             "InvalidNetworkInterfaceID.NotFound"),
            (other.terminate_instances, {"InstanceIds": [i["InstanceId"]]},
             "InvalidInstanceID.NotFound"),
            (other.assign_private_ip_addresses, {"NetworkInterfaceId": n,
                                                 "SecondaryPrivateIpAddressCount": 1},
             "InvalidNetworkInterfaceID.NotFound"),
            (other.run_instances, {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet},
             "InvalidSubnetID.NotFound")):
        assert code(call, **arguments) == expected
    assert code(other.create_tags, Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}]
                ) == "InvalidVpcID.NotFound"
    # The same addresses are free for everybody.
    v = other.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    other.delete_vpc(VpcId=v)


def test_region_and_catalogue(ec2):
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [z["ZoneName"] for z in zones] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert all(z["State"] == "available" and z["ZoneType"] == "availability-zone" for z in zones)
    assert [z["ZoneId"] for z in ec2.describe_availability_zones(
        Filters=names(zone_name=["*b"]))["AvailabilityZones"]] == ["use1-az2"]
    assert code(ec2.describe_availability_zones, ZoneNames=["x"]) == "InvalidParameterValue"
    region, = ec2.describe_regions()["Regions"]
    assert region["RegionName"] == "us-east-1" and region["Endpoint"]
    attributes = {a["AttributeName"]: a["AttributeValues"][0]["AttributeValue"]
                  for a in ec2.describe_account_attributes()["AccountAttributes"]}
    assert attributes["supported-platforms"] == "VPC" and attributes["default-vpc"] == "none"
    one_attribute, = ec2.describe_account_attributes(
        AttributeNames=["default-vpc"])["AccountAttributes"]
    assert one_attribute["AttributeName"] == "default-vpc"
    image, = ec2.describe_images(Filters=names(
        name=["netns"], architecture=["x86_64"], virtualization_type=["hvm"]))["Images"]
    assert image["ImageId"] == "ami-netns" and image["State"] == "available"
    assert code(ec2.describe_images, ImageIds=["ami-1"]) == "InvalidAMIID.NotFound"
    types = ec2.get_paginator("describe_instance_types").paginate(
        PaginationConfig={"PageSize": 5})
    found = [t for p in types for t in p["InstanceTypes"]]
    micro, = [t for t in found if t["InstanceType"] == "t3.micro"]
    assert micro["VCpuInfo"]["DefaultVCpus"] == 2 and micro["MemoryInfo"]["SizeInMiB"] == 1024
    assert micro["NetworkInfo"]["MaximumNetworkInterfaces"] == 2
    assert len(found) == len({t["InstanceType"] for t in found}) > 5
    assert code(ec2.describe_instance_types, InstanceTypes=["t9.x"]) == "InvalidInstanceType"


def test_who_am_i(make_client):
    identity = make_client(2, service="sts").get_caller_identity()
    assert identity["Account"] == "222222222222"
    assert identity["Arn"] == "arn:aws:iam::222222222222:root"
    sts = make_client(1, service="sts", aws_access_key_id="NOBODY")
    assert refused(sts.get_caller_identity)[::2] == ("InvalidClientTokenId", 403)
    sts = make_client(1, service="sts", aws_secret_access_key="wrong")
    assert refused(sts.get_caller_identity)[::2] == ("SignatureDoesNotMatch", 403)


def test_signatures(make_client):
    assert refused(make_client(aws_access_key_id="NOBODY").describe_vpcs)[::2] == (
        "AuthFailure", 401)
    assert refused(make_client(aws_secret_access_key="wrong").describe_vpcs)[::2] == (
        "SignatureDoesNotMatch", 403)
    assert refused(make_client(region_name="eu-west-1").describe_vpcs)[::2] == (
        "SignatureDoesNotMatch", 403)


def test_presigned(ec2):
    import urllib.request
    url = ec2.generate_presigned_url("describe_vpcs", ExpiresIn=60, HttpMethod="GET")
    with urllib.request.urlopen(url) as answer:
        assert b"<DescribeVpcsResponse " in answer.read()
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(url.replace("DescribeVpcs", "DescribeSubnets"))
    assert e.value.code == 403


def test_what_is_not_there(ec2):
    for call, arguments in (
            (ec2.describe_vpc_classic_link, {}),
            (ec2.describe_vpc_classic_link_dns_support, {})):
        assert code(call, **arguments) == "UnsupportedOperation"
    assert refused(ec2.create_transit_gateway)[::2] == ("InvalidAction", 400)


def test_permissions(ec2, other, subnet):
    """Another account attaches an interface that it was permitted to.  requirement: NIC-1"""
    n = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    grant = {"NetworkInterfaceId": n, "Permission": "INSTANCE-ATTACH"}
    assert code(ec2.create_network_interface_permission, **grant) == "MissingParameter"
    assert code(ec2.create_network_interface_permission, AwsAccountId="222222222222", NetworkInterfaceId=n,
                Permission="ALL") == "InvalidParameterValue"
    assert code(other.create_network_interface_permission, AwsAccountId="222222222222",
                **grant) == "InvalidNetworkInterfaceID.NotFound"
    assert code(other.describe_network_interfaces,
                NetworkInterfaceIds=[n]) == "InvalidNetworkInterfaceID.NotFound"
    p = ec2.create_network_interface_permission(AwsAccountId="222222222222", **grant)["InterfacePermission"]
    assert p["Permission"] == "INSTANCE-ATTACH" and p["PermissionState"]["State"] == "granted"
    assert p["AwsAccountId"] == "222222222222" and p["NetworkInterfaceId"] == n
    found = ec2.describe_network_interface_permissions(Filters=[
        {"Name": "network-interface-permission.network-interface-id", "Values": [n]}])
    assert found["NetworkInterfacePermissions"] == [p]
    seen = other.describe_network_interfaces(NetworkInterfaceIds=[n])["NetworkInterfaces"]
    assert seen[0]["OwnerId"] == "111111111111"
    assert code(other.delete_network_interface, NetworkInterfaceId=n) == "AuthFailure"
    assert code(other.modify_network_interface_attribute, NetworkInterfaceId=n,
                Description={"Value": "mine"}) == "AuthFailure"
    v = other.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    s = other.create_subnet(VpcId=v, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
    i = run(other, s)["Instances"][0]["InstanceId"]
    a = other.attach_network_interface(NetworkInterfaceId=n, InstanceId=i, DeviceIndex=1)["AttachmentId"]
    attachment = ec2.describe_network_interfaces(NetworkInterfaceIds=[n])["NetworkInterfaces"][0]["Attachment"]
    assert attachment["InstanceOwnerId"] == "222222222222" and attachment["InstanceId"] == i
    permission = {"NetworkInterfacePermissionId": p["NetworkInterfacePermissionId"]}
    assert code(ec2.delete_network_interface_permission, **permission) == "OperationNotPermitted"
    other.detach_network_interface(AttachmentId=a)
    ec2.delete_network_interface_permission(**permission)
    assert code(ec2.delete_network_interface_permission, **permission) == "InvalidPermissionID.NotFound"
    other.terminate_instances(InstanceIds=[i])
    other.delete_subnet(SubnetId=s)
    other.delete_vpc(VpcId=v)


def test_reset_interface_attribute(ec2, subnet):
    n = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=n, SourceDestCheck={"Value": False})
    ec2.reset_network_interface_attribute(NetworkInterfaceId=n, SourceDestCheck="true")
    d = ec2.describe_network_interface_attribute(NetworkInterfaceId=n, Attribute="sourceDestCheck")
    assert d["SourceDestCheck"]["Value"] is True
    assert code(ec2.reset_network_interface_attribute, NetworkInterfaceId=n) == "MissingParameter"
