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
        // Editors of Windows put it there.
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
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

/// The lines that are not blank, without the blanks around them, and their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> + Clone {
    let lines = (1..).zip(text.split('\n').map(str::trim));
    lines.filter(|(_, line)| !line.is_empty())
}

/// Where a line is an entry, or nothing.
fn each_line<'t>(
    text: &'t str,
    found: &mut Found,
    mut read: impl FnMut(&'t str) -> Option<std::result::Result<Entry<'t>, Why>>,
) -> Result<()> {
    for (number, line) in lines(text) {
        if let Some(entry) = read(line) {
            found(number, entry)?;
        }
    }
    Ok(())
}
