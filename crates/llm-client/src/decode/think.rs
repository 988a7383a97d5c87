//! Parts reasoning from answer where a model writes both into the content: `<think>…</think>` at its beginning.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Takes content in pieces, however they are cut, and says of each part what it is.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// Nothing but white space and perhaps the first bytes of the tag so far.
    Start { space: String, matched: usize },
    /// In the block, perhaps at the first bytes of its end.
    Inside { matched: usize },
    /// Behind it, where white space is no part of the answer yet.
    Behind,
    /// In the answer.
    Answer,
}

impl Default for Place {
    fn default() -> Self {
        Self::Start { space: String::new(), matched: 0 }
    }
}

/// What a piece of content turned out to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) reasoning: String,
    pub(crate) content: String,
}

impl Splitter {
    pub(crate) fn push(&mut self, piece: String) -> Parts {
        if self.is_in_answer(&piece) {
            // Nearly always, and then a long text need not be copied.
            self.place = Place::Answer;
            return Parts { content: piece, ..Parts::default() };
        }
        let mut parts = Parts::default();
        let mut rest = piece.as_str();
        while !rest.is_empty() {
            rest = self.step(rest, &mut parts);
        }
        parts
    }

    /// Whether all of a piece is answer, as its first character shows.
    fn is_in_answer(&self, piece: &str) -> bool {
        match &self.place {
            Place::Answer => true,
            Place::Start { space, matched: 0 } => {
                space.is_empty()
                    && !piece.starts_with(|c: char| c.is_whitespace() || OPEN.starts_with(c))
                    && !piece.is_empty()
            }
            _ => false,
        }
    }

    /// The end: what was held back because it could have become a tag.
    pub(crate) fn finish(self) -> Parts {
        match self.place {
            Place::Start { space, matched } => {
                Parts { content: space + &OPEN[..matched], ..Parts::default() }
            }
            Place::Inside { matched } => Parts { reasoning: CLOSE[..matched].to_owned(), ..Parts::default() },
            Place::Behind | Place::Answer => Parts::default(),
        }
    }

    /// Takes the start of a piece, and gives back what it did not take.
    fn step<'a>(&mut self, piece: &'a str, parts: &mut Parts) -> &'a str {
        match &mut self.place {
            Place::Start { space, matched } => {
                for (at, c) in piece.char_indices() {
                    if *matched == 0 && c.is_whitespace() {
                        space.push(c);
                    } else if OPEN[*matched..].starts_with(c) {
                        *matched += c.len_utf8();
                        if *matched == OPEN.len() {
                            self.place = Place::Inside { matched: 0 };
                            return &piece[at + c.len_utf8()..];
                        }
                    } else {
                        parts.content.push_str(space);
                        parts.content.push_str(&OPEN[..*matched]);
                        self.place = Place::Answer;
                        return &piece[at..];
                    }
                }
                ""
            }
            Place::Inside { matched } => {
                for (at, c) in piece.char_indices() {
                    // `<` is only the tag's first byte, so that a mismatch begins anew at this very character.
                    if !CLOSE[*matched..].starts_with(c) {
                        parts.reasoning.push_str(&CLOSE[..*matched]);
                        *matched = 0;
                    }
                    if CLOSE[*matched..].starts_with(c) {
                        *matched += c.len_utf8();
                    } else {
                        parts.reasoning.push(c);
                    }
                    if *matched == CLOSE.len() {
                        self.place = Place::Behind;
                        return &piece[at + c.len_utf8()..];
                    }
                }
                ""
            }
            Place::Behind => {
                let rest = piece.trim_start();
                if !rest.is_empty() {
                    self.place = Place::Answer;
                }
                rest
            }
            Place::Answer => {
                parts.content.push_str(piece);
                ""
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&str]) -> (String, String) {
        let mut splitter = Splitter::default();
        let mut all = Parts::default();
        for piece in pieces {
            let parts = splitter.push((*piece).to_owned());
            all.reasoning += &parts.reasoning;
            all.content += &parts.content;
        }
        let parts = splitter.finish();
        (all.reasoning + &parts.reasoning, all.content + &parts.content)
    }

    #[test]
    fn every_cut_gives_the_same_parts() {
        for (text, reasoning, content) in [
            ("<think>a < b </th</think>\n\n{\"x\": 1}", "a < b </th", "{\"x\": 1}"),
            ("\n<think>über</think>ja</think>", "über", "ja</think>"),
            ("  <thing> <think>no</think>", "", "  <thing> <think>no</think>"),
            ("plain", "", "plain"),
            ("<think>never ends </thi", "never ends </thi", ""),
            (" <thi", "", " <thi"),
            ("<think></think>", "", ""),
            ("<think><</think>x", "<", "x"),
        ] {
            let expected = (reasoning.to_owned(), content.to_owned());
            for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                let (one, two) = text.split_at(cut);
                assert_eq!(split(&[one, two]), expected, "{text:?} cut at {cut}");
            }
            let characters: Vec<String> = text.chars().map(String::from).collect();
            let characters: Vec<&str> = characters.iter().map(String::as_str).collect();
            assert_eq!(split(&characters), expected, "{text:?} one by one");
        }
    }
}
