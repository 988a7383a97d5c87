//! Code forges and tools around code.

use super::{Alphabet, Class, between, exactly, literal};
use crate::checks;
use crate::class::{Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Forge, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "github-token",
        "Token of GitHub: classic, OAuth, of an app, refresh",
        "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/",
        Rule::Shapes(&[
            Shape::new(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], &[exactly(Alphabet::ALNUM, 36)])
                .ends(checks::crc32_base62),
            Shape::new(&["ghs_"], &[between(Alphabet::URL64_DOT, 37, 1024)]),
            Shape::new(&["ghr_"], &[between(Alphabet::ALNUM, 37, 251)]),
        ]),
    ),
    class(
        "github-fine-grained-token",
        "Fine-grained personal access token of GitHub",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats",
        Rule::Shapes(&[Shape::new(
            &["github_pat_"],
            &[exactly(Alphabet::ALNUM, 22), literal("_"), exactly(Alphabet::ALNUM, 59)],
        )]),
    ),
    class(
        "gitlab-token",
        "Token of GitLab, of any of its kinds",
        "https://docs.gitlab.com/security/tokens/#token-prefixes",
        Rule::Shapes(&[
            Shape::new(
                &[
                    "glpat-", "gloas-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-",
                    "glagent-", "glwt-", "glsoat-", "glffct-",
                ],
                &[between(Alphabet::URL64_DOT, 20, 512)],
            ),
            Shape::new(&["GR1348941"], &[between(Alphabet::URL64, 20, 64)]),
        ]),
    ),
    class(
        "bitbucket-app-password",
        "App password of Bitbucket",
        "https://support.atlassian.com/bitbucket-cloud/docs/app-passwords/",
        Rule::Shapes(&[Shape::new(&["ATBB"], &[exactly(Alphabet::ALNUM, 32)])]),
    ),
    class(
        "atlassian-api-token",
        "API token of Atlassian",
        "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
        Rule::Shapes(&[Shape::new(
            &["ATATT3", "ATCTT3", "ATSTT3"],
            &[between(Alphabet::URL64_EQUALS, 60, 300)],
        )]),
    ),
    class(
        "sourcegraph-token",
        "Access token of Sourcegraph",
        "https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token",
        Rule::Shapes(&[Shape::new(&["sgp_"], &[between(Alphabet::HEX_LOWER_UNDERSCORE, 40, 64)])]),
    )
    .length(Length::Exactly(&[44, 61])),
    class(
        "linear-api-key",
        "API key of Linear",
        "https://linear.app/developers/graphql#personal-api-keys",
        Rule::Shapes(&[Shape::new(&["lin_api_", "lin_oauth_"], &[between(Alphabet::ALNUM, 40, 64)])]),
    )
    .length(Length::Exactly(&[48, 74])),
    class(
        "notion-token",
        "Integration token of Notion",
        "https://developers.notion.com/page/changelog",
        Rule::Shapes(&[
            Shape::new(&["ntn_"], &[between(Alphabet::ALNUM, 40, 60)]),
            Shape::new(&["secret_"], &[exactly(Alphabet::ALNUM, 43)]),
        ]),
    )
    .length(Length::Exactly(&[50])),
    class(
        "postman-api-key",
        "API key of Postman",
        "https://learning.postman.com/docs/developer/postman-api/authentication/",
        Rule::Shapes(&[Shape::new(
            &["PMAK-"],
            &[exactly(Alphabet::HEX_LOWER, 24), literal("-"), exactly(Alphabet::HEX_LOWER, 34)],
        )]),
    ),
    class(
        "figma-token",
        "Personal access token of Figma",
        "https://www.figma.com/developers/api#access-tokens",
        Rule::Shapes(&[Shape::new(&["figd_", "figu_"], &[between(Alphabet::URL64, 36, 64)])]),
    )
    .length(Length::Exactly(&[45])),
    class(
        "airtable-token",
        "Personal access token of Airtable",
        "https://support.airtable.com/docs/creating-personal-access-tokens",
        Rule::Shapes(&[Shape::new(
            &["pat"],
            &[exactly(Alphabet::ALNUM, 14), literal("."), exactly(Alphabet::HEX_LOWER, 64)],
        )]),
    ),
    class(
        "buildkite-token",
        "API or agent token of Buildkite",
        "https://buildkite.com/docs/apis/managing-api-tokens",
        Rule::Shapes(&[Shape::new(
            &["bkua_", "bkat_", "bkct_", "bkaj_"],
            &[between(Alphabet::ALNUM, 32, 128)],
        )]),
    )
    .length(Length::Exactly(&[45])),
    class(
        "circleci-token",
        "Personal or project token of CircleCI",
        "https://circleci.com/docs/managing-api-tokens/",
        Rule::Shapes(&[Shape::new(
            &["CCIPAT_", "CCIPRJ_"],
            &[between(Alphabet::ALNUM, 20, 24), literal("_"), exactly(Alphabet::HEX_LOWER, 40)],
        )]),
    ),
    class(
        "sonarqube-token",
        "Token of SonarQube: of a user, a project or an analysis",
        "https://docs.sonarsource.com/sonarqube-server/latest/user-guide/managing-tokens/",
        Rule::Shapes(&[Shape::new(&["squ_", "sqp_", "sqa_"], &[exactly(Alphabet::HEX_LOWER, 40)])]),
    ),
    class(
        "harness-token",
        "Token of Harness: of a user or a service account",
        "https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/",
        Rule::Shapes(&[Shape::new(
            &["pat.", "sat."],
            &[
                between(Alphabet::URL64, 22, 22),
                literal("."),
                exactly(Alphabet::HEX, 24),
                literal("."),
                exactly(Alphabet::ALNUM, 20),
            ],
        )]),
    ),
    class(
        "infracost-api-key",
        "API key of Infracost",
        "https://www.infracost.io/docs/",
        Rule::Shapes(&[Shape::new(&["ico-"], &[exactly(Alphabet::ALNUM, 32)])]),
    ),
    class(
        "readme-api-key",
        "API key of ReadMe",
        "https://docs.readme.com/main/reference/intro/authentication",
        Rule::Shapes(&[Shape::new(&["rdme_"], &[between(Alphabet::LOWER_DIGITS, 60, 80)])]),
    )
    .length(Length::Exactly(&[75])),
    class(
        "typeform-token",
        "Personal access token of Typeform",
        "https://www.typeform.com/developers/get-started/personal-access-token/",
        Rule::Shapes(&[Shape::new(&["tfp_"], &[between(Alphabet::URL64_DOT, 44, 80)])]),
    )
    .length(Length::Exactly(&[63])),
    class(
        "frameio-token",
        "Token of Frame.io",
        "https://developer.frame.io/docs/getting-started/authentication",
        Rule::Shapes(&[Shape::new(&["fio-u-"], &[between(Alphabet::URL64_EQUALS, 64, 64)])]),
    ),
];
