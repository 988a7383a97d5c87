//! As much LogQL as a client must write and understand.

/// The text as a LogQL string, quotes and all.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether LogQL takes it for a label's name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether the query is a selector with filters only: such a query finds the same entries whether they are read or
/// counted, and shows them as they are stored. The error says what it is instead.
pub(crate) fn only_filters(query: &str) -> Result<(), String> {
    let mut rest = Scanner(query);
    if !rest.take("{") {
        return Err("the query does not begin with a selector such as {app=\"web\"}".to_owned());
    }
    rest.pass_until('}')?;
    if !rest.take("}") {
        return Err("the selector has no end".to_owned());
    }
    loop {
        rest.pass_space();
        if rest.0.is_empty() {
            return Ok(());
        }
        let line_filter =
            ["|=", "|~", "|>", "!=", "!~", "!>"].into_iter().any(|operator| rest.take(operator));
        if !line_filter {
            if !rest.take("|") {
                return Err(format!("`{}` is no filter", rest.shown()));
            }
            rest.pass_space();
            let stage = rest.0;
            let name = stage
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .map_or(stage, |end| &stage[..end]);
            let after = stage[name.len()..].trim_start();
            let compared = after.starts_with(['=', '!', '<', '>']);
            if !compared && !stage.starts_with('(') {
                return Err(format!(
                    "`| {name}` changes what is found: only line filters and label filters can be followed"
                ));
            }
        }
        rest.pass_until('|')?;
    }
}

/// What is left of a query.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn take(&mut self, token: &str) -> bool {
        self.pass_space();
        self.0.strip_prefix(token).map(|rest| self.0 = rest).is_some()
    }

    fn pass_space(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            if !self.0.starts_with('#') {
                return;
            }
            self.0 = self.0.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }

    /// Up to the character, outside of strings and comments, or the end.
    fn pass_until(&mut self, end: char) -> Result<(), String> {
        loop {
            self.pass_space();
            let Some(c) = self.0.chars().next() else { return Ok(()) };
            if c == end {
                return Ok(());
            }
            self.0 = &self.0[c.len_utf8()..];
            if matches!(c, '"' | '`') {
                self.pass_string(c)?;
            }
        }
    }

    fn pass_string(&mut self, quote: char) -> Result<(), String> {
        let mut escaped = false;
        for (at, c) in self.0.char_indices() {
            if escaped {
                escaped = false;
            } else if c == quote {
                self.0 = &self.0[at + 1..];
                return Ok(());
            } else if c == '\\' && quote == '"' {
                escaped = true;
            }
        }
        Err("a string has no end".to_owned())
    }

    fn shown(&self) -> String {
        self.0.chars().take(20).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_written_as_go_reads_it() {
        assert_eq!(quote("a\"b\\c\nd\te\u{1}ü"), "\"a\\\"b\\\\c\\nd\\te\\u0001ü\"");
    }

    #[test]
    fn selectors_with_filters_can_be_followed() {
        for query in [
            r#"{app="web"}"#,
            r#"  { app =~ "a|b{}" , pod!="x" } |= "error" != `| json` |~ "a\"|b" "#,
            r#"{app="web"} |= "a" or "b" !~ ip("10.0.0.0/8")"#,
            "{app=\"web\"} # a comment | json\n |= \"x\" # another",
            r#"{app="web"} | detected_level="error" or status >= 500 | (a="b" and c!="d") |= "x""#,
        ] {
            assert_eq!(only_filters(query), Ok(()), "{query}");
        }
    }

    #[test]
    fn what_changes_lines_or_labels_cannot() {
        for (query, why) in [
            (r#"{app="web"} | json"#, "json"),
            (r#"{app="web"} |= "x" | line_format "{{.a}}""#, "line_format"),
            (r#"{app="web"} | logfmt | level="error""#, "logfmt"),
            (r#"{app="web"} | drop pod"#, "drop"),
            (r#"rate({app="web"}[1m])"#, "selector"),
            (r#"{app="web} |= "x""#, "no end"),
            (r#"{app="web"} x"#, "no filter"),
            (r#"{app="web""#, "no end"),
            ("", "selector"),
        ] {
            let error = only_filters(query).unwrap_err();
            assert!(error.contains(why), "{query}: {error}");
        }
    }
}
