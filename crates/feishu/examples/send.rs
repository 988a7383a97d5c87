//! Sends a card to a bot's group, or draws it in the terminal.
//!
//! ```sh
//! cargo run -q -p feishu --example send -- --dry-run --template red --tag P1:red --field pod=etcd-2 \
//!     --text 'no leader since 12:30' --log /var/log/syslog --reference INC-42 'etcd-2 is down'
//! ```
//! Without `--dry-run` it is sent through `FEISHU_WEBHOOK`, signed if `FEISHU_SECRET` is set. An empty variable is one that
//! is not set.

use std::error::Error;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use feishu::{
    BotWebhook, Card, CollapsiblePanel, Column, ColumnSet, CustomBot, HttpCustomBot, Markdown, Mention,
    Message, Paint, TagColor, Template,
};
use url::Url;

/// Sends a card to a bot's group. Every text is shown as it stands, whatever is in it.
#[derive(Parser)]
#[command(name = "send", group = clap::ArgGroup::new("dry").args(["dry_run", "json"]))]
struct Args {
    /// What everybody reads first.
    title: String,
    /// A second line below the title.
    #[arg(long)]
    subtitle: Option<String>,
    /// The header's colour.
    #[arg(long, default_value = "blue")]
    template: Template,
    /// A tag behind the title, such as `P1:red`.
    #[arg(long = "tag", value_parser = tag)]
    tags: Vec<(String, TagColor)>,
    /// A paragraph.
    #[arg(long = "text")]
    texts: Vec<String>,
    /// A name and a value beside it, such as `pod=etcd-2`.
    #[arg(long = "field", value_parser = pair)]
    fields: Vec<(String, String)>,
    /// A link, such as `runbook=https://example.com/runbook`.
    #[arg(long = "link", value_parser = link)]
    links: Vec<(String, Url)>,
    /// Somebody to notify: an open_id, or `all`.
    #[arg(long = "mention", value_parser = mention)]
    mentions: Vec<Mention>,
    /// A file to show in a closed panel, its start if it is long; `-` is the standard input.
    #[arg(long = "log")]
    logs: Vec<PathBuf>,
    /// A name at the end, such as an incident's. With one, the message is sent again when an answer got lost.
    #[arg(long)]
    reference: Option<String>,

    // Read later: an error about an argument would show it.
    /// The bot's webhook.
    #[arg(long, env = "FEISHU_WEBHOOK", hide_env_values = true, required_unless_present = "dry")]
    webhook: Option<String>,
    /// The secret of a bot that checks signatures.
    #[arg(long, env = "FEISHU_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// One of the keywords of a bot that demands one.
    #[arg(long, env = "FEISHU_KEYWORD")]
    keyword: Option<String>,
    /// Seconds for everything: waits, requests and repeats.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    deadline: u64,

    /// Draw the card in the terminal instead of sending it.
    #[arg(long)]
    dry_run: bool,
    /// Print the body instead of sending it.
    #[arg(long)]
    json: bool,
    /// Columns of the drawing.
    #[arg(long, default_value_t = 72)]
    width: usize,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn tag(text: &str) -> Result<(String, TagColor), String> {
    let Some((tag, color)) = text.rsplit_once(':') else { return Ok((text.to_owned(), TagColor::Neutral)) };
    Ok((tag.to_owned(), color.parse().map_err(|error: feishu::Error| error.to_string())?))
}

fn link(text: &str) -> Result<(String, Url), String> {
    let (label, url) = pair(text)?;
    Ok((label, url.parse().map_err(|error: url::ParseError| error.to_string())?))
}

fn mention(text: &str) -> Result<Mention, String> {
    match text {
        "all" => Ok(Mention::All),
        id => id.parse().map(Mention::User).map_err(|error: feishu::Error| error.to_string()),
    }
}

/// The card's cap is 20 KB and it counts what is left out: all of a log that anybody would send is read to count it, and of
/// what is longer, or has no end, so much.
const MOST_OF_A_LOG: usize = 16 * 1024 * 1024;

/// As programs have it.
const STDIN: &str = "-";

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(if path == Path::new(STDIN) { Box::new(io::stdin()) } else { Box::new(std::fs::File::open(path)?) })
}

/// A closed panel with a log, whose title says so when this is not all of it.
fn panel(name: &str, log: impl Read) -> io::Result<CollapsiblePanel> {
    let mut bytes = Vec::new();
    // One more than is kept, to see whether there is more.
    log.take(MOST_OF_A_LOG as u64 + 1).read_to_end(&mut bytes)?;
    let is_cut = bytes.len() > MOST_OF_A_LOG;
    bytes.truncate(MOST_OF_A_LOG);
    let title = if is_cut { format!("{name} (its first 16 MiB)") } else { name.to_owned() };
    let text = String::from_utf8_lossy(&bytes);
    Ok(CollapsiblePanel::new(title).markdown(Markdown::default().code_block(text)))
}

impl Args {
    /// An empty variable is one that is not set, as compose files and CI leave behind what has no value.
    fn without_empty(mut self) -> Self {
        for setting in [&mut self.webhook, &mut self.secret, &mut self.keyword] {
            setting.take_if(|value| value.is_empty());
        }
        self
    }

