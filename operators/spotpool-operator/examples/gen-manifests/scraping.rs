//! The ways to the metrics that `deploy` ships: annotations, Service and PodMonitor lead to the pods' own port.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

const OPERATOR: &str = "deploy/operator.yaml";
const POD_MONITOR: &str = "deploy/prometheus/podmonitor.yaml";

/// What leads elsewhere.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let (operator, monitor) = (documents(root, OPERATOR)?, documents(root, POD_MONITOR)?);
    let deployment = of_kind(&operator, "Deployment").context("no Deployment")?;
    let service = of_kind(&operator, "Service");
    let monitor = of_kind(&monitor, "PodMonitor");
    Ok(astray(deployment, service.unwrap_or(&Value::Null), monitor.unwrap_or(&Value::Null)))
}

fn astray(deployment: &Value, service: &Value, monitor: &Value) -> Vec<String> {
    let pod = &deployment["spec"]["template"];
    let (labels, annotations) = (&pod["metadata"]["labels"], &pod["metadata"]["annotations"]);
    let port = &pod["spec"]["containers"][0]["ports"][0];
    let endpoint = &monitor["spec"]["podMetricsEndpoints"][0];
    let same_place = |object: &Value| object["metadata"]["namespace"] == deployment["metadata"]["namespace"];
    let number = port["containerPort"].as_u64().map(|port| port.to_string());
    let of_service = &service["spec"]["ports"][0];
    let rules = [
        (
            OPERATOR,
            annotations["prometheus.io/scrape"] == "true"
                && annotations["prometheus.io/path"] == "/metrics"
                && annotations["prometheus.io/port"].as_str() == number.as_deref(),
            "the pods' annotations do not name the container's port and /metrics",
        ),
        (
            OPERATOR,
            same_place(service) && service["spec"]["selector"] == *labels,
            "the Service does not select the pods",
        ),
        (
            OPERATOR,
            of_service["name"] == "metrics" && of_service["targetPort"] == port["name"],
            "the Service's port is not named metrics, or leads to no port of the container",
        ),
        (
            POD_MONITOR,
            same_place(monitor) && monitor["spec"]["selector"]["matchLabels"] == *labels,
            "it does not select the pods",
        ),
        (POD_MONITOR, endpoint["port"] == port["name"], "it names no port of the container"),
        (
            POD_MONITOR,
            endpoint["honorLabels"] == true,
            "without honorLabels the label namespace is not the pool's",
        ),
    ];
    let broken = rules.into_iter().filter(|(_, holds, _)| !holds);
    broken.map(|(file, _, what)| format!("{file}: {what}")).collect()
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Option<&'a Value> {
    documents.iter().find(|document| document["kind"] == kind)
}

fn documents(root: &Path, path: &str) -> Result<Vec<Value>> {
    let text = fs::read_to_string(root.join(path)).with_context(|| format!("read {path}"))?;
    let parse = |document: &str| serde_saphyr::from_str(document).with_context(|| format!("read {path}"));
    text.split("\n---\n").map(parse).collect()
}
