"""The cases. Each starts a stand-in of its own; its docstring is its name. Run by run.py."""

import argparse
import base64
import sys
import time
import traceback
import urllib.request

from standin import STS_ID, STS_TOKEN, StandIn, code_of, describe, equal, launch, launch_request, refused, running
from standin import terminate, until

from tencentcloud.common.common_client import CommonClient
from tencentcloud.cvm.v20170312 import models

CASES = []


def case(check):
    CASES.append((check.__doc__, check))
    return check


# Launch, list, terminate


@case
def _():
    """a machine is launched, listed, runs, is terminated and is gone"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client)
        equal(len(ids), 1)
        [instance] = running(client, ids)
        equal(instance.InstanceName, "m")
        equal(instance.InstanceType, "GN7.2XLARGE32")
        equal(instance.InstanceChargeType, "SPOTPAID")
        equal(instance.Placement.Zone, "ap-singapore-2")
        equal(instance.VirtualPrivateCloud.VpcId, "vpc-86f66zht")
        equal(instance.VirtualPrivateCloud.SubnetId, "subnet-gfrv79s2")
        equal(instance.SecurityGroupIds, ["sg-aglabemo"])
        equal(instance.ImageId, "img-5gn3j31i")
        equal((instance.SystemDisk.DiskType, instance.SystemDisk.DiskSize), ("CLOUD_BSSD", 100))
        equal([(tag.Key, tag.Value) for tag in instance.Tags], [("team", "blue")])
        equal(instance.RestrictState, "NORMAL")
        time.strptime(instance.CreatedTime, "%Y-%m-%dT%H:%M:%SZ")
        terminate(client, ids)
        sim.admin("POST", "settings", {"terminate": 0})
        until("it is gone", lambda: not describe(client, ids).InstanceSet)


@case
def _():
    """a pending machine has no address yet and null where the SDK expects lists"""
    with StandIn("--boot", "60s") as sim:
        client = sim.client()
        ids = launch(client)
        [instance] = describe(client, ids).InstanceSet
        equal(instance.InstanceState, "PENDING")
        equal((instance.PublicIpAddresses, instance.PrivateIpAddresses), (None, None))


@case
def _():
    """every answer has a RequestId of its own"""
    with StandIn() as sim:
        client = sim.client()
        answers = [describe(client), describe(client), client.RunInstances(launch_request())]
        equal(len({answer.RequestId for answer in answers}), 3)


@case
def _():
    """a running machine answers /api/tags at its public address"""
    with StandIn() as sim:
        client = sim.client()
        [instance] = running(client, launch(client))
        url = f"http://{instance.PublicIpAddresses[0]}:11434/api/tags"

        def answer():
            try:
                return urllib.request.urlopen(url, timeout=5).read()
            except OSError:
                return None

        equal(b'"models"' in until("the model server answers", answer), True)


@case
def _():
    """an empty request shows 20 of everything in the account"""
    with StandIn() as sim:
        client = sim.client()
        launch(client, InstanceCount=25)
        answer = describe(client)
        equal((answer.TotalCount, len(answer.InstanceSet)), (25, 20))


@case
def _():
    """pages cover every machine exactly once"""
    with StandIn() as sim:
        client = sim.client()
        made = launch(client, InstanceCount=45)
        pages = [describe(client, Limit=20, Offset=offset) for offset in (0, 20, 40, 60)]
        equal([len(page.InstanceSet) for page in pages], [20, 20, 5, 0])
        seen = [instance.InstanceId for page in pages for instance in page.InstanceSet]
        equal(sorted(seen), sorted(made))


@case
def _():
    """ids that do not exist are left out of the answer"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client)
        shown = describe(client, ids + ["ins-zzzzzzzz"]).InstanceSet
        equal([instance.InstanceId for instance in shown], ids)


