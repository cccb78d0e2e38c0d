//! The one table of statuses.

/// One row per status: name, number, HTTP status, and when it is answered.
///
/// Numbers never change their meaning and never come back.
macro_rules! status_table {
    ($($name:ident = $number:literal, $http:literal, $when:literal;)*) => {
        /// The verdict of a call, as its number in the C ABI.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(i32)]
        pub enum Status {
            $(#[doc = $when] $name = $number,)*
        }

        impl Status {
            /// Every status, in the order of the numbers.
            pub const ALL: &[Status] = &[$(Status::$name,)*];

            /// The status with this number, if there is one.
            #[must_use]
            pub const fn from_number(number: i32) -> Option<Status> {
                match number {
                    $($number => Some(Status::$name),)*
                    _ => None,
                }
            }

            /// The stable name, NUL-terminated for C.
            #[must_use]
            pub const fn c_name(self) -> &'static str {
                match self {
                    $(Status::$name => concat!(stringify!($name), "\0"),)*
                }
            }

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.c_name().trim_end_matches('\0')
            }

            /// The HTTP status that a web server would answer with.
            #[must_use]
            pub const fn http(self) -> i32 {
                match self {
                    $(Status::$name => $http,)*
                }
            }

            /// When this status is answered, in a few words.
            #[must_use]
            pub const fn when(self) -> &'static str {
                match self {
                    $(Status::$name => $when,)*
                }
            }
        }
    };
}

status_table! {
    Ok = 0, 200, "accepted, or done";
    NullPointer = 101, 500, "a required pointer is NULL";
    InvalidHandle = 102, 500, "not a live handle of this kind";
    RequestTooLarge = 103, 413, "the text is longer than 64 KiB, or than 16 MiB for factor2_import()";
    BadRequest = 104, 400, "not UTF-8, not JSON, or an unknown, duplicate, missing, mistyped or out-of-range member";
    InvalidToken = 201, 401, "wrong or malformed code, or secret or code not given";
    TokenReused = 202, 401, "the code's step, or a later one, was accepted before; the recovery code was used";
    Throttled = 203, 429, "too many wrong codes: wait retry_after_s seconds";
    Disabled = 204, 403, "the hard limit of wrong codes was reached";
    Unauthorized = 205, 401, "the session has no totpsecret, or no factor2";
    InvalidKey = 206, 401, "the session key has no data";
    DataFormat = 207, 500, "the session's data is no JSON that could hold a configuration, or the recovery text is none";
    InvalidSecret = 208, 500, "the secret is no base32 and no URI, has a wrong length, or is sealed and does not open";
    Configuration = 301, 500, "a setting is missing or wrong, or factor_name or seal is not set where it is needed";
    StoreUnavailable = 302, 503, "the guard's store did not answer, is full, corrupt, or cannot be shared as it is used";
    UnknownError = 901, 500, "an internal error, or one with no other name";
    OutOfMemory = 902, 500, "no memory; reserved: today a failed allocation ends the process";
    RandomUnavailable = 903, 500, "the system gave no randomness";
}
