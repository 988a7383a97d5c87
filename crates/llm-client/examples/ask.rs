//! Asks a model and prints its answer as it comes; what the model thinks first goes to stderr with `--reasoning`.
//!
//! ```sh
//! cargo run -p llm-client --example ask -- --profile ollama --model qwen3:8b 'Why is the sky blue?'
//! LLM_API_KEY=… cargo run -p llm-client --example ask -- --profile deepseek --model deepseek-chat < question.txt
//! ```

use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use llm_client::decode::Delta;
use llm_client::{Chat, ChatRequest, Decimal, Event, Finish, HttpChat, Message, Prices, Profile};

/// Asks a model and prints its answer as it comes.
#[derive(Parser)]
struct Args {
    /// Whose dialect: openai, deepseek, dashscope, siliconflow, vllm or ollama.
    #[arg(long, env = "LLM_PROFILE", default_value = "ollama")]
    profile: Profile,
    /// The model's name.
    #[arg(long, env = "LLM_MODEL")]
    model: String,
    // Some gateways take a key in it, which --help would show.
    /// Where the API is, when it is not the profile's own.
    #[arg(long, env = "LLM_BASE_URL", hide_env_values = true)]
    base_url: Option<String>,
    /// The API key; better in the environment than on the command line.
    #[arg(long, env = "LLM_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// What the model shall be and do.
    #[arg(long)]
    system: Option<String>,
    /// The most tokens of the answer.
    #[arg(long)]
    max_tokens: Option<u32>,
    /// The tokens that the model can have in view, such as Ollama's num_ctx; a prompt that does not fit is refused.
    #[arg(long)]
    context_window: Option<u32>,
    /// The longest that the whole answer may take, in seconds.
    #[arg(long, default_value_t = 120, value_parser = seconds)]
    within: u64,
    /// The price of a million tokens of prompt; the cost is shown when both prices are given.
    #[arg(long, requires = "completion_price")]
    prompt_price: Option<Decimal>,
    /// The price of a million tokens of answer.
    #[arg(long, requires = "prompt_price")]
    completion_price: Option<Decimal>,
    /// The currency of the prices.
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Shows what the model thinks before it answers, on stderr.
    #[arg(long)]
    reasoning: bool,
    /// The question; read from stdin when it is not given.
    question: Vec<String>,
}

