//! The operator that a user writes from a blog: look at the first page, compare with what is wanted, launch or kill, wait
//! 40 seconds. It runs in the same stand-in as ours.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::{Value, json};
use sim::cvm::Fate;
use sim::shared::SimCloud;
use tencent_cvm::{Credentials, sign};

use crate::stage::{REGION, SECRET_ID, SECRET_KEY, Stage};

const HOST: &str = "cvm.tencentcloudapi.com";
const CONTENT_TYPE: &str = "application/json";
const PAUSE: Duration = Duration::from_secs(40);

/// How many machines it keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) minimum: usize,
    pub(crate) maximum: usize,
}

/// A loop that runs, and whose pool can be edited.
pub(crate) struct PlainLoop {
    size: Arc<Mutex<Size>>,
    task: tokio::task::AbortHandle,
}

impl PlainLoop {
    /// Starts it.
    pub(crate) fn start(stage: &Stage, size: Size) -> Self {
        let size = Arc::new(Mutex::new(size));
        let (cloud, wanted) = (stage.cloud.clone(), Arc::clone(&size));
        let task = tokio::spawn(async move {
            loop {
                let size = *wanted.lock().unwrap_or_else(PoisonError::into_inner);
                // What went wrong is logged, and tried again in the next turn.
                let _ = turn(&cloud, size).await;
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { size, task: task.abort_handle() }
    }

    /// Somebody edits the pool.
    pub(crate) fn edit(&self, size: Size) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = size;
    }

    /// The pool is deleted: there is nothing to reconcile any more.
    pub(crate) fn delete(&self) {
        self.task.abort();
    }
}

async fn turn(cloud: &SimCloud, size: Size) -> Result<()> {
    let page = call(cloud, "DescribeInstances", &json!({})).await?;
    let shown = page["InstanceSet"].as_array().context("no InstanceSet")?;
    let counts = |machine: &&Value| {
        matches!(machine["InstanceState"].as_str(), Some("PENDING" | "STARTING" | "RUNNING"))
    };
    let ids: Vec<&str> = shown.iter().filter(counts).filter_map(|it| it["InstanceId"].as_str()).collect();
    if ids.len() < size.minimum {
        let body = json!({
            "InstanceChargeType": "SPOTPAID",
            "Placement": {"Zone": "ap-singapore-2"},
            "InstanceType": "GN7.2XLARGE32",
            "ImageId": "img-5gn3j31i",
            "VirtualPrivateCloud": {"VpcId": "vpc-86f66zht", "SubnetId": "subnet-gfrv79s2"},
            "SecurityGroupIds": ["sg-aglabemo"],
            "InternetAccessible": {"InternetMaxBandwidthOut": 1, "PublicIpAssigned": true},
            "InstanceName": "spot",
            "InstanceCount": size.minimum - ids.len(),
        });
        call(cloud, "RunInstances", &body).await?;
    } else if ids.len() > size.maximum {
        let surplus = &ids[..ids.len() - size.maximum];
        call(cloud, "TerminateInstances", &json!({"InstanceIds": surplus})).await?;
    }
    Ok(())
}

/// One signed call. What is not an answer, and what is an error, is an error.
async fn call(cloud: &SimCloud, action: &str, body: &Value) -> Result<Value> {
    let (now, payload) = (cloud.now(), Bytes::from(body.to_string()));
    let parts = sign::Parts {
        service: "cvm",
        host: HOST,
        content_type: CONTENT_TYPE,
        timestamp: now,
        payload: &payload,
    };
    let authorization = sign::authorization(&Credentials::new(SECRET_ID, SECRET_KEY), &parts);
    let request = http::Request::post("/")
        .header("Host", HOST)
        .header("Content-Type", CONTENT_TYPE)
        .header("X-TC-Action", action)
        .header("X-TC-Version", "2017-03-12")
        .header("X-TC-Timestamp", now.as_second())
        .header("X-TC-Region", REGION)
        .header("Authorization", authorization)
        .body(payload)?;
    // The SDK's own deadline.
    let fate = tokio::time::timeout(Duration::from_secs(60), cloud.call(request)).await?;
    let Fate::Deliver(answer) = fate else { anyhow::bail!("{action}: the connection broke") };
    let mut body: Value = serde_json::from_slice(answer.body())?;
    match body["Response"]["Error"]["Code"].as_str() {
        Some(code) => anyhow::bail!("{action}: {code}"),
        None => Ok(body["Response"].take()),
    }
}
