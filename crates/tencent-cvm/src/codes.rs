//! The one table from error code to [`Class`]. Decided by code only, never by message: the texts change.
//!
//! The codes are those of the SDK's `errorcodes.py` and of the API pages; what some of them mean in truth (a
//! "quota" that is a shortage of machines) was collected from issue threads of other fleets.

use crate::class::{Action, Class};

/// One rule. A code that ends in `*` is a family.
struct Rule {
    code: &'static str,
    on: On,
    class: Class,
}

/// For which actions a rule holds.
#[derive(Clone, Copy)]
enum On {
    Every,
    Launch,
    ButLaunch,
    Terminate,
    ButTerminate,
}

impl On {
    fn holds(self, action: Action) -> bool {
        match self {
            Self::Every => true,
            Self::Launch => action == Action::RunInstances,
            Self::ButLaunch => action != Action::RunInstances,
            Self::Terminate => action == Action::TerminateInstances,
            Self::ButTerminate => action != Action::TerminateInstances,
        }
    }
}

const fn rule(code: &'static str, on: On, class: Class) -> Rule {
    Rule { code, on, class }
}

/// The class of `code`: a whole code counts before a family, a longer family before a shorter one.
pub(crate) fn lookup(action: Action, code: &str) -> Class {
    let rules = || TABLE.iter().filter(|rule| rule.on.holds(action));
    if let Some(exact) = rules().find(|rule| rule.code == code) {
        return exact.class;
    }
    let family = rules()
        .filter_map(|rule| Some((rule.code.strip_suffix('*')?, rule.class)))
        .filter(|(prefix, _)| code.starts_with(prefix))
        .max_by_key(|(prefix, _)| prefix.len());
    match (family, action) {
        (Some((_, class)), _) => class,
        // What is not known to be harmless is not tried on a machine again and again.
        (None, Action::TerminateInstances) => Class::Forbidden,
        // A word never seen says nothing about whether an order exists.
        (None, Action::RunInstances) => Class::Unknown,
        (
            None,
            Action::DescribeInstances
            | Action::DescribeAccountQuota
            | Action::DescribeZoneInstanceConfigInfos,
        ) => Class::Retry,
    }
}

/// Families whose codes are about the caller or a parameter, which the cloud checks before it makes anything.
const CHECKED_FIRST: &[&str] = &[
    "AuthFailure",
    "Invalid",
    "Missing",
    "RequestLimitExceeded",
    "UnauthorizedOperation",
    "UnknownParameter",
    "UnsupportedProtocol",
    "UnsupportedRegion",
];

/// Whether this code is one of a check that comes before anything is made: the table knows it by its whole name, or its
/// family is about the caller or a parameter.
pub(crate) fn is_checked_first(action: Action, code: &str) -> bool {
    let named = TABLE.iter().any(|rule| rule.on.holds(action) && rule.code == code);
    named || CHECKED_FIRST.iter().any(|family| code.starts_with(family))
}

/// Every code that the table names in full, for each action it may answer to.
pub(crate) fn known() -> impl Iterator<Item = (Action, &'static str, Class)> {
    let named = TABLE.iter().filter(|rule| !rule.code.ends_with('*'));
    named.flat_map(|rule| {
        let actions = Action::ALL.into_iter().filter(|action| rule.on.holds(*action));
        actions.map(|action| (action, rule.code, rule.class))
    })
}

use On::{ButLaunch, ButTerminate, Every, Launch, Terminate};

