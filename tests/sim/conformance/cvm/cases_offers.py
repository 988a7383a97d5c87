"""Cases of what is advertised, and of quotas."""

import json

from registry import case
from standin import StandIn, equal, launch, refused

from tencentcloud.cvm.v20170312 import models


def asked(request, filters):
    body = {"Filters": [{"Name": name, "Values": values} for name, values in filters.items()]}
    request.from_json_string(json.dumps(body))
    return request


def offers(client, **filters):
    """The advertised items; `instance_type=["x"]` is the filter instance-type."""
    named = {name.replace("_", "-"): values for name, values in filters.items()}
    request = asked(models.DescribeZoneInstanceConfigInfosRequest(), named)
    return client.DescribeZoneInstanceConfigInfos(request).InstanceTypeQuotaSet


def quota(client, **filters):
    named = {name.replace("_", "-"): values for name, values in filters.items()}
    request = asked(models.DescribeAccountQuotaRequest(), named)
    return client.DescribeAccountQuota(request).AccountQuotaOverview


SPOT = {"zone": ["ap-singapore-2"], "instance_type": ["GN7.2XLARGE32"], "instance_charge_type": ["SPOTPAID"]}


@case
def _():
    """an offer says zone, type, price, size and stock"""
    with StandIn() as sim:
        [offer] = offers(sim.client(), **SPOT)
        equal((offer.Zone, offer.InstanceType, offer.InstanceChargeType), ("ap-singapore-2", "GN7.2XLARGE32", "SPOTPAID"))
        equal((offer.Status, offer.StatusCategory), ("SELL", "EnoughStock"))
        equal((offer.Price.UnitPrice, offer.Price.UnitPriceDiscount, offer.Price.ChargeUnit), (1.27, 0.38, "HOUR"))
        equal((offer.Cpu, offer.Memory, offer.Gpu, offer.GpuCount, offer.InstanceFamily), (8, 32, 1, 1.0, "GN7"))


@case
def _():
    """offers follow the stock of each zone and way of paying"""
    with StandIn() as sim:
        client = sim.client()
        stock = {"zone": "ap-singapore-2", "instance_type": "GN7.2XLARGE32", "count": 0}
        sim.admin("POST", "stock", {**stock, "charge_type": "SPOTPAID"})
        [offer] = offers(client, **SPOT)
        equal((offer.Status, offer.StatusCategory, bool(offer.SoldOutReason)), ("SOLD_OUT", "WithoutStock", True))
        refused("ResourceInsufficient.SpecifiedInstanceType", lambda: launch(client))
        equal(len(launch(client, InstanceChargeType="POSTPAID_BY_HOUR")), 1)
        sim.admin("POST", "stock", {"zone": "*", "instance_type": "*", "count": 0})
        equal({offer.Status for offer in offers(client, instance_charge_type=["POSTPAID_BY_HOUR"])}, {"SOLD_OUT"})


@case
def _():
    """offers may lie or lag"""
    with StandIn() as sim:
        client = sim.client()
        stock = {"zone": "ap-singapore-2", "instance_type": "GN7.2XLARGE32"}
        for information, status in ({"lie": "opposite"}, "SOLD_OUT"), ({"lag": "60s"}, "SELL"), ({}, "SOLD_OUT"):
            sim.admin("POST", "settings", {"zone_information": information})
            sim.admin("POST", "stock", {**stock, "count": 0 if "lie" not in information else 9})
            equal([offer.Status for offer in offers(client, **SPOT)], [status], str(information))
        sim.admin("POST", "settings", {"zone_information": {"lie": "absent"}})
        equal(offers(client, **SPOT), [])


@case
def _():
    """a filter of offers that does not exist is refused"""
    with StandIn() as sim:
        refused("InvalidFilter", lambda: offers(sim.client(), colour=["red"]))


@case
def _():
    """the quota of spot vCPU is told by zone, and refuses what goes beyond it"""
    with StandIn() as sim:
        client = sim.client()
        sim.admin("POST", "quota", {"zone": "ap-singapore-2", "vcpu": 12})
        launch(client)
        overview = quota(client, quota_type=["SpotPaidQuotaSet"], zone=["ap-singapore-2"])
        [spot] = overview.AccountQuota.SpotPaidQuotaSet
        equal((overview.Region, spot.Zone), ("ap-singapore", "ap-singapore-2"))
        equal((spot.UsedQuota, spot.RemainingQuota, spot.TotalQuota), (8, 4, 12))
        equal(overview.AccountQuota.PostPaidQuotaSet, [])
        refused("LimitExceeded.UserSpotQuota", lambda: launch(client))