@case
def _():
    """filters by tag, name, zone, state and network find what they name"""
    with StandIn() as sim:
        client = sim.client()
        [mine] = launch(client, name="mine")
        sim.admin("POST", "instances", {"name": "theirs", "zone": "ap-singapore-3", "tags": {"team": "green"}})
        running(client, [mine])
        for filters in (
            {"tag:team": ["blue"]},
            {"tag-value": ["blue"]},
            {"instance-name": ["mine"]},
            {"zone": ["ap-singapore-2"]},
            {"subnet-id": ["subnet-gfrv79s2"]},
            {"instance-id": [mine]},
            {"tag-key": ["team"], "instance-name": ["mine"]},
            {"instance-state": ["RUNNING", "PENDING"], "tag:team": ["blue"]},
        ):
            shown = describe(client, filters=filters).InstanceSet
            equal([instance.InstanceId for instance in shown], [mine], str(filters))
        equal(describe(client, filters={"tag-key": ["team"]}).TotalCount, 2)
        equal(describe(client, filters={"instance-state": ["STOPPED"]}).TotalCount, 0)


@case
def _():
    """a new machine lags in listings and by id"""
    with StandIn("--lag", "700ms") as sim:
        client = sim.client()
        ids = launch(client)
        equal((describe(client).TotalCount, describe(client, ids).TotalCount), (0, 0))
        equal(len(sim.machines()), 1)
        until("it shows", lambda: describe(client, ids).TotalCount == 1)


@case
def _():
    """tags lag behind their machine"""
    with StandIn("--tag-lag", "700ms") as sim:
        client = sim.client()
        ids = launch(client)
        equal(describe(client, ids).InstanceSet[0].Tags, None)
        equal(describe(client, filters={"tag:team": ["blue"]}).TotalCount, 0)
        until("the tags show", lambda: describe(client, filters={"tag:team": ["blue"]}).TotalCount == 1)


# Limits of listings


@case
def _():
    """InstanceIds and Filters together are refused"""
    with StandIn() as sim:
        refused("InvalidParameterConflict", lambda: describe(sim.client(), ["ins-zzzzzzzz"], {"zone": ["x"]}))


@case
def _():
    """more than 100 ids are refused"""
    with StandIn() as sim:
        ids = [f"ins-{n:08}" for n in range(101)]
        refused("InvalidParameterValue.LimitExceeded", lambda: describe(sim.client(), ids))
        equal(code_of(lambda: describe(sim.client(), ids[:100])), None)


@case
def _():
    """a malformed id is refused"""
    with StandIn() as sim:
        refused("InvalidInstanceId.Malformed", lambda: describe(sim.client(), ["my-machine"]))


@case
def _():
    """more than 10 filters or 5 values are refused"""
    with StandIn() as sim:
        many = {f"tag:k{n}": ["v"] for n in range(11)}
        refused("InvalidFilterValue.LimitExceeded", lambda: describe(sim.client(), filters=many))
        refused("InvalidFilterValue.LimitExceeded", lambda: describe(sim.client(), filters={"zone": list("abcdef")}))


@case
def _():
    """a filter that does not exist is refused"""
    with StandIn() as sim:
        refused("InvalidFilter", lambda: describe(sim.client(), filters={"colour": ["red"]}))


@case
def _():
    """a page of more than 100 and a negative offset are refused"""
    with StandIn() as sim:
        refused("InvalidParameterValueLimit", lambda: describe(sim.client(), Limit=101))
        refused("InvalidParameterValueOffset", lambda: describe(sim.client(), Offset=-1))


# Who may come in


@case
def _():
    """a wrong secret key is a SignatureFailure"""
    with StandIn() as sim:
        refused("AuthFailure.SignatureFailure", lambda: describe(sim.client(secret_key="fakeWrongKey")))


@case
def _():
    """an unknown SecretId is SecretIdNotFound"""
    with StandIn() as sim:
        refused("AuthFailure.SecretIdNotFound", lambda: describe(sim.client(secret_id="AKIDFAKEnobody")))


@case
def _():
    """a timestamp more than 5 minutes off is a SignatureExpire, either way"""
    for ahead in ("400", "-400"):
        with StandIn("--clock-ahead", ahead) as sim:
            refused("AuthFailure.SignatureExpire", lambda: describe(sim.client()))
    with StandIn("--clock-ahead", "280") as sim:
        equal(code_of(lambda: describe(sim.client())), None)


@case
def _():
    """a temporary key pair needs its own session token"""
    with StandIn() as sim:
        equal(code_of(lambda: describe(sim.client(secret_id=STS_ID, token=STS_TOKEN))), None)
        refused("AuthFailure.TokenFailure", lambda: describe(sim.client(secret_id=STS_ID, token="fake-other")))
        refused("AuthFailure.TokenFailure", lambda: describe(sim.client(secret_id=STS_ID)))


