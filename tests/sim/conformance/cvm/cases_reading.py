"""Cases of launching, listing and of the door: keys, versions, limits."""

import time
import urllib.request

from registry import case
from standin import STS_ID, STS_TOKEN, StandIn, code_of, describe, equal
from standin import launch, launch_request, refused, running, terminate, until

from tencentcloud.common.common_client import CommonClient
from tencentcloud.cvm.v20170312 import models


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


@case
def _():
    """all keys of an account are told its number, and its spot quota counts vCPU by zone"""

    def quota(client):
        return client.DescribeAccountQuota(models.DescribeAccountQuotaRequest())

    with StandIn() as sim:
        client = sim.client()
        ids = launch(client)
        running(client, ids)
        answer = quota(client)
        equal(quota(sim.client(secret_id=STS_ID, token=STS_TOKEN)).AppId, answer.AppId)
        overview = answer.AccountQuotaOverview
        equal(overview.Region, "ap-singapore")
        spot = [(set_.Zone, set_.UsedQuota, set_.TotalQuota) for set_ in overview.AccountQuota.SpotPaidQuotaSet]
        equal(spot, [("ap-singapore-2", 8, 1600), ("ap-singapore-3", 0, 1600)])
