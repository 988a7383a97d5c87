//! Waiting for a condition, with a deadline and a name.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// Asks until the answer is something, or the deadline has passed.
///
/// # Errors
/// When `within` has passed; the message names `what`, and the last error that `ask` met.
pub async fn until<T, F>(what: &str, within: Duration, mut ask: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<Option<T>>,
{
    let started = Instant::now();
    loop {
        let answer = ask().await;
        if let Ok(Some(value)) = answer {
            return Ok(value);
        }
        if started.elapsed() >= within {
            match answer {
                Err(error) => return Err(error.context(format!("waited {within:?} for {what}"))),
                Ok(_) => bail!("waited {within:?} for {what}"),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_answer_is_returned_when_it_comes() {
        let mut asked = 0;
        let answer = until("three", Duration::from_secs(10), async || {
            asked += 1;
            Ok((asked == 3).then_some(asked))
        });
        assert_eq!(answer.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn the_deadline_names_what_was_waited_for_and_the_last_error() {
        let error = until::<(), _>("the moon", Duration::ZERO, async || bail!("too far")).await.unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("the moon") && text.contains("too far"), "{text}");
    }
}
