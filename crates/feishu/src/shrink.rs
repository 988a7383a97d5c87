//! Makes a message fit the cap, so that what matters most is lost last.
//!
//! Texts are cut first, the longest ones most and all to the same length; only when even short ones do not fit, the
//! parts at the end are left out. Both say so where something is missing. Cutting happens before escaping, so that no
//! entity and no character is cut in two.

use serde_json::Value;

/// What Feishu documents as 20 KB, for the whole body.
pub(crate) const CAP: usize = 20 * 1024;
/// Texts of less than this many bytes tell nothing any more; rather are parts left out.
const READABLE: usize = 120;

/// What can be made smaller.
pub(crate) trait Shrink: Sized {
    /// The bytes of the longest text in it.
    fn longest(&self) -> usize;
    /// How many parts it has that can be left out, the last ones first.
    fn parts(&self) -> usize;
    /// How many of them Feishu takes, whatever their size.
    fn most_parts(&self) -> usize {
        self.parts()
    }
    /// With no text longer than `longest` and no more than `parts` parts, and a note where something is missing.
    fn shrunk(&self, longest: usize, parts: usize) -> Self;
}

/// The largest form of a message whose body fits.
#[derive(Debug, Clone)]
pub(crate) struct Fitted<M> {
    pub(crate) message: M,
    pub(crate) body: Value,
    pub(crate) bytes: usize,
    /// Something was cut or left out.
    pub(crate) shortened: bool,
}

/// Finds the form of `message` that fits into `cap` bytes, if there is one.
pub(crate) fn fit<M: Shrink>(message: &M, cap: usize, render: impl Fn(&M) -> Value) -> Option<Fitted<M>> {
    let form = |longest, parts| {
        let message = message.shrunk(longest, parts);
        let body = render(&message);
        let bytes = body.to_string().len();
        (bytes <= cap).then_some(Fitted { message, body, bytes, shortened: true })
    };
    let longest = message.longest();
    let parts = message.most_parts();
    if parts == message.parts()
        // A longer one cannot fit, and need not be rendered to know it.
        && longest <= cap
        && let Some(whole) = form(longest, parts)
    {
        return Some(Fitted { shortened: false, ..whole });
    }
    greatest(READABLE, longest.min(cap), |longest| form(longest, parts))
        .or_else(|| greatest(0, parts, |parts| form(READABLE, parts)))
}

/// What the greatest number in the range gives that gives anything: by halving, as more never fits where less does not.
fn greatest<T>(least: usize, most: usize, give: impl Fn(usize) -> Option<T>) -> Option<T> {
    let mut best = give(least)?;
    let (mut good, mut bad) = (least, most.max(least) + 1);
    while good + 1 < bad {
        let middle = good.midpoint(bad);
        match give(middle) {
            Some(found) => (best, good) = (found, middle),
            None => bad = middle,
        }
    }
    Some(best)
}

/// At most `longest` bytes of `text`, up to the end of a character.
pub(crate) fn head(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// [`head`], and how much is missing.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let kept = head(text, longest);
    format!("{kept}… (+{} characters)", text[kept.len()..].chars().count())
}

/// What stands in place of parts that were left out.
pub(crate) fn left_out(all: usize, kept: usize) -> Option<String> {
    (kept < all).then(|| format!("… (+{} more)", all - kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("节点失联", 7), "节点… (+2 characters)");
        assert_eq!(cut("节点失联", 12), "节点失联");
        assert_eq!(cut("节点失联", 0), "… (+4 characters)");
    }

    #[test]
    fn halving_finds_the_greatest() {
        for limit in 0..40 {
            let found = greatest(0, 30, |n| (n <= limit).then_some(n));
            assert_eq!(found, Some(limit.min(30)));
        }
        assert_eq!(greatest(5, 30, |n| (n < 5).then_some(n)), None);
    }
}
