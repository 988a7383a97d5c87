//! Keys and certificates of a test's control plane: made in milliseconds, valid for this server only.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// The files that kube-apiserver reads, and the authority that its clients trust.
pub(crate) struct Certificates {
    /// Signs the server's certificate; clients trust it.
    pub(crate) authority_pem: String,
    /// The server's certificate and key.
    pub(crate) server_certificate: PathBuf,
    pub(crate) server_key: PathBuf,
    /// Signs and checks ServiceAccount tokens. ECDSA: an RSA key takes seconds in a debug build.
    pub(crate) account_key: PathBuf,
    pub(crate) account_public_key: PathBuf,
}

impl Certificates {
    /// Makes all of them below `directory`.
    pub(crate) fn create(directory: &Path) -> Result<Self> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "testkit authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let authority_key = KeyPair::generate().context("generating a key")?;
        let authority_pem = authority.self_signed(&authority_key).context("signing the authority")?.pem();

        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let mut server = CertificateParams::new(names).context("naming the server")?;
        server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        let server_key = KeyPair::generate().context("generating a key")?;
        let issuer = Issuer::new(authority, authority_key);
        let server_pem = server.signed_by(&server_key, &issuer).context("signing the server")?.pem();

        let account_key = KeyPair::generate().context("generating a key")?;
        let files = Self {
            authority_pem,
            server_certificate: directory.join("apiserver.crt"),
            server_key: directory.join("apiserver.key"),
            account_key: directory.join("accounts.key"),
            account_public_key: directory.join("accounts.pub"),
        };
        write_private(&files.server_certificate, &server_pem)?;
        write_private(&files.server_key, &server_key.serialize_pem())?;
        write_private(&files.account_key, &account_key.serialize_pem())?;
        write_private(&files.account_public_key, &account_key.public_key_pem())?;
        Ok(files)
    }
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let _ = fs::remove_file(path);
    let mut options = fs::File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("creating {}", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes())
        .with_context(|| format!("writing {}", path.display()))
}
