//! Cloud providers.

use super::{Alphabet, Class, between, exactly, key, key_of, literal};
use crate::class::{Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Cloud, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "aws-access-key-id",
        "Access key id of AWS, long-term (AKIA), temporary (ASIA) or for a bearer token (ABIA, ACCA)",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids",
        Rule::Shapes(&[Shape::new(
            &["AKIA", "ASIA", "ABIA", "ACCA"],
            &[exactly(Alphabet::UPPER_DIGITS, 16)],
        )]),
    ),
    class(
        "aws-secret-access-key",
        "Secret access key of AWS",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
        Rule::Keys(&[
            key("secretaccesskey"),
            key("awssecretkey"),
            key("awssecret"),
            key_of("aws", "secretkey"),
        ]),
    )
    .length(Length::Exactly(&[40])),
    class(
        "aws-session-token",
        "Session token of AWS's temporary credentials",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html",
        Rule::Keys(&[key("awssessiontoken"), key("awssecuritytoken"), key("amzsecuritytoken")]),
    )
    .length(Length::Groups),
    class(
        "aws-appsync-api-key",
        "API key of AWS AppSync",
        "https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html",
        Rule::Shapes(&[Shape::new(&["da2-"], &[exactly(Alphabet::LOWER_DIGITS, 26)])]),
    ),
    class(
        "amazon-mws-token",
        "Token of Amazon's Marketplace Web Service",
        "https://developer-docs.amazon.com/sp-api/docs/migrating-from-amazon-mws",
        Rule::Shapes(&[Shape::new(&["amzn.mws."], &[exactly(Alphabet::SLACK, 36)])]),
    ),
    class(
        "aws-bedrock-api-key",
        "API key of Amazon Bedrock",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
        Rule::Shapes(&[
            Shape::new(&["ABSK"], &[between(Alphabet::STD64_PADDED, 100, 300)]),
            Shape::new(&["bedrock-api-key-"], &[between(Alphabet::STD64_PADDED, 60, 2000)]),
        ]),
    ),
    class(
        "gcp-api-key",
        "API key of Google Cloud",
        "https://cloud.google.com/docs/authentication/api-keys",
        Rule::Shapes(&[Shape::new(&["AIza"], &[exactly(Alphabet::URL64, 35)])]),
    ),
    class(
        "gcp-oauth-token",
        "OAuth access or refresh token of Google",
        "https://developers.google.com/identity/protocols/oauth2",
        Rule::Shapes(&[
            Shape::new(&["ya29."], &[between(Alphabet::URL64_DOT, 20, 2048)]),
            Shape::new(&["1//0"], &[between(Alphabet::URL64, 20, 512)]),
        ]),
    ),
    class(
        "gcp-oauth-client-secret",
        "OAuth client secret of Google",
        "https://support.google.com/cloud/answer/15549257",
        Rule::Shapes(&[Shape::new(&["GOCSPX-"], &[exactly(Alphabet::URL64, 28)])]),
    ),
    class(
        "azure-storage-key",
        "Account key of Azure Storage, Cosmos DB, Service Bus or Event Hubs in a connection string",
        "https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string",
        Rule::Keys(&[key("accountkey"), key("sharedaccesskey")]),
    )
    .length(Length::Exactly(&[44, 88])),
    class(
        "azure-client-secret",
        "Client secret of an application in Microsoft Entra",
        "https://learn.microsoft.com/purview/sit-defn-azure-ad-client-secret",
        Rule::Shapes(&[Shape::new(
            &["7Q~", "8Q~", "9Q~", "0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~"],
            &[between(Alphabet::URL64_DOT_TILDE, 31, 34)],
        )
        .before(Alphabet::URL64_DOT_TILDE, 3, 3)]),
    ),
    class(
        "azure-devops-pat",
        "Personal access token of Azure DevOps",
        "https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate",
        Rule::Shapes(&[Shape::new(&["AZDO"], &[exactly(Alphabet::ALNUM, 4)]).before(
            Alphabet::ALNUM,
            76,
            76,
        )]),
    ),
    class(
        "azure-annotated-key",
        "Key of an Azure service with the mark that makes it recognisable (JQQJ99)",
        "https://github.com/microsoft/security-utilities",
        Rule::Shapes(&[Shape::new(&["JQQJ99"], &[exactly(Alphabet::STD64, 26)]).before(
            Alphabet::STD64,
            52,
            52,
        )]),
    ),
    class(
        "alibaba-access-key-id",
        "AccessKey id of Alibaba Cloud",
        "https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair",
        Rule::Shapes(&[Shape::new(&["LTAI"], &[between(Alphabet::ALNUM, 12, 20)])]),
    )
    // Ids of 16 letters were given out before those of 24.
    .length(Length::Exactly(&[16, 24])),
    class(
        "alibaba-access-key-secret",
        "AccessKey secret of Alibaba Cloud",
        "https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair",
        Rule::Keys(&[
            key("accesskeysecret"),
            key_of("aliyun", "secret"),
            key_of("alibaba", "secret"),
            key_of("alicloud", "secretkey"),
        ]),
    )
    // The document promises no length.
    .length(Length::AtLeast(30)),
    class(
        "tencent-secret-id",
        "SecretId of Tencent Cloud",
        "https://www.tencentcloud.com/document/product/598/32675",
        Rule::Shapes(&[Shape::new(&["AKID"], &[between(Alphabet::ALNUM, 28, 64)])]),
    )
    // 36 letters in most documents, 40 in https://cloud.tencent.com/document/api/628/14940: no length is promised.
    .length(Length::AtLeast(36)),
    class(
        "tencent-secret-key",
        "SecretKey of Tencent Cloud",
        "https://www.tencentcloud.com/document/product/598/32675",
        Rule::Keys(&[
            key_of("tencent", "secretkey"),
            key_of("qcloud", "secretkey"),
            key_of("cos", "secretkey"),
        ]),
    )
    // 32 letters in most documents, 40 in https://cloud.tencent.com/document/api/628/14940: no length is promised.
    .length(Length::AtLeast(32)),
    class(
        "volcengine-access-key-id",
        "Access key id of Volcano Engine and BytePlus",
        "https://www.volcengine.com/docs/6257/65048",
        Rule::Shapes(&[Shape::new(&["AKLT"], &[between(Alphabet::URL64, 16, 251)])]),
    ),
    class(
        "digitalocean-token",
        "Token of DigitalOcean",
        "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
        Rule::Shapes(&[Shape::new(&["dop_v1_", "doo_v1_", "dor_v1_"], &[exactly(Alphabet::HEX_LOWER, 64)])]),
    ),
    class(
        "cloudflare-token",
        "API token or key of Cloudflare",
        "https://developers.cloudflare.com/fundamentals/api/get-started/token-formats",
        Rule::ShapesAndKeys(
            &[
                Shape::new(&["cfk_", "cfut_", "cfat_"], &[between(Alphabet::ALNUM, 40, 56)]),
                Shape::new(
                    &["v1.0-"],
                    &[exactly(Alphabet::HEX_LOWER, 24), literal("-"), exactly(Alphabet::HEX_LOWER, 146)],
                ),
            ],
            &[key_of("cloudflare", "apitoken"), key_of("cloudflare", "apikey"), key_of("cf", "apitoken")],
        ),
    )
    // 40 letters behind the prefix, and a checksum, whose length the document does not say: eight letters.
    .length(Length::Ending(b'_', 48)),
    class(
        "scaleway-access-key",
        "Access key of Scaleway",
        "https://www.scaleway.com/en/docs/iam/how-to/create-api-keys/",
        Rule::Shapes(&[Shape::new(&["SCW"], &[exactly(Alphabet::UPPER_DIGITS, 17)])]),
    ),
    class(
        "yandex-cloud-key",
        "API key or IAM token of Yandex Cloud",
        "https://gitlab.com/gitlab-org/gitlab/-/issues/353039",
        Rule::Shapes(&[
            Shape::new(&["AQVN"], &[between(Alphabet::URL64, 35, 38)]),
            Shape::new(&["y0_"], &[between(Alphabet::URL64, 50, 80)]),
            Shape::new(
                &["t1.9"],
                &[
                    between(Alphabet::URL64_EQUALS, 20, 400),
                    literal("."),
                    between(Alphabet::URL64_EQUALS, 86, 88),
                ],
            ),
        ]),
    ),
    class(
        "huawei-cloud-secret-key",
        "Secret access key of Huawei Cloud",
        "https://support.huaweicloud.com/intl/en-us/usermanual-ca/ca_01_0003.html",
        Rule::Keys(&[key_of("huawei", "secretkey"), key_of("huaweicloud", "sk"), key_of("hw", "secretkey")]),
    )
    // The document promises no length.
    .length(Length::AtLeast(40)),
];
