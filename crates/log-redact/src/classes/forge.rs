//! Code forges and tools around code.

use super::{Alphabet, Class, between, exactly, literal};
use crate::checks;
use crate::class::{Group, Rule};
use crate::shape::Shape;

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
            &["ATATT3xFfG", "ATCTT3xFfG", "ATSTT3xFfG"],
            &[between(Alphabet::URL64_EQUALS, 60, 300)],
        )]),
    ),
    class(
        "sourcegraph-token",
        "Access token of Sourcegraph",
        "https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token",
        Rule::Shapes(&[Shape::new(&["sgp_"], &[between(Alphabet::HEX_LOWER_UNDERSCORE, 40, 64)])]),
    ),
    class(
        "linear-api-key",
        "API key of Linear",
        "https://linear.app/developers/graphql#personal-api-keys",
        Rule::Shapes(&[Shape::new(&["lin_api_", "lin_oauth_"], &[between(Alphabet::ALNUM, 40, 64)])]),
    ),
    class(
        "notion-token",
        "Integration token of Notion",
        "https://developers.notion.com/page/changelog",
        Rule::Shapes(&[Shape::new(&["ntn_"], &[between(Alphabet::ALNUM, 40, 60)])]),
    ),
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
    ),
    class(
        "airtable-token",
        "Personal access token of Airtable",
        "https://support.airtable.com/docs/creating-personal-access-tokens",
        Rule::Shapes(&[Shape::new(
            &["pat"],
            &[exactly(Alphabet::ALNUM, 14), literal("."), exactly(Alphabet::HEX_LOWER, 64)],
        )]),
    ),
];
