//! Providers of language models and what is around them.

use super::{Alphabet, Class, between, exactly, key_of, literal};
use crate::class::{Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Model, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "openai-api-key",
        "API key of OpenAI",
        "https://platform.openai.com/docs/api-reference/authentication",
        Rule::Shapes(&[
            Shape::new(
                &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"],
                &[between(Alphabet::URL64, 40, 256)],
            ),
            Shape::new(&["T3BlbkFJ"], &[between(Alphabet::URL64, 20, 80)]).before(Alphabet::URL64, 23, 160),
        ]),
    )
    .length(Length::Exactly(&[132, 164, 165, 167])),
    class(
        "anthropic-api-key",
        "API key of Anthropic",
        "https://docs.anthropic.com/en/api/admin-api/apikeys/get-api-key",
        Rule::Shapes(&[Shape::new(&["sk-ant-"], &[between(Alphabet::URL64, 80, 160)])]),
    )
    .length(Length::Exactly(&[108])),
    class(
        "openrouter-api-key",
        "API key of OpenRouter",
        "https://openrouter.ai/docs/api-reference/authentication",
        Rule::Shapes(&[Shape::new(&["sk-or-v1-"], &[exactly(Alphabet::HEX_LOWER, 64)])]),
    ),
    class(
        "huggingface-token",
        "User or organisation token of Hugging Face",
        "https://huggingface.co/docs/hub/security-tokens",
        Rule::Shapes(&[
            Shape::new(&["hf_"], &[between(Alphabet::ALNUM, 34, 40)]),
            Shape::new(&["api_org_"], &[exactly(Alphabet::ALNUM, 34)]),
        ]),
    )
    .length(Length::Exactly(&[37])),
    class(
        "langfuse-secret-key",
        "Secret key of Langfuse",
        "https://langfuse.com/docs/api-and-data-platform/features/public-api",
        Rule::Shapes(&[Shape::new(&["sk-lf-"], &[between(Alphabet::URL64, 32, 64)])]),
    )
    .length(Length::Exactly(&[42])),
    class(
        "groq-api-key",
        "API key of Groq",
        "https://console.groq.com/docs/quickstart",
        Rule::Shapes(&[Shape::new(&["gsk_"], &[exactly(Alphabet::ALNUM, 52)])]),
    ),
    class(
        "xai-api-key",
        "API key of xAI",
        "https://docs.x.ai/docs/overview",
        Rule::Shapes(&[Shape::new(&["xai-"], &[exactly(Alphabet::ALNUM, 80)])]),
    ),
    class(
        "replicate-api-token",
        "API token of Replicate",
        "https://replicate.com/docs/topics/security/api-tokens",
        Rule::Shapes(&[Shape::new(&["r8_"], &[exactly(Alphabet::ALNUM, 37)])]),
    ),
    class(
        "perplexity-api-key",
        "API key of Perplexity",
        "https://docs.perplexity.ai/getting-started/quickstart",
        Rule::Shapes(&[Shape::new(&["pplx-"], &[between(Alphabet::ALNUM, 40, 64)])]),
    )
    .length(Length::Exactly(&[53])),
    class(
        "nvidia-api-key",
        "API key of NVIDIA",
        "https://docs.nvidia.com/nim/large-language-models/latest/getting-started.html",
        Rule::Shapes(&[Shape::new(&["nvapi-"], &[between(Alphabet::URL64, 60, 72)])]),
    )
    .length(Length::Exactly(&[70])),
    class(
        "langsmith-api-key",
        "API key of LangSmith",
        "https://docs.smith.langchain.com/administration/how_to_guides/organization_management/create_account_api_key",
        Rule::Shapes(&[Shape::new(
            &["lsv2_pt_", "lsv2_sk_"],
            &[exactly(Alphabet::HEX_LOWER, 32), literal("_"), exactly(Alphabet::HEX_LOWER, 10)],
        )]),
    ),
    class(
        "tavily-api-key",
        "API key of Tavily",
        "https://docs.tavily.com/documentation/api-reference/introduction",
        Rule::Shapes(&[Shape::new(&["tvly-"], &[between(Alphabet::URL64, 24, 64)])]),
    )
    .length(Length::Exactly(&[37])),
    class(
        "model-api-key",
        "API key that begins with sk-: DeepSeek, DashScope, Moonshot, SiliconFlow, older ones of OpenAI",
        "https://api-docs.deepseek.com/",
        Rule::Shapes(&[Shape::new(&["sk-"], &[between(Alphabet::ALNUM, 32, 64)])]),
    )
    .length(Length::Exactly(&[35, 51])),
    class(
        "zhipu-api-key",
        "API key of Zhipu: 32 hexadecimal digits, a dot, 16 letters",
        "https://docs.bigmodel.cn/cn/guide/develop/http/introduction",
        Rule::Keys(&[key_of("zhipu", "apikey"), key_of("bigmodel", "apikey"), key_of("glm", "apikey")]),
    )
    .length(Length::Exactly(&[49])),
    class(
        "ragflow-api-key",
        "API key of RAGFlow",
        "https://ragflow.io/docs/dev/acquire_ragflow_api_key",
        Rule::Shapes(&[Shape::new(&["ragflow-"], &[between(Alphabet::ALNUM, 30, 64)])]),
    )
    .length(Length::Exactly(&[48])),
    class(
        "qianfan-api-key",
        "API key of Baidu's Qianfan",
        "https://cloud.baidu.com/doc/WENXINWORKSHOP/s/Um2wxbaps",
        Rule::Shapes(&[Shape::new(
            &["bce-v3/ALTAK-"],
            &[between(Alphabet::ALNUM, 16, 32), literal("/"), exactly(Alphabet::HEX_LOWER, 40)],
        )]),
    ),
    class(
        "elevenlabs-api-key",
        "API key of ElevenLabs",
        "https://elevenlabs.io/docs/api-reference/authentication",
        Rule::Shapes(&[Shape::new(&["sk_"], &[exactly(Alphabet::HEX_LOWER, 48)])]),
    ),
    class(
        "cerebras-api-key",
        "API key of Cerebras",
        "https://inference-docs.cerebras.ai/quickstart",
        Rule::Shapes(&[Shape::new(&["csk-"], &[between(Alphabet::LOWER_DIGITS, 40, 60)])]),
    )
    .length(Length::Exactly(&[52])),
    class(
        "fireworks-api-key",
        "API key of Fireworks",
        "https://docs.fireworks.ai/api-reference/introduction",
        Rule::Shapes(&[Shape::new(&["fw_"], &[between(Alphabet::ALNUM, 20, 32)])]),
    )
    .length(Length::Exactly(&[27])),
    class(
        "voyage-api-key",
        "API key of Voyage AI",
        "https://docs.voyageai.com/docs/api-key-and-installation",
        Rule::Shapes(&[Shape::new(&["pa-"], &[between(Alphabet::URL64, 40, 48)])]),
    )
    .length(Length::Exactly(&[46])),
    class(
        "jina-api-key",
        "API key of Jina AI",
        "https://jina.ai/embeddings/",
        Rule::Shapes(&[Shape::new(&["jina_"], &[between(Alphabet::URL64, 50, 70)])]),
    )
    .length(Length::Exactly(&[65])),
    class(
        "pinecone-api-key",
        "API key of Pinecone",
        "https://docs.pinecone.io/guides/projects/manage-api-keys",
        Rule::Shapes(&[Shape::new(&["pcsk_"], &[between(Alphabet::URL64, 50, 80)])]),
    )
    .length(Length::Exactly(&[74])),
    class(
        "firecrawl-api-key",
        "API key of Firecrawl",
        "https://docs.firecrawl.dev/api-reference/introduction",
        Rule::Shapes(&[Shape::new(&["fc-"], &[exactly(Alphabet::HEX_LOWER, 32)])]),
    ),
    class(
        "wandb-api-key",
        "API key of Weights and Biases",
        "https://docs.wandb.ai/support/find_api_key/",
        Rule::Shapes(&[Shape::new(&["wandb_v1_"], &[between(Alphabet::URL64, 40, 120)])]),
    )
    .length(Length::Exactly(&[86])),
];
