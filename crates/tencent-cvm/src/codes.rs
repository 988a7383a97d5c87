//! The table itself.
use crate::{Action, Class};
pub(crate) fn lookup(action: Action, code: &str) -> Class {
    match (action, code) {
        (_, code) if code.starts_with("RequestLimitExceeded") => Class::Throttled,
        _ => Class::Fatal,
    }
}
