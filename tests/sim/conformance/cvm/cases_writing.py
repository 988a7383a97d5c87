"""Cases of launches that are refused, of tokens, of terminations and of faults."""

import base64
import time

from registry import case
from standin import StandIn, code_of, describe, equal, launch, refused, running, terminate, until


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
