//! Decides at a watched word whether something of a class stands there, and where it begins and ends.

pub(crate) mod address;
pub(crate) mod auth;
pub(crate) mod command;
pub(crate) mod header;
pub(crate) mod jwt;
pub(crate) mod key;
pub(crate) mod mail;
pub(crate) mod manifest;
pub(crate) mod number;
pub(crate) mod pem;
pub(crate) mod url;
