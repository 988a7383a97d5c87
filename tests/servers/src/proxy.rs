//! What listens on loopback is behind no proxy, whatever the environment says of proxies.

use std::ffi::OsString;
use std::process::Command;

/// Loopback by name, by address and by network: not every client understands networks.
const LOOPBACK: [&str; 4] = ["localhost", "127.0.0.1", "127.0.0.0/8", "::1"];

/// Each client reads one of the two, or the first that is set.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Whether the environment names a proxy.
#[must_use]
pub fn is_set() -> bool {
    PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The hosts that need no proxy: those that the environment names, and loopback.
#[must_use]
pub fn exceptions() -> String {
    let named = EXCEPTIONS.iter().filter_map(std::env::var_os);
    with_loopback(named)
}

fn with_loopback(named: impl Iterator<Item = OsString>) -> String {
    let mut hosts: Vec<String> = Vec::new();
    let named: Vec<_> = named.map(|list| list.to_string_lossy().into_owned()).collect();
    let named = named.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|host| !host.is_empty());
    for host in named.chain(LOOPBACK) {
        if !hosts.iter().any(|known| known == host) {
            hosts.push(host.to_owned());
        }
    }
    hosts.join(",")
}

/// A command that asks loopback directly, and everything else as the environment says.
pub fn not_for_loopback(command: &mut Command) {
    let exceptions = exceptions();
    for name in EXCEPTIONS {
        command.env(name, &exceptions);
    }
}

/// A command that asks everything directly. kube's client, built without support for proxies as here, fails where a
/// proxy is set, whatever the exceptions are.
pub fn never(command: &mut Command) {
    for name in PROXIES {
        command.env_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_added_once_to_what_is_named() {
        let named = ["corp.example, 127.0.0.1".into(), "corp.example".into()];
        assert_eq!(with_loopback(named.into_iter()), "corp.example,127.0.0.1,localhost,127.0.0.0/8,::1");
        assert_eq!(with_loopback(std::iter::empty()), "localhost,127.0.0.1,127.0.0.0/8,::1");
    }
}
