//! The shipped client over the stand-in, on tokio's paused clock.

use std::sync::Arc;

use jiff::Timestamp;
use sim::cvm::{Cloud, CloudConfig};
use sim::shared::SimCloud;
use sim::transport::SimTransport;
use tencent_cvm::{Credentials, HttpCvm, RunInstances, Tag, WallClock};

use crate::caller::{REGION, SECRET_ID, SECRET_KEY, noon};

/// The clock of a machine whose time is right.
#[derive(Clone)]
struct RightClock(SimCloud);

impl WallClock for RightClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// A cloud and the shipped client of it.
pub(crate) fn world(config: CloudConfig, seed: u64) -> (SimCloud, HttpCvm) {
    let cloud = SimCloud::new(Cloud::new(config, seed), noon());
    let client = HttpCvm::builder(Credentials::new(SECRET_ID, SECRET_KEY), REGION)
        .transport(Arc::new(SimTransport::new(cloud.clone())))
        .clock(Arc::new(RightClock(cloud.clone())))
        .jitter_seed(seed)
        .build()
        .unwrap();
    (cloud, client)
}

/// The launch of one spot machine of the sample's type.
pub(crate) fn order(name: &str) -> RunInstances {
    RunInstances {
        instance_charge_type: "SPOTPAID".to_owned(),
        zone: "ap-singapore-2".to_owned(),
        instance_type: "GN7.2XLARGE32".to_owned(),
        image_id: "img-5gn3j31i".to_owned(),
        vpc_id: "vpc-86f66zht".to_owned(),
        subnet_id: "subnet-gfrv79s2".to_owned(),
        security_group_ids: vec!["sg-aglabemo".to_owned()],
        system_disk_type: "CLOUD_BSSD".to_owned(),
        system_disk_gib: 100,
        public_bandwidth_mbps: 1,
        instance_name: name.to_owned(),
        client_token: format!("token-of-{name}"),
        tags: vec![Tag { key: "team".to_owned(), value: "blue".to_owned() }],
        count: 1,
        ..RunInstances::default()
    }
}