@case
def _():
    """a key pair that was deleted is unknown from then on"""
    with StandIn() as sim:
        client = sim.client(secret_id=STS_ID, token=STS_TOKEN)
        describe(client)
        sim.admin("DELETE", f"credentials/{STS_ID}")
        refused("AuthFailure.SecretIdNotFound", lambda: describe(client))


@case
def _():
    """a region that does not exist is refused"""
    with StandIn() as sim:
        refused("UnsupportedRegion", lambda: describe(sim.client(region="ap-atlantis")))


@case
def _():
    """an action that does not exist is refused"""
    with StandIn() as sim:
        refused("InvalidAction", lambda: sim.client().call_json("DescribeUnicorns", {}))


@case
def _():
    """a version that does not exist is refused"""
    with StandIn() as sim:
        client = sim.client()
        old = CommonClient("cvm", "2016-01-01", client.credential, client.region, client.profile)
        refused("NoSuchVersion", lambda: old.call_json("DescribeInstances", {}))


@case
def _():
    """parameters that do not exist or have the wrong type are refused"""
    with StandIn() as sim:
        client = sim.client()
        refused("UnknownParameter", lambda: client.call_json("DescribeInstances", {"Colour": "red"}))
        refused("InvalidParameter", lambda: client.call_json("DescribeInstances", {"Limit": "twenty"}))


@case
def _():
    """signatures of version 1 and requests by GET are refused"""
    with StandIn() as sim:
        refused("MissingParameter", lambda: describe(sim.client(signMethod="HmacSHA256")))
        refused("UnsupportedProtocol", lambda: describe(sim.client(method="GET")))


@case
def _():
    """the 11th launch within a second is throttled"""
    with StandIn() as sim:
        client = sim.client()
        # The 10 calls must fall into one second, which a busy machine may not manage at the first try.
        def burst():
            return [code_of(lambda: client.RunInstances(launch_request(DryRun=True))) for _ in range(11)]

        until("a throttled call", lambda: burst()[10] == "RequestLimitExceeded")
        equal("RequestLimitExceeded" in sim.admin("GET", "calls")["RunInstances"], True)


# Launches that are refused


def launch_is_refused(expected, **fields):
    with StandIn() as sim:
        refused(expected, lambda: launch(sim.client(), **fields))
        equal(sim.machines(), [], "machines made")


@case
def _():
    """a subnet of another zone is refused"""
    launch_is_refused("InvalidParameterValue.SubnetIdZoneIdNotMatch", Placement={"Zone": "ap-singapore-3"})


@case
def _():
    """a subnet of another network is refused, and one that does not exist"""
    other = {"VpcId": "vpc-other001", "SubnetId": "subnet-gfrv79s2"}
    launch_is_refused("InvalidParameterValue.VpcIdSubnetIdNotMatch", VirtualPrivateCloud=other)
    missing = {"VpcId": "vpc-86f66zht", "SubnetId": "subnet-00000000"}
    launch_is_refused("InvalidParameterValue.SubnetNotExist", VirtualPrivateCloud=missing)


