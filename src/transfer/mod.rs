//! What other systems have left behind, entry by entry: a file for each of their formats. What is read is facts
//! about their files; where they are from stands there.

mod csv;
mod entra;
mod entry;
mod fields;
mod google_authenticator;
mod keycloak;
mod migration;
mod otpauth;
mod privacyidea;
mod protobuf;
mod users_file;

use std::borrow::Cow;

use crate::error::Result;

pub(crate) use entry::Entry;

/// Why there is no entry. It never quotes the text.
pub(crate) type Why = Cow<'static, str>;

/// What takes the entries, or why there is none, with the number of each: its line's, from 1, or its own where
/// there are no lines.
pub(crate) type Found<'f> = dyn FnMut(usize, std::result::Result<Entry, Why>) -> Result<()> + 'f;

/// A format that is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Otpauth,
    OtpauthMigration,
    UsersFile,
    GoogleAuthenticator,
    PrivacyideaCsv,
    EntraCsv,
    Keycloak,
}

/// By the names that requests have for them.
pub(crate) const FORMATS: &[(&str, Format)] = &[
    ("otpauth", Format::Otpauth),
    ("otpauth-migration", Format::OtpauthMigration),
    ("users-file", Format::UsersFile),
    ("google-authenticator", Format::GoogleAuthenticator),
    ("privacyidea-csv", Format::PrivacyideaCsv),
    ("entra-csv", Format::EntraCsv),
    ("keycloak", Format::Keycloak),
];

impl Format {
    /// Whether its text does not say whose it is.
    pub(crate) fn needs_username(self) -> bool {
        self == Format::GoogleAuthenticator
    }

    /// Reads a text, as whose only a format that needs it is told. It is an error if nothing of it can be read.
    pub(crate) fn read(self, text: &str, username: &str, found: &mut Found) -> Result<()> {
        match self {
            Format::Otpauth => each_line(text, found, otpauth::read),
            Format::OtpauthMigration => migration::read(text, found),
            Format::UsersFile => each_line(text, found, users_file::read),
            Format::GoogleAuthenticator => google_authenticator::read(text, username, found),
            Format::PrivacyideaCsv => privacyidea::read(text, found),
            Format::EntraCsv => entra::read(text, found),
            Format::Keycloak => keycloak::read(text, found),
        }
    }
}

const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The lines that are not blank, without the blanks around them, and their numbers.
#[derive(Clone)]
struct Lines<'t> {
    rest: Option<&'t str>,
    number: usize,
}

fn lines(text: &str) -> Lines<'_> {
    Lines {
        rest: Some(text),
        number: 0,
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = (usize, &'t str);

    // Once in the library, and not once for each format.
    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = self.rest?;
            self.number += 1;
            let (line, rest) = match text.split_once('\n') {
                Some((line, rest)) => (line, Some(rest)),
                None => (text, None),
            };
            self.rest = rest;
            // Editors of Windows put a byte order mark before a text, and texts are joined.
            let line = line.trim_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK);
            if !line.is_empty() {
                return Some((self.number, line));
            }
        }
    }
}

/// How a line becomes an entry, or nothing.
type ReadLine = for<'t> fn(&'t str) -> Option<std::result::Result<Entry<'t>, Why>>;

fn each_line(text: &str, found: &mut Found, read: ReadLine) -> Result<()> {
    for (number, line) in lines(text) {
        if let Some(entry) = read(line) {
            found(number, entry)?;
        }
    }
    Ok(())
}
