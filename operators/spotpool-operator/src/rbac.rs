//! What the operator may do in a cluster: as little as it needs. `deploy/rbac` is generated from here, and
//! the end-to-end tests and the demo run under it.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use kube::api::ObjectMeta;

use crate::crd::GROUP;

/// Name of the operator's ServiceAccount, roles, bindings, Lease and Deployment.
pub const NAME: &str = "spotpool-operator";
/// The namespace that `deploy/` puts the operator in.
pub const NAMESPACE: &str = "spotpool-system";

const RBAC: &str = "rbac.authorization.k8s.io";

/// Who the operator is.
#[must_use]
pub fn service_account() -> ServiceAccount {
    ServiceAccount { metadata: namespaced(), ..ServiceAccount::default() }
}

/// What the operator may do everywhere.
#[must_use]
pub fn cluster_role() -> ClusterRole {
    ClusterRole {
        metadata: global(),
        rules: Some(vec![
            // People make pools; the operator puts its finalizer on them.
            rule(GROUP, "spotpools", &["get", "list", "watch", "patch"]),
            rule(GROUP, "spotpools/status", &["update"]),
            rule(GROUP, "spotinstances", &["get", "list", "watch", "create", "patch", "delete"]),
            rule(GROUP, "spotinstances/status", &["update"]),
            // The Secret that a pool names, and only by name: no list, no watch. Patched are its finalizers, so that
            // the key is not lost before the machines are.
            rule("", "secrets", &["get", "patch"]),
            // Written once and counted up.
            rule("events.k8s.io", "events", &["create", "patch"]),
            // The uid of kube-system is who this cluster is; in a namespace that is being deleted nothing is launched.
            rule("", "namespaces", &["get"]),
        ]),
        ..ClusterRole::default()
    }
}

/// What the operator may do in its own namespace: hold its Lease.
#[must_use]
pub fn role() -> Role {
    Role {
        metadata: namespaced(),
        rules: Some(vec![
            // What is not there yet has no name that a rule could ask for.
            rule("coordination.k8s.io", "leases", &["create"]),
            PolicyRule {
                resource_names: Some(vec![NAME.to_owned()]),
                ..rule("coordination.k8s.io", "leases", &["get", "update"])
            },
        ]),
    }
}

/// Gives [`cluster_role`] to [`service_account`].
#[must_use]
pub fn cluster_role_binding() -> ClusterRoleBinding {
    ClusterRoleBinding {
        metadata: global(),
        role_ref: role_ref("ClusterRole"),
        subjects: Some(vec![subject()]),
    }
}

/// Gives [`role`] to [`service_account`].
#[must_use]
pub fn role_binding() -> RoleBinding {
    RoleBinding { metadata: namespaced(), role_ref: role_ref("Role"), subjects: Some(vec![subject()]) }
}

fn rule(group: &str, resource: &str, verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        verbs: verbs.iter().map(|&verb| verb.to_owned()).collect(),
        ..PolicyRule::default()
    }
}

fn global() -> ObjectMeta {
    ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() }
}

fn namespaced() -> ObjectMeta {
    ObjectMeta { namespace: Some(NAMESPACE.to_owned()), ..global() }
}

fn role_ref(kind: &str) -> RoleRef {
    RoleRef { api_group: RBAC.to_owned(), kind: kind.to_owned(), name: NAME.to_owned() }
}

fn subject() -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: NAME.to_owned(),
        namespace: Some(NAMESPACE.to_owned()),
        ..Subject::default()
    }
}
