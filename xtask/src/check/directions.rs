//! Who may depend on whom. ARCHITECTURE.md gives the same list with its reasons.

use super::Broken;
use super::metadata::{Member, Reach, Workspace};

/// What a part of the tree must not reach, however indirectly.
struct Rule {
    /// The folder of the packages that it binds.
    part: &'static str,
    reach: Reach,
    forbidden: fn(&Member, &Workspace, &str) -> bool,
    why: &'static str,
}

const RULES: [Rule; 5] = [
    Rule {
        part: "crates/",
        reach: Reach::WithTests,
        forbidden: |_, _, name| is_kubernetes(name),
        why: "a library must be usable without Kubernetes",
    },
    Rule {
        part: "crates/",
        reach: Reach::WithTests,
        forbidden: |member, workspace, name| name != member.name && is_member(workspace, name),
        why: "a library must stand alone",
    },
    Rule {
        part: "operators/",
        reach: Reach::Built,
        forbidden: |_, workspace, name| {
            folder(workspace, name).is_some_and(|folder| folder.starts_with("tests/"))
        },
        why: "what is shipped must not contain what tests it",
    },
    Rule {
        part: "operators/runtime",
        reach: Reach::Built,
        forbidden: |member, workspace, name| name != member.name && is_member(workspace, name),
        why: "the process shell knows no operator and no cloud",
    },
    Rule {
        part: "xtask",
        reach: Reach::Built,
        forbidden: |_, _, name| is_kubernetes(name),
        why: "`cargo xtask --help` must not compile Kubernetes clients",
    },
];

pub(crate) fn check(workspace: &Workspace) -> Vec<Broken> {
    let mut broken = Vec::new();
    for rule in &RULES {
        for member in &workspace.members {
            let bound = match rule.part.strip_suffix('/') {
                Some(_) => member.folder.starts_with(rule.part),
                None => member.folder == rule.part,
            };
            let wanted = |name: &str| (rule.forbidden)(member, workspace, name);
            if bound && let Some(way) = workspace.way(&member.name, rule.reach, wanted) {
                broken.push(Broken::at(
                    format!("{}/Cargo.toml", member.folder),
                    format!("{}: {}", rule.why, way.join(" -> ")),
                ));
            }
        }
    }
    broken
}

fn is_kubernetes(name: &str) -> bool {
    name == "kube" || name.starts_with("kube-") || name == "k8s-openapi"
}

fn is_member(workspace: &Workspace, name: &str) -> bool {
    folder(workspace, name).is_some()
}

fn folder<'a>(workspace: &'a Workspace, name: &str) -> Option<&'a str> {
    workspace.members.iter().find(|member| member.name == name).map(|member| member.folder.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::metadata::tests::workspace;

    fn broken(members: &[(&str, &[&str], &[&str])]) -> Vec<String> {
        check(&workspace(members)).into_iter().map(|broken| broken.what).collect()
    }

    #[test]
    fn the_intended_shape_breaks_nothing() {
        let members: [(&str, &[&str], &[&str]); 6] = [
            ("crates/tencent-cvm", &["serde"], &["wiremock"]),
            ("operators/runtime", &["kube"], &[]),
            ("operators/spotpool-operator", &["runtime", "tencent-cvm", "kube"], &["testkit"]),
            ("tests/testkit", &["kube", "servers"], &[]),
            ("tests/servers", &["anyhow"], &[]),
            ("xtask", &["servers", "clap"], &[]),
        ];
        assert_eq!(broken(&members), Vec::<String>::new());
    }

    #[test]
    fn a_library_that_reaches_kubernetes_through_another_is_found_with_the_way() {
        let found = broken(&[("crates/tencent-cvm", &["handy"], &[]), ("handy", &["kube-core"], &[])]);
        assert!(found[0].ends_with("tencent-cvm -> handy -> kube-core"), "{found:?}");
    }

    #[test]
    fn a_library_uses_no_other_member_not_even_in_tests() {
        let found = broken(&[("crates/tencent-cvm", &[], &["testkit"]), ("tests/testkit", &[], &[])]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn an_operator_ships_no_stand_in() {
        let found = broken(&[("operators/spotpool-operator", &["sim"], &[]), ("tests/sim", &[], &[])]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn the_shell_knows_no_cloud_and_xtask_no_kubernetes() {
        let members: [(&str, &[&str], &[&str]); 3] = [
            ("operators/runtime", &["tencent-cvm"], &[]),
            ("crates/tencent-cvm", &[], &[]),
            ("xtask", &["kube"], &[]),
        ];
        assert_eq!(broken(&members).len(), 2);
    }
}
