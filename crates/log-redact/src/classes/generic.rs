//! What no single issuer owns.

use super::{Alphabet, Class, between, exactly, key, literal};
use crate::class::{Code, Group, Rule, Values};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Generic, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "private-key",
        "Private key in PEM, OpenSSH's, OpenPGP's or PuTTY's format",
        "https://www.rfc-editor.org/rfc/rfc7468#section-10",
        Rule::Code(Code::PrivateKey),
    ),
    class(
        "kubernetes-token",
        "Token of a Kubernetes service account",
        "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/",
        Rule::Code(Code::KubernetesToken),
    )
    .length(Length::Signed),
    class("jwt", "JSON Web Token", "https://www.rfc-editor.org/rfc/rfc7519#section-3", Rule::Code(Code::Jwt))
        .length(Length::Signed),
    class(
        "url-password",
        "Password in an address or a connection string",
        "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1",
        Rule::Code(Code::UrlPassword),
    ),
    class(
        "dsn-password",
        "Password in a data source name of Go's MySQL driver or of Oracle's JDBC driver, or in PostgreSQL's .pgpass",
        "https://github.com/go-sql-driver/mysql#dsn-data-source-name",
        Rule::Code(Code::DsnPassword),
    ),
    class(
        "password-hash",
        "Hash of a password: crypt, bcrypt, Argon2, scrypt",
        "https://manpages.debian.org/crypt.5",
        Rule::Shapes(&[
            Shape::new(
                &["$2a$", "$2b$", "$2y$"],
                &[exactly(Alphabet::DIGITS, 2), literal("$"), exactly(Alphabet::CRYPT64, 53)],
            ),
            Shape::new(&["$1$", "$5$", "$6$", "$y$", "$apr1$"], &[between(Alphabet::CRYPT, 24, 200)]),
            Shape::new(&["$argon2id$", "$argon2i$", "$argon2d$"], &[between(Alphabet::CRYPT, 24, 300)]),
        ]),
    ),
    class(
        "basic-auth",
        "User and password of HTTP Basic authentication",
        "https://www.rfc-editor.org/rfc/rfc7617#section-2",
        Rule::Code(Code::BasicAuth),
    )
    .length(Length::Groups),
    class(
        "bearer-token",
        "Bearer token",
        "https://www.rfc-editor.org/rfc/rfc6750#section-2.1",
        Rule::Code(Code::Bearer),
    ),
    class(
        "authorization",
        "Credentials of another scheme in an Authorization header",
        "https://www.rfc-editor.org/rfc/rfc9110#section-11.4",
        Rule::Code(Code::Authorization),
    ),
    class(
        "cookie",
        "Cookies",
        "https://www.rfc-editor.org/rfc/rfc6265#section-4.2",
        Rule::Code(Code::Cookie),
    ),
    class(
        "password",
        "Value of a key whose name says password",
        "https://cwe.mitre.org/data/definitions/532.html",
        Rule::Keys(&[
            key("password"),
            key("passwd"),
            key("passphrase"),
            key("passwort"),
            key("passcode"),
            key("pwd"),
            key("userpass"),
            key("pass"),
            key("密码"),
            key("口令"),
            key("验证码"),
            key("otp"),
            key("identifiedby"),
            key("requirepass"),
            key("masterauth"),
            key("bindpw"),
            key("adminpw"),
            key("userpw"),
            key("dbpw"),
            key("rootpw"),
            key("ldappw"),
            key("mysqlpw"),
            key("redispw"),
            key("passwords"),
            key("密碼"),
            key("驗證碼"),
            key("授权码"),
            key("授權碼"),
            key("psk"),
            key("rediscliauth"),
            key("passwordconfirmation"),
            key("passwordconfirm"),
            key("pswd"),
            key("redisauth"),
            key("recoverycode"),
            key("securitycode"),
        ]),
    )
    .values(Values::Passwords),
    class(
        "api-key",
        "Value of a key whose name says API key",
        "https://swagger.io/docs/specification/v3_0/authentication/api-keys/",
        Rule::Keys(&[
            key("apikey"),
            key("accesskey"),
            key("subscriptionkey"),
            key("openaikey"),
            key("anthropickey"),
            key("authkey"),
            key("hmackey"),
            key("deepseekkey"),
            key("dashscopekey"),
            key("llmkey"),
            key("modelkey"),
            key("adminkey"),
            key("servicerolekey"),
            key("storagekey"),
            key("mchkey"),
            key("apiv3key"),
        ]),
    ),
    class(
        "secret",
        "Value of a key whose name says secret",
        "https://cwe.mitre.org/data/definitions/532.html",
        Rule::Keys(&[
            key("secret"),
            key("secretkey"),
            key("secretkeybase"),
            key("privatekey"),
            key("encryptionkey"),
            key("signingkey"),
            key("masterkey"),
            key("secretid"),
            key("credential"),
            key("credentials"),
            key("creds"),
            key("encryptkey"),
            key("aeskey"),
            key("signkey"),
            key("unsealkey"),
            key("密钥"),
            key("秘钥"),
            key("私钥"),
            key("金鑰"),
        ]),
    )
    .values(Values::Secrets),
    class(
        "token",
        "Value of a key whose name says token",
        "https://www.rfc-editor.org/rfc/rfc6750#section-2",
        Rule::Keys(&[key("token"), key("authtoken"), key("令牌")]),
    )
    .values(Values::CountedTokens),
    class(
        "signature",
        "Signature that opens an address for whoever has it",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html",
        Rule::Keys(&[key("signature"), key("sig")]),
    ),
    class(
        "session-id",
        "Session id",
        "https://owasp.org/www-community/attacks/Session_hijacking_attack",
        Rule::Keys(&[
            key("sessionid"),
            key("sessid"),
            key("connectsid"),
            key("gitlabsession"),
            key("laravelsession"),
        ]),
    )
    .values(Values::SessionIds),
    class(
        "random-token",
        "Long random letters and digits, as most tokens are",
        "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude",
        Rule::Code(Code::RandomToken),
    ),
];