@case
def _():
    """DEFAULT stands for the zone's own network"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client, VirtualPrivateCloud={"VpcId": "DEFAULT", "SubnetId": "DEFAULT"})
        [instance] = describe(client, ids).InstanceSet
        equal(instance.VirtualPrivateCloud.SubnetId, "subnet-gfrv79s2")


@case
def _():
    """a missing zone, image or placement is named"""
    launch_is_refused("MissingParameter", Placement={})
    launch_is_refused("MissingParameter", Placement=None)
    launch_is_refused("MissingParameter", ImageId=None)


@case
def _():
    """an image, security group or key pair that does not exist is refused"""
    launch_is_refused("InvalidImageId.NotFound", ImageId="img-00000000")
    launch_is_refused("InvalidSecurityGroupId.NotFound", SecurityGroupIds=["sg-00000000"])
    launch_is_refused("InvalidParameterValue.KeyPairNotFound", LoginSettings={"KeyIds": ["skey-00000000"]})


@case
def _():
    """a password and keys exclude each other"""
    both = {"KeyIds": ["skey-5p8q1xvd"], "Password": "fake-Password-1"}
    launch_is_refused("InvalidParameter.ParameterConflict", LoginSettings=both)


@case
def _():
    """names over 60 bytes and tokens over 64 are refused"""
    launch_is_refused("InvalidInstanceName.TooLong", name="n" * 61)
    launch_is_refused("InvalidClientToken.TooLong", token="t" * 65)
    with StandIn() as sim:
        equal(len(launch(sim.client(), name="n" * 60, token="t" * 64)), 1)


@case
def _():
    """user data over 16 KB or not base64 is refused"""
    launch_is_refused("InvalidParameterValue.TooLarge", UserData=base64.b64encode(b"x" * 16_000).decode())
    launch_is_refused("InvalidParameterValue.InvalidUserDataFormat", UserData="#!/bin/sh")


@case
def _():
    """a sold out type is refused, and a launch is all or nothing"""
    with StandIn() as sim:
        stock = {"zone": "ap-singapore-2", "instance_type": "GN7.2XLARGE32", "count": 2}
        sim.admin("POST", "stock", stock)
        client = sim.client()
        refused("ResourceInsufficient.SpecifiedInstanceType", lambda: launch(client, InstanceCount=3))
        equal(sim.machines(), [])
        equal(len(launch(client, InstanceCount=2)), 2)
        refused("ResourceInsufficient.SpecifiedInstanceType", lambda: launch(client))


@case
def _():
    """the zone's spot quota and an empty purse are refused with codes of their own"""
    with StandIn() as sim:
        sim.admin("POST", "quota", {"zone": "ap-singapore-2", "vcpu": 8})
        client = sim.client()
        launch(client)
        refused("LimitExceeded.UserSpotQuota", lambda: launch(client))
        sim.admin("POST", "arrears", {"in_arrears": True})
        refused("InvalidAccount.InsufficientBalance", lambda: launch(client, InstanceChargeType="POSTPAID_BY_HOUR"))


@case
def _():
    """a dry run makes nothing"""
    with StandIn() as sim:
        equal(launch(sim.client(), DryRun=True), None)
        equal(sim.machines(), [])


@case
def _():
    """MinCount is refused as a region without partial delivery does"""
    launch_is_refused("UnsupportedOperation.MinCountUnsupportedRegion", MinCount=1, InstanceCount=2)


# Client tokens


@case
def _():
    """a repeated token gives the same ids"""
    with StandIn() as sim:
        client = sim.client()
        equal(launch(client, token="t"), launch(client, token="t"))
        equal(len(sim.machines()), 1)


@case
def _():
    """a token is forgotten after its time"""
    with StandIn("--token-mode", "replay-for:1s") as sim:
        client = sim.client()
        first = launch(client, token="t")
        until("a second machine", lambda: launch(client, token="t") != first)


@case
def _():
    """an ignored token buys again"""
    with StandIn("--token-mode", "ignored") as sim:
        client = sim.client()
        equal(launch(client, token="t") == launch(client, token="t"), False)


@case
def _():
    """a repeated token may be an error"""
    with StandIn("--token-mode", "error-on-replay") as sim:
        client = sim.client()
        launch(client, token="t")
        refused("InvalidClientToken.Used", lambda: launch(client, token="t"))


@case
def _():
    """a repeated token with another body may be an error"""
    with StandIn("--token-mode", "error-on-changed-body") as sim:
        client = sim.client()
        ids = launch(client, name="a", token="t")
        equal(launch(client, name="a", token="t"), ids)
        refused("InvalidClientToken.Used", lambda: launch(client, name="b", token="t"))


# Terminations


@case
def _():
    """one unknown or malformed id refuses the whole batch"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client)
        running(client, ids)
        refused("InvalidInstanceId.NotFound", lambda: terminate(client, ids + ["ins-zzzzzzzz"]))
        refused("InvalidInstanceId.Malformed", lambda: terminate(client, ids + ["nonsense"]))
        equal([machine["state"] for machine in sim.machines()], ["RUNNING"])


@case
def _():
    """mixed charge types refuse the whole batch"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client) + launch(client, InstanceChargeType="POSTPAID_BY_HOUR")
        running(client, ids)
        refused("UnsupportedOperation.InstanceMixedPricingModel", lambda: terminate(client, ids))


