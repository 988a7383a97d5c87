//! The control plane is a real one: it keeps identities apart, and it goes when it is dropped.

#![cfg(test)]

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Api, ListParams, ObjectMeta, PostParams};
use testkit::{Cluster, ControlPlane};

#[tokio::test]
async fn a_control_plane_serves_keeps_identities_apart_and_goes() {
    testkit::install_tls();
    let control_plane = ControlPlane::start().await.unwrap();
    let cluster = control_plane.cluster();

    let first = cluster.namespace("first").await.unwrap();
    let second = cluster.namespace("second").await.unwrap();
    assert!(first.starts_with("first-") && second.starts_with("second-"), "{first} {second}");

    let maps = Api::<ConfigMap>::namespaced(cluster.client().await.unwrap(), &first);
    let metadata = ObjectMeta { name: Some("one".to_owned()), ..ObjectMeta::default() };
    maps.create(&PostParams::default(), &ConfigMap { metadata, ..ConfigMap::default() }).await.unwrap();
    let names = cluster.kubectl_stdout(["get", "configmap", "--namespace", &first, "--output=name"]).unwrap();
    assert_eq!(names.trim(), "configmap/one");

    // A ServiceAccount's token is accepted, and gives no right that no role gives.
    let account = cluster.service_account(&first, "nobody-in-particular").await.unwrap();
    let nobody = Cluster::new(account, cluster.kubectl_path().to_owned(), std::env::temp_dir());
    let secrets = Api::<Secret>::namespaced(nobody.client().await.unwrap(), &first);
    let refused = secrets.list(&ListParams::default()).await.unwrap_err();
    let kube::Error::Api(status) = refused else { panic!("{refused}") };
    assert!(status.is_forbidden() && status.message.contains("nobody-in-particular"), "{}", status.message);

    let version = cluster.kubectl_stdout(["version"]).unwrap();
    assert!(!version.contains("WARNING") && version.contains("Server Version: v1."), "{version}");

    let server = control_plane.api_server().id();
    let directory = cluster.kubeconfig().parent().unwrap().to_owned();
    drop(control_plane);
    assert!(!std::path::Path::new(&format!("/proc/{server}/stat")).exists());
    assert!(!directory.exists());
}