#[rustfmt::skip] // One rule a line, so that the table can be read as one.
const TABLE: &[Rule] = &[
    // Too many calls.
    rule("RequestLimitExceeded", Every, Class::Throttled),
    rule("RequestLimitExceeded.UinLimitExceeded", Every, Class::Throttled),
    rule("RequestLimitExceeded.GlobalRegionUinLimitExceeded", Every, Class::Throttled),
    rule("RequestLimitExceeded.IPLimitExceeded", Every, Class::Throttled),
    rule("RequestLimitExceeded.*", Every, Class::Throttled),

    // Their own trouble. A launch may have placed its order before it failed.
    rule("InternalError", Launch, Class::Unknown),
    rule("InternalError.TradeUnknownError", Launch, Class::Unknown),
    rule("InternalError.*", Launch, Class::Unknown),
    rule("InternalServerError", Launch, Class::Unknown),
    rule("InternalServerError*", Launch, Class::Unknown),
    rule("ServiceUnavailable*", Launch, Class::Unknown),
    rule("InternalError", ButLaunch, Class::Retry),
    rule("InternalError.TradeUnknownError", ButLaunch, Class::Retry),
    rule("InternalError.*", ButLaunch, Class::Retry),
    rule("InternalServerError", ButLaunch, Class::Retry),
    rule("InternalServerError*", ButLaunch, Class::Retry),
    rule("ServiceUnavailable*", ButLaunch, Class::Retry),
    rule("FailedOperation.InquiryPriceFailed", Every, Class::Retry),

    // The type is sold out in the zone, whatever the code calls it.
    rule("ResourceInsufficient.SpecifiedInstanceType", ButTerminate, Class::SoldOut),
    rule("ResourceInsufficient.ZoneSoldOutForSpecifiedInstance", ButTerminate, Class::SoldOut),
    rule("ResourceInsufficient.InsufficientOfferingMinimum", ButTerminate, Class::SoldOut),
    rule("ResourcesSoldOut.SpecifiedInstanceType", ButTerminate, Class::SoldOut),
    rule("InvalidParameterValue.InsufficientOffering", ButTerminate, Class::SoldOut),
    // Named like a quota, but its text says that spot machines are out of stock.
    rule("LimitExceeded.SpotQuota", ButTerminate, Class::SoldOut),
    rule("ResourceInsufficient*", ButTerminate, Class::SoldOut),
    rule("ResourcesSoldOut*", ButTerminate, Class::SoldOut),

    // Something beside the machine is sold out.
    rule("ResourceInsufficient.CloudDiskSoldOut", ButTerminate, Class::DiskSoldOut),
    rule("ResourceInsufficient.CloudDiskUnavailable", ButTerminate, Class::DiskSoldOut),
    rule("InvalidParameter.InvalidCloudDiskSoldOut", ButTerminate, Class::DiskSoldOut),
    rule("ResourcesSoldOut.EipInsufficient", ButTerminate, Class::SubnetFull),
    rule("ResourceInsufficient.CidrBlock", ButTerminate, Class::SubnetFull),
    rule("FailedOperation.NoAvailableIpAddressCountInSubnet", ButTerminate, Class::SubnetFull),
    rule("LimitExceeded.VpcSubnetNum", ButTerminate, Class::SubnetFull),

    // The whole zone.
    rule("ResourceInsufficient.AvailabilityZoneSoldOut", ButTerminate, Class::ZoneSoldOut),
    rule("ResourcesSoldOut.AvailableZone", ButTerminate, Class::ZoneSoldOut),
    rule("UnsupportedOperation.InvalidZone", ButTerminate, Class::ZoneSoldOut),

    // Never offered here.
    rule("ResourceUnavailable.InstanceType", ButTerminate, Class::NotOffered),
    rule("ResourceNotFound.InvalidZoneInstanceType", ButTerminate, Class::NotOffered),
    rule("UnsupportedOperation.NoInstanceTypeSupportSpot", ButTerminate, Class::NotOffered),
    rule("InvalidParameterValue.ZoneNotSupported", ButTerminate, Class::NotOffered),
    rule("InvalidParameterValue.InstanceTypeNotFound", ButTerminate, Class::NotOffered),

    // Quotas and price.
    rule("LimitExceeded.UserSpotQuota", ButTerminate, Class::ZoneQuota),
    rule("LimitExceeded.InstanceQuota", ButTerminate, Class::AccountQuota),
    rule("LimitExceeded.CvmInstanceQuota", ButTerminate, Class::AccountQuota),
    rule("LimitExceeded*", ButTerminate, Class::AccountQuota),
    rule("InstancesQuotaLimitExceeded", ButTerminate, Class::AccountQuota),
    rule("OverQuota", ButTerminate, Class::AccountQuota),
    rule("InvalidParameterValue.InsufficientPrice", ButTerminate, Class::Price),

    // The candidate's own subnet, zone or address.
    rule("InvalidParameterValue.SubnetIdZoneIdNotMatch", ButTerminate, Class::CandidateFatal),
    rule("InvalidParameterValue.VpcIdZoneIdNotMatch", ButTerminate, Class::CandidateFatal),
    rule("InvalidParameterValue.VpcIdSubnetIdNotMatch", ButTerminate, Class::CandidateFatal),
    rule("InvalidParameterValue.InvalidVpcIdSubnetIdNotFound", ButTerminate, Class::CandidateFatal),
    rule("InvalidParameterValue.SubnetNotExist", ButTerminate, Class::CandidateFatal),
    rule("InvalidParameterValue.SubnetIdMalformed", ButTerminate, Class::CandidateFatal),
    rule("InvalidZone.MismatchRegion", ButTerminate, Class::CandidateFatal),
    rule("VpcIpIsUsed", ButTerminate, Class::CandidateFatal),
    rule("VpcAddrNotInSubNet", ButTerminate, Class::CandidateFatal),

    // An image that is being copied or made is there soon.
    rule("InvalidParameterValue.InvalidImageState", ButTerminate, Class::Wait),
    rule("FailedOperation.InvalidImageState", ButTerminate, Class::Wait),

    // The keys. Two codes of these families are about something else in the request.
    rule("AuthFailure.SignatureExpire", Every, Class::Auth),
    rule("AuthFailure.SecretIdNotFound", Every, Class::Auth),
    rule("AuthFailure.SignatureFailure", Every, Class::Auth),
    rule("AuthFailure.TokenFailure", Every, Class::Auth),
    rule("AuthFailure.InvalidSecretId", Every, Class::Auth),
    rule("AuthFailure.MFAFailure", Every, Class::Auth),
    rule("AuthFailure.UnauthorizedOperation", Every, Class::Auth),
    rule("AuthFailure*", Every, Class::Auth),
    rule("AuthFailure.CamRoleNameAuthenticateFailed", Every, Class::Fatal),
    rule("UnauthorizedOperation", Every, Class::Auth),
    rule("UnauthorizedOperation.PermissionDenied", Every, Class::Auth),
    rule("UnauthorizedOperation.InvalidToken", Every, Class::Auth),
    rule("UnauthorizedOperation.MFAExpired", Every, Class::Auth),
    rule("UnauthorizedOperation.MFANotFound", Every, Class::Auth),
    rule("UnauthorizedOperation*", Every, Class::Auth),
    rule("UnauthorizedOperation.ImageNotBelongToAccount", Every, Class::Fatal),
    rule("IpInBlacklist", Every, Class::Auth),
    rule("IpNotInWhitelist", Every, Class::Auth),

    // Money.
    rule("InvalidAccount.InsufficientBalance", Every, Class::Money),
    rule("InvalidAccount.UnpaidOrder", Every, Class::Money),
    rule("AccountQualificationRestrictions", Every, Class::Money),

    // Gone.
    rule("InvalidInstanceId.NotFound", ButLaunch, Class::Gone),
    // No machine has an id that is none.
    rule("InvalidInstanceId.Malformed", ButLaunch, Class::Gone),
    rule("ResourceNotFound.InvalidInstanceIdNotFound", ButLaunch, Class::Gone),
    rule("UnsupportedOperation.InstanceStateTerminated", Terminate, Class::Gone),
    rule("UnsupportedOperation.InstanceStateTerminating", Terminate, Class::Gone),
    rule("UnsupportedOperation.InstanceStateLaunchFailed", Terminate, Class::Gone),

    // Busy.
    rule("OperationDenied*", ButTerminate, Class::Wait),
    rule("OperationDenied.InstanceOperationInProgress", Terminate, Class::Wait),
    rule("MutexOperation.TaskRunning", Every, Class::Wait),
    rule("MutexOperation*", Every, Class::Wait),
    rule("ResourceInUse*", ButTerminate, Class::Wait),
    rule("UnsupportedOperation.InstanceStatePending", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateStarting", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateStopping", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateRebooting", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateIsolating", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateFreezing", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateShutdown", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateEnterRescueMode", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateRescueMode", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateExitRescueMode", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateEnterServiceLiveMigrate", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateServiceLiveMigrate", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceStateExitServiceLiveMigrate", ButLaunch, Class::Wait),
    rule("UnsupportedOperation.InstanceState*", ButLaunch, Class::Wait),
    rule("InvalidInstanceState", ButLaunch, Class::Wait),
    rule("InvalidInstanceState*", ButLaunch, Class::Wait),

    // Not to be touched. On terminations so is every code that is not in this table.
    rule("UnsupportedOperation.InstancesProtected", Terminate, Class::Forbidden),
    rule("FailedOperation.Unreturnable", Terminate, Class::Forbidden),
    rule("LimitExceeded.UserReturnQuota", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.InvalidInstancesOwner", Terminate, Class::Forbidden),
    rule("InvalidInstance.NotSupported", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.InstanceStateBanning", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.RedHatInstanceTerminateUnsupported", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.RedHatInstanceUnsupported", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.RedHatInstance*", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.SpecialInstanceType", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.InstanceChargeType", Terminate, Class::Forbidden),
    // Says of a batch that it mixes charge types; of one id it would be nonsense.
    rule("UnsupportedOperation.InstanceMixedPricingModel", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.InvalidInstanceApplicationRole", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.InvalidInstanceApplicationRoleEmr", Terminate, Class::Forbidden),
    rule("FailedOperation.InvalidInstanceApplicationRole", Terminate, Class::Forbidden),
    rule("FailedOperation.InvalidInstanceApplicationRoleEmr", Terminate, Class::Forbidden),
    rule("LimitExceeded.UserLimitOperationExceedQuota", Terminate, Class::Forbidden),
    rule("UnsupportedOperation.UserLimitOperationExceedQuota", Terminate, Class::Forbidden),

    // The request as a whole is not one that the API knows: no other ids would change that.
    rule("ActionOffline", Every, Class::Fatal),
    rule("InvalidAction", Every, Class::Fatal),
    rule("InvalidAction*", Every, Class::Fatal),
    rule("NoSuchVersion", Every, Class::Fatal),
    rule("NoSuchProduct", Every, Class::Fatal),
    rule("UnsupportedRegion", Every, Class::Fatal),
    rule("UnsupportedProtocol", Every, Class::Fatal),
    rule("InvalidRegion.NotFound", Every, Class::Fatal),
    rule("InvalidRegion.*", Every, Class::Fatal),
    rule("InvalidRequest", Every, Class::Fatal),
    rule("MissingParameter", Every, Class::Fatal),
    rule("MissingParameter*", Every, Class::Fatal),
    rule("UnknownParameter", Every, Class::Fatal),
    rule("UnknownParameter*", Every, Class::Fatal),
    rule("RequestSizeLimitExceeded", Every, Class::Fatal),

    // A launch that can never work as it stands.
    rule("UnsupportedOperation.SpotUnsupportedRegion", ButTerminate, Class::Fatal),
    rule("InvalidClientToken.TooLong", ButTerminate, Class::Fatal),
    rule("InvalidImageId.NotFound", ButTerminate, Class::Fatal),
    rule("InvalidImageId.Malformed", ButTerminate, Class::Fatal),
    rule("InvalidImageId.*", ButTerminate, Class::Fatal),
    rule("InvalidKeyPairId.*", ButTerminate, Class::Fatal),
    rule("InvalidSecurityGroupId.NotFound", ButTerminate, Class::Fatal),
    rule("KeyPairNotFound", ButTerminate, Class::Fatal),
    rule("InvalidParameterValue.KeyPairNotFound", ButTerminate, Class::Fatal),
    rule("InvalidParameterValue.InvalidImageId", ButTerminate, Class::Fatal),
    rule("InvalidParameterValue.InvalidImageForGivenInstanceType", ButTerminate, Class::Fatal),
    rule("InvalidParameterValue.InvalidParameterMinCount", ButTerminate, Class::Fatal),
    rule("InvalidParameterValue.Range", ButTerminate, Class::Fatal),
    rule("InvalidParameterValue", ButTerminate, Class::Fatal),
    rule("InvalidParameterCombination", ButTerminate, Class::Fatal),
    rule("InvalidParameter.HostNameIllegal", ButTerminate, Class::Fatal),
    rule("InvalidParameter", ButTerminate, Class::Fatal),
    rule("InvalidParameter*", ButTerminate, Class::Fatal),
    rule("UnsupportedOperation.MinCountUnsupportedRegion", ButTerminate, Class::Fatal),
    rule("UnsupportedOperation.MinCountUnsupportedChargeType", ButTerminate, Class::Fatal),
    rule("FailedOperation.IllegalTagKey", ButTerminate, Class::Fatal),
    rule("FailedOperation.TagKeyReserved", ButTerminate, Class::Fatal),

    // The other families.
    rule("Invalid*", ButTerminate, Class::Fatal),
    rule("Missing*", ButTerminate, Class::Fatal),
    rule("ResourceNotFound*", ButTerminate, Class::Fatal),
    rule("ResourceUnavailable*", ButTerminate, Class::Fatal),
    rule("FailedOperation*", ButTerminate, Class::Fatal),
    rule("UnsupportedOperation*", ButTerminate, Class::Fatal),
];

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{DescribeInstances, RunInstances, TerminateInstances};

    /// Every code named in the facts that the table was made from, with the letter they give it.
    #[rustfmt::skip]
    const FACTS: &[(Action, char, &[&str])] = &[
        (RunInstances, 'T', &["RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded",
            "RequestLimitExceeded.GlobalRegionUinLimitExceeded", "RequestLimitExceeded.IPLimitExceeded"]),
        (DescribeInstances, 'T', &["RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded",
            "RequestLimitExceeded.GlobalRegionUinLimitExceeded", "RequestLimitExceeded.IPLimitExceeded"]),
        (TerminateInstances, 'T', &["RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded"]),
        (RunInstances, 'U', &["InternalError", "InternalServerError", "InternalError.TradeUnknownError"]),
        (DescribeInstances, 'R', &["InternalError", "InternalServerError", "InternalError.TradeUnknownError"]),
        (TerminateInstances, 'R', &["InternalError", "InternalServerError", "InternalError.TradeUnknownError"]),
        (RunInstances, 'S', &["ResourceInsufficient.SpecifiedInstanceType",
            "ResourceInsufficient.ZoneSoldOutForSpecifiedInstance",
            "ResourceInsufficient.InsufficientOfferingMinimum", "ResourcesSoldOut.SpecifiedInstanceType",
            "InvalidParameterValue.InsufficientOffering", "LimitExceeded.SpotQuota",
            "ResourceInsufficient.CloudDiskSoldOut", "ResourceInsufficient.CloudDiskUnavailable",
            "InvalidParameter.InvalidCloudDiskSoldOut", "ResourcesSoldOut.EipInsufficient",
            "FailedOperation.NoAvailableIpAddressCountInSubnet", "LimitExceeded.VpcSubnetNum",
            "ResourceInsufficient.CidrBlock", "ResourceUnavailable.InstanceType",
            "ResourceNotFound.InvalidZoneInstanceType", "UnsupportedOperation.NoInstanceTypeSupportSpot",
            "InvalidParameterValue.ZoneNotSupported", "InvalidParameterValue.InstanceTypeNotFound"]),
        (RunInstances, 'Z', &["ResourceInsufficient.AvailabilityZoneSoldOut", "ResourcesSoldOut.AvailableZone",
            "UnsupportedOperation.InvalidZone"]),
        (RunInstances, 'Q', &["LimitExceeded.UserSpotQuota", "LimitExceeded.InstanceQuota",
            "LimitExceeded.CvmInstanceQuota", "InstancesQuotaLimitExceeded"]),
        (RunInstances, 'P', &["InvalidParameterValue.InsufficientPrice"]),
        (RunInstances, 'F', &["UnsupportedOperation.SpotUnsupportedRegion", "InvalidParameter",
            "InvalidParameter.HostNameIllegal", "InvalidParameterValue", "InvalidParameterValue.Range",
            "InvalidParameterCombination", "InvalidImageId.NotFound", "InvalidImageId.Malformed",
            "InvalidParameterValue.InvalidImageId", "InvalidParameterValue.InvalidImageForGivenInstanceType",
            "InvalidParameterValue.KeyPairNotFound", "KeyPairNotFound", "InvalidSecurityGroupId.NotFound",
            "InvalidParameterValue.SubnetIdZoneIdNotMatch", "InvalidParameterValue.VpcIdZoneIdNotMatch",
            "MissingParameter", "UnknownParameter", "InvalidClientToken.TooLong",
            "FailedOperation.IllegalTagKey", "FailedOperation.TagKeyReserved",
            "AuthFailure.CamRoleNameAuthenticateFailed", "ActionOffline", "InvalidAction", "NoSuchVersion",
            "UnsupportedRegion", "InvalidRegion.NotFound", "VpcIpIsUsed", "VpcAddrNotInSubNet",
            "UnsupportedOperation.MinCountUnsupportedRegion", "InvalidParameterValue.InvalidParameterMinCount"]),
        (RunInstances, 'W', &["InvalidParameterValue.InvalidImageState", "FailedOperation.InvalidImageState"]),
        (RunInstances, 'A', &["AuthFailure.SignatureExpire", "AuthFailure.SecretIdNotFound",
            "AuthFailure.SignatureFailure", "AuthFailure.TokenFailure", "AuthFailure.InvalidSecretId",
            "AuthFailure.MFAFailure", "UnauthorizedOperation", "UnauthorizedOperation.PermissionDenied",
            "UnauthorizedOperation.InvalidToken", "UnauthorizedOperation.MFAExpired"]),
        (DescribeInstances, 'A', &["AuthFailure.SecretIdNotFound", "UnauthorizedOperation.PermissionDenied"]),
        (TerminateInstances, 'A', &["AuthFailure.TokenFailure", "UnauthorizedOperation"]),
        (RunInstances, 'M', &["InvalidAccount.InsufficientBalance", "InvalidAccount.UnpaidOrder",
            "AccountQualificationRestrictions"]),
        (TerminateInstances, 'M', &["InvalidAccount.UnpaidOrder"]),
        (TerminateInstances, 'G', &["InvalidInstanceId.NotFound", "ResourceNotFound.InvalidInstanceIdNotFound",
            "UnsupportedOperation.InstanceStateTerminated", "UnsupportedOperation.InstanceStateTerminating",
            "UnsupportedOperation.InstanceStateLaunchFailed"]),
        (DescribeInstances, 'G', &["InvalidInstanceId.NotFound", "InvalidInstanceId.Malformed", "ResourceNotFound.InvalidInstanceIdNotFound"]),
        (TerminateInstances, 'W', &["OperationDenied.InstanceOperationInProgress", "MutexOperation.TaskRunning",
            "UnsupportedOperation.InstanceStatePending", "UnsupportedOperation.InstanceStateStarting",
            "UnsupportedOperation.InstanceStateStopping", "UnsupportedOperation.InstanceStateRebooting",
            "UnsupportedOperation.InstanceStateIsolating", "UnsupportedOperation.InstanceStateFreezing",
            "UnsupportedOperation.InstanceStateEnterRescueMode", "InvalidInstanceState"]),
        (TerminateInstances, 'X', &["UnsupportedOperation.InstancesProtected", "FailedOperation.Unreturnable",
            "LimitExceeded.UserReturnQuota", "UnsupportedOperation.InvalidInstancesOwner",
            "InvalidInstance.NotSupported", "UnsupportedOperation.InstanceStateBanning",
            "UnsupportedOperation.RedHatInstanceTerminateUnsupported",
            "UnsupportedOperation.RedHatInstanceUnsupported", "UnsupportedOperation.SpecialInstanceType",
            "UnsupportedOperation.InstanceChargeType", "UnsupportedOperation.InvalidInstanceApplicationRole",
            "UnsupportedOperation.InvalidInstanceApplicationRoleEmr",
            "LimitExceeded.UserLimitOperationExceedQuota", "UnsupportedOperation.InstanceMixedPricingModel",
            // Unlisted ones, of families that mean something milder elsewhere.
            "FailedOperation.ComesTomorrow", "OperationDenied.ComesTomorrow", "LimitExceeded.ComesTomorrow",
            "InvalidParameterValue.ComesTomorrow", "ComesTomorrow"]),
        (RunInstances, 'R', &["FailedOperation.InquiryPriceFailed"]),
        (TerminateInstances, 'F', &["ActionOffline", "InvalidAction", "NoSuchVersion", "UnsupportedRegion",
            "InvalidRegion.NotFound", "MissingParameter", "UnknownParameter"]),
        // Unlisted ones, by family.
        (RunInstances, 'S', &["ResourceInsufficient.ComesTomorrow", "ResourcesSoldOut.ComesTomorrow"]),
        (RunInstances, 'Q', &["LimitExceeded.ComesTomorrow"]),
        (RunInstances, 'F', &["InvalidComesTomorrow", "MissingComesTomorrow", "ResourceNotFound.ComesTomorrow",
            "FailedOperation.ComesTomorrow", "UnsupportedOperation.ComesTomorrow",
            "ResourceUnavailable.ComesTomorrow"]),
        (RunInstances, 'W', &["OperationDenied.ComesTomorrow"]),
        (RunInstances, 'U', &["ComesTomorrow", ""]),
        (DescribeInstances, 'R', &["ComesTomorrow"]),
    ];

    #[test]
    fn every_code_of_the_facts_has_its_class() {
        for (action, letter, codes) in FACTS {
            for code in *codes {
                let class = lookup(*action, code);
                assert_eq!(class.letter(), *letter, "{action} {code}: {class:?}");
            }
        }
    }

    #[test]
    fn every_code_of_the_facts_stands_in_the_table_by_its_whole_name() {
        for (action, _, codes) in FACTS {
            for code in codes.iter().filter(|code| !code.is_empty() && !code.contains("ComesTomorrow")) {
                let stands = known().any(|(of, known, _)| (of, known) == (*action, *code));
                assert!(stands, "{action} {code}");
            }
        }
    }

    #[test]
    fn a_code_that_nobody_wrote_down_may_be_told_after_something_was_made() {
        for code in [
            "FailedOperation.IllegalTagKey",
            "InvalidParameterValue.ComesTomorrow",
            "AuthFailure.ComesTomorrow",
        ] {
            assert!(is_checked_first(RunInstances, code), "{code}");
        }
        let late = [
            "FailedOperation",
            "UnsupportedOperation",
            "ResourceUnavailable",
            "OperationDenied",
            "MutexOperation",
        ];
        for family in late {
            assert!(!is_checked_first(RunInstances, &format!("{family}.ComesTomorrow")), "{family}");
        }
    }

    #[test]
    fn a_launch_names_no_instance_that_could_be_somebody_elses() {
        assert_eq!(lookup(RunInstances, "UnsupportedOperation.InvalidInstancesOwner"), Class::Fatal);
    }

    #[test]
    fn what_is_sold_out_beside_the_machine_is_told_apart() {
        let of = |code| lookup(RunInstances, code);
        assert_eq!(of("ResourceInsufficient.CloudDiskSoldOut"), Class::DiskSoldOut);
        assert_eq!(of("ResourceInsufficient.CidrBlock"), Class::SubnetFull);
        assert_eq!(of("ResourceUnavailable.InstanceType"), Class::NotOffered);
        assert_eq!(of("LimitExceeded.UserSpotQuota"), Class::ZoneQuota);
        assert_eq!(of("LimitExceeded.InstanceQuota"), Class::AccountQuota);
        assert_eq!(of("InvalidParameterValue.SubnetIdZoneIdNotMatch"), Class::CandidateFatal);
        assert_eq!(of("InvalidParameterValue.VpcIdNotExist"), Class::Fatal);
    }

    #[test]
    fn no_rule_stands_twice_for_one_action() {
        for action in Action::ALL {
            let mut codes: Vec<_> =
                TABLE.iter().filter(|rule| rule.on.holds(action)).map(|rule| rule.code).collect();
            codes.sort_unstable();
            let before = codes.len();
            codes.dedup();
            assert_eq!(codes.len(), before, "{action}");
        }
    }
}