@case
def _():
    """a pending machine cannot be terminated, nor one that is terminating"""
    with StandIn() as sim:
        client = sim.client()
        sim.admin("POST", "settings", {"boot": "1s", "terminate": "60s"})
        ids = launch(client)
        refused("UnsupportedOperation.InstanceStatePending", lambda: terminate(client, ids))
        running(client, ids)
        terminate(client, ids)
        equal(describe(client, ids).InstanceSet[0].InstanceState, "TERMINATING")
        refused("UnsupportedOperation.InstanceStateTerminating", lambda: terminate(client, ids))


@case
def _():
    """more than 100 ids cannot be terminated at once"""
    with StandIn() as sim:
        ids = [f"ins-{n:08}" for n in range(101)]
        refused("InvalidParameterValue.LimitExceeded", lambda: terminate(sim.client(), ids))


# What the cloud does by itself, and what goes wrong


@case
def _():
    """a reclaimed machine stops, shuts down and goes"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client)
        running(client, ids)
        sim.admin("POST", f"instances/{ids[0]}/reclaim", {"notice": 0})
        equal(describe(client, ids).InstanceSet[0].InstanceState, "STOPPING")
        until("it is gone", lambda: not describe(client, ids).InstanceSet)
        gone = [event for event in sim.admin("GET", "ledger")["events"] if event["event"] == "gone"]
        equal([event["why"] for event in gone], ["reclaimed"])


@case
def _():
    """a failed launch says why and disappears"""
    with StandIn() as sim:
        client = sim.client()
        sim.admin("POST", "settings", {"launch_failure": 1.0, "launch_failed_shows": "1s"})
        ids = launch(client)

        def failed():
            shown = describe(client, ids).InstanceSet
            return shown and shown[0].InstanceState == "LAUNCH_FAILED" and shown[0]

        equal(bool(until("the launch fails", failed).LatestOperationErrorMsg), True)
        until("it disappears", lambda: not describe(client, ids).InstanceSet)


@case
def _():
    """a lost answer leaves a machine that its token gives back"""
    with StandIn() as sim:
        sim.fault("lost_answer")
        refused("ClientNetworkError", lambda: launch(sim.client(timeout=1), token="t"))
        [machine] = sim.machines()
        equal(launch(sim.client(), token="t"), [machine["id"]])


@case
def _():
    """a lost request leaves nothing"""
    with StandIn() as sim:
        sim.fault("lost_request", loss="reset")
        refused("ClientNetworkError", lambda: launch(sim.client()))
        equal(sim.machines(), [])


@case
def _():
    """a cut answer is an error to the SDK though it took effect"""
    with StandIn() as sim:
        sim.fault("cut_answer")
        equal(code_of(lambda: launch(sim.client())) is None, False)
        equal(len(sim.machines()), 1)


@case
def _():
    """a gateway's page of HTML is a network error to the SDK"""
    with StandIn() as sim:
        sim.fault("http_error", status=502)
        refused("ServerNetworkError", lambda: launch(sim.client()))
        equal(sim.machines(), [])


@case
def _():
    """any error code can be had, before or after the effect"""
    with StandIn() as sim:
        client = sim.client()
        sim.fault("refuse", code="LimitExceeded.SpotQuota")
        refused("LimitExceeded.SpotQuota", lambda: launch(client))
        equal(len(sim.machines()), 0)
        sim.fault("fail_after_commit", code="InternalError")
        refused("InternalError", lambda: launch(client))
        equal(len(sim.machines()), 1)


@case
def _():
    """the bill and the ledger agree with what was done"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client)
        running(client, ids)
        answer = terminate(client, ids)
        events = sim.admin("GET", "ledger")["events"]
        equal([event["event"] for event in events][:4], ["received", "launched", "running", "received"])
        accepted = [event for event in events if event["event"] == "termination_accepted"]
        equal([(event["instance_id"], event["request_id"]) for event in accepted], [(ids[0], answer.RequestId)])
        [line] = sim.admin("GET", "billing")
        equal((line["instance_id"], line["running"]), (ids[0], False))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--sim")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(name for name, _ in CASES))
        return 0
    StandIn.binary = arguments.sim
    chosen = [
        (name, check)
        for name, check in CASES
        if not arguments.words or any(word in name for word in arguments.words)
    ]
    failed = 0
    for name, check in chosen:
        try:
            check()
            print(f"ok    {name}", flush=True)
        except Exception as error:
            failed += 1
            frame = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAIL  {name}: {error} ({frame.filename.rpartition('/')[2]}:{frame.lineno})", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
