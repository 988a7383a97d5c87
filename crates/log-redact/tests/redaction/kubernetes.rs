//! Secrets of Kubernetes, whose data has any names.

use crate::promises::everything;

/// `kuhgras-Z9m` and `kuhgras-8`.
const VALUES: [&str; 2] = ["a3VoZ3Jhcy1aOW0=", "a3VoZ3Jhcy04"];

const SECRET: &str = r#"{"apiVersion":"v1","data":{"foo":"a3VoZ3Jhcy1aOW0=","b.c":"a3VoZ3Jhcy04"},"kind":"Secret","metadata":{"name":"web","labels":{"data":"stays"}},"type":"Opaque"}"#;

#[test]
fn the_data_of_a_secret_in_json_goes_wherever_it_is() {
    let pretty = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    };
    let spaced = SECRET.replace(':', ": ").replace(',', ", ");
    let kind_first = SECRET
        .replace(r#""apiVersion":"v1""#, r#""kind":"Secret""#)
        .replace(r#","kind":"Secret","m"#, r#","m"#);
    let items = SECRET.replace(r#""kind":"Secret","#, "");
    let escaped = serde_json::Value::from(SECRET).to_string();
    let nested = serde_json::Value::from(format!("{{\"a\":{escaped}}}")).to_string();
    for text in [
        SECRET.to_owned(),
        SECRET.replace("data\":{", "stringData\":{"),
        pretty(SECRET),
        spaced,
        kind_first,
        format!(r#"{{"kind":"List","items":[{SECRET},{SECRET}]}}"#),
        pretty(&format!(r#"{{"kind":"List","items":[{SECRET}]}}"#)),
        format!(r#"{{"kind":"SecretList","items":[{items},{items}]}}"#),
        format!(r#"{{"kind":"Event","requestObject":{SECRET},"annotations":{{"data":"stays"}}}}"#),
        format!(
            "metadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {SECRET}\n"
        ),
        format!("apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    last: |\n      {SECRET}\n"),
        format!(r#"{{"metadata":{{"annotations":{{"last-applied-configuration":{escaped}}}}}}}"#),
        format!(r#"{{"log":{nested}}}"#),
    ] {
        let clean = everything().redact(&text).into_owned();
        assert!(!VALUES.iter().any(|value| clean.contains(value)), "{text} became {clean}");
        assert_eq!(clean.matches("stays").count(), text.matches("stays").count(), "{clean}");
        assert_eq!(everything().redact(&clean), clean, "again");
    }
}

#[test]
fn what_is_no_secret_of_kubernetes_stays() {
    for text in [
        SECRET.replace(r#""kind":"Secret""#, r#""kind":"ConfigMap""#),
        SECRET.replace(r#""kind":"Secret""#, r#""kind":"SecretStore""#),
        r#"{"ref":{"kind":"Secret","name":"web"},"data":{"foo":"bar"}}"#.to_owned(),
        r#"{"kind":"Secret","data":null,"x":{"foo":"bar"}}"#.to_owned(),
    ] {
        assert_eq!(everything().redact(&text), text);
    }
}

#[test]
fn a_literal_of_kubectl_goes_whatever_its_name() {
    for text in [
        "kubectl create secret generic db --from-literal=DB_CONN=kuhgras --dry-run",
        "kubectl create secret generic db --from-literal DB_CONN=kuhgras --dry-run",
        "kubectl create secret generic db --from-literal='DB_CONN=kuh gras' --dry-run",
        "kubectl create secret generic db --from-literal=DB_CONN=\"kuh gras\" --dry-run",
    ] {
        let clean = everything().redact(text).into_owned();
        assert!(!clean.contains("kuh") && !clean.contains("gras"), "{clean}");
        assert!(clean.contains("DB_CONN=") && clean.ends_with(" --dry-run"), "{clean}");
    }
    let text = "--from-literal=DB_CONN=${DB_CONN} --from-literal=x";
    assert_eq!(everything().redact(text), text);
}
