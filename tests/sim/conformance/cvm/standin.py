"""One stand-in on a free port, the official client for it, and its admin API."""

import json
import time

from process import Process, equal
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312 import cvm_client, models

SECRET_ID = "AKIDFAKE0000000000000000conformance"
SECRET_KEY = "fakeSecretKey000000000000conformance"
STS_ID = "AKIDFAKE000000000000000000temporary"
STS_TOKEN = "fake-session-token"


class StandIn(Process):
    """Runs while it is entered. `options` are flags of `sim cvm`; calls take no time unless they say so."""

    def __init__(self, *options):
        quick = ["--latency", "off", "--boot", "100ms", "--load", "0"]
        keys = ["--credential", f"{SECRET_ID}:{SECRET_KEY}", "--credential", f"{STS_ID}:{SECRET_KEY}:{STS_TOKEN}"]
        super().__init__("cvm", [*quick, *keys, *options])

    def client(self, region="ap-singapore", secret_id=SECRET_ID, secret_key=SECRET_KEY, token=None, **profile):
        http = HttpProfile(
            protocol="http",
            endpoint=self.endpoint,
            reqTimeout=profile.pop("timeout", 10),
            reqMethod=profile.pop("method", "POST"),
        )
        keys = credential.Credential(secret_id, secret_key, token)
        return cvm_client.CvmClient(keys, region, ClientProfile(httpProfile=http, **profile))

    def fault(self, kind, action="RunInstances", count=1, **fields):
        self.admin("POST", "faults", {"fault": {"kind": kind, **fields}, "action": action, "count": count})

    def machines(self):
        """What really exists."""
        return self.admin("GET", "instances")


def launch_request(name="m", token=None, **fields):
    """The sample's launch; a field given as None is left out."""
    body = {
        "InstanceChargeType": "SPOTPAID",
        "Placement": {"Zone": "ap-singapore-2"},
        "InstanceType": "GN7.2XLARGE32",
        "ImageId": "img-5gn3j31i",
        "VirtualPrivateCloud": {"VpcId": "vpc-86f66zht", "SubnetId": "subnet-gfrv79s2"},
        "SecurityGroupIds": ["sg-aglabemo"],
        "InternetAccessible": {"InternetMaxBandwidthOut": 1, "PublicIpAssigned": True},
        "SystemDisk": {"DiskType": "CLOUD_BSSD", "DiskSize": 100},
        "InstanceName": name,
        "ClientToken": token,
        "TagSpecification": [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "blue"}]}],
        "InstanceCount": 1,
        **fields,
    }
    request = models.RunInstancesRequest()
    request.from_json_string(json.dumps({key: value for key, value in body.items() if value is not None}))
    return request


def launch(client, name="m", token=None, **fields):
    """The ids of a launch."""
    return client.RunInstances(launch_request(name, token, **fields)).InstanceIdSet


def describe(client, ids=None, filters=None, **fields):
    """The answer to a DescribeInstances; `filters` maps a name to its values."""
    body = dict(fields)
    if ids is not None:
        body["InstanceIds"] = ids
    if filters is not None:
        body["Filters"] = [{"Name": name, "Values": values} for name, values in filters.items()]
    request = models.DescribeInstancesRequest()
    request.from_json_string(json.dumps(body))
    return client.DescribeInstances(request)


def terminate(client, ids):
    request = models.TerminateInstancesRequest()
    request.InstanceIds = ids
    return client.TerminateInstances(request)


def code_of(call):
    """The error code with which a call ends, None when it succeeds."""
    try:
        call()
    except TencentCloudSDKException as error:
        return error.get_code()
    return None


def refused(expected, call):
    equal(code_of(call), expected)


def until(what, look, seconds=10):
    """What `look` finds, once it finds something; looks for at most `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.12)  # below every rate limit


def running(client, ids):
    """The instances, once all of them run."""

    def look():
        shown = describe(client, ids).InstanceSet
        states = [instance.InstanceState for instance in shown]
        return shown if states == ["RUNNING"] * len(ids) else None

    return until("the instances run", look)
