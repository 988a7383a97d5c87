//! Server-sent events, cut into pieces in any way.
//!
//! After the HTML standard, "Server-sent events": lines end with LF, CR or CRLF, a line with a colon first is a
//! comment, an empty line ends an event.

/// The longest event taken. A whole answer in one event is far below.
const LONGEST_EVENT: usize = 4 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The field `event`, when it was there.
    pub event: Option<String>,
    /// The lines of the field `data`, with LF between them. Bytes that are no UTF-8 are replaced.
    pub data: String,
}

/// An event of more than 4 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of more than {} MiB", LONGEST_EVENT >> 20)]
pub struct TooLong;

/// Reads events out of bytes, in whatever pieces they come.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    event: Option<String>,
    data: Option<String>,
    /// A CR was the last byte: an LF that follows belongs to it.
    after_cr: bool,
    /// The first line is behind us, and with it the place of a byte order mark.
    begun: bool,
}

impl SseParser {
    /// Takes the next bytes; adds the events that they complete to `events`.
    ///
    /// # Errors
    /// [`TooLong`], after which nothing more should be given to it.
    pub fn push(&mut self, mut bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), TooLong> {
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.extend_line(&bytes[..end])?;
            events.extend(self.end_line());
            let ended_with_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if ended_with_cr {
                match bytes.first() {
                    Some(b'\n') => bytes = &bytes[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
        }
        self.extend_line(bytes)
    }

    /// The end of the stream: the event that was still open. The standard drops it; several servers forget the last
    /// empty line.
    pub fn finish(mut self) -> Option<SseEvent> {
        let last = if self.line.is_empty() { None } else { self.end_line() };
        last.or_else(|| self.dispatch())
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let data = self.data.as_ref().map_or(0, String::len);
        if self.line.len() + bytes.len() + data > LONGEST_EVENT {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Option<SseEvent> {
        let whole = std::mem::take(&mut self.line);
        let first = !std::mem::replace(&mut self.begun, true);
        let line = whole.strip_prefix(BYTE_ORDER_MARK).filter(|_| first).unwrap_or(&whole);
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match field {
            b"data" => {
                let value = String::from_utf8_lossy(value);
                match &mut self.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(&value);
                    }
                    None => self.data = Some(value.into_owned()),
                }
            }
            b"event" => self.event = Some(String::from_utf8_lossy(value).into_owned()),
            // A comment, or `id` and `retry`, which are for clients that come back.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = self.event.take();
        self.data.take().map(|data| SseEvent { event, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for piece in pieces {
            parser.push(piece, &mut events).unwrap();
        }
        events.extend(parser.finish());
        events.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn every_line_end_and_every_cut_gives_the_same_events() {
        let text =
            "\u{feff}: hello\n\ndata: {\"a\":1}\n\nevent: x\ndata: two\ndata:lines\n\ndata\n\ndata: [DONE]";
        let expected = ["{\"a\":1}", "two\nlines", "", "[DONE]"];
        for ends in ["\n", "\r\n", "\r"] {
            let bytes = text.replace('\n', ends).into_bytes();
            for cut in 0..=bytes.len() {
                let (one, two) = bytes.split_at(cut);
                assert_eq!(read(&[one, two]), expected, "{ends:?} cut at {cut}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(&single), expected, "{ends:?} byte by byte");
        }
    }

    #[test]
    fn comments_and_empty_lines_are_no_events() {
        assert_eq!(read(&[b": keep-alive\n\n\n\n: keep-alive\n\nid: 7\nretry: 3\n\n"]), [] as [&str; 0]);
    }

    #[test]
    fn a_field_that_only_begins_like_data_is_none() {
        assert_eq!(read(&[b"database: x\n\nDATA: y\n\n data: z\n\n"]), [] as [&str; 0]);
    }

    #[test]
    fn a_byte_order_mark_counts_only_at_the_start() {
        assert_eq!(read(&[b"\n\xef\xbb\xbfdata: x\n\n"]), [] as [&str; 0]);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        let piece = vec![b'x'; 1 << 20];
        let taken = (0..10).take_while(|_| parser.push(&piece, &mut events).is_ok()).count();
        assert_eq!(taken, 4);
        let mut parser = SseParser::default();
        let line = [b"data: ".as_slice(), &piece, b"\n"].concat();
        assert!((0..10).any(|_| parser.push(&line, &mut events) == Err(TooLong)), "many lines of one event");
    }
}
