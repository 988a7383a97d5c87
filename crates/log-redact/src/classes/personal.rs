//! Personal data, and addresses of machines.

use super::Class;
use crate::class::{Code, Group, Rule};

pub(super) const CLASSES: &[Class] = &[
    Class::new(
        "email",
        Group::Personal,
        "E-mail address",
        "https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1",
        Rule::Code(Code::Email),
    ),
    Class::new(
        "ipv4",
        Group::Network,
        "IPv4 address that is reachable from everywhere",
        "https://www.rfc-editor.org/rfc/rfc791#section-3.2",
        Rule::Code(Code::Ipv4Public),
    ),
    Class::new(
        "ipv4-private",
        Group::Network,
        "IPv4 address with a meaning in its own network only",
        "https://www.rfc-editor.org/rfc/rfc6890#section-2.2.2",
        Rule::Code(Code::Ipv4Private),
    )
    .on_request(),
];