fn seconds(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("no answer comes within 0 seconds: give it 1 at least".to_owned()),
        Ok(seconds) => Ok(seconds),
        Err(_) => Err("whole seconds are wanted, such as 120".to_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match ask(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        // A reader who went away, such as `head`, has had what it wanted.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("ask: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

async fn ask(args: Args) -> Result<(), Box<dyn Error>> {
    // The TLS provider is the program's choice; the library only uses it.
    // That it is installed already is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let within = Duration::from_secs(args.within);
    let mut builder = HttpChat::builder(args.profile, args.model).deadline(within).first_byte(within);
    match args.key {
        Some(key) => builder = builder.key(key),
        // The library's own words name a method, which is no help at a command line.
        None if args.profile.needs_key() => {
            return Err(
                format!("{} needs an API key: set LLM_API_KEY, or give it by --key", args.profile).into()
            );
        }
        None => {}
    }
    if let Some(url) = args.base_url {
        builder = builder.base_url(url.parse().map_err(|error| format!("--base-url: {error}"))?);
    }
    if let Some(tokens) = args.context_window {
        builder = builder.context_window(tokens);
    }
    if let (Some(prompt), Some(completion)) = (args.prompt_price, args.completion_price) {
        builder = builder.prices(Prices::per_million(args.currency, prompt, completion));
    }
    let chat = builder.build()?;

    let mut question = args.question.join(" ");
    if question.is_empty() {
        io::stdin().read_to_string(&mut question)?;
    }
    if question.trim().is_empty() {
        return Err("there is no question".into());
    }
    let system = args.system.map(Message::system);
    let mut request = ChatRequest::new(system.into_iter().chain([Message::user(question)]));
    request.max_tokens = args.max_tokens;

    let mut stream = chat.stream(&request).await?;
    let mut out = io::stdout();
    let mut trouble = None;
    while let Some(event) = stream.next().await {
        if event.is_err() {
            // What came so far stays; the error begins a line of its own.
            writeln!(out)?;
        }
        match event? {
            Event::Delta(Delta::Content(text)) => {
                out.write_all(text.as_bytes())?;
                out.flush()?;
            }
            Event::Delta(Delta::Reasoning(text)) if args.reasoning => eprint!("{text}"),
            Event::Done(answer) => {
                writeln!(out)?;
                trouble = match (answer.refusal, answer.finish) {
                    (Some(refusal), _) => Some(format!("the model refused: {refusal}")),
                    (None, Finish::Stop) => None,
                    (None, finish) => Some(format!("the answer is not whole: {finish:?}")),
                };
                if let Some(cut) = answer.prompt_cut {
                    eprintln!("{cut}");
                }
                if let Some(usage) = answer.usage {
                    let cost = answer.cost.map(|cost| format!(", {cost}")).unwrap_or_default();
                    eprintln!("{} + {} tokens{cost}", usage.prompt_tokens, usage.completion_tokens);
                }
            }
            _ => {}
        }
    }
    // A script that asks must see it, although something may have been printed.
    trouble.map_or(Ok(()), |trouble| Err(trouble.into()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn help_shows_no_key_of_the_environment() {
        for name in ["key", "base_url"] {
            let argument =
                Args::command().get_arguments().find(|argument| argument.get_id() == name).cloned();
            assert!(argument.unwrap().is_hide_env_values_set(), "{name}");
        }
    }

    #[test]
    fn only_a_reader_who_went_away_is_no_error() {
        assert!(is_broken_pipe(&io::Error::from(io::ErrorKind::BrokenPipe)));
        assert!(!is_broken_pipe(&io::Error::from(io::ErrorKind::StorageFull)));
    }

    #[test]
    fn no_time_at_all_is_refused_in_words() {
        let parse = |within| Args::try_parse_from(["ask", "--model", "m", "--within", within]);
        for (within, said) in [("0", "give it 1 at least"), ("1.5", "whole seconds are wanted")] {
            let error = parse(within).err().unwrap().to_string();
            assert!(error.contains("--within") && error.contains(said), "{error}");
        }
        assert_eq!(parse("1").ok().unwrap().within, 1);
    }

    #[tokio::test]
    async fn without_a_key_it_says_what_gives_it_one() {
        let args =
            Args { key: None, ..Args::parse_from(["ask", "--profile", "openai", "--model", "m", "why"]) };
        let error = ask(args).await.unwrap_err();
        assert_eq!(error.to_string(), "openai needs an API key: set LLM_API_KEY, or give it by --key");
    }

    /// Answers one request with this stream, and gives the error of asking for it.
    async fn error_of(events: &[&str]) -> Option<String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}");
        let serving = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            assert_ne!(connection.read(&mut [0; 4096]).await.unwrap(), 0);
            connection.write_all(answer.as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
        };
        let args =
            Args::parse_from(["ask", "--profile", "ollama", "--base-url", &url, "--model", "m", "why"]);
        tokio::join!(ask(args), serving).0.err().map(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_refusal_and_half_an_answer_are_failures_and_an_answer_is_none() {
        let delta = r#"{"choices":[{"index":0,"delta":{"content":"Because"}}]}"#;
        let refusal = r#"{"choices":[{"index":0,"delta":{"refusal":"I will not"}}]}"#;
        let finish =
            |reason| format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
        let (stop, length, filter) = (finish("stop"), finish("length"), finish("content_filter"));
        for (events, expected) in [
            ([delta, stop.as_str(), "[DONE]"], None),
            ([refusal, stop.as_str(), "[DONE]"], Some("the model refused: I will not")),
            ([delta, length.as_str(), "[DONE]"], Some("the answer is not whole: Length")),
            ([delta, filter.as_str(), "[DONE]"], Some("the answer is not whole: ContentFilter")),
        ] {
            assert_eq!(error_of(&events).await.as_deref(), expected, "{events:?}");
        }
    }
}
