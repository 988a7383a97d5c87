//! Which field of the spec an error code speaks of, so that people need not know the cloud's vocabulary. By
//! code only: the cloud's messages are not stable.

use tencent_cvm::Class;

/// The first word that the code contains decides; the more telling words come first.
const FIELDS: [(&str, &str); 19] = [
    ("InvalidZone", "spec.availabilityZone and spec.region"),
    ("Region", "spec.region"),
    ("Image", "spec.imageId"),
    ("SecurityGroup", "spec.securityGroupIds"),
    ("SgId", "spec.securityGroupIds"),
    ("Subnet", "spec.subnetId"),
    ("Vpc", "spec.vpcId and spec.subnetId"),
    ("KeyPair", "spec.instance.keyIds"),
    ("KeyId", "spec.instance.keyIds"),
    ("UserData", "spec.instance.userData"),
    ("Tag", "spec.instance.tags"),
    ("Disk", "spec.instance.systemDisk"),
    ("Bandwidth", "spec.instance.publicBandwidthMbps"),
    ("Spot", "spec.instanceChargeType, spec.instanceType and spec.availabilityZone"),
    ("ChargeType", "spec.instanceChargeType"),
    ("InstanceType", "spec.instanceType and spec.availabilityZone"),
    ("Zone", "spec.availabilityZone"),
    ("AuthFailure", "the key in spec.credentialsSecretRef (or spec.secretId and spec.secretKey)"),
    ("Unauthorized", "the permissions of the key in spec.credentialsSecretRef (or spec.secretId)"),
];

/// `AuthFailure.CamRoleNameAuthenticateFailed` speaks of a role that a request names for its machines. It is
/// neither the key nor anything that the spec has.
const OF_NO_FIELD: &str = "CamRole";

/// What to check in the spec, if the code tells.
pub fn field(code: &str) -> Option<&'static str> {
    if code.contains(OF_NO_FIELD) {
        return None;
    }
    FIELDS.iter().find(|(word, _)| code.contains(word)).map(|(_, field)| *field)
}

/// The same for one of several candidates: what the spec says of one place, each of them says for itself.
fn field_of_candidates(code: &str) -> Option<String> {
    let own = ["availabilityZone", "instanceType", "subnetId"];
    let field = field(code)?.to_owned();
    Some(own.iter().fold(field, |text, name| {
        text.replace(&format!("spec.{name}"), &format!("spec.candidates[].{name}"))
    }))
}

/// [`sentence`] about one of several candidates.
pub fn sentence_of_candidates(said: &str, code: &str, advice: &str) -> String {
    compose(said, code, field_of_candidates(code).as_deref(), advice)
}

/// A pool that names one place and no candidates.
const OF_ONE_PLACE: &str = "Correct the spec: its zone, subnet and network do not fit together.";

/// What the cloud said, what that class of errors asks for, and where to look.
pub fn sentence(said: &str, code: &str, advice: &str) -> String {
    let advice = if advice == Class::CandidateFatal.advice() { OF_ONE_PLACE } else { advice };
    compose(said, code, field(code), advice)
}

fn compose(said: &str, code: &str, field: Option<&str>, advice: &str) -> String {
    let check = field.map(|field| format!("Check {field}.")).unwrap_or_default();
    sentences(&[said, for_users(code, advice), &check])
}

/// The spec names no price.
const BIDS: &str = "The operator bids the price of the market and asks again by itself: the spec names no price. Other \
                    types and zones can be named in spec.candidates.";
/// Somebody has protected a machine of the pool.
const PROTECTED: &str =
    "Somebody has switched on this instance's protection against termination: switch it off in the console.";
/// Another address, or a version of the API that is no more.
const UNKNOWN_CALL: &str = "The cloud does not know this call, whatever the spec says: update the operator, or check its --cvm-endpoint.";
/// The operator wrote what is wrong.
const OF_THE_OPERATOR: &str = "No field of the spec is to blame: update the operator, or give the RequestId to Tencent Cloud's support.";

/// Codes of requests that no other spec would mend, by how they begin.
const BEYOND_THE_SPEC: [(&str, &str); 12] = [
    ("ActionOffline", UNKNOWN_CALL),
    ("InvalidAction", UNKNOWN_CALL),
    ("NoSuchVersion", UNKNOWN_CALL),
    ("NoSuchProduct", UNKNOWN_CALL),
    ("UnsupportedProtocol", UNKNOWN_CALL),
    ("InvalidRequest", OF_THE_OPERATOR),
    ("MissingParameter", OF_THE_OPERATOR),
    ("UnknownParameter", OF_THE_OPERATOR),
    ("RequestSizeLimitExceeded", OF_THE_OPERATOR),
    ("InvalidClientToken", OF_THE_OPERATOR),
    ("AuthFailure.CamRole", OF_THE_OPERATOR),
    ("UnsupportedOperation.InvalidInstancesOwner", OF_THE_OPERATOR),
];

