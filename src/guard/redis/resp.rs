//! RESP2, the language of Redis: commands are written, replies are read.
//!
//! A reply is one of what servers answer to our commands, and all else is nonsense: no numbers, no
//! lists within lists, nothing after the reply, and nothing long.

use std::io::{self, Read};

use zeroize::Zeroizing;

/// The script's longest answer is well below this, as is the longest error, of Redis in protected mode.
const MAX_REPLY_BYTES: usize = 2048;

/// A command, ready to be sent. It is wiped, because a word may be a password or a code.
pub(super) fn command(words: &[&str]) -> Zeroizing<Vec<u8>> {
    // With room for all of it, so that it never moves and leaves a copy.
    let room: usize = words.iter().map(|word| word.len() + 32).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(32 + room));
    bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Okay,
    Text(String),
    List(Vec<String>),
    Nothing,
    Error(ErrorReply),
}

/// An error that a server answered with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ErrorReply {
    /// The first word, such as `NOAUTH`.
    pub(super) code: String,
    pub(super) details: String,
}

/// Reads one reply. What is none, or too long, is `InvalidData`.
pub(super) fn read_reply(stream: &mut (impl Read + ?Sized)) -> io::Result<Reply> {
    let mut buffer = [0; MAX_REPLY_BYTES];
    let mut length = 0;
    while length < buffer.len() {
        match stream.read(&mut buffer[length..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => length += count,
        }
        match parse(&buffer[..length]) {
            Ok(reply) => return Ok(reply),
            Err(Unread::Unfinished) => {}
            Err(Unread::Nonsense) => break,
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Why bytes are no reply.
#[derive(Debug, PartialEq)]
enum Unread {
    /// What is missing may come.
    Unfinished,
    /// Whatever comes, it will be none.
    Nonsense,
}

/// Reads the reply that these bytes are, all of them.
fn parse(bytes: &[u8]) -> Result<Reply, Unread> {
    let mut rest = Rest(bytes);
    let reply = match rest.byte()? {
        b'+' => match rest.line()? {
            "OK" => Reply::Okay,
            _ => return Err(Unread::Nonsense),
        },
        b'-' => {
            let line = rest.line()?;
            let (code, details) = line.split_once(' ').unwrap_or((line, ""));
            Reply::Error(ErrorReply {
                code: code.to_owned(),
                details: details.to_owned(),
            })
        }
        b'$' => rest.text()?.map_or(Reply::Nothing, Reply::Text),
        b'*' => rest.list()?.map_or(Reply::Nothing, Reply::List),
        _ => return Err(Unread::Nonsense),
    };
    match rest.0 {
        [] => Ok(reply),
        _ => Err(Unread::Nonsense),
    }
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn byte(&mut self) -> Result<u8, Unread> {
        let (&first, rest) = self.0.split_first().ok_or(Unread::Unfinished)?;
        self.0 = rest;
        Ok(first)
    }

    /// The text before the next line end.
    fn line(&mut self) -> Result<&'a str, Unread> {
        let end = self.0.windows(2).position(|two| two == b"\r\n");
        let end = end.ok_or(Unread::Unfinished)?;
        let line = std::str::from_utf8(&self.0[..end]).map_err(|_| Unread::Nonsense)?;
        self.0 = &self.0[end + 2..];
        Ok(line)
    }

    /// A length; none for -1, which stands for nothing.
    fn length(&mut self) -> Result<Option<usize>, Unread> {
        let line = self.line()?;
        if line == "-1" {
            return Ok(None);
        }
        let is_number = line.bytes().all(|byte| byte.is_ascii_digit());
        match line.parse() {
            Ok(length) if is_number && length <= MAX_REPLY_BYTES => Ok(Some(length)),
            _ => Err(Unread::Nonsense),
        }
    }

    /// A text after its length.
    fn text(&mut self) -> Result<Option<String>, Unread> {
        let Some(length) = self.length()? else {
            return Ok(None);
        };
        let Some((text, rest)) = self.0.split_at_checked(length) else {
            return Err(Unread::Unfinished);
        };
        self.0 = rest;
        for expected in *b"\r\n" {
            if self.byte()? != expected {
                return Err(Unread::Nonsense);
            }
        }
        let text = std::str::from_utf8(text).map_err(|_| Unread::Nonsense)?;
        Ok(Some(text.to_owned()))
    }

    /// Texts after their number.
    fn list(&mut self) -> Result<Option<Vec<String>>, Unread> {
        let Some(count) = self.length()? else {
            return Ok(None);
        };
        let mut texts = Vec::new();
        for _ in 0..count {
            match self.byte()? {
                b'$' => texts.push(self.text()?.ok_or(Unread::Nonsense)?),
                _ => return Err(Unread::Nonsense),
            }
        }
        Ok(Some(texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use redis::Value;

    /// A reply as the redis crate reads it; none when we would not take it.
    fn as_the_crate_reads_it(bytes: &[u8]) -> Option<Reply> {
        let text = |value| match value {
            Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
            _ => None,
        };
        Some(match redis::parse_redis_value(bytes).ok()? {
            Value::Okay => Reply::Okay,
            Value::Nil => Reply::Nothing,
            Value::Array(values) => {
                Reply::List(values.into_iter().map(text).collect::<Option<_>>()?)
            }
            Value::ServerError(error) => Reply::Error(ErrorReply {
                code: error.code().to_owned(),
                details: error.details().unwrap_or_default().to_owned(),
            }),
            value => Reply::Text(text(value)?),
        })
    }

    fn written(reply: &Reply) -> Vec<u8> {
        let text = |text: &String| format!("${}\r\n{text}\r\n", text.len());
        match reply {
            Reply::Okay => "+OK\r\n".to_owned(),
            Reply::Nothing => "$-1\r\n".to_owned(),
            Reply::Text(it) => text(it),
            Reply::List(texts) => {
                let parts: String = texts.iter().map(text).collect();
                format!("*{}\r\n{parts}", texts.len())
            }
            Reply::Error(ErrorReply { code, details }) if details.is_empty() => {
                format!("-{code}\r\n")
            }
            Reply::Error(ErrorReply { code, details }) => format!("-{code} {details}\r\n"),
        }
        .into_bytes()
    }

    fn any_reply() -> impl Strategy<Value = Reply> {
        prop_oneof![
            Just(Reply::Okay),
            Just(Reply::Nothing),
            ".{0,99}".prop_map(Reply::Text),
            prop::collection::vec("(?s).{0,20}", 0..9).prop_map(Reply::List),
            ("[A-Z]{0,9}", "([a-z'%:][ -~ä]{0,99})?")
                .prop_map(|(code, details)| Reply::Error(ErrorReply { code, details })),
        ]
    }

    /// Gives its bytes a few at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (drop, rest) = self.0.split_at(self.0.len().min(self.1).min(buffer.len()));
            buffer[..drop.len()].copy_from_slice(drop);
            self.0 = rest;
            Ok(drop.len())
        }
    }

    proptest! {
        #[test]
        fn commands_are_written_as_the_redis_crate_writes_them(
            words in prop::collection::vec("(?s).{0,99}", 1..12),
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ours = command(&words);
            let theirs = redis::cmd(words[0]).arg(&words[1..]).get_packed_command();
            prop_assert_eq!(&*ours, &theirs);
        }

        #[test]
        fn replies_are_read_whole_and_in_drops(reply in any_reply(), drop in 1_usize..40) {
            let bytes = written(&reply);
            prop_assert_eq!(as_the_crate_reads_it(&bytes), Some(reply.clone()));
            for end in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..end]), Err(Unread::Unfinished));
            }
            prop_assert_eq!(&read_reply(&mut Drops(&bytes, drop)).unwrap(), &reply);
            // What comes after it is never passed over.
            let more = [&bytes[..], b"\r"].concat();
            prop_assert_eq!(parse(&more), Err(Unread::Nonsense));
        }

        /// What we take for a reply, the redis crate takes for the same; and no bytes make a panic.
        #[test]
        fn damaged_replies_are_never_read_as_others(
            reply in any_reply(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..4),
        ) {
            let mut bytes = written(&reply);
            for (place, byte, kind) in damage {
                let place = place.index(bytes.len());
                let byte = match byte {
                    0..=127 => b"+-$*:\r\n0123456789 _,#"[usize::from(byte) % 21],
                    other => other,
                };
                match kind {
                    0 => bytes[place] = byte,
                    1 => bytes.insert(place, byte),
                    _ if bytes.len() > 1 => { bytes.remove(place); }
                    _ => {}
                }
            }
            if let Ok(read) = parse(&bytes) {
                prop_assert_eq!(as_the_crate_reads_it(&bytes), Some(read));
            }
        }

        #[test]
        fn no_bytes_make_a_panic(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"+-$*1\r\n"[..])], 0..99),
        ) {
            if let Ok(read) = parse(&bytes) {
                prop_assert_eq!(as_the_crate_reads_it(&bytes), Some(read));
            }
            let _ = read_reply(&mut &bytes[..]);
        }
    }

    #[test]
    fn a_reply_has_an_end_and_a_bound() {
        let kind = |bytes: &[u8]| read_reply(&mut &*bytes).unwrap_err().kind();
        assert_eq!(kind(b""), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(b"$5\r\nabc"), io::ErrorKind::UnexpectedEof);
        for nonsense in [
            &b"$2049\r\n"[..],
            b"$18446744073709551616\r\n",
            b"$-2\r\n",
            b"$+1\r\na\r\n",
            b"$\r\n\r\n",
            b"*1\r\n*1\r\n",
            b"*1\r\n$-1\r\n",
            b"$1\r\n\xff\r\n",
            b"$1\r\nabc",
            b"-\xff\r\n",
            b"+PONG\r\n",
            b":1\r\n",
            &[b'+'; MAX_REPLY_BYTES],
        ] {
            assert_eq!(kind(nonsense), io::ErrorKind::InvalidData, "{nonsense:?}");
        }
        let longest = [b"-", &[b'x'; MAX_REPLY_BYTES - 3][..], b"\r\n"].concat();
        assert!(matches!(read_reply(&mut &longest[..]), Ok(Reply::Error(_))));
    }
}