    fn message(&self) -> Result<Message, Box<dyn Error>> {
        let mut card = Card::new(&self.title).template(self.template);
        if let Some(subtitle) = &self.subtitle {
            card = card.subtitle(subtitle);
        }
        for (text, color) in &self.tags {
            card = card.tag(text, *color);
        }
        for text in &self.texts {
            card = card.markdown(text);
        }
        for (name, value) in &self.fields {
            let name = Column::new(1).markdown(Markdown::default().bold(name));
            card = card.columns(ColumnSet::new().column(name).column(Column::new(3).markdown(value)));
        }
        for path in &self.logs {
            let name = path.file_name().filter(|name| *name != STDIN);
            let name = name.map_or("log".into(), |name| name.to_string_lossy());
            let panel = open(path).and_then(|log| panel(&name, log));
            card = card.hr().panel(panel.map_err(|error| format!("{}: {error}", path.display()))?);
        }
        let mut last = Markdown::default();
        for (label, url) in &self.links {
            last = last.link(label, url).text(" ");
        }
        for mention in &self.mentions {
            last = last.mention(mention.clone());
        }
        if !self.links.is_empty() || !self.mentions.is_empty() {
            card = card.markdown(last);
        }
        let message = Message::from(card);
        Ok(match &self.reference {
            Some(reference) => message.with_reference(reference),
            None => message,
        })
    }
}

fn main() -> ExitCode {
    match to_the_end(run(Args::parse().without_empty())) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader who went away, such as `head`, has had what it wanted; and a message that was delivered was.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("send: {error}");
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

/// Of the future, and not of what it has left behind: a name that nobody answers is looked up on a thread that cannot be
/// stopped, and a runtime that is dropped waits for it, however long ago the deadline was.
fn to_the_end(run: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(run);
    runtime.shutdown_background();
    outcome
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let message = args.message()?;
    if args.dry_run || args.json {
        let rendered = message.render(args.keyword.as_deref())?;
        let mut out = io::stdout();
        if args.json {
            writeln!(out, "{:#}", rendered.body())?;
        } else {
            let paint = if out.is_terminal() { Paint::Ansi } else { Paint::Plain };
            write!(out, "{}", rendered.preview(args.width, paint))?;
        }
        let note = if rendered.shortened() { ", shortened to fit" } else { "" };
        eprintln!("{} bytes{note}; not sent", rendered.bytes());
        return Ok(());
    }

    // The TLS provider is the program's choice; the library only uses it.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let webhook: BotWebhook = args.webhook.ok_or("no webhook: set FEISHU_WEBHOOK")?.parse()?;
    let mut builder = HttpCustomBot::builder(webhook).deadline(Duration::from_secs(args.deadline));
    if let Some(secret) = args.secret {
        builder = builder.secret(secret);
    }
    if let Some(keyword) = args.keyword {
        builder = builder.keyword(keyword);
    }
    let delivery = builder.build()?.send(&message).await?;
    let mut out = io::stdout();
    writeln!(out, "delivered at try {}", delivery.tries)?;
    for (happened, what) in [
        (delivery.shortened, "it was shortened to fit"),
        (delivery.as_text, "the card was refused, its text was posted"),
        (delivery.maybe_doubled, "it may stand there twice"),
    ] {
        if happened {
            writeln!(out, "{what}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(flags: &[&str]) -> Args {
        let all = ["send", "title", "--webhook", "https://example.com"].iter().chain(flags);
        Args::try_parse_from(all).expect("arguments").without_empty()
    }

    #[test]
    fn what_is_empty_is_not_set() {
        // To clap, an empty variable is what an empty argument is.
        let empty = args(&["--secret", "", "--keyword", ""]);
        assert_eq!((empty.secret, empty.keyword), (None, None));
        let set = args(&["--secret", "s", "--keyword", "告警"]);
        assert_eq!((set.secret.as_deref(), set.keyword.as_deref()), (Some("s"), Some("告警")));
        let webhook = Args::try_parse_from(["send", "title", "--webhook", ""]).expect("arguments");
        assert_eq!(webhook.without_empty().webhook, None);
    }

    #[test]
    fn it_ends_when_it_is_done_and_not_when_a_thread_is() {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (ended, has_ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let outcome = to_the_end(async {
                // As a resolver that does not answer.
                tokio::task::spawn_blocking(move || released.recv());
                Ok(())
            });
            ended.send(outcome.is_ok()).expect("it is waited for");
        });
        assert_eq!(has_ended.recv_timeout(Duration::from_secs(30)), Ok(true));
        drop(release);
    }

    /// The title of the panel, the log's characters that are shown, and how many it says are not.
    fn drawn(log: impl Read) -> (String, usize, usize) {
        let card = Card::new("t").panel(panel("syslog", log).expect("read"));
        let rendered = Message::from(card).render(None).expect("it fits");
        let panel = &rendered.body()["card"]["body"]["elements"][0];
        let title = panel["header"]["title"]["content"].as_str().expect("a title").to_owned();
        let block = panel["elements"][0]["content"].as_str().expect("a block");
        let note = block.split_once("… (+").and_then(|(_, note)| note.split_once(" characters)"));
        let left_out = note.map_or(0, |(count, _)| count.parse().expect("a number"));
        (title, block.matches('x').count(), left_out)
    }

    #[test]
    fn what_is_left_out_of_a_log_is_counted_to_its_end() {
        for length in [10, 70_000, 1_000_000, MOST_OF_A_LOG] {
            let (title, shown, left_out) = drawn(io::repeat(b'x').take(length as u64));
            assert_eq!((title.as_str(), shown + left_out), ("syslog", length));
        }
        let (title, shown, left_out) = drawn(io::repeat(b'x'));
        assert_eq!((title.as_str(), shown + left_out), ("syslog (its first 16 MiB)", MOST_OF_A_LOG));
    }
}