/// The client's advice speaks to whoever writes requests. What people can do who write a SpotPool, where that is
/// something else.
pub fn for_users<'a>(code: &str, advice: &'a str) -> &'a str {
    if code == "UnsupportedOperation.InstancesProtected" {
        return PROTECTED;
    }
    if advice == Class::Price.advice() {
        return BIDS;
    }
    if advice != Class::Fatal.advice() {
        return advice;
    }
    let beyond = BEYOND_THE_SPEC.iter().find(|(begin, _)| code.starts_with(begin));
    beyond.map_or(advice, |(_, advice)| advice)
}

/// An error with its causes, which say whether it was the network, a proxy or the cloud.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors repeat what their cause says.
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// One text of these, each ended by one full stop; empty ones are left out.
pub fn sentences(texts: &[&str]) -> String {
    let texts = texts.iter().map(|text| text.trim().trim_end_matches('.')).filter(|text| !text.is_empty());
    texts.map(|text| format!("{text}.")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tencent_cvm::{Action, classify, known_codes};

    #[test]
    fn nobody_is_told_to_write_what_the_spec_does_not_have() {
        for (action, code, class) in known_codes() {
            let told = sentence("the cloud said no", code, class.advice());
            let nowhere = field(code).is_none() && action == Action::RunInstances;
            assert!(!told.contains("highest price"), "{code}: {told}");
            assert!(!(told.contains("No field") && told.contains("Check ")), "{code}: {told}");
            let parameters = code.starts_with("InvalidParameter") || code.starts_with("FailedOperation");
            assert!(!nowhere || parameters || !told.contains("Correct the request"), "{code}: {told}");
        }
        let told = |code| sentence("no", code, classify(Action::RunInstances, code).advice());
        for code in ["ActionOffline", "InvalidAction", "NoSuchVersion"] {
            assert!(told(code).ends_with("update the operator, or check its --cvm-endpoint."), "{code}");
        }
        assert!(told("InvalidParameterValue.InsufficientPrice").contains("the spec names no price"));
        // A termination is none of a request's fields: its advice stands.
        let owner = "UnsupportedOperation.InvalidInstancesOwner";
        let advice = classify(Action::TerminateInstances, owner).advice();
        assert_eq!(for_users(owner, advice), advice);
    }

    #[test]
    fn causes_are_told_once_each() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Layer(&'static str, #[source] Option<Box<Layer>>);
        let refused = Layer("connection refused", None);
        let repeats = Layer("connect: connection refused", Some(Box::new(refused)));
        let call = Layer("DescribeInstances: the outcome is unknown", Some(Box::new(repeats)));
        let told = "DescribeInstances: the outcome is unknown: connect: connection refused";
        assert_eq!(with_causes(&call), told);
    }

    #[test]
    fn codes_point_at_fields() {
        for (code, expected) in [
            ("InvalidImageId.NotFound", "spec.imageId"),
            ("InvalidParameterValue.InvalidImageFormat", "spec.imageId"),
            ("InvalidSecurityGroupId.NotFound", "spec.securityGroupIds"),
            ("InvalidSgId.Malformed", "spec.securityGroupIds"),
            ("InvalidZone.MismatchRegion", "spec.availabilityZone and spec.region"),
            ("InvalidParameterValue.SubnetIdZoneIdNotMatch", "spec.subnetId"),
            ("InvalidParameterValue.SubnetNotExist", "spec.subnetId"),
            ("InvalidKeyPairId.NotFound", "spec.instance.keyIds"),
            ("UnsupportedRegion", "spec.region"),
            (
                "AuthFailure.SignatureFailure",
                "the key in spec.credentialsSecretRef (or spec.secretId and spec.secretKey)",
            ),
        ] {
            assert_eq!(field(code), Some(expected), "{code}");
        }
        assert_eq!(field("InternalError"), None);
        assert_eq!(field("AuthFailure.CamRoleNameAuthenticateFailed"), None, "the key is not to blame");
        let of_one = field_of_candidates("InvalidZone.MismatchRegion");
        assert_eq!(of_one.as_deref(), Some("spec.candidates[].availabilityZone and spec.region"));
    }
}
