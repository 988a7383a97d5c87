//! Personal data, and addresses of machines.

use super::Class;
use crate::class::{Code, Group, Rule};
use crate::wrap::Length;

const fn class(
    name: &'static str,
    group: Group,
    title: &'static str,
    source: &'static str,
    code: Code,
) -> Class {
    Class::new(name, group, title, source, Rule::Code(code))
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "cn-identity",
        Group::Personal,
        "Identity number of a Chinese resident, with its check character",
        "https://std.samr.gov.cn/gb/search/gbDetailed?id=71F772D8055ED3A7E05397BE0A0AB82A",
        Code::ChineseIdentity,
    ),
    class(
        "cn-mobile",
        Group::Personal,
        "Chinese mobile number",
        "https://www.itu.int/oth/T020200002B/en",
        Code::ChineseMobile,
    )
    .length(Length::Telephone),
    class(
        "card",
        Group::Personal,
        "Payment card, with its check digit",
        "https://www.iso.org/standard/70484.html",
        Code::Card,
    ),
    class(
        "iban",
        Group::Personal,
        "Bank account, with its check digits",
        "https://www.swift.com/standards/data-standards/iban-international-bank-account-number",
        Code::Iban,
    ),
    class(
        "us-ssn",
        Group::Personal,
        "Social security number of the United States",
        "https://www.ssa.gov/employer/randomization.html",
        Code::SocialSecurity,
    ),
    class(
        "phone",
        Group::Personal,
        "International telephone number with its plus sign",
        "https://www.itu.int/rec/T-REC-E.164",
        Code::Phone,
    )
    .length(Length::Telephone),
    class(
        "email",
        Group::Personal,
        "E-mail address",
        "https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1",
        Code::Email,
    )
    .length(Length::Mail),
    class(
        "ip",
        Group::Network,
        "IP address that is reachable from everywhere",
        "https://www.rfc-editor.org/rfc/rfc4291#section-2.2",
        Code::Ip,
    ),
    class(
        "ip-private",
        Group::Network,
        "IP address with a meaning in its own network only",
        "https://www.rfc-editor.org/rfc/rfc6890#section-2.2",
        Code::IpPrivate,
    )
    .on_request(),
    class(
        "mac",
        Group::Network,
        "Hardware address",
        "https://standards.ieee.org/products-programs/regauth/",
        Code::Mac,
    )
    .on_request(),
    class(
        "host",
        Group::Network,
        "Name of a host",
        "https://www.rfc-editor.org/rfc/rfc1123#section-2.1",
        Code::Host,
    )
    .on_request(),
];
