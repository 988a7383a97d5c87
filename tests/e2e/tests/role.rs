//! The operator's role: enough for every call that it makes, and nothing beside.

use std::path::PathBuf;

use testkit::{Cluster, ControlPlane, OPERATOR_NAMESPACE};

async fn operator() -> (&'static Cluster, PathBuf) {
    let cluster = ControlPlane::shared().await.unwrap().cluster();
    (cluster, cluster.install_operator_role().await.unwrap())
}

fn may(cluster: &Cluster, who: &std::path::Path, arguments: &[&str]) -> bool {
    let all = ["auth", "can-i"].iter().chain(arguments);
    let output = cluster.kubectl_as(who, all).unwrap();
    String::from_utf8_lossy(&output.stdout).trim() == "yes"
}

#[tokio::test]
async fn the_role_allows_what_the_operator_does() {
    let (cluster, operator) = operator().await;
    for allowed in [
        "list spotpools.demo.aiops.org --all-namespaces",
        "watch spotinstances.demo.aiops.org --all-namespaces",
        "patch spotpools.demo.aiops.org --namespace=anywhere",
        "update spotpools.demo.aiops.org --subresource=status --namespace=anywhere",
        "create spotinstances.demo.aiops.org --namespace=anywhere",
        "delete spotinstances.demo.aiops.org --namespace=anywhere",
        "update spotinstances.demo.aiops.org --subresource=status --namespace=anywhere",
        "get secrets --namespace=anywhere",
        "patch secrets --namespace=anywhere",
        "create events.events.k8s.io --namespace=anywhere",
        "patch events.events.k8s.io --namespace=anywhere",
        "get namespaces/kube-system",
        "get namespaces/anywhere",
    ] {
        assert!(may(cluster, &operator, &allowed.split(' ').collect::<Vec<_>>()), "{allowed}");
    }
    let own = format!("--namespace={OPERATOR_NAMESPACE}");
    for verb in ["get", "update"] {
        assert!(
            may(cluster, &operator, &[verb, "leases.coordination.k8s.io/spotpool-operator", &own]),
            "{verb}"
        );
    }
    assert!(may(cluster, &operator, &["create", "leases.coordination.k8s.io", &own]));
}

#[tokio::test]
async fn the_role_allows_nothing_beside() {
    let (cluster, operator) = operator().await;
    for forbidden in [
        "list secrets --namespace=anywhere",
        "watch secrets --namespace=anywhere",
        "update secrets --namespace=anywhere",
        "delete spotpools.demo.aiops.org --namespace=anywhere",
        "create spotpools.demo.aiops.org --namespace=anywhere",
        "deletecollection spotinstances.demo.aiops.org --namespace=anywhere",
        "get pods --namespace=anywhere",
        "get configmaps --namespace=anywhere",
        "list namespaces",
        "patch namespaces/default",
        "delete secrets --namespace=anywhere",
        "get leases.coordination.k8s.io/spotpool-operator --namespace=anywhere",
        "get leases.coordination.k8s.io/another --namespace=spotpool-system",
        "delete leases.coordination.k8s.io/spotpool-operator --namespace=spotpool-system",
        "get events --namespace=anywhere",
        "get nodes",
        "create pods --namespace=spotpool-system",
        "impersonate users",
    ] {
        assert!(!may(cluster, &operator, &forbidden.split(' ').collect::<Vec<_>>()), "{forbidden}");
    }
}
