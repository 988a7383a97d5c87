"""Cases of a bad week, and of every error code there is."""

from registry import case
from standin import STS_ID, STS_TOKEN, StandIn, code_of, describe, equal, launch, refused, running

from tencentcloud.cvm.v20170312 import errorcodes

ACTIONS = (
    "DescribeInstances",
    "RunInstances",
    "TerminateInstances",
    "DescribeZoneInstanceConfigInfos",
    "DescribeAccountQuota",
)


def arrives(sim, client, action, code):
    """The code that the SDK reports for a call that is refused with `code`."""
    sim.fault("refuse", action=action, code=code)
    return code_of(lambda: client.call_json(action, {}))


@case
def _():
    """every code that our client knows arrives as that code"""
    with StandIn() as sim:
        client = sim.client()
        sim.admin("POST", "settings", {"rate_limits": {}})
        known = sim.admin("GET", "codes")
        equal(sorted(known), sorted(ACTIONS))
        walked = [(action, code) for action, codes in known.items() for code in codes]
        equal(len(walked) > 400, True, f"{len(walked)} codes")
        wrong = [(action, code) for action, code in walked if arrives(sim, client, action, code) != code]
        equal(wrong, [])


@case
def _():
    """every code that the official SDK knows arrives as that code"""
    codes = sorted({value for name, value in vars(errorcodes).items() if name.isupper()})
    equal(len(codes) > 300, True, f"{len(codes)} codes")
    with StandIn() as sim:
        client = sim.client()
        sim.admin("POST", "settings", {"rate_limits": {}})
        wrong = [code for code in codes if arrives(sim, client, "RunInstances", code) != code]
        equal(wrong, [])


@case
def _():
    """a disk may be sold out in a zone"""
    with StandIn() as sim:
        client = sim.client()
        sim.admin("POST", "disks", {"zone": "ap-singapore-2", "disk_type": "CLOUD_BSSD", "sold_out": True})
        refused("ResourceInsufficient.CloudDiskSoldOut", lambda: launch(client))
        equal(len(launch(client, SystemDisk={"DiskType": "CLOUD_PREMIUM", "DiskSize": 100})), 1)


@case
def _():
    """a bid below the price of the day is refused"""
    with StandIn() as sim:
        client = sim.client()
        bid = {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.40", "SpotInstanceType": "one-time"}}
        equal(len(launch(client, InstanceMarketOptions=bid)), 1)
        sim.admin("POST", "prices", {"instance_type": "GN7.2XLARGE32", "hourly": 1.27, "hourly_spot": 0.41})
        refused("InvalidParameterValue.InsufficientPrice", lambda: launch(client, InstanceMarketOptions=bid))


@case
def _():
    """machines of an account that has not paid stop and say why"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client)
        running(client, ids)
        sim.admin("POST", "arrears", {"in_arrears": True, "isolate": True})
        refused("InvalidAccount.InsufficientBalance", lambda: launch(client))
        [machine] = describe(client, ids).InstanceSet
        equal((machine.InstanceState, machine.IsolatedSource), ("STOPPED", "ARREAR"))
        sim.admin("POST", "arrears", {"in_arrears": False})
        [machine] = running(client, ids)
        equal(machine.IsolatedSource, "NOTISOLATED")


@case
def _():
    """a session token that is over is a TokenFailure"""
    with StandIn() as sim:
        client = sim.client(secret_id=STS_ID, token=STS_TOKEN)
        describe(client)
        sim.admin("POST", f"credentials/{STS_ID}/expire")
        refused("AuthFailure.TokenFailure", lambda: describe(client))


@case
def _():
    """a key pair may come to belong to another account"""
    with StandIn() as sim:
        client = sim.client()
        ids = launch(client)
        sim.admin("POST", "accounts", {"name": "other"})
        keys = client.credential
        sim.admin("POST", "credentials", {"account": "other", "secret_id": keys.secret_id, "secret_key": keys.secret_key})
        equal(describe(client, ids).InstanceSet, [])
        equal(len(sim.machines()), 1)


@case
def _():
    """a quota of machines refuses the next one"""
    with StandIn() as sim:
        client = sim.client()
        sim.admin("POST", "quota", {"instances": 1})
        launch(client)
        refused("LimitExceeded.InstanceQuota", lambda: launch(client))


@case
def _():
    """a fault may strike one candidate alone"""
    with StandIn("--world", "wide") as sim:
        client = sim.client()
        where = {"zone": "ap-singapore-2", "instance_type": "GN7.2XLARGE32"}
        fault = {"kind": "refuse", "code": "ResourcesSoldOut.AvailableZone"}
        sim.admin("POST", "faults", {"fault": fault, **where})
        refused("ResourcesSoldOut.AvailableZone", lambda: launch(client))
        equal(len(launch(client, InstanceType="PNV4.7XLARGE116")), 1)
